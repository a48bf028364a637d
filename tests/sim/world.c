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

void world_violated(const struct world *world, const char *format, ...)
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

size_t world_index_of(const struct world *world, const char *name)
{
	size_t at = 0;

	while (at < WORLD_ZONES && strcmp(world->zones[at].name, name) != 0)
		at++;
	CHECK(at < WORLD_ZONES);
	return at;
}

/* A look may stop half-way; a look or a ping may fail. */
static enum memory_fate fate_of_question(struct world *world, const struct world_target *target)
{
	if (chance(world, target->trouble / 4))
		return MEMORY_LOST_BEFORE;
	return chance(world, 30) ? MEMORY_RETRY : MEMORY_OK;
}

static enum memory_fate fate_of(void *ctx, const char *zone)
{
	struct world_target *target = ctx;
	struct world *world = target->world;

	if (world->calm)
		return MEMORY_OK;
	if (target->down)
		return MEMORY_DOWN;
	if (zone == NULL)
		return fate_of_question(world, target);
	if (target->poison >= 0 && strcmp(zone, world->zones[target->poison].name) == 0)
		return target->poison_is_down ? MEMORY_DOWN : MEMORY_LOST_BEFORE;
	if (!chance(world, target->trouble))
		return MEMORY_OK;
	world->faults++;
	enum memory_fate fate = (enum memory_fate)rng_between(&world->rng, MEMORY_RETRY, MEMORY_WRONG);
	if (fate == MEMORY_WRONG)
		target->meddled[world_index_of(world, zone)] = true;
	return fate;
}

static void change_weather(struct world *world)
{
	struct world_target *target = &world->targets[rng_between(&world->rng, 0, WORLD_TARGETS - 1)];
	struct backend_stamp stamp = { .store_id = "0123456789abcdef0123456789abcdef" };
	size_t at = (size_t)rng_between(&world->rng, 0, WORLD_ZONES - 1);
	struct world_zone *zone = &world->zones[at];
	struct memory_zone held = { .name = zone->name };

	world->faults++;
	switch (rng_between(&world->rng, 0, 7)) {
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
		target->meddled[at] = true;
		break;
	case 5: /* our own store went back in time */
		memcpy(stamp.store_id, store_id(world->store), sizeof(stamp.store_id));
		stamp.generation = chance(world, 10) ? UINT64_MAX : (uint64_t)rng_between(&world->rng, 1, 40);
		if (!memory_target_get(target->target, zone->name, &held) ||
			strcmp(held.stamp.store_id, stamp.store_id) != 0 || held.stamp.generation < stamp.generation)
			memory_target_stamp(target->target, zone->name, &stamp);
		target->meddled[at] = true;
		break;
	case 6: /* somebody edits rows by hand, or a row is lost */
		if (memory_target_get(target->target, zone->name, &held) && held.exists) {
			held.digest.low ^= 0x10000;
			memory_target_put(target->target, &held);
			target->meddled[at] = true;
		}
		break;
	case 7: /* the whole zone is lost, with its stamp or without */
		if (memory_target_get(target->target, zone->name, &held) && held.exists) {
			held.exists = false;
			held.digest = (struct zone_digest){ 0 };
			if (chance(world, 50))
				held.stamp = (struct backend_stamp){ 0 };
			memory_target_put(target->target, &held);
			target->meddled[at] = true;
		}
		break;
	}
}

/* ---- life ---- */

static void core_sends(void *ctx, struct core_job *job)
{
	struct world *world = ctx;

	CHECK(world->job_count < WORLD_JOBS);
	for (size_t i = 0; i < job->zone_count; i++) {
		if (world->zones[world_index_of(world, job->zones[i].name)].frozen)
			world_violated(world, "%s is frozen, and was sent", job->zones[i].name);
	}
	world->worked[world->job_count] = false;
	world->jobs[world->job_count++] = job;
}

static void core_tells(void *ctx, struct engine_message *message)
{
	struct world *world = ctx;

	if (message->kind == ENGINE_REPLY && message->id == world->next_id) {
		world->replied = true;
		world->reply_ok = message->err.code == ERR_OK;
		world->reply_busy = message->err.code == ERR_BUSY;
		if (message->op == ENGINE_HEAL && world->reply_ok)
			world->pass = message->pass;
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
		.history_versions = WORLD_VERSIONS,
		.healing_enabled = world->healing,
		.healing_interval_ms = 600000,
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
		world->backends[i] = (struct engine_backend){ .name = names[i], .ops = &memory_ops, .connections = 2,
			.healing = (enum engine_healing)(seed / 3 % 3 * i % 3) };
	}
	for (size_t i = 0; i < WORLD_ZONES; i++)
		snprintf(world->zones[i].name, sizeof(world->zones[i].name), "z%zu.example.", i);
	world->healing = seed % 3 != 0;
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
	if (job->kind == CORE_JOB_COMPARE) {
		page_look(job->page, lane);
		return;
	}
	if (job->kind == CORE_JOB_INSPECT) {
		inspect_run(job->inspect, lane, 0);
		return;
	}
	for (size_t i = 0; i < job->zone_count; i++) {
		struct core_job_zone *zone = &job->zones[i];

		zone->item->name = zone->name;
		if (!zone->deleted)
			zone->item->zone = source_zone(zone->source, zone->name, 0, &err);
		CHECK(zone->deleted || zone->item->zone != NULL);
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

void world_turn(struct world *world, struct core_command **commands, size_t command_count, struct core_job **jobs,
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
	world_turn(world, NULL, 0, &job, 1);
	if (!down)
		return;
	struct core_job_zone shown = { .zone_id = first };
	copy.zones = &shown;
	if (attempts_of(world, &copy, 0) > before[0])
		world_violated(world, "a lane that is down burnt an attempt");
}

static void finish_job(struct world *world)
{
	if (world->job_count == 0)
		return;
	size_t at = (size_t)rng_between(&world->rng, 0, (int64_t)world->job_count - 1);
	struct core_job *job = world->jobs[at];

	if (!world->worked[at])
		work(world, job);
	/* What happens between the work and its answer matters most. */
	if (!world->worked[at] && !world->calm && chance(world, 50)) {
		world->worked[at] = true;
		return;
	}
	world->job_count--;
	world->jobs[at] = world->jobs[world->job_count];
	world->worked[at] = world->worked[world->job_count];
	give_back(world, job);
}

static void restart(struct world *world)
{
	for (size_t i = 0; i < world->job_count; i++) {
		if (!world->worked[i] && chance(world, 50))
			work(world, world->jobs[i]);
	}
	world->restarts++;
	kill_core(world);
	for (size_t i = 0; i < WORLD_TARGETS; i++)
		memset(world->targets[i].repaired_ms, 0, sizeof(world->targets[i].repaired_ms));
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

static void add_version(struct world_zone *zone, unsigned content)
{
	zone->version++;
	zone->contents[zone->version % WORLD_VERSIONS] = content;
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
	world_turn(world, &command, 1, NULL, 0);
	if (!world->replied || !world->reply_ok) {
		world_violated(world, "a push of %s was not acknowledged", zone->name);
		return;
	}
	if (!zone->known || zone->deleted || !zone_digest_equal(&zone->digest, &digest))
		add_version(zone, content);
	zone->dropped = false;
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
	world_turn(world, &command, 1, NULL, 0);
	if (!world->replied || !world->reply_ok)
		world_violated(world, "a delete of %s was not acknowledged", zone->name);
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
	world_turn(world, &command, 1, NULL, 0);
	if (!world->replied || !world->reply_ok)
		world_violated(world, "%s could not be %s", world->backends[at].name, pause ? "paused" : "resumed");
}

/* What is known can be frozen, deleted ones too; it survives restarts. */
static void freeze(struct world *world, struct world_zone *zone, bool freeze)
{
	struct core_command *command = command_of(world, freeze ? ENGINE_FREEZE : ENGINE_THAW, zone->name, NULL);

	if (zone->known)
		zone->frozen = freeze;
	world_turn(world, &command, 1, NULL, 0);
	if (!world->replied || world->reply_ok != zone->known)
		world_violated(world, "%s could not be %s", zone->name, freeze ? "frozen" : "thawed");
}

/* Where there is none, it is refused. */
static void dead_letters(struct world *world, struct world_zone *zone, bool drop)
{
	struct core_command *command = command_of(world, drop ? ENGINE_DEAD_DROP : ENGINE_DEAD_REPLAY, zone->name, NULL);

	world_turn(world, &command, 1, NULL, 0);
	if (!world->replied)
		world_violated(world, "%s: its dead letters are not answered for", zone->name);
	zone->dropped = zone->dropped || (drop && world->reply_ok);
}

/* The stored zone has that content, whatever its serial. */
static void learn_rollback(struct world *world, struct world_zone *zone, unsigned content)
{
	struct store_zone row = { 0 };
	struct err err;
	char *text, address[32];
	size_t size;

	snprintf(address, sizeof(address), "192.0.2.%u\n", content % 250 + 1);
	CHECK(store_zone_find(world->store, zone->name, &row, &err) == ERR_OK);
	CHECK(store_zone_text(world->store, row.id, &text, &size, &err) == ERR_OK);
	if (memmem(text, size, address, strlen(address)) == NULL)
		world_violated(world, "%s was rolled back, and has other content", zone->name);
	zone->digest = row.digest;
	zone->content = content;
	add_version(zone, content);
	free(text);
	store_zone_clear(&row);
}

/* Of those that are kept, one; or one that is not. A deleted zone is brought back instead. */
static void go_back(struct world *world, struct world_zone *zone)
{
	unsigned steps = (unsigned)rng_between(&world->rng, 0, WORLD_VERSIONS);
	struct core_command *command = command_of(world, zone->deleted ? ENGINE_UNDELETE : ENGINE_ROLLBACK, zone->name, NULL);
	unsigned version = zone->version - (steps < zone->version ? steps : 0);
	bool expected = zone->known && (zone->deleted || zone->version - version < WORLD_VERSIONS);

	command->request->number = version;
	world_turn(world, &command, 1, NULL, 0);
	if (!world->replied || world->reply_ok != expected)
		world_violated(world, "%s: back to version %u of %u went %s", zone->name, version, zone->version,
			world->reply_ok ? "well" : "wrong");
	if (!expected)
		return;
	if (zone->deleted)
		add_version(zone, zone->content);
	else
		learn_rollback(world, zone, zone->contents[version % WORLD_VERSIONS]);
	zone->deleted = false;
}

static void heal(struct world *world, const char *backend, bool dry_run)
{
	struct core_command *command = command_of(world, ENGINE_HEAL, NULL, NULL);

	command->request->backend = xstrdup(backend);
	command->request->dry_run = dry_run;
	world_turn(world, &command, 1, NULL, 0);
	if (!world->replied || (!world->reply_ok && !world->reply_busy))
		world_violated(world, "a healing pass could not begin");
}

static void pass_time(struct world *world, int64_t ms)
{
	world->mono_ms += ms;
	world_turn(world, NULL, 0, NULL, 0);
}

void world_step(struct world *world)
{
	world->steps++;
	switch (rng_between(&world->rng, 0, 21)) {
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
	case 12:
		if (chance(world, 30)) {
			freeze(world, &world->zones[rng_between(&world->rng, 0, WORLD_ZONES - 1)], chance(world, 50));
			break;
		}
		if (chance(world, 30)) {
			go_back(world, &world->zones[rng_between(&world->rng, 0, WORLD_ZONES - 1)]);
			break;
		}
		if (chance(world, 40)) {
			dead_letters(world, &world->zones[rng_between(&world->rng, 0, WORLD_ZONES - 1)], chance(world, 70));
			break;
		}
		heal(world, chance(world, 50) ? NULL : world->backends[rng_between(&world->rng, 0, WORLD_TARGETS - 1)].name,
			chance(world, 20));
		break;
	default:
		finish_job(world);
		break;
	}
}

/* Virtual hours: dead, contested and rejected ones have slow clocks. */
static void go_on(struct world *world, int64_t end_ms)
{
	int64_t left_ms = end_ms - world->mono_ms;

	if (world->job_count > 0)
		finish_job(world);
	else
		pass_time(world, world->wait_ms < left_ms ? world->wait_ms : left_ms);
}

static void rest(struct world *world, int hours)
{
	int64_t end_ms = world->mono_ms + hours * INT64_C(3600000);

	for (int i = 0; world->mono_ms < end_ms || world->job_count > 0; i++) {
		if (i == 200000) {
			world_violated(world, "it never comes to rest");
			return;
		}
		go_on(world, end_ms);
	}
}

/* Rows that are silently wrong are found by the check of an equal push. */
static void push_all(struct world *world)
{
	for (size_t i = 0; i < WORLD_ZONES; i++) {
		struct world_zone *zone = &world->zones[i];

		if (zone->known && !zone->deleted)
			push(world, zone, zone->content, zone->owner);
	}
	rest(world, 7);
}

/* A pass that was asked for: what came of it at each. */
static void heal_and_wait(struct world *world, struct engine_heal out[WORLD_TARGETS])
{
	int64_t end_ms = world->mono_ms + INT64_C(3600000);
	size_t ended = 0;
	bool seen[WORLD_TARGETS] = { false };

	heal(world, NULL, false);
	if (!world->reply_ok)
		world_violated(world, "an old pass is still under way after hours");
	while (ended < WORLD_TARGETS && world->mono_ms < end_ms) {
		ended = 0;
		for (size_t i = 0; i < WORLD_TARGETS; i++) {
			const struct engine_heal *shown = &world->core->lanes[i].healing.shown;

			if (!seen[i] && shown->pass == world->pass && shown->ended_at_us != 0) {
				out[i] = *shown;
				seen[i] = true;
			}
			ended += seen[i];
		}
		if (ended < WORLD_TARGETS)
			go_on(world, end_ms);
	}
	if (ended < WORLD_TARGETS)
		world_violated(world, "a healing pass does not end");
}

/* One pass is enough, and its repairs are done when it ends. */
static void heal_all(struct world *world)
{
	struct engine_heal heals[WORLD_TARGETS] = { { .pass = 0 } };

	rest(world, 7);
	heal_and_wait(world, heals);
	for (size_t i = 0; i < WORLD_TARGETS && heals[i].pass != 0; i++) {
		if (strcmp(heals[i].state, "done") != 0)
			world_violated(world, "the last pass at %s is %s: %s", world->backends[i].name, heals[i].state,
				heals[i].error);
	}
	rest(world, 1); /* what was repaired at one may have raised the generation at all */
	heal_and_wait(world, heals);
	for (size_t i = 0; i < WORLD_TARGETS; i++) {
		const struct engine_heal *shown = &heals[i];

		if (shown->missing + shown->changed + shown->stamp + shown->undeleted + shown->waiting > 0)
			world_violated(world, "%s still differs after a pass: %d missing, %d changed, %d stamp, %d undeleted, %d waiting",
				world->backends[i].name, (int)shown->missing, (int)shown->changed, (int)shown->stamp,
				(int)shown->undeleted, (int)shown->waiting);
	}
	rest(world, 1);
}

void world_settle(struct world *world)
{
	world->calm = true;
	for (size_t i = 0; i < WORLD_TARGETS; i++)
		order(world, i, false);
	for (size_t i = 0; i < WORLD_ZONES; i++) {
		if (world->zones[i].frozen)
			freeze(world, &world->zones[i], false);
		if (world->zones[i].dropped)
			dead_letters(world, &world->zones[i], false);
	}
	while (world->job_count > 0)
		finish_job(world);
	if (world->seed % 2 == 0)
		heal_all(world);
	else
		push_all(world);
}
