/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which RRset tells one content of a zone from another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/changed.h"

#define HEAD "$TTL 300\n@ IN SOA ns1.example.net. root.example.net. 5 3600 600 86400 300\n@ IN NS ns1.example.net.\n"

static struct zone *parse(const char *records)
{
	char *text = xasprintf("%s%s", HEAD, records);
	struct zone *zone;
	struct err err;

	if (zone_parse("example.com.", text, strlen(text), 0, &zone, &err) != ERR_OK)
		fail_msg("%s: %s", records, err.text);
	free(text);
	return zone;
}

/* before NULL: there was nothing. expected: "owner type count", or "" for none. */
static void picks(const char *before, const char *after, const char *expected)
{
	struct zone *had = before == NULL ? NULL : parse(before), *has = parse(after);
	struct changed changed;
	char text[64] = "";

	if (changed_pick(had, has, &changed))
		snprintf(text, sizeof(text), "%s %s %zu", changed.owner, changed.type, changed.count);
	assert_string_equal(text, expected);
	zone_unref(had);
	zone_unref(has);
}

static void what_is_new_or_other(void **state UNUSED)
{
	picks(NULL, "www A 192.0.2.1\n", "www A 1");
	picks("www A 192.0.2.1\n", "www A 192.0.2.1\n", "");
	picks("www A 192.0.2.1\n", "www A 192.0.2.2\n", "www A 1");
	picks("www A 192.0.2.1\n", "www A 192.0.2.1\nwww A 192.0.2.2\n", "www A 2");
	picks("a A 192.0.2.1\nz A 192.0.2.1\n", "a A 192.0.2.1\nz A 192.0.2.9\n", "z A 1");
	picks("@ A 192.0.2.1\n", "@ A 192.0.2.1\n@ MX 10 mail.example.net.\n", "@ MX 1");
	/* A TTL alone can't be told from a cache's. */
	picks("www 60 A 192.0.2.1\n", "www 90 A 192.0.2.1\n", "");
	picks("www CNAME web.example.net.\n", "www A 192.0.2.1\n", "www A 1");
}

static void what_is_gone(void **state UNUSED)
{
	picks("www A 192.0.2.1\nftp A 192.0.2.1\n", "www A 192.0.2.1\n", "ftp A 0");
	picks("www A 192.0.2.1\n", "", "www A 0");
	/* A wildcard may stand in for it. */
	picks("www A 192.0.2.1\n* A 192.0.2.7\n", "* A 192.0.2.7\n", "");
}

static void what_is_not_answered_as_it_stands(void **state UNUSED)
{
	picks(NULL, "", "");
	picks(NULL, "sub NS ns.sub\nns.sub A 192.0.2.1\n", "");
	picks("sub NS ns.sub\nns.sub A 192.0.2.1\n", "sub NS ns.sub\nns.sub A 192.0.2.2\nwww A 192.0.2.2\n", "www A 1");
	picks(NULL, "xsub A 192.0.2.1\nsub NS ns.example.net.\n", "xsub A 1");
	picks(NULL, "@ DNAME example.net.\n", "@ DNAME 1");
	picks("@ DNAME example.net.\n", "@ DNAME example.net.\nwww A 192.0.2.1\n", "");
	picks(NULL, "www RRSIG A 8 3 300 20300101000000 20200101000000 1 example.com. AAAA\n", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_new_or_other),
		cmocka_unit_test(what_is_gone),
		cmocka_unit_test(what_is_not_answered_as_it_stands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
