/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A pass over the masters, as lib/sync makes it, a stage in each step so that anything may happen in between: what is held is
 * noted, each master gives its list or does not, owners move, what is missing is counted and judged, texts are fetched. What
 * masters host is the truth: a push or a delete of which nobody was told is found, and nothing else is taken away.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/orphan.h"
#include "schedules.h"
#include "world.h"

static const struct engine_orphan_policy policy = { .passes = 2, .min_delete_zones = 3,
	.max_delete_percent = 25, .max_delete_zones = 10 };

/* ---- what masters host ---- */

void world_host(struct world *world, size_t master, size_t zone, unsigned content)
{
	world->hosted[master][zone] = (struct world_hosted){ .there = true, .content = content };
}

/* DirectAdmin tells a change once: nobody was there to hear it. */
static void change_untold(struct world *world)
{
	size_t master = (size_t)world_pick(world, 0, WORLD_MASTERS - 1);
	size_t zone = (size_t)world_pick(world, 0, WORLD_ZONES - 1);
	struct world_hosted *hosted = &world->hosted[master][zone];

	hosted->there = !hosted->there || world_chance(world, 50);
	hosted->content = (unsigned)world_pick(world, 0, 200);
	schedules_tell("%s %s %s, and tells nobody", world_masters[master], hosted->there ? "changes" : "deletes",
		world->zones[zone].name);
}

/* ---- the stages ---- */

static void note_holdings(struct world *world)
{
	struct world_pass *pass = &world->over_masters;

	*pass = (struct world_pass){ .stage = 0 };
	for (size_t i = 0; i < WORLD_ZONES; i++) {
		struct store_zone row = { 0 };
		struct err err;

		pass->zones[i].owner = MIRROR_NOBODY;
		if (store_zone_find(world->store, world->zones[i].name, &row, &err) != ERR_OK)
			continue;
		pass->zones[i].seen = (struct engine_seen){ .generation = row.generation, .updated_at_us = row.updated_at_us };
		pass->zones[i].live = !row.deleted;
		for (int k = 0; k < WORLD_MASTERS; k++) {
			if (strcmp(row.hostname, world_masters[k]) == 0)
				pass->zones[i].owner = k;
		}
		if (pass->zones[i].owner >= 0)
			pass->owned[pass->zones[i].owner] += pass->zones[i].live;
		store_zone_clear(&row);
	}
	schedules_tell("a pass over the masters begins");
}

/* Its list is complete, or it is not known what it hosts. */
static void take_list(struct world *world, int master)
{
	struct world_pass *pass = &world->over_masters;
	struct core_command *command = world_command(world, ENGINE_MASTER_LIST, NULL, world_masters[master]);

	pass->known[master] = world_chance(world, 85);
	for (size_t i = 0; i < WORLD_ZONES; i++) {
		pass->zones[i].listed[master] = pass->known[master] && world->hosted[master][i].there;
		command->request->number += pass->zones[i].listed[master];
	}
	command->request->text = pass->known[master] ? NULL : xstrdup("it does not answer");
	schedules_tell("%s %s", world_masters[master], pass->known[master] ? "gives its list" : "does not answer");
	enum world_answer answer = world_order(world, command);
	pass->failed = answer != WORLD_YES;
	world->lists[master] += pass->known[master] && !pass->failed;
}

static void judge_zones(struct world *world)
{
	struct world_pass *pass = &world->over_masters;
	struct mirror_master masters[WORLD_MASTERS] = { { .known = pass->known[0] }, { .known = pass->known[1] } };

	for (size_t i = 0; i < WORLD_ZONES; i++) {
		struct world_looked *zone = &pass->zones[i];

		zone->claimant = zone->listed[0] && zone->listed[1] ? MIRROR_SEVERAL : zone->listed[0] ? 0 :
			zone->listed[1] ? 1 : MIRROR_NOBODY;
		zone->verdict = zone->live ? mirror_judge(zone->owner, zone->claimant, false, masters, WORLD_MASTERS) : MIRROR_LEFT;
		if (zone->verdict != MIRROR_MISSING && zone->owner >= 0 && pass->known[zone->owner])
			world->missing[i] = 0;
	}
}

/* Those of that verdict, perhaps none. */
static struct core_command *about_zones(struct world *world, enum engine_op op, int master, enum mirror_verdict verdict)
{
	struct core_command *command = world_command(world, op, NULL, world_masters[master]);
	struct engine_request *request = command->request;

	request->names = xcalloc(WORLD_ZONES, sizeof(char *));
	request->seen = xcalloc(WORLD_ZONES, sizeof(*request->seen));
	for (size_t i = 0; i < WORLD_ZONES; i++) {
		const struct world_looked *zone = &world->over_masters.zones[i];

		if (zone->verdict != verdict || (verdict == MIRROR_MOVED ? zone->claimant : zone->owner) != master)
			continue;
		request->names[request->name_count] = xstrdup(world->zones[i].name);
		request->seen[request->name_count++] = zone->seen;
	}
	return command;
}

/* Only what did not change meanwhile moves; the store says which. */
static void move_owners(struct world *world, int master)
{
	struct err err;

	if (world_order(world, about_zones(world, ENGINE_MASTER_OWN, master, MIRROR_MOVED)) == WORLD_NO)
		schedules_violated("owners could not be moved");
	for (size_t i = 0; i < WORLD_ZONES; i++) {
		const struct world_looked *zone = &world->over_masters.zones[i];
		struct store_zone row = { 0 };

		if (zone->verdict != MIRROR_MOVED || zone->claimant != master ||
			store_zone_find(world->store, world->zones[i].name, &row, &err) != ERR_OK)
			continue;
		if (strcmp(row.hostname, world_masters[master]) == 0 && !row.deleted)
			world->zones[i].owner = world_masters[master];
		store_zone_clear(&row);
	}
}

static void count_missing(struct world *world, int master)
{
	if (world_order(world, about_zones(world, ENGINE_MASTER_MISSING, master, MIRROR_MISSING)) == WORLD_NO)
		schedules_violated("missing zones could not be counted");
	for (size_t i = 0; i < WORLD_ZONES; i++) {
		const struct world_looked *zone = &world->over_masters.zones[i];

		world->missing[i] += zone->verdict == MIRROR_MISSING && zone->owner == master;
	}
}

static void judge_missing(struct world *world, int master)
{
	const struct world_pass *pass = &world->over_masters;
	struct core_command *command = world_command(world, ENGINE_MASTER_JUDGE, NULL, world_masters[master]);

	command->request->orphans = policy;
	command->request->orphans.grace_us = world->seed % 2 == 0 ? 0 : 60000000;
	command->request->orphans.decide = world->lists[master] > 1 && pass->known[0] && pass->known[1];
	command->request->number = pass->owned[master];
	world->judged = true;
	world->may_delete[master] = orphan_limit(&policy, (uint64_t)pass->owned[master]);
	schedules_tell("what %s lacks of %d is judged%s", world_masters[master], pass->owned[master],
		command->request->orphans.decide ? "" : ", and left");
	if (world_order(world, command) == WORLD_NO)
		schedules_violated("missing zones could not be judged");
}

static void settle_master(struct world *world, int master)
{
	uint64_t restarts = world->tally.restarts;

	if (!world->over_masters.known[master])
		return;
	move_owners(world, master);
	if (world->tally.restarts == restarts)
		count_missing(world, master);
	if (world->tally.restarts == restarts)
		judge_missing(world, master);
}

static void fetch_texts(struct world *world)
{
	uint64_t restarts = world->tally.restarts;

	for (size_t i = 0; i < WORLD_ZONES && world->tally.restarts == restarts; i++) {
		const struct world_looked *zone = &world->over_masters.zones[i];

		if (zone->claimant >= 0 && (!zone->live || zone->owner == zone->claimant))
			world_pull(world, i, (size_t)zone->claimant, &zone->seen);
	}
}

static void go_on(struct world *world)
{
	struct world_pass *pass = &world->over_masters;
	uint64_t restarts = world->tally.restarts;
	int stage = pass->stage;

	if (stage == 0)
		note_holdings(world);
	else if (stage <= WORLD_MASTERS)
		take_list(world, stage - 1);
	else if (stage == WORLD_MASTERS + 1)
		judge_zones(world);
	else if (stage <= 2 * WORLD_MASTERS + 1)
		settle_master(world, stage - WORLD_MASTERS - 2);
	else
		fetch_texts(world);
	/* A pass does not outlive its process; nor one of its steps that was refused. */
	bool over = pass->failed || stage > 2 * WORLD_MASTERS + 1 || world->tally.restarts != restarts;
	pass->stage = over ? 0 : stage + 1;
}

/* Some passes in a row, which alone make an orphan. */
static void pass_again(struct world *world)
{
	for (int i = 0; i < 3; i++) {
		do {
			go_on(world);
		} while (world->over_masters.stage != 0);
		world_pass_time(world, 60000);
	}
}

void world_masters_step(struct world *world)
{
	int64_t kind = world_pick(world, 0, 9);

	if (kind <= 2) {
		change_untold(world);
	} else if (kind <= 4) {
		pass_again(world);
	} else {
		do {
			go_on(world);
		} while (world->over_masters.stage != 0 && world_chance(world, 80));
	}
}

/* ---- what may be deleted ---- */

static bool see_event(void *ctx, const struct store_event *event)
{
	struct world *world = ctx;
	char name[ZONE_NAME_SIZE];

	if (event->id <= world->last_orphan)
		return false;
	if (strcmp(event->kind, "orphan_deleted") != 0)
		return true;
	snprintf(name, sizeof(name), "%s.", event->zone);
	size_t at = world_index_of(world, name);
	struct world_zone *zone = &world->zones[at];
	size_t owner = zone->owner == world_masters[0] ? 0 : 1;
	if (world->missing[at] < policy.passes)
		schedules_violated("%s was deleted, and its owner lacked it in %u lists only", name, world->missing[at]);
	if (world->may_delete[owner] == 0)
		schedules_violated("%s was deleted, beyond what may be deleted unasked", name);
	world->may_delete[owner]--;
	zone->deleted = true;
	world->tally.orphans++;
	return true;
}

void world_learn_orphans(struct world *world)
{
	struct err err;

	if (!world->judged)
		return;
	CHECK(store_event_list(world->store, INT64_MAX, SIZE_MAX, NULL, NULL, see_event, world, &err) == ERR_OK);
	CHECK(store_event_list(world->store, INT64_MAX, 1, NULL, NULL, world_newest_event, &world->last_orphan, &err) == ERR_OK);
}
