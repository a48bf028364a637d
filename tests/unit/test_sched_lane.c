/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lane's diagram: the breaker, its clock, and who is to blame (decisions.md 2-3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "sched/lane.h"

static struct rng rng = { .state = 1 };
static const struct lane_policy policy = { .probe_initial_ms = 1000, .probe_max_ms = 30000, .jitter_percent = 20,
	.rng = &rng };
static const int64_t start_us = INT64_C(5000000000);

static bool move_at(struct lane *lane, enum lane_event event, int64_t now_us)
{
	return lane_move(lane, event, now_us, now_us, "refused", &policy);
}

static struct lane lane_up(void)
{
	struct lane lane;

	lane_init(&lane, start_us);
	move_at(&lane, LANE_PROBE_SENT, start_us);
	assert_true(move_at(&lane, LANE_PROBE_OK, start_us));
	move_at(&lane, LANE_DELIVERED, start_us);
	return lane;
}

static void nothing_goes_out_before_the_first_probe(void **state)
{
	struct lane lane;

	(void)state;
	lane_init(&lane, start_us);
	assert_int_equal(lane.state, LANE_DOWN);
	assert_true(lane.next_probe_us <= start_us);
	assert_int_equal(lane_window(&lane, 2), 0);
	move_at(&lane, LANE_PROBE_SENT, start_us);
	assert_string_equal(lane_state_name(&lane), "probing");
	assert_true(move_at(&lane, LANE_PROBE_OK, start_us));
	assert_int_equal(lane_window(&lane, 2), 1);
	assert_false(move_at(&lane, LANE_DELIVERED, start_us));
	assert_int_equal(lane_window(&lane, 2), 2);
}

static void the_clock_of_a_dead_back_end(void **state)
{
	static const int64_t seconds[] = { 1, 2, 5, 10, 20, 30, 30, 30 };
	struct lane lane = lane_up();
	int64_t now_us = start_us;

	(void)state;
	assert_true(move_at(&lane, LANE_FAILED, now_us));
	for (size_t i = 0; i < ARRAY_SIZE(seconds); i++) {
		int64_t delay_us = lane.next_probe_us - now_us;

		assert_in_range(delay_us, seconds[i] * 800000, seconds[i] * 1200000);
		now_us = lane.next_probe_us;
		move_at(&lane, LANE_PROBE_SENT, now_us);
		assert_false(move_at(&lane, LANE_PROBE_FAILED, now_us));
	}
	assert_int_equal(lane.since_us, start_us);
}

static void only_a_delivery_resets_the_clock(void **state)
{
	struct lane lane = lane_up();

	(void)state;
	move_at(&lane, LANE_FAILED, start_us);
	move_at(&lane, LANE_PROBE_SENT, start_us);
	move_at(&lane, LANE_PROBE_OK, start_us);
	move_at(&lane, LANE_FAILED, start_us);
	assert_in_range(lane.next_probe_us - start_us, 1600000, 2400000);
	move_at(&lane, LANE_PROBE_SENT, start_us);
	move_at(&lane, LANE_PROBE_OK, start_us);
	move_at(&lane, LANE_DELIVERED, start_us);
	move_at(&lane, LANE_FAILED, start_us);
	assert_in_range(lane.next_probe_us - start_us, 800000, 1200000);
}

/* A full disk answers probes, and fails every write: that is one outage. */
static void what_a_delivery_brought_down_a_delivery_proves_up(void **state)
{
	struct lane lane = lane_up();

	(void)state;
	assert_true(move_at(&lane, LANE_FAILED, start_us));
	for (int i = 1; i < 10; i++) {
		move_at(&lane, LANE_PROBE_SENT, start_us + i);
		assert_false(move_at(&lane, LANE_PROBE_OK, start_us + i));
		assert_int_equal(lane_window(&lane, 2), 1);
		assert_string_equal(lane_state_name(&lane), "probing");
		assert_string_equal(lane.last_error, "refused");
		assert_false(move_at(&lane, LANE_FAILED, start_us + i));
		assert_string_equal(lane_state_name(&lane), "down");
		assert_int_equal(lane.since_us, start_us);
	}
	move_at(&lane, LANE_PROBE_SENT, start_us + 20);
	move_at(&lane, LANE_PROBE_OK, start_us + 20);
	assert_true(move_at(&lane, LANE_DELIVERED, start_us + 21));
	assert_string_equal(lane_state_name(&lane), "up");
	assert_int_equal(lane.since_us, start_us + 21);
	assert_false(move_at(&lane, LANE_DELIVERED, start_us + 22));
}

static void a_suspect_leaves_nothing_to_be_proved(void **state)
{
	struct lane lane = lane_up();

	(void)state;
	assert_true(move_at(&lane, LANE_SUSPECTED, start_us));
	assert_string_equal(lane_state_name(&lane), "down");
	move_at(&lane, LANE_PROBE_SENT, start_us);
	assert_true(move_at(&lane, LANE_PROBE_OK, start_us));
	assert_string_equal(lane_state_name(&lane), "up");
}

/* What failed is not wanted there any more: the probe is all that can be known. */
static void with_nothing_to_deliver_nothing_is_proved(void **state)
{
	struct lane lane = lane_up();

	(void)state;
	assert_false(move_at(&lane, LANE_IDLE, start_us));
	move_at(&lane, LANE_FAILED, start_us);
	assert_false(move_at(&lane, LANE_IDLE, start_us));
	move_at(&lane, LANE_PROBE_SENT, start_us);
	assert_false(move_at(&lane, LANE_PROBE_OK, start_us));
	assert_true(move_at(&lane, LANE_IDLE, start_us + 1));
	assert_string_equal(lane_state_name(&lane), "up");
	assert_string_equal(lane.last_error, "");
	assert_int_equal(lane_window(&lane, 2), 1);
}

static void failures_of_one_moment_are_one_step(void **state)
{
	struct lane lane = lane_up();

	(void)state;
	assert_true(move_at(&lane, LANE_FAILED, start_us));
	int64_t probe_us = lane.next_probe_us;
	assert_false(move_at(&lane, LANE_FAILED, start_us));
	assert_false(move_at(&lane, LANE_LOST, start_us));
	assert_int_equal(lane.next_probe_us, probe_us);
	assert_int_equal(lane.step, 1);
}

static void a_doubt_that_ends_well_is_no_outage(void **state)
{
	struct lane lane = lane_up();

	(void)state;
	lane_note_lost(&lane, 7);
	assert_false(move_at(&lane, LANE_LOST, start_us));
	assert_int_equal(lane.state, LANE_DOUBT);
	assert_int_equal(lane_window(&lane, 2), 0);
	move_at(&lane, LANE_PROBE_SENT, start_us);
	assert_int_equal(lane.state, LANE_DOUBT);
	assert_false(move_at(&lane, LANE_PROBE_OK, start_us));
	assert_int_equal(lane.state, LANE_UP);
	assert_int_equal(lane_window(&lane, 2), 1);
}

static void a_doubt_that_ends_badly_is_one(void **state)
{
	struct lane lane = lane_up();

	(void)state;
	move_at(&lane, LANE_LOST, start_us);
	move_at(&lane, LANE_PROBE_SENT, start_us);
	assert_true(move_at(&lane, LANE_PROBE_FAILED, start_us));
	assert_int_equal(lane.state, LANE_DOWN);
	assert_string_equal(lane.last_error, "refused");
}

static void many_zones_lost_in_a_row_blame_the_lane(void **state)
{
	struct lane lane = lane_up();

	(void)state;
	for (int64_t zone = 1; zone <= LANE_BLAME; zone++) {
		assert_false(lane_is_to_blame(&lane));
		lane_note_lost(&lane, zone);
		lane_note_lost(&lane, zone);
		if (zone < LANE_BLAME) {
			move_at(&lane, LANE_LOST, start_us);
			move_at(&lane, LANE_PROBE_SENT, start_us);
			move_at(&lane, LANE_PROBE_OK, start_us);
		}
	}
	assert_true(lane_is_to_blame(&lane));
	assert_true(move_at(&lane, LANE_LOST, start_us));
	assert_int_equal(lane.state, LANE_DOWN);
	move_at(&lane, LANE_PROBE_SENT, start_us);
	move_at(&lane, LANE_PROBE_OK, start_us);
	move_at(&lane, LANE_DELIVERED, start_us);
	assert_false(lane_is_to_blame(&lane));
}

static void late_answers_do_not_revive_a_dead_lane(void **state)
{
	struct lane lane = lane_up();

	(void)state;
	move_at(&lane, LANE_FAILED, start_us);
	assert_false(move_at(&lane, LANE_DELIVERED, start_us));
	assert_int_equal(lane.state, LANE_DOWN);
	assert_int_equal(lane.step, 1);
	assert_false(move_at(&lane, LANE_PROBE_OK, start_us));
	assert_int_equal(lane.state, LANE_DOWN);
}

/* Whatever the lane was doing. */
static void pause_from(enum lane_event first, enum lane_event second)
{
	struct lane lane = lane_up();

	lane_note_lost(&lane, 7);
	move_at(&lane, first, start_us);
	if (second != LANE_PAUSE)
		move_at(&lane, second, start_us);
	assert_true(lane_move(&lane, LANE_PAUSE, start_us, start_us + 5, "", &policy));
	assert_int_equal(lane.state, LANE_PAUSED);
	assert_string_equal(lane_state_name(&lane), "paused");
	assert_int_equal(lane_window(&lane, 2), 0);
	assert_int_equal(lane.since_us, start_us + 5);
	assert_string_equal(lane.last_error, "");
	/* What was out comes back, and moves nothing. */
	assert_false(move_at(&lane, LANE_DELIVERED, start_us));
	assert_false(move_at(&lane, LANE_LOST, start_us));
	assert_false(move_at(&lane, LANE_FAILED, start_us));
	assert_false(move_at(&lane, LANE_PROBE_FAILED, start_us));
	assert_false(move_at(&lane, LANE_PROBE_OK, start_us));
	assert_int_equal(lane.state, LANE_PAUSED);
}

static void paused_it_stays_until_it_is_resumed(void **state)
{
	(void)state;
	pause_from(LANE_DELIVERED, LANE_PAUSE);
	pause_from(LANE_LOST, LANE_PAUSE);
	pause_from(LANE_LOST, LANE_PROBE_SENT);
	pause_from(LANE_FAILED, LANE_PAUSE);
	pause_from(LANE_FAILED, LANE_PROBE_SENT);
}

static void resumed_it_is_probed_at_once_and_told(void **state)
{
	struct lane lane = lane_up();

	(void)state;
	for (int i = 0; i < 4; i++) {
		move_at(&lane, LANE_FAILED, start_us);
		move_at(&lane, LANE_PROBE_SENT, start_us);
		move_at(&lane, LANE_PROBE_OK, start_us);
	}
	move_at(&lane, LANE_PAUSE, start_us);
	assert_true(move_at(&lane, LANE_RESUME, start_us + 9));
	assert_int_equal(lane.state, LANE_DOWN);
	assert_int_equal(lane.next_probe_us, start_us + 9);
	assert_int_equal(lane.since_us, start_us + 9);
	move_at(&lane, LANE_PROBE_SENT, start_us + 9);
	assert_true(move_at(&lane, LANE_PROBE_OK, start_us + 9));
	assert_int_equal(lane_window(&lane, 2), 1);
	/* The clock began anew. */
	assert_true(move_at(&lane, LANE_FAILED, start_us));
	assert_in_range(lane.next_probe_us - start_us, 800000, 1200000);
}

static void resumed_in_vain_it_is_down(void **state)
{
	struct lane lane = lane_up();

	(void)state;
	assert_true(move_at(&lane, LANE_FAILED, start_us));
	move_at(&lane, LANE_PAUSE, start_us);
	move_at(&lane, LANE_RESUME, start_us);
	move_at(&lane, LANE_PROBE_SENT, start_us);
	assert_true(move_at(&lane, LANE_PROBE_FAILED, start_us + 3));
	assert_int_equal(lane.state, LANE_DOWN);
	assert_int_equal(lane.since_us, start_us + 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_goes_out_before_the_first_probe),
		cmocka_unit_test(the_clock_of_a_dead_back_end),
		cmocka_unit_test(only_a_delivery_resets_the_clock),
		cmocka_unit_test(what_a_delivery_brought_down_a_delivery_proves_up),
		cmocka_unit_test(with_nothing_to_deliver_nothing_is_proved),
		cmocka_unit_test(a_suspect_leaves_nothing_to_be_proved),
		cmocka_unit_test(failures_of_one_moment_are_one_step),
		cmocka_unit_test(a_doubt_that_ends_well_is_no_outage),
		cmocka_unit_test(a_doubt_that_ends_badly_is_one),
		cmocka_unit_test(many_zones_lost_in_a_row_blame_the_lane),
		cmocka_unit_test(late_answers_do_not_revive_a_dead_lane),
		cmocka_unit_test(paused_it_stays_until_it_is_resumed),
		cmocka_unit_test(resumed_it_is_probed_at_once_and_told),
		cmocka_unit_test(resumed_in_vain_it_is_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
