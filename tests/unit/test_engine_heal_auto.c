/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Healing passes that nobody asks for: when they begin, what they do by policy, and where they hold back. */
#include "test_engine_heal_util.h"

enum { SOON_MS = 250, NEVER_MS = 1000000000 };

/* Starts anew with passes by themselves. */
static void with_passes(int64_t interval_ms)
{
	stop();
	rig.healing_interval_ms = interval_ms;
	start();
	for (size_t i = 0; i < TARGETS; i++)
		await_lane(i, "up");
}

static void spoil(size_t target, const char *name)
{
	struct memory_zone zone = held(target, name);

	zone.digest.low++;
	memory_target_put(rig.targets[target], &zone);
}

static bool is_right(size_t target, const char *name)
{
	struct memory_zone zone = held(target, name);
	struct memory_zone other = held(1, name);

	return zone.exists && zone_digest_equal(&zone.digest, &other.digest);
}

static void await_right(size_t target, const char *name)
{
	for (int waited_ms = 0; !is_right(target, name); waited_ms += 2) {
		assert_true(waited_ms < WAIT_MS);
		nap();
	}
}

/* So many passes have begun and ended there from now on. */
static struct engine_heal await_passes(size_t target, unsigned count)
{
	struct engine_heal heal = view(target);
	int64_t last = heal.pass;

	for (int waited_ms = 0; count > 0; waited_ms += 2) {
		assert_true(waited_ms < WAIT_MS);
		heal = view(target);
		if (heal.pass > last && heal.ended_at_us != 0) {
			last = heal.pass;
			count--;
		}
		nap();
	}
	return heal;
}

/* The first of all has ended there, maybe before anybody asked. */
static struct engine_heal await_first_pass(size_t target)
{
	struct engine_heal heal = view(target);

	for (int waited_ms = 0; heal.pass == 0 || heal.ended_at_us == 0; waited_ms += 2) {
		assert_true(waited_ms < WAIT_MS);
		nap();
		heal = view(target);
	}
	return heal;
}

static struct engine_lane lane_view(size_t target)
{
	struct engine_message *message = ask(engine_request_create(ENGINE_STATUS, ++rig.next_id));
	struct engine_lane lane = message->status->lanes[target];

	engine_message_destroy(message);
	return lane;
}

/* ---- when ---- */

static void by_the_clock(void **state)
{
	(void)state;
	push_clean("clock.example", 1);
	with_passes(SOON_MS);
	struct engine_heal heal = await_passes(0, 2);
	assert_string_equal(heal.trigger, "schedule");
	assert_string_equal(heal.state, "done");
	assert_int_equal(heal.compared, 1);
	/* One that finds nothing is no event. */
	assert_int_equal(events_about("heal_done", NULL), 0);
	spoil(0, "clock.example.");
	await_right(0, "clock.example.");
	await_passes(0, 2);
	assert_told("clock.example", "delivered again");
	assert_int_equal(events_about("heal_done", NULL), 1);
	assert_like_others("clock.example.");
}

/* Counted from the start, each lane at a time of its own; and not by the wall clock. */
static void not_at_once_and_not_together(void **state)
{
	int64_t next[TARGETS];

	(void)state;
	push_clean("later.example", 1);
	with_passes(3600000);
	int64_t now_us = rig_wall_us(NULL);
	for (size_t i = 0; i < TARGETS; i++) {
		next[i] = lane_view(i).next_heal_us;
		assert_int_equal(view(i).pass, 0);
		assert_true(next[i] > now_us + INT64_C(1000000) * 1000 && next[i] <= now_us + INT64_C(1000000) * 3600);
		for (size_t k = 0; k < i; k++)
			assert_true(llabs(next[i] - next[k]) > INT64_C(1000000) * 1000);
	}
	atomic_store(&rig.skew_us, INT64_C(1000000) * 86400 * 365);
	push("later.example", 2);
	await_clean("later.example");
	for (size_t i = 0; i < TARGETS; i++)
		assert_int_equal(view(i).pass, 0);
	atomic_store(&rig.skew_us, 0);
	atomic_fetch_add(&rig.ahead_ms, 3600000);
	push("later.example", 3); /* something to wake it: nobody sleeps through a jump of the monotonic clock but we */
	for (size_t i = 0; i < TARGETS; i++) {
		for (int waited_ms = 0; view(i).ended_at_us == 0; waited_ms += 2) {
			assert_true(waited_ms < WAIT_MS);
			nap();
		}
		assert_string_equal(view(i).trigger, "schedule");
	}
}

static void when_a_lane_came_up(void **state)
{
	(void)state;
	push_clean("up.example", 1);
	with_passes(NEVER_MS);
	assert_int_equal(view(0).pass, 0);
	atomic_store(&rig.fates[0], MEMORY_DOWN);
	push("up.example", 2);
	await_lane(0, "down");
	await_state("up.example", 1, "clean");
	memory_target_wipe(rig.targets[0]);
	atomic_store(&rig.fates[0], MEMORY_OK);
	assert_string_equal(await_first_pass(0).trigger, "lane_up");
	assert_int_equal(view(1).pass, 0);
	await_right(0, "up.example.");
}

/* It came up for the first time. */
static void when_a_back_end_is_new(void **state)
{
	(void)state;
	stop();
	rig.healing_interval_ms = NEVER_MS;
	unlink(rig.path);
	start();
	for (size_t i = 0; i < TARGETS; i++)
		assert_string_equal(await_first_pass(i).trigger, "lane_up");
}

/* ---- by which policy ---- */

static void a_report_is_told_once(void **state)
{
	(void)state;
	push_clean("told.example", 1);
	push_clean("other.example", 1);
	rig.healing[0] = ENGINE_HEALING_REPORT;
	rig.healing[2] = ENGINE_HEALING_OFF;
	with_passes(SOON_MS);
	struct memory_zone stray = held(0, "told.example.");
	stray.name = "stray.example.";
	memory_target_put(rig.targets[0], &stray);
	spoil(0, "told.example.");
	spoil(2, "told.example.");
	struct engine_heal heal = await_passes(0, 3);
	assert_int_equal(heal.changed, 1);
	assert_int_equal(heal.stray, 1);
	assert_true(heal.dry_run);
	assert_told("told.example", "left as it is (heal: report)");
	assert_int_equal(events_about("stray", NULL), 1);
	assert_false(is_right(0, "told.example."));
	assert_int_equal(view(2).pass, 0);
	assert_int_equal(lane_view(2).next_heal_us, 0);
	/* Mended, and spoilt once more: that is news. */
	push("told.example", 1);
	await_clean("told.example");
	assert_true(is_right(0, "told.example.") && is_right(2, "told.example."));
	await_passes(0, 2);
	spoil(0, "told.example.");
	await_passes(0, 2);
	assert_int_equal(events_about("drift", "told.example"), 2);
	/* The operator's word is above it. His pass is waited for, so no other one may follow. */
	with_passes(NEVER_MS);
	heal = heal_all(0);
	assert_int_equal(heal.repaired, 1);
	assert_string_equal(heal.trigger, "operator");
	assert_true(is_right(0, "told.example."));
}

static void a_dead_letter_keeps_its_clock(void **state)
{
	(void)state;
	push_clean("dead.example", 1);
	with_passes(SOON_MS);
	atomic_store(&rig.fates[0], MEMORY_RETRY);
	push("dead.example", 2);
	await_state("dead.example", 0, "dead");
	atomic_store(&rig.fates[0], MEMORY_OK);
	struct engine_heal heal = await_passes(0, 3);
	assert_int_equal(heal.unrepaired, 1);
	assert_int_equal(events_about("drift", "dead.example"), 0);
	await_state("dead.example", 0, "dead");
	with_passes(NEVER_MS); /* as above */
	heal_all(0);
	await_state("dead.example", 0, "clean");
}

/* ---- contested ---- */

static bool is_contested(const char *zone)
{
	struct engine_message *message = zone_view(zone);
	bool contested = message->zones[0].deliveries[0].contested;

	engine_message_destroy(message);
	return contested;
}

static void what_somebody_keeps_changing(void **state)
{
	(void)state;
	push_clean("war.example", 1);
	with_passes(SOON_MS);
	for (int i = 0; i < 3; i++) {
		spoil(0, "war.example.");
		await_right(0, "war.example.");
		assert_false(is_contested("war.example"));
	}
	spoil(0, "war.example.");
	await_state("war.example", 0, "wait");
	/* What is shown may be a moment behind what is stored. */
	for (int waited_ms = 0; !is_contested("war.example") || lane_view(0).contested != 1; waited_ms += 2) {
		assert_true(waited_ms < WAIT_MS);
		nap();
	}
	assert_int_equal(events_about("contested", "war.example"), 1);
	await_passes(0, 3);
	assert_false(is_right(0, "war.example."));
	/* The operator is not bound by it. */
	begin("dc1", false, 1);
	await_right(0, "war.example.");
	/* Once an hour from now on, and that it begins is told once. */
	spoil(0, "war.example.");
	await_state("war.example", 0, "wait");
	await_passes(0, 2);
	assert_false(is_right(0, "war.example."));
	atomic_fetch_add(&rig.ahead_ms, 3600000);
	push_clean("other.example", 1);
	await_state("war.example", 0, "clean");
	assert_true(is_right(0, "war.example."));
	spoil(0, "war.example.");
	await_state("war.example", 0, "wait");
	assert_int_equal(events_about("contested", "war.example"), 1);
	/* A push is no repair. */
	push_clean("war.example", 2);
	assert_true(is_right(0, "war.example."));
	/* Two quiet hours, and it is as any other. */
	atomic_fetch_add(&rig.ahead_ms, 7300000);
	push_clean("other.example", 2);
	await_passes(0, 1);
	assert_false(is_contested("war.example"));
	assert_int_equal(lane_view(0).contested, 0);
	spoil(0, "war.example.");
	await_right(0, "war.example.");
}

/* ---- the operator ---- */

static struct engine_message *stop_passes(const char *backend)
{
	struct engine_request *request = engine_request_create(ENGINE_HEAL_STOP, ++rig.next_id);

	request->backend = xstrdup(backend);
	request->source = xstrdup("control");
	return ask(request);
}

static uint64_t stopped_at(const char *backend)
{
	struct engine_message *message = stop_passes(backend);
	uint64_t stopped = doc_get(message->doc, "stopped")->value.count;

	assert_int_equal(message->err.code, ERR_OK);
	engine_message_destroy(message);
	return stopped;
}

static void a_pass_is_stopped(void **state)
{
	(void)state;
	push_many(9);
	assert_int_equal(stopped_at(NULL), 0);
	spoil(0, "m00003.example.");
	atomic_store(&rig.slow_ms, 10000);
	int64_t pass = begin("dc1", false, 1);
	await_repairing(pass, 0);
	assert_int_equal(stopped_at("dc2"), 0);
	assert_int_equal(stopped_at(NULL), 1);
	struct engine_heal heal = await_end(pass, 0);
	assert_string_equal(heal.state, "stopped");
	assert_string_equal(heal.error, "stopped by the operator");
	assert_int_equal(events_about("heal_stopped", NULL), 1);
	assert_int_equal(events_about("heal_failed", NULL), 0);
	/* What it had found is on its way. */
	atomic_store(&rig.slow_ms, 0);
	await_right(0, "m00003.example.");
	struct engine_message *message = stop_passes("dc9");
	assert_int_equal(message->err.code, ERR_NOTFOUND);
	engine_message_destroy(message);
	assert_string_equal(await_end(begin("dc1", false, 1), 0).state, "done");
}

/* Whoever asks waits for no pass that nobody asked for. */
static void one_by_itself_gives_way(void **state)
{
	(void)state;
	push_many(9);
	with_passes(3000);
	atomic_store(&rig.slow_ms, 10000);
	spoil(0, "m00003.example.");
	for (int waited_ms = 0; strcmp(view(0).state == NULL ? "" : view(0).state, "repairing") != 0; waited_ms += 2) {
		assert_true(waited_ms < WAIT_MS);
		nap();
	}
	int64_t pass = begin("dc1", false, 1);
	atomic_store(&rig.slow_ms, 0);
	struct engine_heal heal = await_end(pass, 0);
	assert_string_equal(heal.state, "done");
	assert_string_equal(heal.trigger, "operator");
	await_right(0, "m00003.example.");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(by_the_clock, set_up, tear_down),
		cmocka_unit_test_setup_teardown(not_at_once_and_not_together, set_up, tear_down),
		cmocka_unit_test_setup_teardown(when_a_lane_came_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(when_a_back_end_is_new, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_report_is_told_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_dead_letter_keeps_its_clock, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_somebody_keeps_changing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_pass_is_stopped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_by_itself_gives_way, set_up, tear_down),
	};

	log_setup((enum log_level)(LOG_LEVEL_ERROR), LOG_FORMAT_LOGFMT, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
