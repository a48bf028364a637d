/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is refused, with the exact line and text. Samples are in
 * tests/data/zones/bad; their first line is "; zone: bad.example; " and then
 * the message.
 */
#include "test_zone_util.h"

#include <dirent.h>

#define SOA "@ 3600 IN SOA ns1.dns-host.example. hostmaster 1 3600 3600 1209600 86400\n"

static const char mark[] = "; zone: bad.example; ";

static void assert_refused_size(const char *text, size_t size, size_t max_records, const char *message)
{
	struct zone *zone = NULL;
	struct err err;

	if (zone_parse("bad.example.", text, size, max_records, &zone, &err) == 0)
		fail_msg("taken, but should be: %s", message);
	assert_int_equal(err.code, ERR_INVALID);
	assert_string_equal(err.text, message);
	assert_null(zone);
}

static void assert_refused(const char *text, const char *message)
{
	assert_refused_size(text, strlen(text), 0, message);
}

/* What the first line of a sample says, or for those that have none what is said here. */
static char *expected_message(const char *file, const struct buf *text)
{
	if (strcmp(file, "empty.db") == 0)
		return xstrdup("line 1: the zone is empty");
	if (strcmp(file, "blank.db") == 0)
		return xstrdup("line 3: the zone is empty");
	if (text->size < sizeof(mark) || memcmp(text->data, mark, sizeof(mark) - 1) != 0)
		fail_msg("%s does not say what is expected", file);
	const char *start = text->data + sizeof(mark) - 1;
	return xmemdup(start, strcspn(start, "\n"));
}

static void with_crlf(const struct buf *text, struct buf *out)
{
	buf_clear(out);
	for (size_t i = 0; i < text->size; i++) {
		if (text->data[i] == '\n')
			buf_append(out, "\r", 1);
		buf_append(out, text->data + i, 1);
	}
}

static void check_sample(const char *file)
{
	struct buf text = { 0 };
	struct buf crlf = { 0 };
	char *path = xasprintf(SAMPLES "/bad/%s", file);

	read_file(path, &text);
	char *message = expected_message(file, &text);
	print_message("%s: %s\n", file, message);
	assert_refused_size(text.data, text.size, 0, message);
	with_crlf(&text, &crlf);
	assert_refused_size(crlf.data, crlf.size, 0, message);
	free(message);
	free(path);
	buf_free(&text);
	buf_free(&crlf);
}

static void bad_samples(void **state)
{
	DIR *folder = opendir(SAMPLES "/bad");
	size_t checked = 0;

	(void)state;
	assert_non_null(folder);
	for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
		if (strstr(entry->d_name, ".db") == NULL)
			continue;
		check_sample(entry->d_name);
		checked++;
	}
	closedir(folder);
	assert_true(checked >= 38);
}

static void directives_in_odd_places(void **state)
{
	(void)state;
	assert_refused(SOA "$INCLUDE", "line 2: $INCLUDE is not accepted");
	assert_refused(SOA "$INCLUDE\t\t\"/etc/passwd\"\n", "line 2: $INCLUDE is not accepted");
	assert_refused(SOA "$Include /etc/passwd sub.bad.example. ; why not\n", "line 2: $Include is not accepted");
	assert_refused("\n\n$INCLUDE /etc/passwd\n" SOA, "line 3: $INCLUDE is not accepted");
	assert_refused("\n\n$INCLUDE ( /etc/passwd\n)\n" SOA, "line 3: $INCLUDE is not accepted");
	assert_refused(SOA "\t$INCLUDE /etc/passwd\n", "line 2: $INCLUDE is not accepted");
	assert_refused("\t$INCLUDE /etc/passwd\n" SOA, "line 1: $INCLUDE is not accepted");
	assert_refused(SOA "$generate 1-2 a$ A 192.0.2.$\n", "line 2: $generate is not accepted");
	assert_refused("  $GENERATE 1-2 a$ A 192.0.2.$\n" SOA, "line 1: $GENERATE is not accepted");
	assert_refused("\n\n$INCLUDE\n" SOA, "line 3: $INCLUDE is not accepted");
	assert_refused(SOA "txt TXT ( \"a\n\n b\" ) ; (\n\n$INCLUDE \nwww A 192.0.2.1\n", "line 6: $INCLUDE is not accepted");
	assert_refused(SOA "txt TXT ( \"a\n\n b\" ) ; (\n$INCLUDE /x\n", "line 5: $INCLUDE is not accepted");
}

static void directives_that_are_none(void **state)
{
	struct zone *zone = parse("bad.example", SOA
		"; $INCLUDE /etc/passwd\n"
		"  ; $GENERATE 1-2 a$ A 192.0.2.$\n"
		"a 60 TXT \"$INCLUDE /etc/passwd\" $GENERATE\n"
		"b 60 TXT ( \"x\"\n$INCLUDE ; $INCLUDE /etc/passwd\n\"y\n$GENERATE 1-2 a$ A 192.0.2.$\n\" )\n"
		"\\$INCLUDE 60 A 192.0.2.1\n");

	(void)state;
	assert_record(zone, "a", "TXT", 0, 60, "\"$INCLUDE /etc/passwd\" \"$GENERATE\"");
	assert_record(zone, "b", "TXT", 0, 60, "\"x\" \"$INCLUDE\" \"y\\010$GENERATE 1-2 a$ A 192.0.2.$\\010\"");
	assert_record(zone, "$include", "A", 0, 60, "192.0.2.1");
	assert_fixed_point(zone);
	zone_unref(zone);
}

static void other_classes(void **state)
{
	(void)state;
	assert_refused(SOA "www CH TXT x\n", "line 2: class CH is not IN");
	assert_refused(SOA "www 60 HS TXT x\n", "line 2: class HS is not IN");
	assert_refused(SOA "www CLASS3 60 TXT x\n", "line 2: class CLASS3 is not IN");
	assert_refused(SOA "  60 ch TXT x\n", "line 2: class ch is not IN");
	/* The owner may have that name. */
	assert_refused(SOA "ch 60 A x\n", "line 2: invalid address character: ch 60 A x");
	struct zone *zone = parse("bad.example", SOA "ch IN 60 A 192.0.2.1\nin 60 A 192.0.2.2\nhs IN A 192.0.2.3\n");
	assert_record(zone, "in", "A", 0, 60, "192.0.2.2");
	assert_record(zone, "ch", "A", 0, 60, "192.0.2.1");
	zone_unref(zone);
}

static void too_many_records(void **state)
{
	struct zone *zone;
	struct err err;
	static const char text[] = SOA "a 60 A 192.0.2.1\nb 60 A 192.0.2.1\n";

	(void)state;
	assert_int_equal(zone_parse("bad.example.", text, strlen(text), 3, &zone, &err), 0);
	zone_unref(zone);
	assert_refused_size(text, strlen(text), 2, "line 3: more than 2 records");
	assert_refused_size(text, strlen(text), 1, "line 2: more than 1 records");
}

/* The line is where the record begins, whatever stood in the records before. */
static void lines_of_records(void **state)
{
	(void)state;
	assert_refused("; (\n" SOA "a 60 TXT ( \"(\" ; (\n \"\\\"\n\" )\n\nwww 60 CNAME (\n b )\nwww 60 ( A\n\n192.0.2.1 )\n",
		"line 9: CNAME beside other data at www.bad.example. (CNAME on line 7)");
}

/* What of two clashes comes first in the text is named, however they sort. */
static void the_first_clash_is_named(void **state)
{
	(void)state;
	assert_refused(SOA "z 60 A 192.0.2.1\nz 60 CNAME y\na 60 A 192.0.2.1\na 60 CNAME y\n",
		"line 3: CNAME beside other data at z.bad.example. (A on line 2)");
	assert_refused(SOA "a 60 CNAME y\na 60 MX 1 y\na 60 CNAME z\n",
		"line 3: CNAME beside other data at a.bad.example. (CNAME on line 2)");
	assert_refused(SOA "a 60 CNAME y\na 60 CNAME z\na 60 MX 1 y\n",
		"line 3: two CNAME records at a.bad.example. (the other is on line 2)");
	assert_refused(SOA "a 60 TYPE65400 \\# 1 00\na 60 CNAME z\n",
		"line 3: CNAME beside other data at a.bad.example. (TYPE65400 on line 2)");
}

static void dnssec_may_stand_beside_a_cname(void **state)
{
	struct zone *zone = parse("bad.example", SOA
		"www 60 CNAME a\nwww 60 CNAME A\n"
		"www 60 RRSIG CNAME 13 3 60 20261220155640 20261120155640 1 bad.example. AQID\n"
		"www 60 NSEC a.bad.example. CNAME RRSIG NSEC\n"
		"www 60 KEY 256 3 13 AQID\n");

	(void)state;
	assert_record(zone, "www", "CNAME", 0, 60, "a.bad.example.");
	assert_null(find_record(zone, "www", "CNAME", 1));
	zone_unref(zone);
}

static void messages_stay_short_and_printable(void **state)
{
	struct buf text = { 0 };
	struct zone *zone;
	struct err err;

	(void)state;
	buf_puts(&text, SOA "www\t60 A \x01\xff<script>");
	for (int i = 0; i < 100000; i++)
		buf_puts(&text, "x");
	assert_int_equal(zone_parse("bad.example.", text.data, text.size, 0, &zone, &err), ERR_INVALID);
	assert_true(strlen(err.text) < 160);
	assert_memory_equal(err.text, "line 2: ", 8);
	for (size_t i = 0; i < strlen(err.text); i++)
		assert_true(err.text[i] >= ' ' && err.text[i] <= '~');
	buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_samples),
		cmocka_unit_test(directives_in_odd_places),
		cmocka_unit_test(directives_that_are_none),
		cmocka_unit_test(other_classes),
		cmocka_unit_test(too_many_records),
		cmocka_unit_test(lines_of_records),
		cmocka_unit_test(the_first_clash_is_named),
		cmocka_unit_test(dnssec_may_stand_beside_a_cname),
		cmocka_unit_test(messages_stay_short_and_printable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
