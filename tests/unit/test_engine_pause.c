/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A back end that the operator paused: nothing goes there, nothing is lost, and it stays so until it is resumed. */
#include "test_engine_rig.h"

/* The reply's code; *changed: whether it was otherwise before. */
static int order(enum engine_op op, const char *backend, bool *changed, struct err *err)
{
	struct engine_request *request = engine_request_create(op, ++rig.next_id);

	request->backend = xstrdup(backend);
	request->source = xstrdup("control");
	struct engine_message *message = ask(request);
	int code = message->err.code;
	*changed = message->affected > 0;
	*err = message->err;
	engine_message_destroy(message);
	return code;
}

static void order_well(enum engine_op op, const char *backend, bool expected)
{
	struct err err;
	bool changed;

	if (order(op, backend, &changed, &err) != ERR_OK)
		fail_msg("%s", err.text);
	assert_int_equal(changed, expected);
}

static uint64_t pending(size_t target)
{
	struct engine_message *message = ask(engine_request_create(ENGINE_STATUS, ++rig.next_id));
	uint64_t count = message->status->lanes[target].pending;

	engine_message_destroy(message);
	return count;
}

static int64_t since(size_t target)
{
	struct engine_message *message = ask(engine_request_create(ENGINE_STATUS, ++rig.next_id));
	int64_t at = message->status->lanes[target].since_us;

	engine_message_destroy(message);
	return at;
}

static void push_many(unsigned content)
{
	char name[32];

	for (int i = 0; i < 30; i++) {
		snprintf(name, sizeof(name), "p%d.example", i);
		push(name, content);
	}
}

static void await_many(size_t target)
{
	char name[32];

	for (int i = 0; i < 30; i++) {
		snprintf(name, sizeof(name), "p%d.example", i);
		await_state(name, target, "clean");
	}
}

static void what_is_pushed_meanwhile_is_delivered_afterwards(void **state)
{
	(void)state;
	push_many(1);
	await_many(0);
	await_many(1);
	order_well(ENGINE_PAUSE, "dc1", true);
	order_well(ENGINE_PAUSE, "dc1", false);
	await_lane(0, "paused");
	uint64_t writes = writes_of(0, "p0.example.");
	push_many(2);
	push_many(3);
	await_many(1);
	await_many(2);
	await_state("p0.example", 0, "held");
	assert_int_equal(pending(0), 30);
	assert_int_equal(writes_of(0, "p0.example."), writes);
	order_well(ENGINE_RESUME, "dc1", true);
	await_many(0);
	await_lane(0, "up");
	order_well(ENGINE_RESUME, "dc1", false);
	assert_int_equal(writes_of(0, "p0.example."), writes + 1);
	assert_int_equal(count_events("lane_paused"), 1);
	assert_int_equal(count_events("lane_resumed"), 1);
	assert_int_equal(count_events("lane_down"), 0);
}

static void it_survives_a_restart(void **state)
{
	(void)state;
	push("first.example", 1);
	await_clean("first.example");
	order_well(ENGINE_PAUSE, "dc2", true);
	await_lane(1, "paused");
	int64_t at = since(1);
	/* An outage under the pause is nobody's news. */
	atomic_store(&rig.fates[1], MEMORY_DOWN);
	push("first.example", 2);
	stop();
	atomic_store(&rig.skew_us, INT64_C(3600000000));
	start();
	await_lane(1, "paused");
	assert_true(llabs(since(1) - at) < 60000000); /* not since this start, an hour later */
	push("first.example", 3);
	await_state("first.example", 0, "clean");
	await_state("first.example", 1, "held");
	stop();
	start();
	await_lane(1, "paused");
	order_well(ENGINE_RESUME, "dc2", true);
	await_lane(1, "down");
	atomic_store(&rig.fates[1], MEMORY_OK);
	await_clean("first.example");
	stop();
	start();
	await_lane(1, "up");
	assert_int_equal(count_events("lane_paused"), 1);
}

static void what_is_in_flight_ends(void **state)
{
	(void)state;
	push("first.example", 1);
	await_clean("first.example");
	atomic_store(&rig.slow_ms, 200);
	push("slow.example", 1);
	await_state("slow.example", 1, "clean");
	order_well(ENGINE_PAUSE, "dc1", true);
	await_state("slow.example", 0, "clean");
	await_lane(0, "paused");
	atomic_store(&rig.slow_ms, 0);
}

/* Nothing is under way there. */
static void await_landing(size_t target)
{
	bool landed = false;

	for (int waited_ms = 0; !landed; waited_ms += 2) {
		assert_true(waited_ms < WAIT_MS);
		struct engine_message *message = ask(engine_request_create(ENGINE_STATUS, ++rig.next_id));
		landed = message->status->lanes[target].inflight == 0;
		engine_message_destroy(message);
		nap();
	}
}

/* The connection is lost under the flight while the pause comes: that is judged by nobody, and repeated afterwards. */
static void a_loss_under_the_pause_is_forgotten(void **state)
{
	(void)state;
	push("first.example", 1);
	await_clean("first.example");
	atomic_store(&rig.slow_ms, 10000);
	rig.unlucky = "unlucky.example.";
	int asked = atomic_load(&rig.asked);
	push("unlucky.example", 1);
	for (int waited_ms = 0; atomic_load(&rig.asked) == asked; waited_ms += 2) {
		assert_true(waited_ms < WAIT_MS);
		nap();
	}
	order_well(ENGINE_PAUSE, "dc1", true);
	await_lane(0, "paused");
	atomic_store(&rig.slow_ms, 0);
	await_landing(0);
	assert_int_equal(atomic_load(&rig.losses), 1);
	await_state("unlucky.example", 0, "held");
	order_well(ENGINE_RESUME, "dc1", true);
	await_clean("unlucky.example");
	assert_int_equal(count_events("suspect"), 0);
}

static void an_unknown_back_end_is_named_with_those_that_there_are(void **state)
{
	struct err err;
	bool changed;

	(void)state;
	assert_int_equal(order(ENGINE_PAUSE, "dc9", &changed, &err), ERR_NOTFOUND);
	assert_string_equal(err.text, "there is no back end dc9; there are dc1, dc2, dc3");
	assert_int_equal(order(ENGINE_RESUME, "", &changed, &err), ERR_NOTFOUND);
	assert_int_equal(count_events("lane_paused"), 0);
}

/* As whoever tries zonefan first beside the old system does, before the first data centre is switched over. */
static void it_is_kept_for_the_time_after_a_dry_run(void **state)
{
	(void)state;
	stop();
	rig.dry_run = true;
	start();
	push("a.example", 1);
	order_well(ENGINE_PAUSE, "dc2", true);
	order_well(ENGINE_PAUSE, "dc2", false);
	stop();
	rig.dry_run = false;
	start();
	await_state("a.example", 0, "clean");
	await_lane(1, "paused");
	assert_int_equal(writes_of(1, "a.example."), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_pushed_meanwhile_is_delivered_afterwards, set_up, tear_down),
		cmocka_unit_test_setup_teardown(it_survives_a_restart, set_up, tear_down),
		cmocka_unit_test_setup_teardown(it_is_kept_for_the_time_after_a_dry_run, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_in_flight_ends, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_loss_under_the_pause_is_forgotten, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_unknown_back_end_is_named_with_those_that_there_are, set_up, tear_down),
	};

	log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
