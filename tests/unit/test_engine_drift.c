/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What people and programs are told of rows that are not as wanted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/drift.h"

static struct zone *wanted;

static int set_up(void **state)
{
	static const char text[] = "@ 3600 IN SOA ns1.test. host.test. 1 2 3 4 5\n@ 3600 IN NS ns1.test.\n"
				   "www 3600 IN A 192.0.2.10\nmail 3600 IN A 192.0.2.11\n";
	struct err err;

	(void)state;
	return zone_parse("a.test.", text, strlen(text), 0, &wanted, &err);
}

static int tear_down(void **state)
{
	(void)state;
	zone_unref(wanted);
	return 0;
}

static const struct diff_row right[] = {
	{ "@", "SOA", "ns1.test. host.test. 1 2 3 4 5", "3600", "1" },
	{ "@", "NS", "ns1.test.", "3600", "1" },
	{ "www", "A", "192.0.2.10", "3600", "1" },
	{ "mail", "A", "192.0.2.11", "3600", "1" },
};

static void assert_text(const struct zone *zone, const struct diff_row *rows, size_t count, const char *text)
{
	struct buf out = { 0 };
	struct drift drift;

	drift_make(zone, rows, count, &drift);
	buf_puts(&out, "");
	drift_describe(&drift, &out);
	assert_string_equal(out.data, text);
	drift_free(&drift);
	buf_free(&out);
}

static void what_was_there_is_told(void **state)
{
	struct diff_row rows[6];

	(void)state;
	assert_text(wanted, right, 4, "");
	memcpy(rows, right, sizeof(right));
	rows[2].data = "203.0.113.66";
	assert_text(wanted, rows, 4, "www A 192.0.2.10 -> 203.0.113.66");
	rows[3] = (struct diff_row){ "evil", "TXT", "\"x y\"", "60", "1" };
	assert_text(wanted, rows, 4, "www A 192.0.2.10 -> 203.0.113.66; +evil TXT \"x y\"; -mail A 192.0.2.11");
	memcpy(rows, right, sizeof(right));
	rows[2].ttl = "60";
	rows[3].online = "0";
	assert_text(wanted, rows, 4, "mail A 192.0.2.11 online 1 -> 0; www A 192.0.2.10 ttl 3600 -> 60");
	rows[2].data = NULL;
	rows[3].online = NULL;
	assert_text(wanted, rows, 4, "mail A 192.0.2.11 online 1 -> NULL; www A 192.0.2.10 -> NULL ttl 3600 -> 60");
	rows[2] = (struct diff_row){ NULL, "\xc3\xbc\n", "", NULL, NULL };
	assert_text(wanted, rows, 3, "+NULL \\195\\188\\010 ; -mail A 192.0.2.11; -www A 192.0.2.10");
	assert_text(NULL, right + 2, 2, "+mail A 192.0.2.11; +www A 192.0.2.10");
	/* The same row twice is one too many. */
	memcpy(rows, right, sizeof(right));
	rows[4] = right[2];
	assert_text(wanted, rows, 5, "+www A 192.0.2.10");
}

static void a_line_is_bounded(void **state)
{
	struct diff_row rows[200];
	char names[200][16];
	char huge[4096];
	struct buf out = { 0 };
	struct drift drift;

	(void)state;
	memset(huge, '\1', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	for (size_t i = 0; i < 200; i++) {
		snprintf(names[i], sizeof(names[i]), "h%03zu", i);
		rows[i] = (struct diff_row){ names[i], "A", "192.0.2.1", "60", "1" };
	}
	drift_make(NULL, rows, 200, &drift);
	drift_describe(&drift, &out);
	assert_true(out.size <= DRIFT_TEXT_SIZE && out.size > DRIFT_TEXT_SIZE - 80);
	assert_non_null(strstr(out.data, "+h000 A 192.0.2.1; +h001"));
	unsigned more = 0;
	size_t told = 1;
	assert_int_equal(sscanf(strrchr(out.data, ';'), "; and %u more", &more), 1);
	for (const char *at = out.data; (at = strstr(at, "; +")) != NULL; at++)
		told++;
	assert_int_equal(told + more, 200);
	drift_free(&drift);
	buf_clear(&out);
	/* One record has room, however large it is. */
	rows[0] = right[0];
	rows[1] = (struct diff_row){ huge, huge, huge, huge, huge };
	drift_make(NULL, rows, 2, &drift);
	drift_describe(&drift, &out);
	assert_true(out.size <= DRIFT_TEXT_SIZE && strstr(out.data, "\\001...") != NULL);
	drift_free(&drift);
	buf_clear(&out);
	rows[0] = right[2];
	rows[0].data = rows[0].ttl = rows[0].online = huge;
	drift_make(wanted, rows, 1, &drift);
	drift_describe(&drift, &out);
	assert_true(out.size <= DRIFT_TEXT_SIZE);
	drift_free(&drift);
	buf_free(&out);
}

static const char *text_at(const struct doc *object, const char *key)
{
	const struct doc *found = doc_get(object, key);

	assert_non_null(found);
	return found->kind == DOC_NULL ? "null" : found->value.text;
}

static void what_would_be_done_is_listed(void **state)
{
	struct diff_row rows[4];
	struct doc *root = doc_create();
	struct doc *list = doc_list(root, "records");
	size_t added, changed, removed;
	struct drift drift;

	(void)state;
	memcpy(rows, right, sizeof(right));
	rows[2].data = "203.0.113.66";
	rows[3] = (struct diff_row){ "evil", NULL, "x", "60", NULL };
	drift_make(wanted, rows, 4, &drift);
	drift_count(&drift, &added, &changed, &removed);
	assert_true(added == 1 && changed == 1 && removed == 1);
	assert_int_equal(drift_list(&drift, 10, list), 3);
	const struct doc *change = list->children, *remove = change->next, *add = remove->next;
	assert_string_equal(text_at(change, "change"), "change");
	assert_string_equal(text_at(change, "hostname"), "www");
	assert_string_equal(text_at(change, "data"), "192.0.2.10");
	assert_string_equal(text_at(change, "ttl"), "3600");
	assert_string_equal(text_at(doc_get(change, "was"), "data"), "203.0.113.66");
	assert_string_equal(text_at(remove, "change"), "remove");
	assert_string_equal(text_at(remove, "type"), "null");
	assert_string_equal(text_at(remove, "online"), "null");
	assert_string_equal(text_at(add, "change"), "add");
	assert_string_equal(text_at(add, "data"), "192.0.2.11");
	assert_null(doc_get(add, "was"));
	assert_int_equal(drift_list(&drift, 2, list), 2);
	drift_free(&drift);
	doc_destroy(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_there_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_line_is_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_would_be_done_is_listed, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
