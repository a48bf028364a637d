/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which changes of state are told: once each, when they have lasted, and their end; and in which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/buf.h"
#include "notify/facts.h"
#include "notify/message.h"

static const int64_t wall_us = INT64_C(1790000000000000);

/* "+kind:backend" for a problem, "-kind:backend" for its end, with why that is none. */
static void note(void *ctx, const struct watch_news *news)
{
	const char *moot = news->fact->moot;

	buf_printf(ctx, "%s%c%s:%s%s%s", ((struct buf *)ctx)->size == 0 ? "" : " ", news->fact->bad ? '+' : '-', news->fact->kind,
		news->fact->backend, moot == NULL ? "" : ", ", moot == NULL ? "" : moot);
}

static struct watch_fact down(const char *backend, bool bad)
{
	struct watch_fact fact = { .kind = "backend_down", .bad = bad };

	snprintf(fact.backend, sizeof(fact.backend), "%s", backend);
	return fact;
}

static void assert_told(struct watch *watch, bool dc1, bool dc2, int64_t at_ms, const char *expected)
{
	struct watch_fact facts[] = { down("dc1", dc1), down("dc2", dc2) };
	struct buf told = { 0 };

	watch_look(watch, facts, 2, at_ms, wall_us + at_ms * 1000, note, &told);
	assert_string_equal(told.size == 0 ? "" : told.data, expected);
	buf_free(&told);
}

static void a_change_is_told_once_when_it_has_lasted(void **state)
{
	struct watch *watch = watch_create(10000);

	(void)state;
	assert_told(watch, false, false, 0, "");
	assert_told(watch, true, false, 1000, "");
	assert_told(watch, true, false, 10999, "");
	assert_told(watch, true, false, 11000, "+backend_down:dc1");
	assert_told(watch, true, false, 12000, "");
	assert_told(watch, true, false, 9000000, "");
	assert_told(watch, false, false, 9001000, "");
	assert_told(watch, false, false, 9011000, "-backend_down:dc1");
	assert_told(watch, false, false, 9012000, "");
	watch_destroy(watch);
}

static void what_comes_and_goes_is_not_told(void **state)
{
	struct watch *watch = watch_create(10000);

	(void)state;
	for (int64_t at_ms = 0; at_ms < 100000; at_ms += 8000) {
		assert_told(watch, true, false, at_ms, "");
		assert_told(watch, false, false, at_ms + 7000, "");
	}
	assert_told(watch, true, true, 200000, "");
	assert_told(watch, true, true, 210000, "+backend_down:dc1 +backend_down:dc2");
	/* Nor is an end that is none. */
	assert_told(watch, false, true, 215000, "");
	assert_told(watch, true, true, 220000, "");
	assert_told(watch, false, true, 226000, "");
	assert_told(watch, false, true, 236000, "-backend_down:dc1");
	watch_destroy(watch);
}

static void without_a_least_time_everything_is_told_at_once(void **state)
{
	struct watch *watch = watch_create(0);

	(void)state;
	assert_told(watch, true, false, 0, "+backend_down:dc1");
	assert_told(watch, false, true, 0, "-backend_down:dc1 +backend_down:dc2");
	watch_destroy(watch);
}

static void the_trouble_of_a_back_end_that_is_gone_is_over(void **state)
{
	struct watch *watch = watch_create(0);
	struct watch_fact left = down("dc2", false);
	struct buf told = { 0 };

	(void)state;
	assert_told(watch, true, false, 0, "+backend_down:dc1");
	watch_look(watch, &left, 1, 1000, wall_us, note, &told);
	assert_string_equal(told.data, "-backend_down:dc1, not configured any more");
	buf_clear(&told);
	watch_look(watch, &left, 1, 2000, wall_us, note, &told);
	assert_int_equal(told.size, 0);
	buf_free(&told);
	watch_destroy(watch);
}

/* ---- facts ---- */

static const struct watch_fact *fact_of(const struct facts *facts, const char *kind, const char *backend)
{
	for (size_t i = 0; i < facts->count; i++) {
		if (strcmp(facts->list[i].kind, kind) == 0 && strcmp(facts->list[i].backend, backend) == 0)
			return &facts->list[i];
	}
	return NULL;
}

static void assert_fact(const struct engine_status *status, const char *kind, const char *backend, bool bad, const char *text)
{
	const struct watch_fact *fact;
	struct facts facts;

	facts_gather(status, INT64_C(60000000), wall_us, &facts);
	fact = fact_of(&facts, kind, backend);
	if (fact == NULL || fact->bad != bad || (bad && strcmp(fact->text, text) != 0))
		fail_msg("%s %s: %s %s", kind, backend, fact == NULL ? "none" : fact->bad ? "bad" : "well", fact == NULL ? "" : fact->text);
	facts_clear(&facts);
}

static void facts_are_what_the_status_says(void **state)
{
	struct engine_lane lane = { .backend = (char[]){ "dc1" }, .state = "up" };
	struct engine_status status = { .store_ok = true, .lanes = &lane, .lane_count = 1, .shown = doc_create() };
	struct doc *tls = doc_object(status.shown, "tls");

	(void)state;
	assert_fact(&status, "backend_down", "dc1", false, "");
	assert_fact(&status, "store_not_writable", "", false, "");
	assert_fact(&status, "held", "", false, "");
	lane.state = "probing";
	assert_fact(&status, "backend_down", "dc1", true, "it has not answered yet");
	lane.last_error = (char[]){ "refused" };
	assert_fact(&status, "backend_down", "dc1", true, "refused");
	lane.state = "paused";
	assert_fact(&status, "backend_down", "dc1", false, "");
	lane.rejected = 2;
	lane.dead = 1;
	assert_fact(&status, "dead_letters", "dc1", true, "3 zones");
	lane.contested = 1;
	assert_fact(&status, "contested", "dc1", true, "1 zone");
	lane.verified = true;
	lane.unanswered = 4;
	lane.oldest_unanswered_us = 60000000;
	assert_fact(&status, "unanswered", "dc1", false, "");
	lane.oldest_unanswered_us++;
	assert_fact(&status, "unanswered", "dc1", true, "4 zones");
	status.held = 1;
	assert_fact(&status, "held", "", true, "1 change");
	status.store_ok = false;
	status.store_error = (char[]){ "disk full" };
	assert_fact(&status, "store_not_writable", "", true, "disk full");
	doc_time(tls, "expires_at", wall_us + INT64_C(13) * 86400 * 1000000);
	assert_fact(&status, "certificate_expires", "", true, "2026-10-04T14:13:20.000000Z");
	doc_destroy(status.shown);
}

static void a_paused_back_end_is_not_up(void **state)
{
	struct engine_lane lane = { .backend = (char[]){ "dc1" }, .state = "paused" };
	const struct engine_status status = { .store_ok = true, .lanes = &lane, .lane_count = 1 };
	struct facts facts;

	(void)state;
	facts_gather(&status, 0, wall_us, &facts);
	assert_string_equal(fact_of(&facts, "backend_down", "dc1")->moot, "paused");
	assert_null(fact_of(&facts, "dead_letters", "dc1")->moot);
	facts_clear(&facts);
}

static void no_certificate_is_no_fact(void **state)
{
	struct engine_status status = { .store_ok = true, .shown = doc_create() };
	struct facts facts;

	(void)state;
	doc_time(doc_object(status.shown, "tls"), "expires_at", 0);
	facts_gather(&status, 0, wall_us, &facts);
	assert_null(fact_of(&facts, "certificate_expires", ""));
	facts_clear(&facts);
	doc_destroy(status.shown);
}

/* ---- words ---- */

static void assert_message(const struct watch_fact *fact, const char *text, const char *detail)
{
	struct watch_news news = { .fact = fact, .since_us = wall_us };
	char *written = message_write(&news, "ns1", "0a-1", wall_us + 10000000);
	json_t *json = json_loads(written, JSON_REJECT_DUPLICATES, NULL);

	assert_non_null(json);
	assert_string_equal(json_string_value(json_object_get(json, "id")), "0a-1");
	assert_string_equal(json_string_value(json_object_get(json, "text")), text);
	assert_string_equal(json_string_value(json_object_get(json, "event")), fact->kind);
	assert_string_equal(json_string_value(json_object_get(json, "state")), fact->bad ? "problem" : "recovered");
	assert_string_equal(json_string_value(json_object_get(json, "detail")), detail);
	assert_string_equal(json_string_value(json_object_get(json, "since")), "2026-09-21T14:13:20.000000Z");
	assert_string_equal(json_string_value(json_object_get(json, "at")), "2026-09-21T14:13:30.000000Z");
	assert_int_equal(json_is_null(json_object_get(json, "backend")), fact->backend[0] == '\0');
	json_decref(json);
	free(written);
}

static void a_message_is_a_line_and_its_parts(void **state)
{
	struct watch_fact fact = down("dc1", true);
	struct watch_fact held = { .kind = "held", .bad = false, .text = "0 changes" };

	(void)state;
	snprintf(fact.text, sizeof(fact.text), "Connection \"refused\"\n");
	assert_message(&fact, "zonefan ns1: dc1 is down: Connection \"refused\"\n", "Connection \"refused\"\n");
	snprintf(fact.text, sizeof(fact.text), "table \xff");
	assert_message(&fact, "zonefan ns1: dc1 is down: table ?", "table ?"); /* it was no UTF-8 */
	fact.bad = false;
	assert_message(&fact, "zonefan ns1: dc1 is up again", "");
	/* It is no better, it only is nobody's concern any more. */
	fact.moot = "paused";
	assert_message(&fact, "zonefan ns1: over: dc1 is down (paused)", "paused");
	assert_message(&held, "zonefan ns1: nothing waits for your word any more", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_is_told_once_when_it_has_lasted),
		cmocka_unit_test(what_comes_and_goes_is_not_told),
		cmocka_unit_test(without_a_least_time_everything_is_told_at_once),
		cmocka_unit_test(the_trouble_of_a_back_end_that_is_gone_is_over),
		cmocka_unit_test(facts_are_what_the_status_says),
		cmocka_unit_test(a_paused_back_end_is_not_up),
		cmocka_unit_test(no_certificate_is_no_fact),
		cmocka_unit_test(a_message_is_a_line_and_its_parts),
	};

	return cmocka_run_group_tests_name("notify watch", tests, NULL, NULL);
}
