/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the masters' DirectAdmins push and delete, and what they may believe since. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schedules.h"
#include "world.h"

const char *const world_masters[WORLD_MASTERS] = { "da1.host.example", "da2.host.example" };

/* ---- pushes ---- */

static struct zone *make_zone(const char *name, unsigned content, char *text, size_t size)
{
	struct zone *zone;
	struct err err;

	int length = snprintf(text, size,
		"$TTL 3600\n@ IN SOA ns1.dns.example. hostmaster.dns.example. ( 2026112001 3600 3600 1209600 86400 )\n"
		"@\t3600\tIN\tNS\tns1.dns.example.\nwww\t3600\tIN\tA\t192.0.2.%u\n",
		content % 250 + 1);
	CHECK(zone_parse(name, text, (size_t)length, 0, &zone, &err) == ERR_OK);
	return zone;
}

void world_add_version(struct world_zone *zone, unsigned content)
{
	zone->version++;
	zone->contents[zone->version % WORLD_VERSIONS] = content;
}

struct pushed {
	struct world_zone *zone;
	unsigned content;
	const char *master;
	struct zone_digest digest;
};

static struct core_command *make_push(struct world *world, enum engine_op op, struct pushed *pushed)
{
	char text[512];
	struct core_command *command = world_command(world, op, pushed->zone->name, pushed->master);

	command->zone = make_zone(pushed->zone->name, pushed->content, text, sizeof(text));
	pushed->digest = *zone_digest(command->zone);
	command->request->username = xstrdup("fred");
	command->request->text = xstrdup(text);
	command->request->text_size = strlen(text);
	schedules_tell("%s %s %s, content %u", pushed->master, op == ENGINE_PUSH ? "pushes" : "is asked for", pushed->zone->name,
		pushed->content);
	return command;
}

static void believe_push(struct world *world, const struct pushed *pushed)
{
	struct world_zone *zone = pushed->zone;

	if (!zone->known || zone->deleted || !zone_digest_equal(&zone->digest, &pushed->digest))
		world_add_version(zone, pushed->content);
	world->tally.takeovers += zone->known && strcmp(zone->owner, pushed->master) != 0;
	world->missing[zone - world->zones] = 0;
	zone->dropped = false;
	zone->known = true;
	zone->deleted = false;
	zone->digest = pushed->digest;
	zone->content = pushed->content;
	zone->owner = pushed->master;
}

/* As the model has it, with that owner. */
static bool is_stored_already(const struct pushed *pushed)
{
	const struct world_zone *zone = pushed->zone;

	return zone->known && !zone->deleted && zone_digest_equal(&zone->digest, &pushed->digest) &&
		strcmp(zone->owner, pushed->master) == 0;
}

/*
 * Was it stored after all? Then the owner is its own, and the content, at least. By one that was stored already nobody can tell:
 * what it would have ended (a dropped dead letter, a count of lists without it) may still be.
 */
static bool did_push_happen(struct world *world, const struct pushed *pushed)
{
	struct store_zone row = { 0 };
	struct err err;

	bool happened = store_zone_find(world->store, pushed->zone->name, &row, &err) == ERR_OK && !row.deleted &&
		zone_digest_equal(&row.digest, &pushed->digest) && strcmp(row.hostname, pushed->master) == 0;
	store_zone_clear(&row);
	return happened;
}

static void learn_push(struct world *world, const struct pushed *pushed, enum world_answer answer)
{
	if (answer == WORLD_NO)
		schedules_violated("a push of %s was refused", pushed->zone->name);
	if (answer == WORLD_YES || (answer == WORLD_UNSURE && !is_stored_already(pushed) && did_push_happen(world, pushed)))
		believe_push(world, pushed);
}

static void push_all(struct world *world, struct pushed *pushed, size_t count)
{
	struct core_command *commands[WORLD_TOGETHER];
	enum world_answer answers[WORLD_TOGETHER];

	for (size_t i = 0; i < count; i++)
		commands[i] = make_push(world, ENGINE_PUSH, &pushed[i]);
	world_order_all(world, commands, count, answers);
	for (size_t i = 0; i < count; i++)
		learn_push(world, &pushed[i], answers[i]);
}

void world_push(struct world *world, struct world_zone *zone, unsigned content, const char *master)
{
	push_all(world, &(struct pushed){ .zone = zone, .content = content, .master = master }, 1);
}

/* ---- pulls ---- */

static uint64_t generation_of(struct world *world, const char *name)
{
	struct store_zone row = { 0 };
	struct err err;

	uint64_t generation = store_zone_find(world->store, name, &row, &err) == ERR_OK ? row.generation : 0;
	store_zone_clear(&row);
	return generation;
}

/* It is stored only if the zone is as it was when the pass began, and differs; the store says whether it was. */
void world_pull(struct world *world, size_t zone, size_t master, const struct engine_seen *seen)
{
	struct pushed pulled = { .zone = &world->zones[zone], .master = world_masters[master],
		.content = world->hosted[master][zone].content };
	struct core_command *command = make_push(world, ENGINE_PULL, &pulled);
	uint64_t before = generation_of(world, pulled.zone->name);

	command->request->seen = xcalloc(1, sizeof(*seen));
	*command->request->seen = *seen;
	world_order(world, command);
	if (generation_of(world, pulled.zone->name) == before)
		return;
	if (before != seen->generation)
		schedules_violated("%s changed while it was fetched, and what was fetched is stored", pulled.zone->name);
	if (!did_push_happen(world, &pulled))
		schedules_violated("%s was fetched, and something else is stored", pulled.zone->name);
	believe_push(world, &pulled);
	world->tally.pulls++;
}

/* ---- deletes ---- */

static bool is_deleted(struct world *world, const struct world_zone *zone)
{
	struct store_zone row = { 0 };
	struct err err;

	bool deleted = store_zone_find(world->store, zone->name, &row, &err) == ERR_OK && row.deleted;
	store_zone_clear(&row);
	return deleted;
}

/* Only the owner's counts; another's is answered well, and nothing comes of it. */
static void delete_zone(struct world *world, struct world_zone *zone, const char *master)
{
	struct core_command *command = world_command(world, ENGINE_DELETE, NULL, master);
	bool owns = zone->known && strcmp(zone->owner, master) == 0;

	command->request->names = xcalloc(1, sizeof(char *));
	command->request->names[0] = xstrdup(zone->name);
	command->request->name_count = 1;
	schedules_tell("%s deletes %s%s", master, zone->name, owns ? "" : ", which it does not own");
	enum world_answer answer = world_order(world, command);
	if (answer == WORLD_NO)
		schedules_violated("a delete of %s was refused", zone->name);
	if (owns && (answer == WORLD_YES || (answer == WORLD_UNSURE && is_deleted(world, zone))))
		zone->deleted = true;
}

/* ---- which ---- */

/* Who moves here is mostly deleted there, sooner or later; and what is told may also be what was told before. */
static struct pushed choose_push(struct world *world, size_t zone)
{
	bool again = world_pick(world, 0, 6) == 0;
	size_t master = (size_t)world_pick(world, 0, WORLD_MASTERS - 1);
	struct pushed pushed = { .zone = &world->zones[zone], .master = world_masters[master],
		.content = again ? world->zones[zone].content : (unsigned)world_pick(world, 0, 200) };

	world_host(world, master, zone, pushed.content);
	if (world_chance(world, 70))
		world->hosted[1 - master][zone].there = false;
	return pushed;
}

void world_client(struct world *world)
{
	size_t first = (size_t)world_pick(world, 0, WORLD_ZONES - 1);
	size_t count = world_chance(world, 30) ? (size_t)world_pick(world, 2, WORLD_TOGETHER) : 1;
	struct pushed pushed[WORLD_TOGETHER];

	if (world_pick(world, 0, 7) == 0) {
		size_t master = (size_t)world_pick(world, 0, WORLD_MASTERS - 1);

		world->hosted[master][first].there = false;
		delete_zone(world, &world->zones[first], world_masters[master]);
		return;
	}
	for (size_t i = 0; i < count; i++)
		pushed[i] = choose_push(world, (first + i) % WORLD_ZONES);
	push_all(world, pushed, count);
}
