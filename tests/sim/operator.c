/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the operator orders. What is in force survives restarts, so the world keeps it too. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/core_internal.h"
#include "schedules.h"
#include "world.h"

/* ---- pause, freeze, dead letters ---- */

void world_pause(struct world *world, size_t at, bool pause)
{
	struct core_command *command = world_command(world, pause ? ENGINE_PAUSE : ENGINE_RESUME, NULL, NULL);
	const char *name = world->backends[at].name;
	bool there = world_lane_of(world, at) != NULL;

	command->request->backend = xstrdup(name);
	schedules_tell("%s is to be %s", name, pause ? "paused" : "resumed");
	enum world_answer answer = world_order(world, command);
	if (!there)
		return;
	if (answer == WORLD_NO)
		schedules_violated("%s could not be %s", name, pause ? "paused" : "resumed");
	if (answer == WORLD_YES)
		world->targets[at].paused = pause;
	if (answer == WORLD_UNSURE)
		world->targets[at].paused = world_lane_of(world, at)->health.state == LANE_PAUSED;
}

static bool is_frozen(struct world *world, const struct world_zone *zone)
{
	struct store_zone row = { 0 };
	struct err err;

	bool frozen = store_zone_find(world->store, zone->name, &row, &err) == ERR_OK && core_is_frozen(world->core, row.id);
	store_zone_clear(&row);
	return frozen;
}

/* What is known can be frozen, deleted ones too. It must not be sent from the answer on, so it is believed before. */
void world_freeze(struct world *world, struct world_zone *zone, bool freeze)
{
	struct core_command *command = world_command(world, freeze ? ENGINE_FREEZE : ENGINE_THAW, zone->name, NULL);
	bool before = zone->frozen;

	schedules_tell("%s is to be %s", zone->name, freeze ? "frozen" : "thawed");
	zone->frozen = zone->known && freeze;
	enum world_answer answer = world_order(world, command);
	if (answer == WORLD_REFUSED)
		zone->frozen = before;
	else if (answer == WORLD_UNSURE)
		zone->frozen = is_frozen(world, zone);
	else if ((answer == WORLD_YES) != zone->known)
		schedules_violated("%s could not be %s", zone->name, freeze ? "frozen" : "thawed");
}

/* Where there is none, it is refused. */
void world_dead_letters(struct world *world, struct world_zone *zone, bool drop)
{
	struct core_command *command = world_command(world, drop ? ENGINE_DEAD_DROP : ENGINE_DEAD_REPLAY, zone->name, NULL);

	schedules_tell("dead letters of %s are to be %s", zone->name, drop ? "dropped" : "tried again");
	enum world_answer answer = world_order(world, command);
	zone->dropped = zone->dropped || (drop && (answer == WORLD_YES || answer == WORLD_UNSURE));
}

/* ---- back in time ---- */

/* The stored zone has that content, whatever its serial. */
static void learn_rollback(struct world *world, struct world_zone *zone, unsigned content)
{
	struct store_zone row = { 0 };
	struct err err;
	char *text, address[32];
	size_t size;

	snprintf(address, sizeof(address), "192.0.2.%u\n", content % 250 + 1);
	if (store_zone_find(world->store, zone->name, &row, &err) != ERR_OK || store_zone_text(world->store, row.id, &text, &size, &err) != ERR_OK) {
		schedules_violated("zone %s was rolled back, and is not stored: %s", zone->name, err.text);
		store_zone_clear(&row);
		return;
	}
	if (memmem(text, size, address, strlen(address)) == NULL)
		schedules_violated("%s was rolled back, and has other content", zone->name);
	zone->digest = row.digest;
	zone->content = content;
	world_add_version(zone, content);
	free(text);
	store_zone_clear(&row);
}

static void learn_way_back(struct world *world, struct world_zone *zone, unsigned version)
{
	if (zone->deleted)
		world_add_version(zone, zone->content);
	else
		learn_rollback(world, zone, zone->contents[version % WORLD_VERSIONS]);
	zone->deleted = false;
}

static uint64_t generation_of(struct world *world, const struct world_zone *zone)
{
	struct store_zone row = { 0 };
	struct err err;

	uint64_t generation = store_zone_find(world->store, zone->name, &row, &err) == ERR_OK ? row.generation : 0;
	store_zone_clear(&row);
	return generation;
}

/* Of those that are kept, one; or one that is not. A deleted zone is brought back instead. */
static void go_back(struct world *world, struct world_zone *zone)
{
	unsigned steps = (unsigned)world_pick(world, 0, WORLD_VERSIONS);
	struct core_command *command = world_command(world, zone->deleted ? ENGINE_UNDELETE : ENGINE_ROLLBACK, zone->name, NULL);
	unsigned version = zone->version - (steps < zone->version ? steps : 0);
	bool expected = zone->known && (zone->deleted || zone->version - version < WORLD_VERSIONS);
	uint64_t before = generation_of(world, zone);

	command->request->number = version;
	schedules_tell("%s is to go back to version %u of %u", zone->name, version, zone->version);
	enum world_answer answer = world_order(world, command);
	if (answer == WORLD_UNSURE)
		answer = generation_of(world, zone) != before ? WORLD_YES : WORLD_REFUSED;
	else if (answer != WORLD_REFUSED && (answer == WORLD_YES) != expected)
		schedules_violated("%s: back to version %u of %u went %s", zone->name, version, zone->version,
			answer == WORLD_YES ? "well" : "wrong");
	if (expected && answer == WORLD_YES)
		learn_way_back(world, zone, version);
}

/* ---- healing ---- */

bool world_heal(struct world *world, const char *backend, bool dry_run)
{
	struct core_command *command = world_command(world, ENGINE_HEAL, NULL, NULL);
	uint64_t id = command->request->id;
	bool there = backend == NULL || core_find_lane(world->core, backend) != NULL;

	command->request->backend = xstrdup(backend);
	command->request->dry_run = dry_run;
	schedules_tell("a healing pass%s at %s", dry_run ? " that changes nothing" : "", backend == NULL ? "all" : backend);
	enum world_answer answer = world_order(world, command);
	if (answer == WORLD_NO && there && world->replies[id % ARRAY_SIZE(world->replies)].code != ERR_BUSY)
		schedules_violated("a healing pass could not begin");
	return answer == WORLD_YES;
}

/* ---- which ---- */

void world_operator(struct world *world)
{
	size_t target = (size_t)world_pick(world, 0, WORLD_TARGETS - 1);
	struct world_zone *zone = &world->zones[world_pick(world, 0, WORLD_ZONES - 1)];
	int64_t kind = world_pick(world, 0, 99);

	if (kind < 7)
		world_reload(world);
	else if (kind < 9)
		world_cut_short(world);
	else if (kind < 21)
		world_pause(world, target, world_chance(world, 40));
	else if (kind < 34)
		world_freeze(world, zone, world_chance(world, 50));
	else if (kind < 45)
		go_back(world, zone);
	else if (kind < 57)
		world_dead_letters(world, zone, world_chance(world, 70));
	else if (kind < 75)
		world_heal(world, world_chance(world, 50) ? NULL : world->backends[target].name, world_chance(world, 20));
	else
		world_end_fault(world);
}
