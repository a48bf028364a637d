/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "peers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk.h"
#include "engine/core_internal.h"
#include "engine/message.h"
#include "engine/peering.h"
#include "schedules.h"

enum { HOUR_MS = 3600000, APART_MS = 10000, WRONG_US = 1000000 };

static const int64_t backoff_ms[] = { 30000 };
static const char master[] = "da1.host.example";

static int64_t pick(struct peers_world *world, int64_t low, int64_t high)
{
	return rng_between(&world->rng, low, high);
}

static bool chance(struct peers_world *world, int64_t percent)
{
	return pick(world, 1, 100) <= percent;
}

static int64_t fake_mono_ms(void *ctx)
{
	return ((struct peers_node *)ctx)->world->mono_ms;
}

static int64_t fake_wall_us(void *ctx)
{
	const struct peers_node *node = ctx;

	return INT64_C(1790000000000000) + node->world->mono_ms * 1000 + node->skew_us;
}

/* ---- nodes ---- */

static void no_lanes(UNUSED void *ctx, UNUSED struct core_job *job)
{
	WRONG("a job without back ends");
}

static void node_tells(void *ctx, struct engine_message *message)
{
	struct peers_node *node = ctx;

	if (message->kind == ENGINE_REPLY) {
		node->replied = true;
		node->reply_ok = message->err.code == ERR_OK;
		if (!node->reply_ok)
			schedules_violated("refused: %s", message->err.text);
	}
	engine_message_destroy(message);
}

static void wake(struct peers_node *node)
{
	struct core_params params = { .clock = &node->clock, .backoff_ms = backoff_ms, .backoff_count = 1, .max_attempts = 5,
		.probe_initial_ms = 1000, .probe_max_ms = 30000, .peers = true, .seed = 1, .send = no_lanes, .tell = node_tells,
		.ctx = node };
	struct err err;

	if (store_open(node->path, &node->store, NULL, &err) != ERR_OK) {
		fprintf(stderr, "store: %s\n", err.text);
		abort();
	}
	params.store = node->store;
	CHECK(core_create(&params, &node->core, &err) == ERR_OK);
}

static void sleep_now(struct peers_node *node)
{
	core_destroy(node->core);
	store_close(node->store);
	node->core = NULL;
	node->store = NULL;
}

/* The other nodes say nothing meanwhile. */
static void kill_now(struct peers_node *node)
{
	disk_stop();
	sleep_now(node);
	disk_start(false, &node->world->rng);
}

static void order(struct peers_node *node, struct core_command *command)
{
	node->replied = false;
	core_turn(node->core, &command, 1, NULL, 0);
	CHECK(node->replied);
}

/* ---- the master ---- */

static void name_of(size_t zone, char out[ZONE_NAME_SIZE])
{
	snprintf(out, ZONE_NAME_SIZE, "zone%zu.example.", zone);
}

/* The serial says nothing of the order: the same content bears the same, and many share one. */
static char *text_of(unsigned content)
{
	return xasprintf("$TTL 3600\n@ IN SOA ns1.dns.example. host.dns.example. ( %u 2 3 4 5 )\n@ 60 IN NS ns1.dns.example.\n"
			 "www 60 IN A 192.0.2.%u\nmail 60 IN A 192.0.3.%u\n",
		content * 7 % 11 + 1, content % 256, content / 256);
}

static struct core_command *command_of(enum engine_op op, const char *name)
{
	struct core_command *command = xcalloc(1, sizeof(*command));

	command->request = engine_request_create(op, 1);
	command->request->zone = xstrdup(name);
	memcpy(command->name, name, strlen(name) + 1);
	return command;
}

static void give_text(struct core_command *command, char *text, size_t size)
{
	command->request->text = text;
	command->request->text_size = size;
	CHECK(zone_parse(command->name, text, size, 0, &command->zone, &command->err) == ERR_OK);
}

static void push(struct peers_node *node, size_t zone, unsigned content)
{
	char name[ZONE_NAME_SIZE];
	char *text = text_of(content);

	name_of(zone, name);
	struct core_command *command = command_of(ENGINE_PUSH, name);
	command->request->hostname = xstrdup(master);
	give_text(command, text, strlen(text));
	order(node, command);
}

static void delete_at(struct peers_node *node, size_t zone)
{
	char name[ZONE_NAME_SIZE];

	name_of(zone, name);
	struct core_command *command = command_of(ENGINE_DELETE, name);
	command->request->hostname = xstrdup(master);
	command->request->names = xcalloc(1, sizeof(char *));
	command->request->names[0] = xstrdup(name);
	command->request->name_count = 1;
	order(node, command);
}

/* It reaches some of those that are awake, one after the other; nobody awake: it never was. */
static void master_acts(struct peers_world *world)
{
	size_t zone = (size_t)pick(world, 0, PEERS_ZONES - 1);
	struct peers_truth *truth = &world->truth[zone];
	bool deletes = chance(world, 30);
	bool again = truth->known && chance(world, 40);
	unsigned content = again ? truth->content : (unsigned)pick(world, 1, 5000);
	size_t first = (size_t)pick(world, 0, (int64_t)world->node_count - 1);
	bool accepted = false;

	for (size_t i = 0; i < world->node_count; i++) {
		struct peers_node *node = &world->nodes[(first + i) % world->node_count];

		if (node->store == NULL || (accepted && chance(world, 40)))
			continue;
		if (deletes)
			delete_at(node, zone);
		else
			push(node, zone, content);
		accepted = true;
		world->mono_ms += pick(world, 0, 400);
	}
	if (!accepted)
		return;
	schedules_tell("zone%zu is %s, content %u", zone, deletes ? "deleted" : "pushed", content);
	*truth = (struct peers_truth){ .known = true, .deleted = deletes, .content = deletes ? truth->content : content };
	world->deletes += deletes;
	world->pushes += !deletes;
	world->mono_ms += APART_MS + pick(world, 0, 60000);
}

/* ---- passes ---- */

struct listing {
	struct peers_world *world;
	struct peers_node *from;
	struct peers_node *to;
};

static void offer_of(const struct listing *listing, const struct store_zone *row, struct engine_peer_zone *out)
{
	struct store_version version;
	struct buf vector = { 0 };
	char digest[33];
	struct err err;
	/* The offset was measured, not quite right. */
	int64_t offset_us = listing->to->skew_us - listing->from->skew_us + pick(listing->world, -WRONG_US, WRONG_US);

	CHECK(store_version_load(listing->from->store, row, &version, &err) == ERR_OK);
	version_print(&version.vector, &vector);
	*out = (struct engine_peer_zone){ .name = xstrdup(row->name), .vector = buf_take(&vector),
		.origin = xstrdup(version.origin), .digest = xstrdup(zone_digest_text(&row->digest, digest)),
		.records = row->digest.count, .serial = row->serial, .deleted = row->deleted,
		.accepted_us = row->updated_at_us + offset_us, .hostname = xstrdup(row->hostname),
		.username = xstrdup(row->username) };
}

static bool wants_text(const struct listing *listing, const struct engine_peer_zone *zone)
{
	struct peering_offer offer;
	struct peering_held held;
	struct err err;

	CHECK(peering_read(zone, &offer, &err) == ERR_OK);
	CHECK(peering_find(listing->to->store, offer.name, &held, &err) == ERR_OK);
	struct peering_verdict verdict = peering_judge(&held, store_id(listing->to->store), &offer, fake_wall_us(listing->to));
	peering_clear(&held);
	return verdict.step == PEERING_TAKE && !zone->deleted;
}

static bool offer_one(void *ctx, const struct store_zone *row)
{
	struct listing *listing = ctx;
	struct peers_world *world = listing->world;
	struct core_command *command = command_of(ENGINE_MERGE, row->name);
	struct engine_request *request = command->request;
	struct err err;

	if (world->lossy && chance(world, 20)) {
		core_command_destroy(command);
		return chance(world, 50); /* this answer is lost, or the connection with all that would follow */
	}
	request->peer = xstrdup(listing->from->path);
	request->number = world->pass;
	request->peer_zones = xcalloc(1, sizeof(*request->peer_zones));
	request->peer_zone_count = 1;
	offer_of(listing, row, &request->peer_zones[0]);
	if (wants_text(listing, &request->peer_zones[0])) {
		char *text;
		size_t size;

		CHECK(store_zone_text(listing->from->store, row->id, &text, &size, &err) == ERR_OK);
		give_text(command, text, size);
	}
	order(listing->to, command);
	world->merges++;
	return true;
}

static void pull(struct peers_world *world, struct peers_node *to, struct peers_node *from)
{
	struct listing listing = { .world = world, .from = from, .to = to };
	struct err err;

	if (to == from || to->store == NULL || from->store == NULL || world->cut[to - world->nodes][from - world->nodes])
		return;
	world->pass++;
	schedules_tell("node %td asks node %td", to - world->nodes, from - world->nodes);
	CHECK(store_zone_list(from->store, "", SIZE_MAX, true, offer_one, &listing, &err) == ERR_OK);
}

static void exchange(struct peers_world *world)
{
	for (size_t i = 0; i < world->node_count; i++) {
		for (size_t k = 0; k < world->node_count; k++) {
			if (i != k)
				pull(world, &world->nodes[i], &world->nodes[k]);
		}
	}
}

/* ---- weather ---- */

void peers_settle(struct peers_world *world)
{
	memset(world->cut, 0, sizeof(world->cut));
	world->lossy = false;
	for (size_t i = 0; i < world->node_count; i++) {
		if (world->nodes[i].store == NULL)
			wake(&world->nodes[i]);
	}
	for (size_t i = 0; i < world->node_count; i++)
		exchange(world);
}

/* From an old copy, when all that it accepted since is with the others. It gives numbers that it gave before. */
static void restore(struct peers_world *world, struct peers_node *node)
{
	if (node->store == NULL)
		return;
	if (node->backup[0] == '\0') {
		char *backup = xasprintf("%s.copy", node->path);

		sleep_now(node);
		CHECK(strlen(backup) < sizeof(node->backup));
		memcpy(node->backup, backup, strlen(backup) + 1);
		free(backup);
		schedules_tell("node %td is copied", node - world->nodes);
		disk_copy(node->path, node->backup);
		wake(node);
		return;
	}
	peers_settle(world);
	sleep_now(node);
	schedules_tell("node %td is restored from its copy", node - world->nodes);
	disk_copy(node->backup, node->path);
	wake(node);
	world->restores++;
}

static void change_weather(struct peers_world *world)
{
	struct peers_node *node = &world->nodes[pick(world, 0, (int64_t)world->node_count - 1)];
	size_t a = (size_t)pick(world, 0, (int64_t)world->node_count - 1);
	size_t b = (size_t)pick(world, 0, (int64_t)world->node_count - 1);

	switch (pick(world, 0, 6)) {
	case 0:
	case 1:
	case 2:
		schedules_tell("node %td %s", node - world->nodes, node->store == NULL ? "wakes up" : "falls asleep");
		if (node->store == NULL)
			wake(node);
		else if (chance(world, 50))
			kill_now(node);
		else
			sleep_now(node);
		break;
	case 3:
		schedules_tell("the way between nodes %zu and %zu is %s", a, b, world->cut[a][b] ? "open" : "cut");
		world->cut[a][b] = world->cut[b][a] = !world->cut[a][b];
		break;
	case 4:
		world->lossy = !world->lossy;
		schedules_tell("answers are %s", world->lossy ? "lost" : "not lost any more");
		break;
	default:
		restore(world, node);
		break;
	}
}

void peers_step(struct peers_world *world)
{
	world->steps++;
	if (chance(world, 50))
		master_acts(world);
	else if (chance(world, 40))
		change_weather(world);
	else
		pull(world, &world->nodes[pick(world, 0, (int64_t)world->node_count - 1)],
			&world->nodes[pick(world, 0, (int64_t)world->node_count - 1)]);
	world->mono_ms += pick(world, 0, 1000);
}

/* ---- the end ---- */

static uint64_t check_zone(struct peers_world *world, const struct peers_node *node, size_t zone)
{
	const struct peers_truth *truth = &world->truth[zone];
	struct store_zone row = { 0 };
	char name[ZONE_NAME_SIZE];
	struct err err;

	name_of(zone, name);
	bool live = store_zone_find(node->store, name, &row, &err) == ERR_OK && !row.deleted;
	if (live != (truth->known && !truth->deleted)) {
		schedules_violated("%s %s at node %td", name, live ? "came back" : "is missing", node - world->nodes);
	} else if (live) {
		char *text = text_of(truth->content);
		struct zone *wanted;

		CHECK(zone_parse(name, text, strlen(text), 0, &wanted, &err) == ERR_OK);
		if (!zone_digest_equal(zone_digest(wanted), &row.digest))
			schedules_violated("%s is not the last one at node %td", name, node - world->nodes);
		zone_unref(wanted);
		free(text);
	}
	uint64_t generation = row.generation;
	store_zone_clear(&row);
	return generation;
}

static uint64_t check_all(struct peers_world *world)
{
	uint64_t generations = 0;

	for (size_t i = 0; i < world->node_count; i++) {
		for (size_t zone = 0; zone < PEERS_ZONES; zone++)
			generations += check_zone(world, &world->nodes[i], zone);
	}
	return generations;
}

void peers_check(struct peers_world *world)
{
	uint64_t before = check_all(world);

	exchange(world);
	if (check_all(world) != before)
		schedules_violated("it does not come to rest");
}

/* ---- life ---- */

void peers_create(struct peers_world *world, uint64_t seed, struct rng rng)
{
	disk_wipe();
	*world = (struct peers_world){ .rng = rng };
	world->node_count = seed % 2 == 0 ? 3 : 2;
	for (size_t i = 0; i < world->node_count; i++) {
		struct peers_node *node = &world->nodes[i];

		node->world = world;
		node->clock = (struct clock){ .mono_ms = fake_mono_ms, .wall_us = fake_wall_us, .ctx = node };
		node->skew_us = pick(world, -HOUR_MS, HOUR_MS) * 1000;
		snprintf(node->path, sizeof(node->path), "%s/%zu.db", schedules_folder(), i);
		wake(node);
	}
}

void peers_destroy(struct peers_world *world)
{
	for (size_t i = 0; i < world->node_count; i++) {
		if (world->nodes[i].store != NULL)
			sleep_now(&world->nodes[i]);
	}
}
