/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The process that is simulated: its core on its store, how it starts, what it is asked, and how it ends. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk.h"
#include "engine/core_internal.h"
#include "schedules.h"
#include "world.h"

static const int64_t backoff_ms[] = { 30000, 120000, 300000, 900000, 1800000 };

/* ---- what the core hands out ---- */

static void core_sends(void *ctx, struct core_job *job)
{
	struct world *world = ctx;

	CHECK(world->job_count < WORLD_JOBS);
	for (size_t i = 0; i < job->zone_count; i++) {
		if (world->zones[world_index_of(world, job->zones[i].name)].frozen)
			schedules_violated("%s is frozen, and was sent", job->zones[i].name);
	}
	world->worked[world->job_count] = false;
	world->jobs[world->job_count++] = job;
}

/* What is said after a power cut nobody hears. */
static void core_tells(void *ctx, struct engine_message *message)
{
	struct world *world = ctx;

	if (disk_is_stopped()) {
		engine_message_destroy(message);
		return;
	}
	if (message->kind == ENGINE_REPLY) {
		/* Whoever was refused and asks /readyz hears no other answer. */
		if (message->err.code == ERR_NOSPACE && world->store_ok)
			schedules_violated("refused for the store, and ready: %s", message->err.text);
		world->replies[message->id % ARRAY_SIZE(world->replies)] =
			(struct world_reply){ .came = true, .code = message->err.code };
		if (message->op == ENGINE_HEAL && message->err.code == ERR_OK)
			world->pass = message->pass;
	}
	if (message->kind == ENGINE_STORE_STATE)
		world->store_ok = message->store_ok;
	world->fatal = world->fatal || message->kind == ENGINE_FATAL;
	engine_message_destroy(message);
}

static void opened(void *ctx UNUSED, void *handle)
{
	((struct world_lane *)handle)->opened = true;
}

static void drained(void *ctx UNUSED, void *handle)
{
	struct world_lane *lane = handle;

	if (lane->backend != NULL)
		memory_ops.destroy(lane->backend);
	*lane = (struct world_lane){ .backend = NULL };
}

/* ---- start ---- */

static struct world_lane *make_lane(struct world *world, size_t target)
{
	struct backend_params params = { .name = world->backends[target].name, .store_id = store_id(world->store),
		.settings = &world->targets[target].settings };
	struct world_lane *lane = world->lanes;
	struct err err;

	while (lane->backend != NULL)
		lane++;
	CHECK(lane < world->lanes + WORLD_LANES);
	lane->target = (unsigned)target;
	CHECK(memory_ops.create(&params, &lane->backend, &err) == ERR_OK);
	return lane;
}

/* The configured ones, each with lanes of its own. */
static size_t take_backends(struct world *world, struct engine_backend out[WORLD_TARGETS])
{
	size_t count = 0;

	for (size_t i = 0; i < WORLD_TARGETS; i++) {
		if (!world->targets[i].configured)
			continue;
		out[count] = world->backends[i];
		out[count++].handle = make_lane(world, i);
	}
	return count;
}

static struct core_params params_of(struct world *world, const struct engine_backend *backends, size_t count)
{
	return (struct core_params){
		.store = world->store,
		.clock = &world->clock,
		.backends = backends,
		.backend_count = count,
		.backoff_ms = backoff_ms,
		.backoff_count = ARRAY_SIZE(backoff_ms),
		.max_attempts = 5,
		.history_versions = WORLD_VERSIONS,
		.healing_enabled = world->healing,
		.healing_interval_ms = 600000,
		.probe_initial_ms = 1000,
		.probe_max_ms = 30000,
		.fill_most = 3,
		.seed = rng_next(&world->rng) | 1,
		.send = core_sends,
		.tell = core_tells,
		.opened = opened,
		.drained = drained,
		.ctx = world,
	};
}

static int start_core(struct world *world, struct err *err)
{
	struct engine_backend backends[WORLD_TARGETS];
	size_t count = take_backends(world, backends);
	struct core_params params = params_of(world, backends, count);

	return core_create(&params, &world->core, err);
}

int world_reconfigure(struct world *world, struct err *err)
{
	static const struct engine_change change = { .actor = "world", .detail = "other settings" };
	struct engine_backend backends[WORLD_TARGETS];
	size_t count = take_backends(world, backends);
	struct core_params params = params_of(world, backends, count);
	int ret = core_reconfigure(world->core, &params, &change, err);

	for (size_t i = 0; i < WORLD_LANES; i++) {
		if (world->lanes[i].backend != NULL && !world->lanes[i].opened)
			drained(world, &world->lanes[i]);
	}
	return ret;
}

static int start(struct world *world, struct err *err)
{
	world->core = NULL;
	world->store = NULL;
	memset(world->lanes, 0, sizeof(world->lanes));
	int ret = store_open(world->path, &world->store, NULL, err);
	return ret == ERR_OK ? start_core(world, err) : ret;
}

static void end(struct world *world)
{
	core_destroy(world->core);
	store_close(world->store);
	for (size_t i = 0; i < WORLD_LANES; i++)
		drained(world, &world->lanes[i]);
}

bool world_newest_event(void *ctx, const struct store_event *event)
{
	*(int64_t *)ctx = event->id;
	return false;
}

/*
 * What a power cut took along, nobody was promised; its numbers are given again. And what the last turn of the process before
 * found to be a drift may have been mended since.
 */
static void forget_lost_events(struct world *world)
{
	int64_t newest = 0;
	struct err err;

	CHECK(store_event_list(world->store, INT64_MAX, 1, NULL, NULL, world_newest_event, &newest, &err) == ERR_OK);
	world->last_event = newest;
	if (newest < world->last_orphan)
		world->last_orphan = newest;
}

/* A start may fail as well, by a disk that fails or a second power cut; the next one must not. */
void world_start(struct world *world)
{
	bool troubled = !world->calm && world_chance(world, 10);
	struct err err;

	if (troubled)
		disk_fail((enum disk_fault)world_pick(world, DISK_FAULT_WRITE, DISK_FAULT_CUT), (unsigned)world_pick(world, 1, 30));
	int ret = start(world, &err);
	if (ret != ERR_OK && troubled) {
		schedules_tell("a start fails: %s", err.text);
		bool cut = disk_is_stopped();
		end(world);
		disk_start(cut, &world->rng);
		ret = start(world, &err);
	}
	if (ret != ERR_OK) {
		schedules_violated("the store can't be opened any more: %s", err.text);
		abort();
	}
	disk_fail(DISK_FAULT_NONE, 0);
	forget_lost_events(world);
	world->wait_ms = 0;
	world->store_ok = true;
	world->fatal = world->disk_full = false;
	world->seen_writes = 0;
	world->over_masters.stage = 0;
	memset(world->lists, 0, sizeof(world->lists));
}

/* ---- end ---- */

/* What is in flight is never answered; whether it happened there, or will, the seed knows. */
static void land_all(struct world *world)
{
	for (size_t i = 0; i < world->job_count; i++) {
		if (!world->calm && !world->worked[i] && world_chance(world, 50))
			world_work(world->jobs[i]);
		else if (!world->calm && !world->worked[i])
			world_leave_late(world, world->jobs[i]);
		core_land(world->core, world->jobs[i]);
	}
	world->job_count = 0;
}

void world_stop(struct world *world)
{
	land_all(world);
	end(world);
}

static void start_anew(struct world *world, bool power_cut)
{
	world->tally.restarts++;
	world->tally.power_cuts += power_cut;
	world_stop(world);
	disk_start(power_cut, &world->rng);
	for (size_t i = 0; i < WORLD_TARGETS; i++)
		memset(world->targets[i].repaired_ms, 0, sizeof(world->targets[i].repaired_ms));
	if (world_chance(world, 30))
		world->skew_us = world_pick(world, -7200, 7200) * 1000000;
	world_start(world);
}

/* Stopped as it should be, killed, or without power. */
void world_restart(struct world *world)
{
	bool killed = world_chance(world, 80);
	bool cut = killed && world_chance(world, 60);

	schedules_tell("%s, and a start", cut ? "a power cut" : killed ? "kill -9" : "a stop");
	if (killed)
		disk_stop();
	start_anew(world, cut);
}

/* ---- turns ---- */

void world_turn(struct world *world, struct core_command **commands, size_t command_count, struct core_job **jobs,
	size_t job_count)
{
	world->wait_ms = core_turn(world->core, commands, command_count, jobs, job_count);
	if (disk_failed())
		world->disk_trouble_ms = world->mono_ms;
	if (disk_is_stopped()) {
		schedules_tell("the power is cut in the middle of it, and a start");
		start_anew(world, true);
	} else if (world->fatal) {
		/* The process leaves by itself. With its power on, or, as disks that fail have it, without. */
		bool cut = world_chance(world, 30);

		schedules_tell("the disk fails, the process leaves, %s", cut ? "a power cut, and a start" : "and a start");
		if (cut)
			disk_stop();
		start_anew(world, cut);
	}
	world_learn_orphans(world);
}

struct core_command *world_command(struct world *world, enum engine_op op, const char *zone, const char *master)
{
	struct core_command *command = xcalloc(1, sizeof(*command));

	command->request = engine_request_create(op, ++world->next_id);
	command->request->zone = xstrdup(zone);
	command->request->hostname = xstrdup(master);
	if (zone != NULL)
		memcpy(command->name, zone, strlen(zone) + 1);
	world->replies[world->next_id % ARRAY_SIZE(world->replies)].came = false;
	return command;
}

static enum world_answer answer_of(struct world *world, uint64_t id, bool restarted, bool ok_before)
{
	const struct world_reply *reply = &world->replies[id % ARRAY_SIZE(world->replies)];

	if (reply->came && reply->code == ERR_OK)
		return WORLD_YES;
	if (restarted) {
		world->tally.unsure++;
		return WORLD_UNSURE;
	}
	if (!reply->came)
		schedules_violated("an order was not answered");
	if (world->store_ok && ok_before)
		return WORLD_NO;
	world->tally.refused++;
	return WORLD_REFUSED;
}

void world_order_all(struct world *world, struct core_command **commands, size_t count, enum world_answer *answers)
{
	uint64_t restarts = world->tally.restarts;
	bool ok_before = world->store_ok;
	uint64_t ids[WORLD_TOGETHER];

	CHECK(count <= WORLD_TOGETHER);
	for (size_t i = 0; i < count; i++)
		ids[i] = commands[i]->request->id;
	world_turn(world, commands, count, NULL, 0);
	for (size_t i = 0; i < count; i++)
		answers[i] = answer_of(world, ids[i], world->tally.restarts != restarts, ok_before);
}

enum world_answer world_order(struct world *world, struct core_command *command)
{
	enum world_answer answer;

	world_order_all(world, &command, 1, &answer);
	return answer;
}
