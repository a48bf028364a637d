/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows of a database -> zone, and zone -> text: what is read back is the same zone; what is no zone is refused by name. */
#include "test_zone_util.h"

#include "zone/rows.h"

enum { MOST = 4096, TTL_SIZE = 12 };

static const struct diff_row soa = { "@", "SOA", "ns1.x.example. h.x.example. 7 3600 3600 1209600 86400", "3600", "1" };
static const struct diff_row ns = { "@", "NS", "ns1.x.example.", "3600", "1" };

/* The rows that a back end would hold, in an order of its own. */
static size_t rows_of(const struct zone *zone, struct diff_row *rows, char (*ttls)[TTL_SIZE])
{
	size_t count;
	const struct zone_record *records = zone_records(zone, &count);

	assert_true(count <= MOST);
	for (size_t i = 0; i < count; i++) {
		const struct zone_record *record = &records[count - 1 - i];

		snprintf(ttls[i], TTL_SIZE, "%u", record->ttl);
		rows[i] = (struct diff_row){ record->owner, record->type, record->data, ttls[i], "1" };
	}
	return count;
}

static void assert_round_trip(const char *plain, const char *file)
{
	static struct diff_row rows[MOST];
	static char ttls[MOST][TTL_SIZE];
	struct zone *zone = parse_sample(plain, file);
	struct zone *from_rows, *from_text;
	struct buf text = { 0 };
	struct err err = { 0 };

	size_t count = rows_of(zone, rows, ttls);
	if (rows_make_zone(zone_name(zone), rows, count, 0, &from_rows, &err) != ERR_OK)
		fail_msg("%s: %s", file, err.text);
	assert_true(zone_digest_equal(zone_digest(zone), zone_digest(from_rows)));
	zone_print(from_rows, &text);
	assert_int_equal(strncmp(text.data, "@\t", 2), 0);
	assert_non_null(memmem(text.data, strcspn(text.data, "\n"), "\tSOA\t", 5));
	if (zone_parse(zone_name(zone), text.data, text.size, 0, &from_text, &err) != ERR_OK)
		fail_msg("%s: %s", file, err.text);
	assert_true(zone_digest_equal(zone_digest(zone), zone_digest(from_text)));
	assert_int_equal(zone_serial(zone), zone_serial(from_text));
	zone_unref(zone);
	zone_unref(from_rows);
	zone_unref(from_text);
	buf_free(&text);
}

static void samples_come_back(void **state)
{
	static const struct { const char *plain, *file; } samples[] = {
		{ "minimal.example", "minimal.db" }, { "escapes.example", "escapes.db" }, { "utf8.example", "utf8.db" },
		{ "nsec3.example", "nsec3.db" }, { "shop.example", "directadmin-signed.db" }, { "crlf.example", "crlf.db" },
		{ "shop.example", "directadmin-unsigned.db" }, { "2.0.192.in-addr.arpa", "reverse.db" },
		{ "inherited.example", "inherited-ttl.db" }, { "minimum.example", "soa-minimum.db" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
		assert_round_trip(samples[i].plain, samples[i].file);
}

static void assert_refused(const struct diff_row *row, const char *part)
{
	const struct diff_row rows[] = { soa, ns, *row };
	struct zone *zone;
	struct err err = { 0 };

	assert_int_equal(rows_make_zone("x.example.", rows, 3, 0, &zone, &err), ERR_INVALID);
	if (strstr(err.text, part) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.text, part);
}

static void a_row_is_one_record(void **state)
{
	static const struct { struct diff_row row; const char *part; } bad[] = {
		{ { NULL, "A", "192.0.2.1", "60", "1" }, "NULL A 192.0.2.1: hostname" },
		{ { "", "A", "192.0.2.1", "60", "1" }, "hostname" },
		{ { "a b", "A", "192.0.2.1", "60", "1" }, "hostname" },
		{ { "a\\", "A", "192.0.2.1", "60", "1" }, "hostname" },
		{ { "www", NULL, "192.0.2.1", "60", "1" }, "www NULL 192.0.2.1: type" },
		{ { "www", "A A", "192.0.2.1", "60", "1" }, "type" },
		{ { "www", "A", "192.0.2.1", NULL, "1" }, "ttl" },
		{ { "www", "A", "192.0.2.1", "-60", "1" }, "ttl" },
		{ { "www", "A", "192.0.2.1", "99999999999", "1" }, "www A 192.0.2.1: " },
		{ { "www", "A", NULL, "60", "1" }, "www A NULL: data" },
		{ { "www", "A", "", "60", "1" }, "www A : " },
		{ { "www", "A", "192.0.2.1\nevil 60 IN A 192.0.2.2", "60", "1" }, "www A 192.0.2.1?evil 60 IN A 192.0.2.2: data" },
		{ { "www", "A", "192.0.2.1 ; (\nevil 60 IN A 192.0.2.2", "60", "1" }, "data" },
		{ { "www", "TXT", "\"open", "60", "1" }, "data" },
		{ { "www", "TXT", "( \"open\"", "60", "1" }, "data" },
		{ { "www", "TXT", "( \"open\" ; )", "60", "1" }, "data" },
		{ { "www", "TXT", "\"a\" )", "60", "1" }, "data" },
		{ { "www", "TXT", "a\\", "60", "1" }, "data" },
		{ { "www", "TXT", "\"a\\\n\"", "60", "1" }, "data" },
		{ { "www", "A", "192.0.2.1", "60", "0" }, "not online" },
		{ { "www", "A", "192.0.2.1", "60", NULL }, "not online" },
		{ { "www", "A", "192.0.2", "60", "1" }, "www A 192.0.2: " },
		{ { "www", "NOTYPE", "x", "60", "1" }, "www NOTYPE x: " },
		{ { "@", "CNAME", "y.example.", "60", "1" }, "@ CNAME y.example.: CNAME beside other data" },
		{ { "www.y.example.", "A", "192.0.2.1", "60", "1" }, "owner is out of the zone" },
		{ { "@", "SOA", "ns1.x.example. h.x.example. 8 1 1 1 1", "60", "1" }, "second SOA" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_refused(&bad[i].row, bad[i].part);
}

static void what_is_odd_but_right_is_taken(void **state)
{
	const struct diff_row rows[] = { ns, { "$odd", "A", "192.0.2.1", "60", "1" }, { "WWW", "a", "192.0.2.2 ; office", "90", "2" },
		{ "www", "A", "192.0.2.3", "60", "1" }, { "p", "TXT", "( \"one\"\t\"two;\" )", "60", "1" }, soa };
	struct zone *zone;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(rows_make_zone("x.example.", rows, ARRAY_SIZE(rows), 0, &zone, &err), ERR_OK);
	assert_int_equal(zone_serial(zone), 7);
	assert_record(zone, "$odd", "A", 0, 60, "192.0.2.1");
	assert_record(zone, "www", "A", 0, 60, "192.0.2.2");
	assert_record(zone, "www", "A", 1, 60, "192.0.2.3");
	assert_record(zone, "p", "TXT", 0, 60, "\"one\" \"two;\"");
	zone_unref(zone);
}

static void what_makes_no_zone_is_refused(void **state)
{
	struct zone *zone;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(rows_make_zone("x.example.", NULL, 0, 0, &zone, &err), ERR_INVALID);
	assert_string_equal(err.text, "there are no records");
	assert_int_equal(rows_make_zone("x.example.", &ns, 1, 0, &zone, &err), ERR_INVALID);
	assert_string_equal(err.text, "the zone has no SOA");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_come_back),
		cmocka_unit_test(a_row_is_one_record),
		cmocka_unit_test(what_is_odd_but_right_is_taken),
		cmocka_unit_test(what_makes_no_zone_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
