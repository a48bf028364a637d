/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Imports add what we lack; what is held since stays, what was deleted does not come back; a missing owner is filled in. */
#include "test_engine_rig.h"

#define HOUR_US INT64_C(3600000000)

static int64_t now_us(void)
{
	return clock_wall_us(&rig_clock);
}

static struct engine_message *import(const char *zone, const char *text, const char *master, int64_t at_us, bool dry_run)
{
	struct engine_request *request = engine_request_create(ENGINE_IMPORT, ++rig.next_id);

	request->zone = xstrdup(zone);
	request->hostname = xstrdup(master);
	request->username = xstrdup(master == NULL ? NULL : "old");
	request->source = xstrdup("control");
	request->text = xstrdup(text);
	request->text_size = text == NULL ? 0 : strlen(text);
	request->at_us = at_us;
	request->dry_run = dry_run;
	struct engine_message *message = ask(request);
	assert_int_equal(message->err.code, ERR_OK);
	return message;
}

static void expect(const char *result, const char *zone, unsigned content, const char *master, int64_t at_us, bool dry_run)
{
	char *text = content == 0 ? NULL : text_of(content);
	struct engine_message *message = import(zone, text, master, at_us, dry_run);

	assert_string_equal(doc_get(message->doc, "result")->value.text, result);
	engine_message_destroy(message);
	free(text);
}

static struct engine_zone held(const char *zone, struct engine_message **message)
{
	*message = zone_view(zone);
	return (*message)->zones[0];
}

static void assert_held(const char *zone, uint64_t generation, const char *hostname, int64_t updated_at_us)
{
	struct engine_message *message;
	struct engine_zone view = held(zone, &message);

	assert_int_equal(view.generation, generation);
	assert_string_equal(view.hostname, hostname);
	if (updated_at_us != 0)
		assert_int_equal(view.updated_at_us, updated_at_us);
	engine_message_destroy(message);
}

static void a_zone_that_we_lack_is_taken(void **state)
{
	int64_t at_us = now_us() - HOUR_US;

	(void)state;
	expect("imported", "old.example", 1, "da1.example", at_us, true);
	assert_int_equal(count_events("push"), 0);
	expect("imported", "Old.Example", 1, "da1.example", at_us, false);
	assert_int_equal(count_events("push"), 1);
	assert_held("old.example", 1, "da1.example", at_us);
	await_clean("old.example");
	expect("same", "old.example", 1, "da1.example", at_us, false);
	assert_held("old.example", 1, "da1.example", at_us);
	/* The owner counts from then on: the old master's late delete does nothing. */
	push("old.example", 2);
	delete_from("old.example", "da9.example");
	assert_int_equal(count_events("delete_refused"), 1);
	/* A clock that was wrong must not make it newer than what comes. */
	expect("imported", "ahead.example", 1, "", now_us() + HOUR_US, false);
	struct engine_message *message;
	assert_true(held("ahead.example", &message).updated_at_us <= now_us());
	engine_message_destroy(message);
}

static void what_is_held_since_stays(void **state)
{
	(void)state;
	push("held.example", 5);
	expect("kept", "held.example", 1, "da9.example", now_us() - HOUR_US, false);
	expect("kept", "held.example", 1, "da9.example", 0, false);
	expect("kept", "held.example", 1, "da9.example", now_us() + HOUR_US, false);
	expect("same", "held.example", 5, "da9.example", 0, false);
	expect("kept", "held.example", 0, "da9.example", 0, false);
	assert_held("held.example", 1, "da1.example", 0);
	delete_from("held.example", "da1.example");
	expect("deleted", "held.example", 5, "da1.example", 0, false);
	expect("deleted", "held.example", 5, "da1.example", now_us() - HOUR_US, false);
	expect("deleted", "held.example", 0, "da1.example", 0, false);
	atomic_store(&rig.skew_us, 2 * HOUR_US);
	expect("imported", "held.example", 6, "da1.example", now_us() - HOUR_US, false);
	expect("imported", "held.example", 7, "da1.example", now_us() - HOUR_US / 2, false);
	assert_held("held.example", 4, "da1.example", 0);
}

static void an_owner_is_filled_in(void **state)
{
	(void)state;
	expect("imported", "bare.example", 1, NULL, 0, false);
	assert_held("bare.example", 1, "", 0);
	expect("owner", "bare.example", 0, "da1.example", 0, true);
	assert_held("bare.example", 1, "", 0);
	expect("owner", "bare.example", 0, "da1.example", 0, false);
	assert_held("bare.example", 1, "da1.example", 0);
	expect("kept", "bare.example", 0, "da2.example", 0, false);
	assert_held("bare.example", 1, "da1.example", 0);
	delete_from("bare.example", "da2.example");
	assert_int_equal(count_events("delete_refused"), 1);
}

static void what_is_no_zone_is_listed(void **state)
{
	struct engine_message *message;

	(void)state;
	expect("no_text", "none.example", 0, "da1.example", 0, false);
	message = import("bad.example", "$TTL 60\n\ngarbage\n", "da1.example", 0, true);
	assert_string_equal(doc_get(message->doc, "result")->value.text, "refused");
	engine_message_destroy(message);
	assert_int_equal(count_events("import_refused"), 0);
	message = import("bad.example", "$TTL 60\n\ngarbage\n", "da1.example", 0, false);
	assert_string_equal(doc_get(message->doc, "result")->value.text, "refused");
	assert_non_null(strstr(doc_get(message->doc, "reason")->value.text, "line 3"));
	engine_message_destroy(message);
	assert_int_equal(count_events("import_refused"), 1);
	struct engine_request *request = engine_request_create(ENGINE_REJECTED, ++rig.next_id);
	request->zone = xstrdup("bad.example");
	message = ask(request);
	assert_int_equal(message->refused_count, 1);
	assert_string_equal(message->refused[0].text, "$TTL 60\n\ngarbage\n");
	engine_message_destroy(message);
	message = import("not a name", "x", "da1.example", 0, false);
	assert_string_equal(doc_get(message->doc, "result")->value.text, "refused");
	assert_string_equal(doc_get(message->doc, "zone")->value.text, "not a name");
	engine_message_destroy(message);
	/* What we hold is not spoilt by a text that is none. */
	push("good.example", 1);
	message = import("good.example", "garbage\n", "da1.example", now_us() - HOUR_US, false);
	assert_string_equal(doc_get(message->doc, "result")->value.text, "kept");
	engine_message_destroy(message);
}

static void the_guard_is_asked(void **state)
{
	(void)state;
	stop();
	rig.guard = ENGINE_GUARD_HOLD;
	start();
	push("guarded.example", 1);
	atomic_store(&rig.skew_us, HOUR_US);
	struct engine_message *message = import("guarded.example",
		"$TTL 60\n@ IN SOA ns1.dns.example. host.dns.example. 9 2 3 4 5\n", "da1.example", now_us(), false);
	assert_string_equal(doc_get(message->doc, "result")->value.text, "quarantined");
	assert_non_null(strstr(doc_get(message->doc, "reason")->value.text, "held: "));
	engine_message_destroy(message);
	assert_held("guarded.example", 1, "da1.example", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_zone_that_we_lack_is_taken, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_held_since_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_owner_is_filled_in, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_no_zone_is_listed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_guard_is_asked, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
