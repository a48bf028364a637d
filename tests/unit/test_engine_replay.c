/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Thousands of deliveries that are tried again: a step at a time, and every
 * push that comes meanwhile is answered before the next step. The engine's
 * core alone, turn by turn; nothing here depends on time.
 */
#include <errno.h>
#include <sys/syscall.h>

#include "test_engine_core.h"

#include "store/dead.h"

/* STEP_MOST: what a push may have to wait for. */
enum { ZONES = 3000, STEP_MOST = 500 };

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

static void fill(struct store *store)
{
	static const char *const names[] = { "dc1", "dc2", "gone" };
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
	make_folder();
	assert_int_equal(store_open(rig.path, &rig.store, NULL, &err), 0);
	fill(rig.store);
	store_close(rig.store);
	start(true);
	return 0;
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
	int64_t dc1 = rig.core->lanes[0]->backend_id, dc2 = rig.core->lanes[1]->backend_id;

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

static void pushes_go_between_the_steps_when_a_lane_came_up(void **state)
{
	int64_t dc1, dc2;

	(void)state;
	stop();
	start(false);
	dc1 = rig.core->lanes[0]->backend_id;
	dc2 = rig.core->lanes[1]->backend_id;
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
	dc1 = rig.core->lanes[0]->backend_id;
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
