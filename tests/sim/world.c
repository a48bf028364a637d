/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/core_internal.h"

static unsigned violations;

static const char *const masters[] = { "da1.host.example", "da2.host.example" };
static const int64_t backoff_ms[] = { 30000, 120000, 300000, 900000, 1800000 };

PRINTF_LIKE(2, 3) static void violated(const struct world *world, const char *format, ...)
{
	va_list args;

	violations++;
	fprintf(stderr, "seed %" PRIu64 ", step %" PRIu64 ": ", world->seed, world->steps);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

unsigned world_violations(void)
{
	return violations;
}

static bool chance(struct world *world, unsigned percent)
{
	return rng_between(&world->rng, 1, 100) <= (int64_t)percent;
}

static int64_t fake_mono_ms(void *ctx)
{
	return ((struct world *)ctx)->mono_ms;
}

static int64_t fake_wall_us(void *ctx)
{
	const struct world *world = ctx;

	return INT64_C(1790000000000000) + world->mono_ms * 1000 + world->skew_us;
}

/* ---- faults ---- */

static enum memory_fate fate_of(void *ctx, const char *zone)
{
	struct world_target *target = ctx;
	struct world *world = target->world;

	if (world->calm)
		return MEMORY_OK;
	if (target->down)
		return MEMORY_DOWN;
	if (zone == NULL)
		return MEMORY_OK;
	if (target->poison >= 0 && strcmp(zone, world->zones[target->poison].name) == 0)
		return target->poison_is_down ? MEMORY_DOWN : MEMORY_LOST_BEFORE;
	if (!chance(world, target->trouble))
		return MEMORY_OK;
	world->faults++;
	return (enum memory_fate)rng_between(&world->rng, MEMORY_RETRY, MEMORY_WRONG);
}

static void change_weather(struct world *world)
{
	struct world_target *target = &world->targets[rng_between(&world->rng, 0, WORLD_TARGETS - 1)];
	struct backend_stamp stamp = { .store_id = "0123456789abcdef0123456789abcdef" };
	struct world_zone *zone = &world->zones[rng_between(&world->rng, 0, WORLD_ZONES - 1)];

	world->faults++;
	switch (rng_between(&world->rng, 0, 5)) {
	case 0:
	case 1:
		target->down = !target->down;
		break;
	case 2:
		target->trouble = (unsigned)rng_between(&world->rng, 0, 60);
		break;
	case 3:
		target->poison = (int)rng_between(&world->rng, -1, WORLD_ZONES - 1);
		target->poison_is_down = chance(world, 50);
		break;
	case 4: /* another store was here */
		stamp.generation = chance(world, 10) ? UINT64_MAX : (uint64_t)rng_between(&world->rng, 1, 40);
		memory_target_stamp(target->target, zone->name, &stamp);
		break;
	case 5: /* our own store went back in time */
		memcpy(stamp.store_id, store_id(world->store), sizeof(stamp.store_id));
		stamp.generation = chance(world, 10) ? UINT64_MAX : (uint64_t)rng_between(&world->rng, 1, 40);
		struct memory_zone held;
		if (!memory_target_get(target->target, zone->name, &held) ||
			strcmp(held.stamp.store_id, stamp.store_id) != 0 || held.stamp.generation < stamp.generation)
			memory_target_stamp(target->target, zone->name, &stamp);
		break;
	}
}

/* ---- life ---- */

static void core_sends(void *ctx, struct core_job *job)
{
	struct world *world = ctx;

	CHECK(world->job_count < WORLD_JOBS);
	world->jobs[world->job_count++] = job;
}

static void core_tells(void *ctx, struct engine_message *message)
{
	struct world *world = ctx;

	if (message->kind == ENGINE_REPLY && message->id == world->next_id) {
		world->replied = true;
		world->reply_ok = message->err.code == ERR_OK;
	}
	engine_message_destroy(message);
}

static void start_core(struct world *world)
{
	struct core_params params = {
		.clock = &world->clock,
		.backends = world->backends,
		.backend_count = WORLD_TARGETS,
		.backoff_ms = backoff_ms,
		.backoff_count = ARRAY_SIZE(backoff_ms),
		.max_attempts = 5,
		.probe_initial_ms = 1000,
		.probe_max_ms = 30000,
		.seed = rng_next(&world->rng) | 1,
		.send = core_sends,
		.tell = core_tells,
		.ctx = world,
	};
	struct err err;

	if (store_open(world->path, &world->store, NULL, &err) != ERR_OK) {
		fprintf(stderr, "store: %s\n", err.text);
		abort();
	}
	params.store = world->store;
	for (size_t i = 0; i < WORLD_TARGETS; i++) {
		struct backend_params lane = { .name = world->backends[i].name, .store_id = store_id(world->store),
			.settings = &world->targets[i].settings };

		CHECK(memory_ops.create(&lane, &world->lanes[i], &err) == ERR_OK);
	}
	CHECK(core_create(&params, &world->core, &err) == ERR_OK);
	world->wait_ms = 0;
}

void world_create(struct world *world, uint64_t seed)
{
	static const char *const names[WORLD_TARGETS] = { "dc1", "dc2", "dc3" };
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	*world = (struct world){ .seed = seed, .rng = { .state = seed } };
	world->clock = (struct clock){ .mono_ms = fake_mono_ms, .wall_us = fake_wall_us, .ctx = world };
	snprintf(world->folder, sizeof(world->folder), "%s/zonefan-sim-XXXXXX", base);
	CHECK(mkdtemp(world->folder) != NULL);
	snprintf(world->path, sizeof(world->path), "%s/store.db", world->folder);
	for (size_t i = 0; i < WORLD_TARGETS; i++) {
		struct world_target *target = &world->targets[i];

		*target = (struct world_target){ .world = world, .poison = -1 };
		target->target = memory_target_create(fate_of, target);
		target->settings.target = target->target;
		world->backends[i] = (struct engine_backend){ .name = names[i], .ops = &memory_ops, .connections = 2 };
	}
	for (size_t i = 0; i < WORLD_ZONES; i++)
		snprintf(world->zones[i].name, sizeof(world->zones[i].name), "z%zu.example.", i);
	start_core(world);
}

/* As kill -9 would: what is in flight is never answered; whether it happened there, the seed knows. */
static void kill_core(struct world *world)
{
	for (size_t i = 0; i < world->job_count; i++)
		core_land(world->core, world->jobs[i]);
	world->job_count = 0;
	core_destroy(world->core);
	store_close(world->store);
	for (size_t i = 0; i < WORLD_TARGETS; i++)
		memory_ops.destroy(world->lanes[i]);
}

void world_destroy(struct world *world)
{
	static const char *const tails[] = { "", "-wal", "-shm", ".lock", ".ballast" };
	char path[160];

	kill_core(world);
	for (size_t i = 0; i < WORLD_TARGETS; i++)
		memory_target_destroy(world->targets[i].target);
	for (size_t i = 0; i < ARRAY_SIZE(tails); i++) {
		snprintf(path, sizeof(path), "%s%s", world->path, tails[i]);
		unlink(path);
	}
	CHECK(rmdir(world->folder) == 0);
}

/* ---- what lanes do ---- */

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

static void work(struct world *world, struct core_job *job)
{
	struct backend *lane = world->lanes[job->backend];
	struct err err;

	if (job->kind == CORE_JOB_PROBE) {
		job->verdict = lane->ops->ping(lane, &job->err);
		return;
	}
	for (size_t i = 0; i < job->zone_count; i++) {
		struct core_job_zone *zone = &job->zones[i];

		if (!zone->deleted && zone->zone == NULL)
			CHECK(zone_parse(zone->name, zone->text, zone->text_size, 0, &zone->zone, &err) == ERR_OK);
		zone->item->name = zone->name;
		zone->item->zone = zone->zone;
	}
	lane->ops->apply(lane, job->items, job->zone_count);
}

static uint32_t attempts_of(struct world *world, const struct core_job *job, size_t at)
{
	struct delivery delivery = { 0 };
	struct err err;

	CHECK(store_delivery_load(world->store, job->zones[at].zone_id, world->core->lanes[job->backend].backend_id,
		      &delivery, &err) == ERR_OK);
	uint32_t attempts = delivery.attempts;
	delivery_clear(&delivery);
	return attempts;
}

static void turn(struct world *world, struct core_command **commands, size_t command_count, struct core_job **jobs,
	size_t job_count)
{
	world->wait_ms = core_turn(world->core, commands, command_count, jobs, job_count);
}

/* Gives a job back and checks that a back end that is away costs no zone an attempt. */
static void give_back(struct world *world, struct core_job *job)
{
	uint32_t before[CORE_BATCH_ZONES];
	struct core_job copy = *job;
	bool down = job->kind == CORE_JOB_APPLY;

	for (size_t i = 0; i < job->zone_count; i++) {
		before[i] = attempts_of(world, job, i);
		down = down && job->zones[i].item->verdict == BACKEND_DOWN && !job->zones[i].item->lost;
	}
	int64_t first = job->zone_count == 0 ? 0 : job->zones[0].zone_id;
	turn(world, NULL, 0, &job, 1);
	if (!down)
		return;
	struct core_job_zone shown = { .zone_id = first };
	copy.zones = &shown;
	if (attempts_of(world, &copy, 0) > before[0])
		violated(world, "a lane that is down burnt an attempt");
}

static void finish_job(struct world *world)
{
	if (world->job_count == 0)
		return;
	size_t at = (size_t)rng_between(&world->rng, 0, (int64_t)world->job_count - 1);
	struct core_job *job = world->jobs[at];

	world->jobs[at] = world->jobs[--world->job_count];
	work(world, job);
	give_back(world, job);
}

static void restart(struct world *world)
{
	for (size_t i = 0; i < world->job_count; i++) {
		if (chance(world, 50))
			work(world, world->jobs[i]);
	}
	world->restarts++;
	kill_core(world);
	if (chance(world, 30))
		world->skew_us = rng_between(&world->rng, -7200, 7200) * 1000000;
	start_core(world);
}

/* ---- what clients do ---- */

static struct core_command *command_of(struct world *world, enum engine_op op, const char *zone, const char *master)
{
	struct core_command *command = xcalloc(1, sizeof(*command));

	command->request = engine_request_create(op, ++world->next_id);
	command->request->zone = xstrdup(zone);
	command->request->hostname = xstrdup(master);
	if (zone != NULL)
		memcpy(command->name, zone, strlen(zone) + 1);
	world->replied = false;
	return command;
}

static void push(struct world *world, struct world_zone *zone, unsigned content, const char *master)
{
	char text[512];
	struct core_command *command = command_of(world, ENGINE_PUSH, zone->name, master);
	struct zone *parsed = make_zone(zone->name, content, text, sizeof(text));
	struct zone_digest digest = *zone_digest(parsed);

	command->zone = parsed;
	command->request->username = xstrdup("fred");
	command->request->text = xstrdup(text);
	command->request->text_size = strlen(text);
	turn(world, &command, 1, NULL, 0);
	if (!world->replied || !world->reply_ok) {
		violated(world, "a push of %s was not acknowledged", zone->name);
		return;
	}
	zone->known = true;
	zone->deleted = false;
	zone->digest = digest;
	zone->content = content;
	zone->owner = master;
}

static void delete_zone(struct world *world, struct world_zone *zone, const char *master)
{
	struct core_command *command = command_of(world, ENGINE_DELETE, NULL, master);

	command->request->names = xcalloc(1, sizeof(char *));
	command->request->names[0] = xstrdup(zone->name);
	command->request->name_count = 1;
	turn(world, &command, 1, NULL, 0);
	if (!world->replied || !world->reply_ok)
		violated(world, "a delete of %s was not acknowledged", zone->name);
	if (zone->known && strcmp(zone->owner, master) == 0)
		zone->deleted = true;
}

static void client(struct world *world)
{
	struct world_zone *zone = &world->zones[rng_between(&world->rng, 0, WORLD_ZONES - 1)];
	const char *master = masters[rng_between(&world->rng, 0, 1)];

	switch (rng_between(&world->rng, 0, 7)) {
	case 0:
		delete_zone(world, zone, master);
		break;
	case 1:
		push(world, zone, zone->content, master);
		break;
	default:
		push(world, zone, (unsigned)rng_between(&world->rng, 0, 200), master);
		break;
	}
}

/* The operator; what is in force survives restarts, so the world keeps it too. */
static void order(struct world *world, size_t at, bool pause)
{
	struct core_command *command = command_of(world, pause ? ENGINE_PAUSE : ENGINE_RESUME, NULL, NULL);

	command->request->backend = xstrdup(world->backends[at].name);
	world->targets[at].paused = pause;
	turn(world, &command, 1, NULL, 0);
	if (!world->replied || !world->reply_ok)
		violated(world, "%s could not be %s", world->backends[at].name, pause ? "paused" : "resumed");
}

static void pass_time(struct world *world, int64_t ms)
{
	world->mono_ms += ms;
	turn(world, NULL, 0, NULL, 0);
}

void world_step(struct world *world)
{
	world->steps++;
	switch (rng_between(&world->rng, 0, 20)) {
	case 0:
		change_weather(world);
		break;
	case 1:
		if (chance(world, 20))
			restart(world);
		break;
	case 2:
	case 3:
	case 4:
	case 5:
		pass_time(world, rng_between(&world->rng, 1, chance(world, 10) ? 3600000 : 3000));
		break;
	case 6:
	case 7:
	case 8:
	case 9:
	case 10:
		client(world);
		break;
	case 11:
		if (chance(world, 30))
			order(world, (size_t)rng_between(&world->rng, 0, WORLD_TARGETS - 1), chance(world, 40));
		break;
	default:
		finish_job(world);
		break;
	}
}

void world_settle(struct world *world)
{
	world->calm = true;
	for (size_t i = 0; i < WORLD_TARGETS; i++)
		order(world, i, false);
	while (world->job_count > 0)
		finish_job(world);
	/* An operator re-pushes everything: rows that are silently wrong are found by the check. */
	for (size_t i = 0; i < WORLD_ZONES; i++) {
		struct world_zone *zone = &world->zones[i];

		if (zone->known && !zone->deleted)
			push(world, zone, zone->content, zone->owner);
	}
	/* Virtual hours: dead, contested and rejected ones have slow clocks. */
	for (int quiet = 0; quiet < 40; quiet++) {
		for (int i = 0; world->job_count > 0 || world->wait_ms < 600000; i++) {
			if (i == 100000) {
				violated(world, "it never comes to rest");
				return;
			}
			if (world->job_count > 0)
				finish_job(world);
			else
				pass_time(world, world->wait_ms);
		}
		pass_time(world, 600000);
	}
	while (world->job_count > 0)
		finish_job(world);
}

/* ---- what must hold ---- */

static void check_flights(struct world *world)
{
	for (size_t i = 0; i < world->job_count; i++) {
		const struct core_job *a = world->jobs[i];

		for (size_t j = i; j < world->job_count; j++) {
			const struct core_job *b = world->jobs[j];

			if (a->backend != b->backend)
				continue;
			for (size_t k = 0; k < a->zone_count; k++) {
				for (size_t l = i == j ? k + 1 : 0; l < b->zone_count; l++) {
					if (a->zones[k].zone_id == b->zones[l].zone_id)
						violated(world, "zone %s is in flight twice", a->zones[k].name);
				}
			}
		}
	}
}

/* A paused lane stays so, and nothing goes there that did not before. */
static void check_paused(struct world *world)
{
	for (size_t i = 0; i < WORLD_TARGETS; i++) {
		struct world_target *target = &world->targets[i];
		const struct core_lane *lane = &world->core->lanes[i];

		if (target->paused != (lane->health.state == LANE_PAUSED))
			violated(world, "%s is %s, and should %sbe paused", lane->name,
				lane_state_name(lane->health.state), target->paused ? "" : "not ");
		if (target->paused && lane->jobs_out > target->jobs_out)
			violated(world, "%s is paused, and something new was sent there", lane->name);
		target->jobs_out = target->paused ? lane->jobs_out : SIZE_MAX;
	}
}

/* Nothing is due that could go, and what becomes due wakes us in time. */
static void check_attention(struct world *world)
{
	int64_t now_us = core_now_us(world->core);
	struct err err;

	/* The last turn's answer may have been "at once"; twice in a row it is a busy loop. */
	if (world->wait_ms == 0)
		turn(world, NULL, 0, NULL, 0);
	if (world->wait_ms == 0)
		violated(world, "a turn without work wants another at once");
	for (size_t i = 0; i < world->core->lane_count; i++) {
		const struct core_lane *lane = &world->core->lanes[i];
		bool room = lane->slots[0] == NULL || lane->slots[1] == NULL;
		struct store_due due;
		size_t count[2] = { 0, 0 };
		int64_t next_us;

		if (lane->health.state == LANE_UP && lane->jobs_out == 0) {
			for (int suspect = 0; suspect < 2; suspect++)
				CHECK(store_due_list(world->store, lane->backend_id, suspect == 1, now_us, INT64_MAX,
					      INT64_MAX, 1, &due, &count[suspect], &err) == ERR_OK);
			if (count[0] + count[1] > 0)
				violated(world, "something is due, and %s is up and idle", lane->name);
			CHECK(store_due_next(world->store, lane->backend_id, now_us, &next_us, &err) == ERR_OK);
			if (next_us != INT64_MAX && world->wait_ms * 1000 > next_us - now_us + 1000)
				violated(world, "%s: the next delivery is slept over", lane->name);
		}
		if (lane->health.state == LANE_DOWN && room && !lane->probe_out &&
			world->wait_ms * 1000 > lane->health.next_probe_us - now_us + 1000)
			violated(world, "%s: its probe is slept over", lane->name);
		if ((lane->health.state == LANE_DOUBT || lane->health.state == LANE_PROBING) && room && !lane->probe_out)
			violated(world, "%s: in doubt, and no probe is out", lane->name);
	}
}

static void check_zone(struct world *world, const struct world_zone *zone)
{
	struct store_zone row = { 0 };
	struct err err;
	int ret = store_zone_find(world->store, zone->name, &row, &err);

	if (!zone->known) {
		if (ret != ERR_NOTFOUND)
			violated(world, "zone %s appeared from nowhere", zone->name);
		return;
	}
	if (ret != ERR_OK) {
		violated(world, "zone %s was acknowledged and is not stored: %s", zone->name, err.text);
		return;
	}
	if (row.deleted != zone->deleted || (!zone->deleted && !zone_digest_equal(&row.digest, &zone->digest)))
		violated(world, "zone %s is not stored as acknowledged", zone->name);
	for (size_t i = 0; i < WORLD_TARGETS; i++) {
		struct delivery delivery = { 0 };

		if (store_delivery_load(world->store, row.id, world->core->lanes[i].backend_id, &delivery, &err) !=
			ERR_OK)
			violated(world, "zone %s has no delivery at %s", zone->name, world->backends[i].name);
		else if (delivery.applied > delivery.wanted)
			violated(world, "zone %s: applied exceeds wanted at %s", zone->name, world->backends[i].name);
		else if (delivery.state == DELIVERY_CLEAN && delivery.applied != delivery.wanted)
			violated(world, "zone %s is clean but behind at %s", zone->name, world->backends[i].name);
		delivery_clear(&delivery);
	}
	store_zone_clear(&row);
}

void world_check(struct world *world)
{
	check_attention(world);
	check_paused(world);
	check_flights(world);
	for (size_t i = 0; i < WORLD_ZONES; i++)
		check_zone(world, &world->zones[i]);
	for (size_t i = 0; i < WORLD_TARGETS; i++) {
		if (memory_target_regressions(world->targets[i].target) > 0)
			violated(world, "a generation went backwards at %s", world->backends[i].name);
	}
}

void world_check_settled(struct world *world)
{
	world_check(world);
	for (size_t i = 0; i < WORLD_ZONES; i++) {
		const struct world_zone *zone = &world->zones[i];

		for (size_t k = 0; zone->known && k < WORLD_TARGETS; k++) {
			struct memory_zone held;
			bool there = memory_target_get(world->targets[k].target, zone->name, &held);

			if (zone->deleted && there && !held.deleted)
				violated(world, "%s is deleted and still at %s", zone->name, world->backends[k].name);
			if (!zone->deleted && (!there || held.deleted || !zone_digest_equal(&held.digest, &zone->digest)))
				violated(world, "%s is not at %s as acknowledged", zone->name,
					world->backends[k].name);
		}
	}
}
