/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What needs no server: literals, the error rule, the schema files, and what is to be done about a zone as found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/coredns_mysql/classify.h"
#include "backends/coredns_mysql/literal.h"
#include "backends/coredns_mysql/remedy.h"
#include "backends/coredns_mysql/schema.h"
#include "backends/coredns_mysql/told.h"
#include "backends/coredns_mysql/work.h"

static void test_literal(void **state)
{
	struct buf out = { 0 };
	(void)state;

	literal_sql(&out, "a %s b %u c %t d", "x'", UINT64_MAX, "od`d");
	assert_string_equal(out.data, "a _ascii x'7827' b 18446744073709551615 c `od``d` d");
	buf_clear(&out);
	literal_sql(&out, "%s %x", "", "a'");
	assert_string_equal(out.data, "_ascii x'' x'6127'");
	buf_clear(&out);
	literal_sql(&out, "%u%u", (uint64_t)0, (uint64_t)7);
	assert_string_equal(out.data, "07");
	buf_free(&out);
	assert_true(literal_allows("'\\\"\x01\x7f"));
	assert_false(literal_allows("\xc3\xbc"));
}

static void test_remedies(void **state)
{
	const struct coredns_mysql_settings settings = { .host = "db1.example", .database = "dns", .username = "zf" };
	static const unsigned operators[] = { 1021, 1044, 1045, 1049, 1054, 1130, 1142, 1143, 1146, 1227, 1290, 1665, 1698, 1836, 2026,
		2059, 2061, 3159, 4151 };
	struct buf out = { 0 };
	const char *about;
	(void)state;

	remedy_for(1142, "dc1", &settings, &about, &out);
	assert_string_equal(about, "rights");
	assert_non_null(strstr(out.data, "ON `dns`.* TO 'zf'@"));
	buf_clear(&out);
	remedy_for(0, "dc1", &settings, &about, &out); /* a name that is not known, or nobody in time */
	assert_string_equal(about, "reach");
	assert_non_null(strstr(out.data, "dns.backends.dc1.host and .port"));
	/* What an operator must do something about has more to say than that. */
	for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
		buf_clear(&out);
		remedy_for(operators[i], "dc1", &settings, &about, &out);
		assert_string_not_equal(about, "reach");
		assert_null(strchr(out.data, '$'));
	}
	buf_free(&out);
}

static void test_classify_every_code(void **state)
{
	static const struct {
		enum classify_class class;
		unsigned codes[24];
	} table[] = {
		{ CLASSIFY_RETRY, { 1205, 1213, 1020, 1062, 1317, 1412, 1461, 1615, 1969, 3024 } },
		{ CLASSIFY_CONNECTION, { 2002, 2003, 2005, 2006, 2013, 2055, 2026, 1040, 1053, 1129, 1158, 1159, 1160,
					       1161, 1203, 1226, 1927, 4031, 1152, 1184 } },
		{ CLASSIFY_NOT_WRITABLE, { 1047, 1290, 1836 } },
		{ CLASSIFY_OPERATOR, { 1044, 1045, 1049, 1054, 1114, 1021, 1142, 1143, 1146, 1227, 167, 2059, 2061, 1130,
					     1665, 1698, 3159, 4151, 1030, 1176, 1364 } },
		{ CLASSIFY_ZONE, { 1406, 1366, 1264, 1153, 2020, 1048, 1452, 4025, 3819, 1265,
					 1292, 1451 } },
		{ CLASSIFY_UNKNOWN, { 1, 999, 1064, 1105, 1644, 2014, 2027, 9999, 65535 } },
	};
	static const enum backend_verdict verdicts[] = { [CLASSIFY_RETRY] = BACKEND_RETRY,
		[CLASSIFY_ZONE] = BACKEND_REJECT, [CLASSIFY_CONNECTION] = BACKEND_DOWN,
		[CLASSIFY_NOT_WRITABLE] = BACKEND_DOWN, [CLASSIFY_OPERATOR] = BACKEND_DOWN,
		[CLASSIFY_UNKNOWN] = BACKEND_DOWN };
	size_t known = 0;
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		for (size_t k = 0; k < 24 && table[i].codes[k] != 0; k++) {
			char text[256];
			char number[16];

			assert_int_equal(classify_code(table[i].codes[k]), table[i].class);
			assert_int_equal(classify_verdict(table[i].class), verdicts[table[i].class]);
			classify_explain(table[i].codes[k], "message", text, sizeof(text));
			snprintf(number, sizeof(number), "%u", table[i].codes[k]);
			assert_non_null(strstr(text, number));
			known += table[i].class != CLASSIFY_UNKNOWN;
		}
	}
	/* No code in the table of classify.c that this one does not name. */
	for (unsigned code = 0; code < 70000; code++)
		known -= classify_code(code) != CLASSIFY_UNKNOWN;
	assert_int_equal(known, 0);
	assert_true(classify_is_lost(CLASSIFY_CONNECTION) && classify_is_lost(CLASSIFY_UNKNOWN));
	assert_false(classify_is_lost(CLASSIFY_OPERATOR) || classify_is_lost(CLASSIFY_NOT_WRITABLE) ||
		classify_is_lost(CLASSIFY_RETRY) || classify_is_lost(CLASSIFY_ZONE));
}

static void test_explain(void **state)
{
	char text[256];
	(void)state;

	classify_explain(1142, "INSERT command denied to user 'x'@'y' for table `db`.`records`", text, sizeof(text));
	assert_string_equal(text, "INSERT right missing on table records (1142)");
	classify_explain(1142, "SELECT, INSERT command denied to user 'x'@'y' for table `db`.`r`", text, sizeof(text));
	assert_string_equal(text, "SELECT, INSERT right missing on table r (1142)");
	classify_explain(1142, "Nein", text, sizeof(text));
	assert_string_equal(text, "a right is missing (1142): Nein");
	classify_explain(1290, "The server is running with ...", text, sizeof(text));
	assert_string_equal(text, "server is read-only (1290)");
	classify_explain(1064, "You have an error near 'secret'", text, sizeof(text));
	assert_string_equal(text, "unexpected error 1064");
	classify_explain(1644, "house rule", text, sizeof(text));
	assert_string_equal(text, "unexpected error 1644: house rule");
	classify_explain(2013, NULL, text, sizeof(text));
	assert_string_equal(text, "the connection was lost (2013)");
}

static void test_schema_files(void **state)
{
	static const char *const files[] = { "1_zones.sql", "2_records.sql", "3_zonefan_state.sql", "4_records_index.sql",
		"5_records_data.sql", "6_zones_unique.sql", "7_catch_all.sql" };
	const struct coredns_mysql_settings settings = { .zones_table = "z", .records_table = "r", .state_table = "s" };
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char *text = schema_statement(&settings, files[i]);

		assert_non_null(text);
		assert_null(strchr(text, ';'));
		assert_null(strchr(text, '\n'));
		assert_null(strstr(text, "zonefan_state"));
		assert_null(strstr(text, "`zones`"));
		free(text);
	}
	char *text = schema_statement(&settings, "4_records_index.sql");
	assert_string_equal(text, "ALTER TABLE `r` ADD INDEX zone_hostname_type (zone_id, hostname, type)");
	free(text);
	assert_null(schema_statement(&settings, "8_nothing.sql"));
}

static void test_told_once(void **state)
{
	(void)state;
	assert_true(told_first("dc1", "a.test."));
	assert_false(told_first("dc1", "a.test."));
	assert_true(told_first("dc2", "a.test."));
	assert_true(told_first("dc1", "b.test."));
	assert_false(told_first("dc2", "a.test."));
}

#define OURS "00112233445566778899aabbccddeeff"
#define THEIRS "ffeeddccbbaa99887766554433221100"

static struct zone *small_zone(void)
{
	static const char text[] = "@ 60 IN SOA a.t. b.t. 1 2 3 4 5\n";
	struct zone *zone = NULL;
	struct err err;

	assert_int_equal(zone_parse("t.", text, sizeof(text) - 1, 0, &zone, &err), 0);
	return zone;
}

/* Every combination of what may be found, with what must come of it. */
static void test_judge(void **state)
{
	enum { SAME, OTHER_DIGEST, OLDER, NEWER, FOREIGN, DEAD, NO_STAMP };
	static const struct {
		bool save, exists, checked, rows_right;
		int stamp;
		int kind; /* -1: STALE */
	} cases[] = {
		{ true, false, false, false, NO_STAMP, WORK_CREATE },
		{ true, false, false, false, SAME, WORK_CREATE },
		{ true, false, true, false, DEAD, WORK_CREATE },
		{ true, true, false, false, SAME, WORK_NOTHING },
		{ true, true, true, true, SAME, WORK_STAMP }, /* its digest was not the zone's: it is looked at again */
		{ true, true, true, false, SAME, WORK_CHANGE },
		{ true, true, true, true, OLDER, WORK_STAMP },
		{ true, true, false, true, OLDER, WORK_STAMP },
		{ true, true, false, false, OLDER, WORK_CHANGE },
		{ true, true, false, true, OTHER_DIGEST, WORK_STAMP },
		{ true, true, false, false, NO_STAMP, WORK_CHANGE },
		{ true, true, false, true, DEAD, WORK_STAMP },
		{ true, true, false, false, NEWER, -1 },
		{ true, false, false, false, NEWER, -1 },
		{ true, true, true, true, FOREIGN, -1 },
		{ false, true, false, false, FOREIGN, -1 },
		{ false, true, false, false, NEWER, -1 },
		{ false, true, false, false, SAME, WORK_REMOVE },
		{ false, true, false, false, DEAD, WORK_REMOVE },
		{ false, true, false, false, NO_STAMP, WORK_REMOVE },
		{ false, false, false, false, NO_STAMP, WORK_BURY },
		{ false, false, false, false, OLDER, WORK_BURY },
		{ false, false, false, false, DEAD, WORK_NOTHING },
	};
	static const struct diff_row right = { "@", "SOA", "a.t. b.t. 1 2 3 4 5", "60", "1" };
	static const struct diff_row wrong = { "@", "SOA", "a.t. b.t. 9 2 3 4 5", "60", "1" };
	struct zone *zone = small_zone();
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct backend_item item = { .name = "t.", .zone = cases[i].save ? zone : NULL, .generation = 5,
			.check = cases[i].checked };
		struct work work = { .item = &item, .exists = cases[i].exists };
		struct work_stamp *stamp = &work.stamp;

		stamp->found = cases[i].stamp != NO_STAMP;
		strcpy(stamp->by.store_id, cases[i].stamp == FOREIGN ? THEIRS : OURS);
		stamp->by.generation = cases[i].stamp == OLDER ? 4 : cases[i].stamp == NEWER ? 6 : 5;
		stamp->deleted = cases[i].stamp == DEAD;
		if (cases[i].stamp != OTHER_DIGEST)
			stamp->digest = *zone_digest(zone);
		work_add_row(&work, 7, cases[i].rows_right ? &right : &wrong);
		bool judged = work_judge(&work, OURS);
		if (judged != (cases[i].kind >= 0) || (judged && (int)work.kind != cases[i].kind))
			fail_msg("case %zu: kind %d", i, judged ? (int)work.kind : -1);
		if (!judged)
			assert_int_equal(item.verdict, BACKEND_STALE);
		work_reset(&work);
	}
	zone_unref(zone);
}

/* What needs no transaction: zone, name, stamp and rows must all be right. */
static void test_clean(void **state)
{
	struct zone *zone = small_zone();
	struct backend_item item = { .name = "t.", .zone = zone, .generation = 5, .check = true };
	const struct work clean = { .item = &item, .exists = true, .actual = *zone_digest(zone),
		.stamp = { .found = true, .by = { .store_id = OURS, .generation = 5 }, .digest = *zone_digest(zone) } };
	struct work work = clean;
	(void)state;

	assert_true(work_is_clean(&work, OURS));
	assert_false(work_is_clean(&work, THEIRS));
	work.exists = false;
	assert_false(work_is_clean(&work, OURS));
	work = clean;
	work.misnamed = true;
	assert_false(work_is_clean(&work, OURS));
	work = clean;
	work.stamp.found = false;
	assert_false(work_is_clean(&work, OURS));
	work = clean;
	work.stamp.by.generation = 4;
	assert_false(work_is_clean(&work, OURS));
	work = clean;
	work.stamp.deleted = true;
	assert_false(work_is_clean(&work, OURS));
	work = clean;
	work.stamp.digest.low++;
	assert_false(work_is_clean(&work, OURS));
	work = clean;
	work.actual.count++;
	assert_false(work_is_clean(&work, OURS));
	work = clean;
	item.zone = NULL;
	assert_false(work_is_clean(&work, OURS));
	zone_unref(zone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_literal),
		cmocka_unit_test(test_remedies),
		cmocka_unit_test(test_classify_every_code),
		cmocka_unit_test(test_explain),
		cmocka_unit_test(test_schema_files),
		cmocka_unit_test(test_told_once),
		cmocka_unit_test(test_judge),
		cmocka_unit_test(test_clean),
	};

	return cmocka_run_group_tests_name("coredns_mysql text", tests, NULL, NULL);
}
