/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Texts that look like an accident: held until an operator speaks, with the old content in service. */
#include "test_engine_rig.h"

#include <sqlite3.h>

static int set_up_guard(void **state)
{
	set_up(state);
	stop();
	rig.guard = ENGINE_GUARD_HOLD;
	start();
	return 0;
}

/* With so many hosts beside SOA and, if asked, NS. */
static char *zone_text(int serial, bool ns, int hosts)
{
	struct buf text = { 0 };

	buf_printf(&text, "$TTL 3600\n@ IN SOA ns1.dns.example. host.dns.example. ( %d 2 3 4 5 )\n%s", serial,
		ns ? "@\tIN\tNS\tns1.dns.example.\n" : "");
	for (int i = 0; i < hosts; i++)
		buf_printf(&text, "h%d IN A 192.0.2.%d\n", i, i % 250);
	buf_puts(&text, "");
	return text.data;
}

static struct engine_message *send_text(char *text)
{
	return ask(push_request("guarded.example", text, "da1.example"));
}

static void expect_saved(char *text)
{
	struct engine_message *message = send_text(text);

	if (message->err.code != ERR_OK)
		fail_msg("%s", message->err.text);
	engine_message_destroy(message);
}

/* Returns the id. */
static int64_t expect_held(char *text, const char *why)
{
	struct engine_message *message = send_text(text);
	const char *at = strrchr(message->err.text, '(');

	assert_int_equal(message->err.code, ERR_DENIED);
	if (strncmp(message->err.text, "held: ", 6) != 0 || strstr(message->err.text, why) == NULL || at == NULL)
		fail_msg("%s", message->err.text);
	int64_t id = strtoll(at + 1, NULL, 10);
	engine_message_destroy(message);
	return id;
}

static struct engine_message *order(enum engine_op op, int64_t id)
{
	struct engine_request *request = engine_request_create(op, ++rig.next_id);

	request->number = id;
	request->source = xstrdup("control");
	request->actor = xstrdup("control socket");
	return ask(request);
}

static int order_code(enum engine_op op, int64_t id)
{
	struct engine_message *message = order(op, id);
	int code = message->err.code;

	engine_message_destroy(message);
	return code;
}

static uint32_t serial(void)
{
	struct engine_message *message = zone_view("guarded.example");
	uint32_t value = message->zones[0].serial;

	engine_message_destroy(message);
	return value;
}

static void what_each_rule_holds(void **state)
{
	(void)state;
	expect_saved(zone_text(1, true, 40));
	expect_held(zone_text(2, false, 40), "all NS records");
	expect_held(zone_text(2, true, 0), "nothing of 42 records but SOA and NS");
	expect_held(zone_text(2, true, 6), "drops 34 of 42 records");
	assert_int_equal(serial(), 1);
	/* 80 percent of 42 is 33.6. */
	expect_saved(zone_text(2, true, 7));
	/* Of few records many may go, but not all. */
	expect_saved(zone_text(3, true, 18));
	expect_saved(zone_text(4, true, 1));
	expect_held(zone_text(5, true, 0), "nothing of 3 records");
	expect_saved(zone_text(6, true, 1));
	assert_int_equal(count_events("push_held"), 4);
}

static void what_has_no_more_is_not_emptied(void **state)
{
	(void)state;
	expect_saved(zone_text(1, false, 3));
	expect_saved(zone_text(2, false, 4));
	expect_saved(zone_text(3, true, 4));
	delete_from("guarded.example", "da1.example");
	/* Nothing of it is in service. */
	expect_saved(zone_text(4, true, 0));
	expect_saved(zone_text(5, true, 0));
	assert_int_equal(count_events("push_held"), 0);
}

static void the_same_push_waits_once_and_is_approved_once(void **state)
{
	(void)state;
	expect_saved(zone_text(1, true, 40));
	await_clean("guarded.example");
	int64_t id = expect_held(zone_text(2, true, 0), "nothing of");
	for (int i = 0; i < 5; i++)
		assert_int_equal(expect_held(zone_text(2, true, 0), "nothing of"), id);
	assert_int_equal(count_events("push_held"), 1);
	assert_true(expect_held(zone_text(3, true, 0), "nothing of") > id);
	assert_int_equal(order_code(ENGINE_APPROVE, id), ERR_NOTFOUND);
	assert_int_equal(serial(), 1);
	struct engine_message *message = order(ENGINE_APPROVE, id + 1);
	assert_int_equal(message->err.code, ERR_OK);
	assert_int_equal(doc_get(message->doc, "serial")->value.count, 3);
	engine_message_destroy(message);
	assert_int_equal(serial(), 3);
	await_clean("guarded.example");
	assert_int_equal(order_code(ENGINE_APPROVE, id + 1), ERR_NOTFOUND);
	/* Once: the next one is judged again. */
	expect_saved(zone_text(4, true, 40));
	expect_held(zone_text(5, true, 0), "nothing of");
	assert_int_equal(count_events("held_approved"), 1);
	assert_int_equal(count_events("held_replaced"), 0);
}

static void a_newer_push_or_a_delete_replaces_it(void **state)
{
	(void)state;
	expect_saved(zone_text(1, true, 40));
	int64_t id = expect_held(zone_text(2, true, 0), "nothing of");
	/* Also one that is equal to what is in service: the master thinks better of it. */
	expect_saved(zone_text(1, true, 40));
	assert_int_equal(order_code(ENGINE_APPROVE, id), ERR_NOTFOUND);
	id = expect_held(zone_text(2, true, 0), "nothing of");
	delete_from("guarded.example", "da1.example");
	assert_int_equal(order_code(ENGINE_APPROVE, id), ERR_NOTFOUND);
	assert_int_equal(count_events("held_replaced"), 2);
}

static void it_survives_a_restart_and_can_be_dropped(void **state)
{
	(void)state;
	expect_saved(zone_text(1, true, 40));
	int64_t id = expect_held(zone_text(2, true, 0), "nothing of");
	stop();
	start();
	struct engine_message *message = ask(engine_request_create(ENGINE_STATUS, ++rig.next_id));
	assert_int_equal(message->status->held, 1);
	engine_message_destroy(message);
	message = order(ENGINE_HELD_ONE, id);
	assert_int_equal(message->err.code, ERR_OK);
	assert_int_equal(doc_get(message->doc, "differences")->value.count, 41);
	assert_null(doc_get(message->doc, "added")->children);
	assert_non_null(doc_get(message->doc, "removed")->children);
	engine_message_destroy(message);
	assert_int_equal(order_code(ENGINE_DISCARD, id), ERR_OK);
	assert_int_equal(order_code(ENGINE_HELD_ONE, id), ERR_NOTFOUND);
	assert_int_equal(serial(), 1);
	assert_int_equal(count_events("held_discarded"), 1);
}

static void warned_or_not_asked_at_all(void **state)
{
	(void)state;
	stop();
	rig.guard = ENGINE_GUARD_WARN;
	start();
	expect_saved(zone_text(1, true, 40));
	expect_saved(zone_text(2, true, 0));
	assert_int_equal(count_events("guard_warned"), 1);
	stop();
	rig.guard = ENGINE_GUARD_OFF;
	start();
	expect_saved(zone_text(3, true, 40));
	expect_saved(zone_text(4, false, 0));
	assert_int_equal(count_events("guard_warned"), 1);
}

/* Such a row can't be put in force; it can be dropped. */
static void what_is_damaged_can_be_discarded(void **state)
{
	sqlite3 *db;

	(void)state;
	expect_saved(zone_text(1, true, 10));
	int64_t id = expect_held(zone_text(2, false, 10), "NS");
	assert_int_equal(sqlite3_open(rig.path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, WAIT_MS);
	assert_int_equal(sqlite3_exec(db, "UPDATE held SET origin = 'x'", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(order_code(ENGINE_APPROVE, id), ERR_CORRUPT);
	assert_int_equal(order_code(ENGINE_DISCARD, id), ERR_OK);
	assert_int_equal(order_code(ENGINE_DISCARD, id), ERR_NOTFOUND);
	assert_int_equal(count_events("held_discarded"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_each_rule_holds, set_up_guard, tear_down),
		cmocka_unit_test_setup_teardown(what_has_no_more_is_not_emptied, set_up_guard, tear_down),
		cmocka_unit_test_setup_teardown(the_same_push_waits_once_and_is_approved_once, set_up_guard, tear_down),
		cmocka_unit_test_setup_teardown(a_newer_push_or_a_delete_replaces_it, set_up_guard, tear_down),
		cmocka_unit_test_setup_teardown(it_survives_a_restart_and_can_be_dropped, set_up_guard, tear_down),
		cmocka_unit_test_setup_teardown(warned_or_not_asked_at_all, set_up_guard, tear_down),
		cmocka_unit_test_setup_teardown(what_is_damaged_can_be_discarded, set_up_guard, tear_down),
	};

	log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
