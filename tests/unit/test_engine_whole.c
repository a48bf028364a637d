/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engine with its threads, on a real store, against targets in memory: what the loop sees of it. */
#include "test_engine_rig.h"

static void a_push_reaches_every_target(void **state)
{
	struct engine_message *message;

	(void)state;
	push("Shop.Example.", 1);
	await_clean("shop.example");
	message = zone_view("shop.example");
	assert_string_equal(message->zones[0].name, "shop.example.");
	assert_string_equal(message->zones[0].hostname, "da1.example");
	assert_int_equal(message->zones[0].generation, 1);
	assert_int_equal(message->zones[0].deliveries[2].applied, 1);
	engine_message_destroy(message);
	for (size_t i = 0; i < TARGETS; i++)
		assert_int_equal(writes_of(i, "shop.example."), 1);
}

static void an_equal_push_writes_nothing(void **state)
{
	(void)state;
	push("shop.example", 1);
	await_clean("shop.example");
	push("shop.example", 1);
	await_clean("shop.example");
	assert_int_equal(writes_of(0, "shop.example."), 1);
}

static void a_thousand_pushes_of_an_absent_target_are_one_write(void **state)
{
	(void)state;
	push("shop.example", 1);
	await_clean("shop.example");
	atomic_store(&rig.fates[1], MEMORY_DOWN);
	for (unsigned i = 0; i < 1000; i++)
		push("shop.example", 2 + i % 200);
	await_state("shop.example", 0, "clean");
	await_state("shop.example", 1, "held");
	atomic_store(&rig.fates[1], MEMORY_OK);
	await_clean("shop.example");
	assert_int_equal(writes_of(1, "shop.example."), 2);
	struct engine_message *message = zone_view("shop.example");
	assert_int_equal(message->zones[0].deliveries[1].attempts, 0);
	engine_message_destroy(message);
}

static int64_t lag_us(size_t target)
{
	struct engine_message *message = ask(engine_request_create(ENGINE_STATUS, ++rig.next_id));
	int64_t lag = message->status->lanes[target].oldest_pending_us;

	engine_message_destroy(message);
	return lag;
}

/* What the wall clock does meanwhile is no lag. */
static void the_lag_is_the_time_that_passed(void **state)
{
	(void)state;
	atomic_store(&rig.fates[0], MEMORY_DOWN);
	push("late.example", 1);
	await_state("late.example", 1, "clean");
	atomic_store(&rig.skew_us, INT64_C(3600000000));
	assert_true(lag_us(0) < 60000000);
	atomic_store(&rig.skew_us, INT64_C(-3600000000));
	assert_true(lag_us(0) > 0);
	atomic_fetch_add(&rig.ahead_ms, 300000);
	assert_in_range(lag_us(0), 300000000, 360000000);
	assert_int_equal(lag_us(1), 0);
	atomic_store(&rig.fates[0], MEMORY_OK);
	await_clean("late.example");
	assert_int_equal(lag_us(0), 0);
}

static void a_refused_push_is_kept_and_the_good_version_stays(void **state)
{
	(void)state;
	push("shop.example", 1);
	await_clean("shop.example");
	assert_int_equal(ask_code(push_request("shop.example", xstrdup("$TTL 60\n\ngarbage\n"), "da1.example")),
		ERR_INVALID);
	struct engine_message *view = zone_view("shop.example");
	assert_int_equal(view->zones[0].generation, 1);
	engine_message_destroy(view);
	struct engine_request *request = engine_request_create(ENGINE_REJECTED, ++rig.next_id);
	request->zone = xstrdup("shop.example");
	struct engine_message *message = ask(request);
	assert_int_equal(message->refused_count, 1);
	assert_non_null(strstr(message->refused[0].error, "line 3"));
	assert_string_equal(message->refused[0].text, "$TTL 60\n\ngarbage\n");
	engine_message_destroy(message);
	push("shop.example", 2);
	message = ask(engine_request_create(ENGINE_REJECTED, ++rig.next_id));
	assert_int_equal(message->refused_count, 0);
	engine_message_destroy(message);
}

static void deletes_are_the_owners(void **state)
{
	struct memory_zone held;

	(void)state;
	push("shop.example", 1);
	delete_from("shop.example", "da2.example");
	assert_int_equal(count_events("delete_refused"), 1);
	delete_from("shop.example", "");
	assert_int_equal(count_events("delete_refused"), 2);
	delete_from("never.example", "da1.example");
	assert_int_equal(count_events("delete_unknown"), 1);
	assert_false(memory_target_get(rig.targets[0], "never.example.", &held));
	await_clean("shop.example");
	delete_from("shop.example", "DA1.example.");
	await_clean("shop.example");
	for (size_t i = 0; i < TARGETS; i++) {
		assert_true(memory_target_get(rig.targets[i], "shop.example.", &held));
		assert_true(held.deleted);
	}
	/* The same serial and the same content as before: it comes back all the same. */
	push("shop.example", 1);
	await_clean("shop.example");
	assert_true(memory_target_get(rig.targets[0], "shop.example.", &held));
	assert_false(held.deleted);
}

static void a_push_from_another_master_takes_over(void **state)
{
	(void)state;
	push("shop.example", 1);
	assert_int_equal(ask_code(push_request("shop.example", text_of(2), "da2.example")), ERR_OK);
	assert_int_equal(count_events("takeover"), 1);
	delete_from("shop.example", "da1.example");
	assert_int_equal(count_events("delete_refused"), 1);
}

static void a_poison_zone_is_found_and_the_others_finish(void **state)
{
	(void)state;
	push("good0.example", 1);
	await_clean("good0.example");
	rig.poison = "bad.example.";
	for (unsigned i = 0; i < 50; i++) {
		char name[32];

		snprintf(name, sizeof(name), "good%u.example", i);
		push(name, 2);
		if (i == 25)
			push("bad.example", 1);
	}
	for (unsigned i = 0; i < 50; i++) {
		char name[32];

		snprintf(name, sizeof(name), "good%u.example", i);
		await_clean(name);
	}
	for (size_t i = 0; i < TARGETS; i++)
		await_state("bad.example", i, "dead");
	struct engine_message *message = zone_view("bad.example");
	assert_true(message->zones[0].deliveries[0].suspect);
	assert_int_equal(message->zones[0].deliveries[0].attempts, 6);
	engine_message_destroy(message);
	for (size_t i = 0; i < TARGETS; i++)
		await_lane(i, "up"); /* what is shown may be a moment behind what is stored */
	assert_int_equal(count_events("lane_down"), 0);
	rig.poison = NULL;
	struct engine_request *retry = engine_request_create(ENGINE_RETRY, ++rig.next_id);
	retry->zone = xstrdup("bad.example");
	assert_int_equal(ask_code(retry), ERR_OK);
	await_clean("bad.example");
}

static void a_newer_stamp_is_risen_above(void **state)
{
	struct backend_stamp foreign = { .store_id = "00000000000000000000000000000001", .generation = 77 };
	struct memory_zone held;

	(void)state;
	memory_target_stamp(rig.targets[1], "shop.example.", &foreign);
	push("shop.example", 1);
	await_clean("shop.example");
	struct engine_message *message = zone_view("shop.example");
	assert_int_equal(message->zones[0].generation, 78);
	engine_message_destroy(message);
	assert_true(memory_target_get(rig.targets[1], "shop.example.", &held));
	assert_int_equal(held.stamp.generation, 78);
	assert_string_not_equal(held.stamp.store_id, foreign.store_id);
	assert_int_equal(count_events("stamp_taken_over"), 1);
}

static void what_is_acknowledged_survives_a_restart(void **state)
{
	(void)state;
	for (size_t i = 0; i < TARGETS; i++)
		atomic_store(&rig.fates[i], MEMORY_DOWN);
	push("shop.example", 1);
	push("blog.example", 1);
	delete_from("blog.example", "da1.example");
	stop();
	for (size_t i = 0; i < TARGETS; i++)
		atomic_store(&rig.fates[i], MEMORY_OK);
	start();
	await_clean("shop.example");
	await_clean("blog.example");
	struct engine_message *message = ask(engine_request_create(ENGINE_ZONES, ++rig.next_id));
	assert_int_equal(message->zone_count, 1);
	assert_string_equal(message->zones[0].name, "shop.example.");
	engine_message_destroy(message);
}

static void another_programs_database_is_left_alone(void **state)
{
	struct engine_message *message;

	(void)state;
	stop();
	/* What the predecessor's default names: its own SQLite file, without an application id. */
	char *command = xasprintf("rm -f %s* && /usr/bin/python3 -c 'import sqlite3; db = sqlite3.connect(\"%s\");"
				  " db.execute(\"CREATE TABLE domains (domain TEXT)\"); db.commit()'",
		rig.path, rig.path);
	assert_int_equal(system(command), 0);
	free(command);
	start();
	push("shop.example", 1);
	message = zone_view("shop.example");
	engine_message_destroy(message);
	stop();
	command = xasprintf("/usr/bin/python3 -c 'import sqlite3; db = sqlite3.connect(\"%s\");"
			    " assert db.execute(\"SELECT count(*) FROM domains\").fetchone() == (0,)'",
		rig.path);
	assert_int_equal(system(command), 0);
	free(command);
	start();
	message = zone_view("shop.example");
	engine_message_destroy(message);
	stop();
	command = xasprintf("rm %s/zonefan.db*; rm -f %s*", rig.folder, rig.path);
	assert_int_equal(system(command), 0);
	free(command);
	start();
}

static void a_full_queue_refuses(void **state)
{
	uint64_t last = 0;
	int ret = ERR_OK;

	(void)state;
	/* One request of any size is taken; with queue_bytes under way the next is refused until one is done. */
	for (int i = 0; i < 1000 && ret == ERR_OK; i++) {
		struct engine_request *big = push_request("big.example", xcalloc(1, (2 << 20) + 1), "da1.example");

		memset(big->text, '\n', 2 << 20);
		big->text_size = 2 << 20;
		ret = engine_submit(rig.engine, big);
		if (ret == ERR_OK)
			last = rig.next_id;
		else
			engine_request_destroy(big);
	}
	assert_int_equal(ret, ERR_BUSY);
	assert_int_not_equal(last, 0);
	struct engine_message *message = await(last);
	assert_int_equal(message->err.code, ERR_INVALID);
	engine_message_destroy(message);
	push("more.example", 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_push_reaches_every_target, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_equal_push_writes_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_thousand_pushes_of_an_absent_target_are_one_write, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_lag_is_the_time_that_passed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_refused_push_is_kept_and_the_good_version_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(deletes_are_the_owners, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_push_from_another_master_takes_over, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_poison_zone_is_found_and_the_others_finish, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_newer_stamp_is_risen_above, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_acknowledged_survives_a_restart, set_up, tear_down),
		cmocka_unit_test_setup_teardown(another_programs_database_is_left_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_full_queue_refuses, set_up, tear_down),
	};

	log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
