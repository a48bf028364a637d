/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/forwarded.h"

/* Trusted: 10.0.0.0/8 and 2001:db8::/32. NULL: nobody is named. */
static void test_who_is_named(void **state UNUSED)
{
	static const char *const words[] = { "10.0.0.0/8", "2001:db8::/32" };
	static const struct {
		const char *header, *client;
	} cases[] = {
		{ "203.0.113.7", "203.0.113.7" },
		{ " 203.0.113.7\t", "203.0.113.7" },
		{ "203.0.113.7:4711", "203.0.113.7" },
		{ "2001:dead::1", "2001:dead::1" },
		{ "[2001:dead::1]", "2001:dead::1" },
		{ "[2001:dead::1]:4711", "2001:dead::1" },
		{ "::ffff:203.0.113.7", "203.0.113.7" },
		/* What the client wrote itself stands to the left. */
		{ "198.51.100.1, 203.0.113.7", "203.0.113.7" },
		{ "198.51.100.1,203.0.113.7,10.1.1.1", "203.0.113.7" },
		{ "198.51.100.1, 203.0.113.7, 10.1.1.1, 2001:db8::5", "203.0.113.7" },
		{ "10.9.9.9, 203.0.113.7, 10.1.1.1", "203.0.113.7" },
		{ "10.2.2.2, 10.1.1.1", "10.2.2.2" },
		/* What is none ends it: the proxy that wrote it knows no better. */
		{ "203.0.113.7, unknown", NULL },
		{ "203.0.113.7, unknown, 10.1.1.1", "10.1.1.1" },
		{ "203.0.113.7, ", NULL },
		{ ",", NULL },
		{ "", NULL },
		{ "203.0.113.7 198.51.100.1", NULL },
		{ "203.0.113.7:", NULL },
		{ "203.0.113.7:80a", NULL },
		{ "[203.0.113.7]", NULL },
		{ "[2001:dead::1", NULL },
		{ "[2001:dead::1]80", NULL },
		{ "\"203.0.113.7\"", NULL },
		{ "203.0.113.7/32", NULL },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, 203.0.113.7", "203.0.113.7" },
		{ "203.0.113.7, aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL },
	};
	uint8_t client[CIDR_ADDRESS_SIZE], wanted[CIDR_ADDRESS_SIZE];
	struct cidr_list trusted;
	struct err err;

	assert_int_equal(cidr_list_parse(words, ARRAY_SIZE(words), &trusted, &err), ERR_OK);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool found = forwarded_client(cases[i].header, &trusted, client);

		if (found != (cases[i].client != NULL))
			fail_msg("\"%s\": somebody is %snamed", cases[i].header, found ? "" : "not ");
		if (!found)
			continue;
		assert_true(cidr_parse_address(cases[i].client, wanted));
		if (memcmp(client, wanted, sizeof(client)) != 0)
			fail_msg("\"%s\" does not name %s", cases[i].header, cases[i].client);
	}
	cidr_list_free(&trusted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
