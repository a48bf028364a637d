/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the masters' DirectAdmins push and delete, and what they may believe since. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schedules.h"
#include "world.h"

static const char *const masters[WORLD_MASTERS] = { "da1.host.example", "da2.host.example" };

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

static struct core_command *make_push(struct world *world, struct pushed *pushed)
{
	char text[512];
	struct core_command *command = world_command(world, ENGINE_PUSH, pushed->zone->name, pushed->master);

	command->zone = make_zone(pushed->zone->name, pushed->content, text, sizeof(text));
	pushed->digest = *zone_digest(command->zone);
	command->request->username = xstrdup("fred");
	command->request->text = xstrdup(text);
	command->request->text_size = strlen(text);
	schedules_tell("%s pushes %s, content %u", pushed->master, pushed->zone->name, pushed->content);
	return command;
}

static void believe_push(struct world *world, const struct pushed *pushed)
{
	struct world_zone *zone = pushed->zone;

	if (!zone->known || zone->deleted || !zone_digest_equal(&zone->digest, &pushed->digest))
		world_add_version(zone, pushed->content);
	world->tally.takeovers += zone->known && strcmp(zone->owner, pushed->master) != 0;
	zone->dropped = false;
	zone->known = true;
	zone->deleted = false;
	zone->digest = pushed->digest;
	zone->content = pushed->content;
	zone->owner = pushed->master;
}

/* Was it stored after all? Then the owner is its own, and the content, at least. */
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
	if (answer == WORLD_YES || (answer == WORLD_UNSURE && did_push_happen(world, pushed)))
		believe_push(world, pushed);
}

static void push_all(struct world *world, struct pushed *pushed, size_t count)
{
	struct core_command *commands[WORLD_TOGETHER];
	enum world_answer answers[WORLD_TOGETHER];

	for (size_t i = 0; i < count; i++)
		commands[i] = make_push(world, &pushed[i]);
	world_order_all(world, commands, count, answers);
	for (size_t i = 0; i < count; i++)
		learn_push(world, &pushed[i], answers[i]);
}

void world_push(struct world *world, struct world_zone *zone, unsigned content, const char *master)
{
	push_all(world, &(struct pushed){ .zone = zone, .content = content, .master = master }, 1);
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

static struct pushed choose_push(struct world *world, struct world_zone *zone)
{
	bool again = world_pick(world, 0, 6) == 0;

	return (struct pushed){ .zone = zone, .master = masters[world_pick(world, 0, WORLD_MASTERS - 1)],
		.content = again ? zone->content : (unsigned)world_pick(world, 0, 200) };
}

void world_client(struct world *world)
{
	size_t first = (size_t)world_pick(world, 0, WORLD_ZONES - 1);
	size_t count = world_chance(world, 30) ? (size_t)world_pick(world, 2, WORLD_TOGETHER) : 1;
	struct pushed pushed[WORLD_TOGETHER];

	if (world_pick(world, 0, 7) == 0) {
		delete_zone(world, &world->zones[first], masters[world_pick(world, 0, WORLD_MASTERS - 1)]);
		return;
	}
	for (size_t i = 0; i < count; i++)
		pushed[i] = choose_push(world, &world->zones[(first + i) % WORLD_ZONES]);
	push_all(world, pushed, count);
}
