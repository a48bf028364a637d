/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A zone that the operator froze: pushes are taken, nothing of it is delivered, and thaw brings the newest. */
#include "test_engine_rig.h"

static void order(enum engine_op op, const char *zone, bool changed)
{
	struct engine_request *request = engine_request_create(op, ++rig.next_id);

	request->zone = xstrdup(zone);
	request->actor = xstrdup("control socket");
	struct engine_message *message = ask(request);
	assert_int_equal(message->err.code, ERR_OK);
	assert_int_equal(doc_get(message->doc, "changed")->value.boolean, changed);
	engine_message_destroy(message);
}

static void expect_parked(const char *zone)
{
	for (size_t i = 0; i < TARGETS; i++)
		await_state(zone, i, "parked");
}

static void counts(uint64_t *frozen, uint64_t *parked, uint64_t *pending)
{
	struct engine_message *message = ask(engine_request_create(ENGINE_STATUS, ++rig.next_id));

	*frozen = message->status->frozen;
	*parked = message->status->lanes[0].parked;
	*pending = message->status->lanes[0].pending;
	engine_message_destroy(message);
}

static void nothing_of_it_is_delivered_until_it_is_thawed(void **state)
{
	uint64_t frozen, parked, pending;

	(void)state;
	push("cold.example", 1);
	await_clean("cold.example");
	uint64_t writes = writes_of(0, "cold.example.");
	order(ENGINE_FREEZE, "cold.example", true);
	order(ENGINE_FREEZE, "Cold.Example.", false);
	push("cold.example", 2);
	push("cold.example", 2);
	push("cold.example", 3);
	push("warm.example", 1);
	await_clean("warm.example");
	expect_parked("cold.example");
	counts(&frozen, &parked, &pending);
	assert_int_equal(frozen, 1);
	assert_int_equal(parked, 1);
	assert_int_equal(pending, 0);
	stop();
	start();
	push("cold.example", 4);
	push("warm.example", 2);
	await_clean("warm.example");
	expect_parked("cold.example");
	assert_int_equal(writes_of(0, "cold.example."), writes);
	struct engine_message *message = zone_view("cold.example");
	assert_string_equal(message->zones[0].frozen_by, "control socket");
	assert_true(message->zones[0].frozen_at_us > 0);
	engine_message_destroy(message);
	order(ENGINE_THAW, "cold.example", true);
	await_clean("cold.example");
	assert_int_equal(writes_of(0, "cold.example."), writes + 1);
	order(ENGINE_THAW, "cold.example", false);
	assert_int_equal(count_events("frozen"), 1);
	assert_int_equal(count_events("thawed"), 1);
	push("cold.example", 5);
	await_clean("cold.example");
}

static void what_waits_or_is_in_flight_when_it_is_frozen(void **state)
{
	(void)state;
	atomic_store(&rig.fates[1], MEMORY_DOWN);
	push("cold.example", 1);
	await_state("cold.example", 0, "clean");
	await_state("cold.example", 1, "held");
	atomic_store(&rig.slow_ms, 100);
	push("cold.example", 2);
	order(ENGINE_FREEZE, "cold.example", true);
	/* What is in flight ends; what came meanwhile is not sent. */
	push("cold.example", 3);
	await_state("cold.example", 0, "parked");
	atomic_store(&rig.slow_ms, 0);
	atomic_store(&rig.fates[1], MEMORY_OK);
	await_lane(1, "up");
	expect_parked("cold.example");
	order(ENGINE_THAW, "cold.example", true);
	await_clean("cold.example");
}

static void a_delete_waits_too(void **state)
{
	struct memory_zone held;

	(void)state;
	push("cold.example", 1);
	await_clean("cold.example");
	order(ENGINE_FREEZE, "cold.example", true);
	delete_from("cold.example", "da1.example");
	expect_parked("cold.example");
	assert_true(memory_target_get(rig.targets[0], "cold.example.", &held) && held.exists);
	order(ENGINE_THAW, "cold.example", true);
	await_clean("cold.example");
	assert_true(!memory_target_get(rig.targets[0], "cold.example.", &held) || !held.exists);
}

/* Healing tells what differs, and leaves it. */
static void a_pass_leaves_it_alone(void **state)
{
	struct engine_request *request = engine_request_create(ENGINE_HEAL, ++rig.next_id);
	struct memory_zone held;

	(void)state;
	push("cold.example", 1);
	await_clean("cold.example");
	order(ENGINE_FREEZE, "cold.example", true);
	memory_target_wipe(rig.targets[0]);
	assert_int_equal(ask_code(request), ERR_OK);
	for (int waited_ms = 0; count_events("heal_done") < TARGETS; waited_ms += 2) {
		assert_true(waited_ms < WAIT_MS);
		nap();
	}
	assert_int_equal(count_events("drift"), 1);
	assert_false(memory_target_get(rig.targets[0], "cold.example.", &held) && held.exists);
	order(ENGINE_THAW, "cold.example", true);
	assert_int_equal(ask_code(engine_request_create(ENGINE_HEAL, ++rig.next_id)), ERR_OK);
	for (int waited_ms = 0; !memory_target_get(rig.targets[0], "cold.example.", &held) || !held.exists; waited_ms += 2) {
		assert_true(waited_ms < WAIT_MS);
		nap();
	}
}

/* The same configuration, with so many of the back ends. */
static void start_with(size_t count)
{
	stop();
	rig.count = count;
	start();
}

static void a_back_end_that_is_away_when_it_is_thawed(void **state)
{
	struct memory_zone held;

	(void)state;
	push("cold.example", 1);
	await_clean("cold.example");
	order(ENGINE_FREEZE, "cold.example", true);
	push("cold.example", 2);
	expect_parked("cold.example");
	uint64_t writes = writes_of(2, "cold.example.");
	start_with(2);
	order(ENGINE_THAW, "cold.example", true);
	await_state("cold.example", 0, "clean");
	start_with(3);
	await_clean("cold.example");
	assert_int_equal(writes_of(2, "cold.example."), writes + 1);
	/* Frozen all the time, it stays so. */
	order(ENGINE_FREEZE, "cold.example", true);
	push("cold.example", 3);
	expect_parked("cold.example");
	start_with(2);
	push("cold.example", 4);
	start_with(3);
	await_lane(2, "up");
	await_state("cold.example", 2, "parked");
	assert_int_equal(writes_of(2, "cold.example."), writes + 1);
	assert_true(memory_target_get(rig.targets[2], "cold.example.", &held) && held.exists);
}

static void an_unknown_zone_is_named(void **state)
{
	struct engine_request *request = engine_request_create(ENGINE_FREEZE, ++rig.next_id);

	(void)state;
	request->zone = xstrdup("nobody.example");
	struct engine_message *message = ask(request);
	assert_int_equal(message->err.code, ERR_NOTFOUND);
	assert_string_equal(message->err.text, "zone nobody.example is not held");
	engine_message_destroy(message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_of_it_is_delivered_until_it_is_thawed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_waits_or_is_in_flight_when_it_is_frozen, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_delete_waits_too, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_pass_leaves_it_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_back_end_that_is_away_when_it_is_thawed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_unknown_zone_is_named, set_up, tear_down),
	};

	log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
