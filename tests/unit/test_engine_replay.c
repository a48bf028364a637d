/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Thousands of deliveries that are tried again: a step at a time, and every
 * push that comes meanwhile is answered before the next step. The engine's
 * core alone, turn by turn; nothing here depends on time.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "backends/memory/memory.h"
#include "base/log.h"
#include "engine/core_internal.h"
#include "store/dead.h"

/* STEP_MOST: what a push may have to wait for. */
enum { ZONES = 3000, STEP_MOST = 500, JOBS_MOST = 8 };

static const int64_t backoff_ms[] = { 1000 };
static const char *const names[] = { "dc1", "dc2", "gone" };

struct rig {
	char folder[64];
	char path[96];
	int64_t mono_ms;
	struct store *store;
	struct core *core;
	struct core_job *jobs[JOBS_MOST];
	size_t job_count;
	uint64_t next_id;
	struct engine_message *answer;   /* to the operator */
	uint64_t answered;               /* the newest push that was */
};

static struct rig rig;

/* The disk under the store: SQLite's writes come by here. */
static bool disk_is_full;

ssize_t pwrite64(int fd, const void *data, size_t size, off_t at);

ssize_t pwrite64(int fd, const void *data, size_t size, off_t at)
{
	if (disk_is_full) {
		errno = ENOSPC;
		return -1;
	}
	return syscall(SYS_pwrite64, fd, data, size, at);
}

static int64_t fake_mono_ms(void *ctx)
{
	(void)ctx;
	return rig.mono_ms;
}

static int64_t fake_wall_us(void *ctx)
{
	(void)ctx;
	return INT64_C(1790000000000000) + rig.mono_ms * 1000;
}

static const struct clock fake_clock = { .mono_ms = fake_mono_ms, .wall_us = fake_wall_us };

/* Back ends that take what they are sent, and say nothing until they are asked to. */
static void core_sends(void *ctx, struct core_job *job)
{
	(void)ctx;
	assert_true(rig.job_count < JOBS_MOST);
	rig.jobs[rig.job_count++] = job;
}

static void core_tells(void *ctx, struct engine_message *message)
{
	(void)ctx;
	if (message->kind != ENGINE_REPLY) {
		engine_message_destroy(message);
	} else if (message->op == ENGINE_PUSH) {
		assert_int_equal(message->err.code, ERR_OK);
		rig.answered = message->id;
		engine_message_destroy(message);
	} else {
		assert_null(rig.answer);
		rig.answer = message;
	}
}

static void start(bool dry_run)
{
	struct engine_backend backends[2] = { { .name = names[0], .ops = &memory_ops, .connections = 1 },
		{ .name = names[1], .ops = &memory_ops, .connections = 1 } };
	struct core_params params = { .clock = &fake_clock, .backends = backends, .backend_count = 2, .backoff_ms = backoff_ms,
		.backoff_count = 1, .max_attempts = 5, .history_versions = 5, .probe_initial_ms = 1000, .probe_max_ms = 30000,
		.dry_run = dry_run, .seed = 1, .send = core_sends, .tell = core_tells };
	struct err err;

	if (store_open(rig.path, &rig.store, NULL, &err) != ERR_OK)
		fail_msg("%s", err.text);
	params.store = rig.store;
	if (core_create(&params, &rig.core, &err) != ERR_OK)
		fail_msg("%s", err.text);
}

static void stop(void)
{
	for (size_t i = 0; i < rig.job_count; i++)
		core_land(rig.core, rig.jobs[i]);
	rig.job_count = 0;
	core_destroy(rig.core);
	store_close(rig.store);
}

static void fill(struct store *store)
{
	static char none[] = "", error[] = "too wide";
	int64_t ids[ARRAY_SIZE(names)];
	struct err err;

	assert_int_equal(store_begin(store, &err), 0);
	assert_int_equal(store_backends_register(store, names, ARRAY_SIZE(names), 1, ids, &err), 0);
	for (int i = 0; i < ZONES; i++) {
		struct store_zone zone = { .generation = 1, .hostname = none, .username = none };

		snprintf(zone.name, sizeof(zone.name), "z%d.example.", i);
		assert_int_equal(store_zone_put(store, &zone, "", 0, &err), 0);
		for (size_t k = 0; k < ARRAY_SIZE(names); k++) {
			struct delivery dead = { .state = DELIVERY_DEAD, .next_try_us = fake_wall_us(NULL) + 1800000000,
				.since_us = 1, .attempts = 6, .last_error = error };

			assert_int_equal(store_delivery_add(store, zone.id, ids[k], &dead, &err), 0);
		}
	}
	assert_int_equal(store_commit(store, &err), 0);
}

/* 3,000 zones that are dead at two back ends, and at one that is not configured any more. */
static int set_up(void **state)
{
	struct err err;

	(void)state;
	rig = (struct rig){ .mono_ms = 1000 };
	snprintf(rig.folder, sizeof(rig.folder), "/tmp/zonefan-replay-XXXXXX");
	assert_non_null(mkdtemp(rig.folder));
	snprintf(rig.path, sizeof(rig.path), "%s/store.db", rig.folder);
	assert_int_equal(store_open(rig.path, &rig.store, NULL, &err), 0);
	fill(rig.store);
	store_close(rig.store);
	start(true);
	return 0;
}

static int tear_down(void **state)
{
	static const char *const tails[] = { "", "-wal", "-shm", ".lock", ".ballast" };
	char path[128];

	(void)state;
	stop();
	engine_message_destroy(rig.answer);
	for (size_t i = 0; i < ARRAY_SIZE(tails); i++) {
		snprintf(path, sizeof(path), "%s%s", rig.path, tails[i]);
		unlink(path);
	}
	return rmdir(rig.folder);
}

static struct core_command *order(enum engine_op op, const char *backend)
{
	struct core_command *command = xcalloc(1, sizeof(*command));

	command->request = engine_request_create(op, ++rig.next_id);
	command->request->backend = xstrdup(backend);
	command->request->actor = xstrdup("control socket");
	return command;
}

static struct core_command *push(unsigned number)
{
	struct core_command *command = order(ENGINE_PUSH, NULL);

	snprintf(command->name, sizeof(command->name), "live%u.example.", number);
	command->request->zone = xstrdup(command->name);
	command->request->text = xstrdup("@ 60 IN SOA ns1.example. host.example. ( 1 2 3 4 5 )\n@ 60 IN NS ns1.example.\n");
	command->request->text_size = strlen(command->request->text);
	assert_int_equal(zone_parse(command->name, command->request->text, command->request->text_size, 0, &command->zone,
		&command->err), ERR_OK);
	return command;
}

static int64_t turn(struct core_command *command)
{
	return core_turn(rig.core, &command, command == NULL ? 0 : 1, NULL, 0);
}

struct asleep {
	int64_t backend_id;              /* 0: all that are configured */
	size_t count;
};

static bool count_asleep(void *ctx, const struct store_dead *dead)
{
	struct asleep *asleep = ctx;

	if (core_lane_of(rig.core, dead->backend_id) != NULL && dead->delivery->next_try_us > core_now_us(rig.core))
		asleep->count++;
	return true;
}

/* Dead letters that are not due yet. */
static size_t asleep_at(int64_t backend_id)
{
	struct asleep asleep = { 0 };
	struct err err;

	assert_int_equal(store_dead_list(rig.store, &(struct store_dead_filter){ .backend_id = backend_id }, SIZE_MAX,
		count_asleep, &asleep, &err), 0);
	return asleep.count;
}

/* A push with each turn, answered by it, before the next step; how many turns until no step is to come. */
static unsigned push_until_awake(int64_t backend_id)
{
	size_t before = asleep_at(backend_id);
	unsigned turns = 0;

	for (int64_t wait_ms = 0; wait_ms == 0; turns++) {
		wait_ms = turn(push(turns));
		size_t now = asleep_at(backend_id);

		assert_int_equal(rig.answered, rig.next_id);
		assert_true(before - now <= STEP_MOST);
		before = now;
		assert_true(turns < ZONES);
	}
	assert_int_equal(before, 0);
	return turns;
}

struct told {
	const char *kind;
	size_t count;
	char detail[64];
};

static bool note_told(void *ctx, const struct store_event *event)
{
	struct told *told = ctx;

	if (strcmp(event->kind, told->kind) == 0) {
		snprintf(told->detail, sizeof(told->detail), "%s", event->detail);
		told->count++;
	}
	return true;
}

static void expect_told(const char *kind, size_t count, const char *detail)
{
	struct told told = { .kind = kind };
	struct err err;

	assert_int_equal(store_event_list(rig.store, INT64_MAX, SIZE_MAX, NULL, NULL, note_told, &told, &err), 0);
	assert_int_equal(told.count, count);
	assert_string_equal(told.detail, detail);
}

static void forget_answer(void)
{
	engine_message_destroy(rig.answer);
	rig.answer = NULL;
}

static void expect_refused(enum engine_op op)
{
	struct engine_message *waiting = rig.answer;

	rig.answer = NULL;
	turn(order(op, NULL));
	assert_non_null(rig.answer);
	assert_int_equal(rig.answer->err.code, ERR_BUSY);
	forget_answer();
	rig.answer = waiting;
}

static void pushes_go_between_the_steps_of_a_replay(void **state)
{
	(void)state;
	assert_int_equal(asleep_at(0), 2 * ZONES);
	turn(order(ENGINE_DEAD_REPLAY, NULL));
	/* Its answer comes with its last step, and tells of all. */
	assert_null(rig.answer);
	assert_true(asleep_at(0) >= 2 * ZONES - STEP_MOST);
	expect_refused(ENGINE_DEAD_REPLAY);
	expect_refused(ENGINE_RETRY);
	expect_told("dead_replayed", 0, "");
	assert_true(push_until_awake(0) > 2 * ZONES / STEP_MOST - 3);
	assert_non_null(rig.answer);
	assert_int_equal(rig.answer->err.code, ERR_OK);
	assert_int_equal(doc_get(rig.answer->doc, "replayed")->value.count, 2 * ZONES);
	expect_told("dead_replayed", 1, "6000 dead letters are tried now");
	forget_answer();
	/* Nothing is left but what is dead at the one that is gone, and the next one may come. */
	turn(order(ENGINE_DEAD_REPLAY, NULL));
	push_until_awake(0);
	assert_non_null(rig.answer);
	assert_int_equal(doc_get(rig.answer->doc, "replayed")->value.count, 0);
	expect_told("dead_replayed", 1, "6000 dead letters are tried now");
}

static void a_replay_at_one_back_end_leaves_the_others(void **state)
{
	int64_t dc1 = rig.core->lanes[0].backend_id, dc2 = rig.core->lanes[1].backend_id;

	(void)state;
	turn(order(ENGINE_DEAD_REPLAY, "dc2"));
	assert_true(push_until_awake(dc2) > ZONES / STEP_MOST - 2);
	assert_int_equal(doc_get(rig.answer->doc, "replayed")->value.count, ZONES);
	assert_int_equal(asleep_at(dc1), ZONES);
}

static void pushes_go_between_the_steps_of_a_retry(void **state)
{
	(void)state;
	turn(order(ENGINE_RETRY, NULL));
	assert_null(rig.answer);
	assert_true(push_until_awake(0) > 2 * ZONES / STEP_MOST - 3);
	assert_non_null(rig.answer);
	assert_int_equal(rig.answer->err.code, ERR_OK);
	/* And what was pushed meanwhile, and waits, as far as it was there when its turn came. */
	assert_in_range(rig.answer->affected, 2 * ZONES, 2 * ZONES + 2 * rig.next_id);
}

/* The disk is full in the middle: the operator is told how far it got, and asks again. */
static void a_step_that_fails_is_told(void **state)
{
	(void)state;
	turn(order(ENGINE_DEAD_REPLAY, NULL));
	size_t done = 2 * ZONES - asleep_at(0);
	disk_is_full = true;
	turn(NULL);
	disk_is_full = false;
	char *expected = xasprintf("%zu are tried now, the others are not: ", done);
	assert_true(done > 0 && done <= STEP_MOST);
	assert_non_null(rig.answer);
	assert_int_equal(rig.answer->err.code, ERR_NOSPACE);
	assert_memory_equal(rig.answer->err.text, expected, strlen(expected));
	free(expected);
	expect_told("dead_replayed", 0, "");
	forget_answer();
	turn(order(ENGINE_DEAD_REPLAY, NULL));
	push_until_awake(0);
	assert_int_equal(rig.answer->err.code, ERR_OK);
	assert_int_equal(doc_get(rig.answer->doc, "replayed")->value.count, 2 * ZONES - done);
}

/* Says that the probe of the first back end was good. */
static int64_t come_up(void)
{
	struct core_job *probe = NULL;

	turn(NULL);
	for (size_t i = 0; i < rig.job_count; i++) {
		if (rig.jobs[i]->kind != CORE_JOB_PROBE || rig.jobs[i]->backend != 0)
			continue;
		probe = rig.jobs[i];
		rig.jobs[i] = rig.jobs[--rig.job_count];
		break;
	}
	assert_non_null(probe);
	probe->verdict = BACKEND_OK;
	return core_turn(rig.core, NULL, 0, &probe, 1);
}

static void pushes_go_between_the_steps_when_a_lane_came_up(void **state)
{
	int64_t dc1, dc2;

	(void)state;
	stop();
	start(false);
	dc1 = rig.core->lanes[0].backend_id;
	dc2 = rig.core->lanes[1].backend_id;
	assert_int_equal(come_up(), 0);
	assert_true(asleep_at(dc1) >= ZONES - STEP_MOST && asleep_at(dc1) < ZONES);
	assert_true(push_until_awake(dc1) > ZONES / STEP_MOST - 2);
	assert_int_equal(asleep_at(dc2), ZONES);
}

static void a_revival_that_fails_is_tried_again(void **state)
{
	int64_t dc1;

	(void)state;
	stop();
	start(false);
	dc1 = rig.core->lanes[0].backend_id;
	come_up();
	size_t left = asleep_at(dc1);
	disk_is_full = true;
	/* Not at once, for a disk does not get empty by itself. */
	assert_true(turn(NULL) > 0);
	disk_is_full = false;
	assert_true(turn(push(1)) > 0);
	assert_int_equal(rig.answered, rig.next_id);
	assert_int_equal(asleep_at(dc1), left);
	rig.mono_ms += 1001;
	push_until_awake(dc1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pushes_go_between_the_steps_of_a_replay, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_replay_at_one_back_end_leaves_the_others, set_up, tear_down),
		cmocka_unit_test_setup_teardown(pushes_go_between_the_steps_of_a_retry, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_step_that_fails_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(pushes_go_between_the_steps_when_a_lane_came_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_revival_that_fails_is_tried_again, set_up, tear_down),
	};

	log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
