/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Another serial in a zone's text, and nothing else of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "zone/serial.h"

static struct zone *parse(const char *text)
{
	struct zone *zone;
	struct err err;

	if (zone_parse("example.test.", text, strlen(text), 0, &zone, &err) != ERR_OK)
		fail_msg("%s", err.text);
	return zone;
}

static void expect(const char *before, const char *after)
{
	struct zone *zone = parse(before), *changed;
	struct buf out = { 0 };
	struct err err;

	if (zone_text_set_serial(zone, before, strlen(before), 4294967295, &out, &changed, &err) != ERR_OK)
		fail_msg("%s", err.text);
	assert_int_equal(out.size, strlen(after));
	assert_memory_equal(out.data, after, out.size);
	assert_int_equal(zone_serial(changed), 4294967295);
	zone_unref(changed);
	zone_unref(zone);
	buf_free(&out);
}

static void the_serial_alone_changes(void **state)
{
	(void)state;
	expect("@ 60 IN SOA ns1 host 7 1 2 3 4\n@ 60 IN NS ns1\n", "@ 60 IN SOA ns1 host 4294967295 1 2 3 4\n@ 60 IN NS ns1\n");
	/* Comments, parentheses, quotes, an owner and a text that look like it. */
	expect("; SOA a b 7\nsoa 60 IN A 192.0.2.1\ntxt 60 IN TXT \"IN SOA a b 7 ;\" ( SOA x y )\n"
	       "@\tIN\tsoa ns1. ( ; 1\n host. ; 2\n\t7 1 2 3 4 ) ; 7\n",
		"; SOA a b 7\nsoa 60 IN A 192.0.2.1\ntxt 60 IN TXT \"IN SOA a b 7 ;\" ( SOA x y )\n"
		"@\tIN\tsoa ns1. ( ; 1\n host. ; 2\n\t4294967295 1 2 3 4 ) ; 7\n");
	/* An inherited owner, CRLF. */
	expect("$TTL 60\r\n$ORIGIN example.test.\r\n@ NS ns1\r\n SOA ns1 host\\.a 7 1 2 3 4\r\n",
		"$TTL 60\r\n$ORIGIN example.test.\r\n@ NS ns1\r\n SOA ns1 host\\.a 4294967295 1 2 3 4\r\n");
}

static void what_cannot_be_told_is_refused(void **state)
{
	static const char text[] = "@ 60 IN SOA \\# 24 036e7331 00 0161 00 00000007 00000001 00000002 00000003 00000004\n";
	static const char plain[] = "@ 60 IN SOA ns1 host 7 1 2 3 4\n";
	struct zone *zone = parse(plain), *changed;
	struct buf out = { 0 };
	struct err err;

	(void)state;
	/* The generic form of RFC 3597 has no serial that could be exchanged. */
	assert_int_equal(zone_text_set_serial(zone, text, strlen(text), 9, &out, &changed, &err), ERR_INVALID);
	assert_int_equal(out.size, 0);
	assert_int_equal(zone_text_set_serial(zone, "", 0, 9, &out, &changed, &err), ERR_INVALID);
	zone_unref(zone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_serial_alone_changes),
		cmocka_unit_test(what_cannot_be_told_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
