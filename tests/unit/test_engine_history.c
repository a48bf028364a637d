/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Versions of a zone, and the ways back to them. */
#include "test_engine_rig.h"

#include "engine/serial.h"
#include "sched/version.h"

static struct engine_message *ask_zone(enum engine_op op, const char *zone, int64_t number)
{
	struct engine_request *request = engine_request_create(op, ++rig.next_id);

	request->zone = xstrdup(zone);
	request->number = number;
	request->actor = xstrdup("control socket");
	return ask(request);
}

static uint32_t order(enum engine_op op, const char *zone, int64_t number)
{
	struct engine_message *message = ask_zone(op, zone, number);

	if (message->err.code != ERR_OK)
		fail_msg("%s", message->err.text);
	uint32_t serial = (uint32_t)doc_get(message->doc, "serial")->value.count;
	engine_message_destroy(message);
	return serial;
}

static void expect_refused(enum engine_op op, const char *zone, int64_t number, const char *why)
{
	struct engine_message *message = ask_zone(op, zone, number);

	if (message->err.code == ERR_OK || strstr(message->err.text, why) == NULL)
		fail_msg("%d %s", message->err.code, message->err.text);
	engine_message_destroy(message);
}

/* How many versions there are; the newest's origin. */
static size_t versions(const char *zone, char origin[16])
{
	struct engine_message *message = ask_zone(ENGINE_HISTORY, zone, 0);
	size_t count = 0;

	assert_int_equal(message->err.code, ERR_OK);
	const struct doc *list = doc_get(message->doc, "versions");
	for (const struct doc *item = list->children; item != NULL; item = item->next)
		count++;
	snprintf(origin, 16, "%s", doc_get(list->children, "origin")->value.text);
	engine_message_destroy(message);
	return count;
}

static bool is_there(size_t target, const char *zone, const char *text)
{
	struct zone_digest digest;
	struct memory_zone held;
	struct zone *parsed;
	struct err err;

	assert_int_equal(zone_parse(zone, text, strlen(text), 0, &parsed, &err), ERR_OK);
	digest = *zone_digest(parsed);
	zone_unref(parsed);
	return memory_target_get(rig.targets[target], zone, &held) && held.exists &&
		zone_digest_equal(&held.digest, &digest);
}

static void rollback_serves_the_old_content(void **state)
{
	char origin[16];

	(void)state;
	for (unsigned i = 1; i <= 3; i++)
		push("back.example", i);
	push("back.example", 3);
	assert_int_equal(versions("back.example", origin), 3);
	assert_string_equal(origin, "push");
	uint32_t serial = order(ENGINE_ROLLBACK, "back.example", 1);
	assert_true(version_serial_greater(serial, 1));
	await_clean("back.example");
	char *text = xasprintf("$TTL 3600\n@ IN SOA ns1.dns.example. host.dns.example. ( %u 2 3 4 5 )\n"
			       "@\t60\tIN\tNS\tns1.dns.example.\nwww\t60\tIN\tA\t192.0.2.1\n",
		serial);
	for (size_t i = 0; i < TARGETS; i++)
		assert_true(is_there(i, "back.example.", text));
	free(text);
	assert_int_equal(versions("back.example", origin), 4);
	assert_string_equal(origin, "rollback");
	/* Back and forth: each time above all that was served. */
	uint32_t next = order(ENGINE_ROLLBACK, "back.example", 2);
	assert_true(version_serial_greater(next, serial));
	assert_int_equal(count_events("rollback"), 2);
	push("back.example", 9);
	push("back.example", 10);
	assert_int_equal(count_events("rollback_ended"), 1);
	/* Five are kept. */
	assert_int_equal(versions("back.example", origin), 5);
	expect_refused(ENGINE_ROLLBACK, "back.example", 1, "version 1 is not kept");
	expect_refused(ENGINE_ROLLBACK, "nobody.example", 1, "zone nobody.example is not held");
	expect_refused(ENGINE_ROLLBACK, "back.example", 0, "version is missing");
}

static void undelete_brings_it_back(void **state)
{
	char origin[16];

	(void)state;
	push("gone.example", 1);
	expect_refused(ENGINE_UNDELETE, "gone.example", 0, "is not deleted");
	delete_from("gone.example", "da1.example");
	expect_refused(ENGINE_ROLLBACK, "gone.example", 1, "undelete it first");
	await_clean("gone.example");
	order(ENGINE_UNDELETE, "gone.example", 0);
	await_clean("gone.example");
	char *text = text_of(1);
	assert_true(is_there(0, "gone.example.", text));
	free(text);
	versions("gone.example", origin);
	assert_string_equal(origin, "undelete");
	struct engine_message *message = zone_view("gone.example");
	assert_string_equal(message->zones[0].hostname, "da1.example");
	engine_message_destroy(message);
	delete_from("gone.example", "da1.example");
	atomic_store(&rig.skew_us, INT64_C(31) * 86400 * 1000000);
	expect_refused(ENGINE_UNDELETE, "gone.example", 0, "more than 30 days ago");
}

static char *signed_text(int serial)
{
	return xasprintf("$TTL 3600\n@ IN SOA ns1.dns.example. host.dns.example. ( %d 2 3 4 5 )\n"
			 "@\tIN\tNS\tns1.dns.example.\n@ IN DNSKEY 257 3 13 aGVsbG8gd29ybGQ=\n", serial);
}

/* Its SOA is signed: nobody but the master can give it another serial. */
static void a_signed_version_needs_its_own_serial(void **state)
{
	(void)state;
	assert_int_equal(ask_code(push_request("signed.example", signed_text(7), "da1.example")), ERR_OK);
	assert_int_equal(ask_code(push_request("signed.example", signed_text(5), "da1.example")), ERR_OK);
	assert_int_equal(ask_code(push_request("signed.example", signed_text(6), "da1.example")), ERR_OK);
	expect_refused(ENGINE_ROLLBACK, "signed.example", 2, "is signed, and its serial 5 is not above 6");
	assert_int_equal(order(ENGINE_ROLLBACK, "signed.example", 1), 7);
}

/* With a DS at the parent, resolvers that validate would take the unsigned zone for forged. */
static void a_signed_zone_stays_signed(void **state)
{
	(void)state;
	push("signed.example", 1);
	assert_int_equal(ask_code(push_request("signed.example", signed_text(7), "da1.example")), ERR_OK);
	expect_refused(ENGINE_ROLLBACK, "signed.example", 1, "version 1 is not signed, and the zone is now");
}

static void versions_differ_by_records(void **state)
{
	struct engine_message *message;

	(void)state;
	push("back.example", 1);
	push("back.example", 2);
	message = ask_zone(ENGINE_DIFF, "back.example", 1);
	assert_int_equal(message->err.code, ERR_OK);
	assert_int_equal(doc_get(message->doc, "differences")->value.count, 1);
	const struct doc *change = doc_get(message->doc, "changed")->children;
	assert_string_equal(doc_get(change, "owner")->value.text, "www");
	assert_string_equal(doc_get(change, "old_data")->value.text, "192.0.2.1");
	assert_string_equal(doc_get(change, "data")->value.text, "192.0.2.2");
	engine_message_destroy(message);
	expect_refused(ENGINE_DIFF, "back.example", 7, "version 7 is not kept");
}

static void the_next_serial(void **state)
{
	const int64_t wall_us = INT64_C(1795792260000000); /* 2026-11-27 */
	const uint32_t today = 2026112700;

	(void)state;
	assert_int_equal(serial_next((uint32_t[]){ 5 }, 1, wall_us), today);
	assert_int_equal(serial_next((uint32_t[]){ 2026112601, 2026112505 }, 2, wall_us), today);
	assert_int_equal(serial_next((uint32_t[]){ today + 3, today + 9, 5 }, 3, wall_us), today + 10);
	/* A Unix time as a serial; one so high that today's is below it; the last of the circle, which today's is behind. */
	assert_int_equal(serial_next((uint32_t[]){ 1795792260 }, 1, wall_us), today);
	assert_int_equal(serial_next((uint32_t[]){ 3000000000 }, 1, wall_us), 3000000001);
	assert_int_equal(serial_next((uint32_t[]){ UINT32_MAX }, 1, wall_us), today);
	/* Spread over more than half of the circle there is none above all: above the present one then. */
	assert_int_equal(serial_next((uint32_t[]){ 3000000000, 5, 1500000000 }, 3, wall_us), 3000000001);
	/* Not 0, which some take for none. */
	assert_int_equal(serial_next((uint32_t[]){ UINT32_MAX, 2000000000, 3000000000 }, 3, wall_us), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rollback_serves_the_old_content, set_up, tear_down),
		cmocka_unit_test_setup_teardown(undelete_brings_it_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_signed_version_needs_its_own_serial, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_signed_zone_stays_signed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(versions_differ_by_records, set_up, tear_down),
		cmocka_unit_test(the_next_serial),
	};

	log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
