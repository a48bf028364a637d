/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The delivery's diagram, edge by edge (decisions.md 2-6). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "sched/delivery.h"

static struct rng rng = { .state = 1 };
static const int64_t backoff_ms[] = { 30000, 120000, 300000, 900000, 1800000 };
static const struct delivery_policy policy = { .backoff_ms = backoff_ms, .backoff_count = 5, .max_attempts = 5,
	.slow_retry_ms = 3600000, .jitter_percent = 20, .rng = &rng };

static const int64_t now_us = INT64_C(1000000000000);

static void move(struct delivery *delivery, enum delivery_event event, uint64_t generation, int64_t at_us)
{
	struct delivery_args args = { .now_us = at_us, .wall_us = at_us + 7, .generation = generation,
		.error = "because" };

	delivery_move(delivery, event, &args, &policy);
}

static void fly(struct delivery *delivery, enum delivery_event end, int64_t at_us)
{
	move(delivery, DELIVERY_TAKEN, delivery->wanted, at_us);
	move(delivery, end, delivery->inflight, at_us);
}

static void pushed_then_ok_is_clean(void **state)
{
	struct delivery delivery = { 0 };

	(void)state;
	move(&delivery, DELIVERY_PUSHED, 1, now_us);
	assert_int_equal(delivery.state, DELIVERY_DUE);
	assert_int_equal(delivery.since_us, now_us);
	assert_int_equal(delivery.next_try_us, now_us);
	fly(&delivery, DELIVERY_OK, now_us + 5);
	assert_int_equal(delivery.state, DELIVERY_CLEAN);
	assert_int_equal(delivery.applied, 1);
	assert_int_equal(delivery.applied_at_us, now_us + 5 + 7);
	assert_int_equal(delivery.since_us, 0);
}

/* Nobody tries it, and nothing of its history is lost; whatever asks makes it due. */
static void parked_until_somebody_asks(void **state)
{
	static const enum delivery_event ends[] = { DELIVERY_PUSHED, DELIVERY_CHECK, DELIVERY_REPLAY, DELIVERY_RAISED };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		struct delivery delivery = { 0 };

		move(&delivery, DELIVERY_PUSHED, 1, now_us);
		fly(&delivery, DELIVERY_RETRY, now_us + 1);
		move(&delivery, DELIVERY_PARK, 0, now_us + 2);
		move(&delivery, DELIVERY_PARK, 0, now_us + 3);
		assert_int_equal(delivery.state, DELIVERY_PARKED);
		assert_int_equal(delivery.next_try_us, INT64_MAX);
		assert_int_equal(delivery.attempts, 1);
		assert_string_equal(delivery.last_error, "because");
		move(&delivery, ends[i], 2, now_us + 60);
		assert_int_equal(delivery.state, DELIVERY_DUE);
		assert_int_equal(delivery.next_try_us, now_us + 60);
		/* Nobody was behind meanwhile. */
		assert_int_equal(delivery.since_us, now_us + 60);
		assert_int_equal(delivery.attempts, 0);
		fly(&delivery, DELIVERY_OK, now_us + 70);
		assert_int_equal(delivery.state, DELIVERY_CLEAN);
		delivery_clear(&delivery);
	}
}

static void push_during_flight_is_due_again(void **state)
{
	struct delivery delivery = { 0 };

	(void)state;
	move(&delivery, DELIVERY_PUSHED, 1, now_us);
	move(&delivery, DELIVERY_TAKEN, 1, now_us);
	move(&delivery, DELIVERY_PUSHED, 2, now_us + 1);
	assert_int_equal(delivery.state, DELIVERY_INFLIGHT);
	move(&delivery, DELIVERY_OK, 1, now_us + 2);
	assert_int_equal(delivery.state, DELIVERY_DUE);
	assert_int_equal(delivery.applied, 1);
	assert_int_equal(delivery.wanted, 2);
}

static void check_during_flight_is_checked_again(void **state)
{
	struct delivery delivery = { .wanted = 4, .applied = 4 };

	(void)state;
	move(&delivery, DELIVERY_CHECK, 4, now_us);
	assert_true(delivery.check);
	move(&delivery, DELIVERY_TAKEN, 4, now_us);
	move(&delivery, DELIVERY_CHECK, 4, now_us);
	move(&delivery, DELIVERY_OK, 4, now_us);
	assert_int_equal(delivery.state, DELIVERY_DUE);
	assert_true(delivery.check);
	fly(&delivery, DELIVERY_OK, now_us);
	assert_int_equal(delivery.state, DELIVERY_CLEAN);
	assert_false(delivery.check);
}

/* Not since the older landed, if it is known when it came. */
static void newer_content_waits_since_it_came(void **state)
{
	const struct { int64_t newer_us, since_us; } table[] = { { now_us + 10, now_us + 10 }, { 0, now_us + 50 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct delivery_args args = { .now_us = now_us + 50, .generation = 2, .newer_us = table[i].newer_us };
		struct delivery delivery = { .wanted = 1, .applied = 1 };

		move(&delivery, DELIVERY_PUSHED, 2, now_us);
		move(&delivery, DELIVERY_TAKEN, 2, now_us);
		move(&delivery, DELIVERY_PUSHED, 3, now_us + 10);
		delivery_move(&delivery, DELIVERY_OK, &args, &policy);
		assert_int_equal(delivery.state, DELIVERY_DUE);
		assert_int_equal(delivery.since_us, table[i].since_us);
	}
}

/* Of other content nothing is to be compared, whatever was asked for before: it is written as it is. */
static void push_ends_a_check(void **state)
{
	struct delivery delivery = { .wanted = 4, .applied = 4 };

	(void)state;
	move(&delivery, DELIVERY_CHECK, 4, now_us);
	move(&delivery, DELIVERY_PUSHED, 5, now_us);
	assert_false(delivery.check);
	fly(&delivery, DELIVERY_OK, now_us);
	move(&delivery, DELIVERY_CHECK, 5, now_us);
	move(&delivery, DELIVERY_TAKEN, 5, now_us);
	move(&delivery, DELIVERY_CHECK, 5, now_us);
	move(&delivery, DELIVERY_PUSHED, 6, now_us);
	move(&delivery, DELIVERY_OK, 5, now_us);
	assert_int_equal(delivery.state, DELIVERY_DUE);
	assert_false(delivery.check);
}

/* The same content under a higher number: where it is there already it is compared, where it is not it comes as it would. */
static void raised_is_checked_where_it_was_delivered(void **state)
{
	struct delivery clean = { .wanted = 4, .applied = 4 };
	struct delivery due = { 0 };
	struct delivery flying = { 0 };

	(void)state;
	move(&clean, DELIVERY_RAISED, 9, now_us);
	assert_int_equal(clean.state, DELIVERY_DUE);
	assert_int_equal(clean.wanted, 9);
	assert_true(clean.check);
	move(&due, DELIVERY_PUSHED, 4, now_us);
	move(&due, DELIVERY_RAISED, 9, now_us);
	assert_int_equal(due.wanted, 9);
	assert_false(due.check);
	move(&due, DELIVERY_CHECK, 9, now_us);
	move(&due, DELIVERY_RAISED, 10, now_us);
	assert_true(due.check);
	move(&flying, DELIVERY_PUSHED, 4, now_us);
	move(&flying, DELIVERY_TAKEN, 4, now_us);
	move(&flying, DELIVERY_RAISED, 9, now_us);
	move(&flying, DELIVERY_OK, 4, now_us);
	assert_int_equal(flying.state, DELIVERY_DUE);
	assert_true(flying.check);
	move(&flying, DELIVERY_PUSHED, 10, now_us);
	move(&flying, DELIVERY_TAKEN, 10, now_us);
	move(&flying, DELIVERY_RAISED, 11, now_us);
	move(&flying, DELIVERY_RETRY, 10, now_us);
	assert_int_equal(flying.state, DELIVERY_DUE);
	assert_false(flying.check);
	delivery_clear(&flying);
}

static void retries_follow_the_clock_and_end_dead_not_gone(void **state)
{
	struct delivery delivery = { 0 };
	int64_t at_us = now_us;

	(void)state;
	move(&delivery, DELIVERY_PUSHED, 1, at_us);
	for (unsigned i = 0; i < 5; i++) {
		fly(&delivery, DELIVERY_RETRY, at_us);
		assert_int_equal(delivery.state, DELIVERY_WAIT);
		assert_int_equal(delivery.attempts, i + 1);
		assert_in_range(delivery.next_try_us - at_us, backoff_ms[i] * 800, backoff_ms[i] * 1200);
		at_us = delivery.next_try_us;
	}
	fly(&delivery, DELIVERY_RETRY, at_us);
	assert_int_equal(delivery.state, DELIVERY_DEAD);
	assert_in_range(delivery.next_try_us - at_us, INT64_C(2880000000), INT64_C(4320000000));
	assert_string_equal(delivery.last_error, "because");
	/* Dead is slow, not over. */
	fly(&delivery, DELIVERY_RETRY, at_us);
	assert_int_equal(delivery.state, DELIVERY_DEAD);
	fly(&delivery, DELIVERY_OK, at_us);
	assert_int_equal(delivery.state, DELIVERY_CLEAN);
	assert_null(delivery.last_error);
	assert_int_equal(delivery.attempts, 0);
}

static void newer_content_does_not_inherit_attempts(void **state)
{
	struct delivery delivery = { 0 };

	(void)state;
	move(&delivery, DELIVERY_PUSHED, 1, now_us);
	fly(&delivery, DELIVERY_RETRY, now_us);
	move(&delivery, DELIVERY_PUSHED, 2, now_us + 1);
	assert_int_equal(delivery.state, DELIVERY_DUE);
	assert_int_equal(delivery.attempts, 0);
	assert_int_equal(delivery.next_try_us, now_us + 1);
	move(&delivery, DELIVERY_TAKEN, 2, now_us + 1);
	move(&delivery, DELIVERY_PUSHED, 3, now_us + 2);
	move(&delivery, DELIVERY_REJECT, 2, now_us + 3);
	assert_int_equal(delivery.state, DELIVERY_DUE);
	assert_int_equal(delivery.attempts, 0);
	delivery_clear(&delivery);
}

static void rejected_comes_back_by_push_and_replay(void **state)
{
	struct delivery delivery = { 0 };

	(void)state;
	move(&delivery, DELIVERY_PUSHED, 1, now_us);
	fly(&delivery, DELIVERY_REJECT, now_us);
	assert_int_equal(delivery.state, DELIVERY_REJECTED);
	move(&delivery, DELIVERY_REPLAY, 0, now_us + 9);
	assert_int_equal(delivery.state, DELIVERY_DUE);
	assert_int_equal(delivery.next_try_us, now_us + 9);
	assert_int_equal(delivery.since_us, now_us);
	delivery_clear(&delivery);
}

static void replay_leaves_clean_alone(void **state)
{
	struct delivery delivery = { .wanted = 3, .applied = 3 };

	(void)state;
	move(&delivery, DELIVERY_REPLAY, 0, now_us);
	assert_int_equal(delivery.state, DELIVERY_CLEAN);
}

static void suspect_keeps_attempts_and_is_cleared_by_success(void **state)
{
	struct delivery delivery = { 0 };

	(void)state;
	move(&delivery, DELIVERY_PUSHED, 1, now_us);
	fly(&delivery, DELIVERY_SUSPECT, now_us);
	assert_true(delivery.suspect);
	assert_int_equal(delivery.state, DELIVERY_DUE);
	assert_int_equal(delivery.attempts, 0);
	fly(&delivery, DELIVERY_OK, now_us);
	assert_false(delivery.suspect);
}

static void contested_waits_an_hour_but_a_push_is_at_once(void **state)
{
	struct delivery delivery = { 0 };

	(void)state;
	move(&delivery, DELIVERY_PUSHED, 1, now_us);
	fly(&delivery, DELIVERY_CONTESTED, now_us);
	assert_int_equal(delivery.state, DELIVERY_WAIT);
	assert_true(delivery.next_try_us > now_us + INT64_C(2800000000));
	move(&delivery, DELIVERY_PUSHED, 2, now_us);
	assert_int_equal(delivery.state, DELIVERY_DUE);
	assert_int_equal(delivery.next_try_us, now_us);
	delivery_clear(&delivery);
}

static void push_during_a_contested_flight_is_at_once(void **state)
{
	static const enum delivery_event asked[] = { DELIVERY_PUSHED, DELIVERY_RAISED, DELIVERY_CHECK, DELIVERY_REPLAY };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		struct delivery delivery = { 0 };

		move(&delivery, DELIVERY_PUSHED, 1, now_us);
		move(&delivery, DELIVERY_TAKEN, 1, now_us);
		move(&delivery, asked[i], 2, now_us);
		move(&delivery, DELIVERY_CONTESTED, 1, now_us);
		assert_int_equal(delivery.state, DELIVERY_DUE);
		assert_int_equal(delivery.next_try_us, now_us);
		delivery_clear(&delivery);
	}
}

static void states_are_stored_by_number(void **state)
{
	enum delivery_state out;

	(void)state;
	assert_true(delivery_state_parse(DELIVERY_DEAD, &out));
	assert_int_equal(out, DELIVERY_DEAD);
	assert_false(delivery_state_parse(DELIVERY_INFLIGHT, &out));
	assert_false(delivery_state_parse(-1, &out));
	assert_true(delivery_state_parse(6, &out));
	assert_int_equal(out, DELIVERY_PARKED);
	assert_false(delivery_state_parse(7, &out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pushed_then_ok_is_clean),
		cmocka_unit_test(parked_until_somebody_asks),
		cmocka_unit_test(push_during_flight_is_due_again),
		cmocka_unit_test(check_during_flight_is_checked_again),
		cmocka_unit_test(newer_content_waits_since_it_came),
		cmocka_unit_test(push_ends_a_check),
		cmocka_unit_test(raised_is_checked_where_it_was_delivered),
		cmocka_unit_test(retries_follow_the_clock_and_end_dead_not_gone),
		cmocka_unit_test(newer_content_does_not_inherit_attempts),
		cmocka_unit_test(rejected_comes_back_by_push_and_replay),
		cmocka_unit_test(replay_leaves_clean_alone),
		cmocka_unit_test(suspect_keeps_attempts_and_is_cleared_by_success),
		cmocka_unit_test(contested_waits_an_hour_but_a_push_is_at_once),
		cmocka_unit_test(push_during_a_contested_flight_is_at_once),
		cmocka_unit_test(states_are_stored_by_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
