/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cidr.h"

static void test_shapes(void **state UNUSED)
{
	static const struct {
		const char *text;
		bool good;
	} cases[] = {
		{ "192.0.2.7", true },          { "192.0.2.0/24", true },     { "0.0.0.0/0", true },
		{ "192.0.2.7/32", true },       { "2001:db8::1", true },      { "2001:db8::/32", true },
		{ "::/0", true },               { "::1/128", true },          { "::ffff:192.0.2.0/120", true },
		{ "", false },                  { "/8", false },              { "localhost", false },
		{ "192.0.2", false },           { "192.0.2.256", false },     { "192.0.2.7/33", false },
		{ "192.0.2.7/24", false },      { "192.0.2.0/", false },      { "192.0.2.0/024", false },
		{ "192.0.2.0/+24", false },     { "192.0.2.0/24/24", false }, { "192.0.2.0 /24", false },
		{ " 192.0.2.7", false },        { "2001:db8::1/32", false },  { "2001:db8::/129", false },
		{ "2001:db8::/-1", false },     { "[2001:db8::1]", false },   { "fe80::1%lo", false },
		{ "192.0.2.0/4294967320", false }, { "10.0.0.1/8", false },
	};
	struct cidr cidr;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (cidr_parse(cases[i].text, &cidr) != cases[i].good)
			fail_msg("\"%s\" should be %s", cases[i].text, cases[i].good ? "good" : "bad");
	}
}

static void test_contains(void **state UNUSED)
{
	static const struct {
		const char *network, *address;
		bool inside;
	} cases[] = {
		{ "192.0.2.0/24", "192.0.2.0", true },
		{ "192.0.2.0/24", "192.0.2.255", true },
		{ "192.0.2.0/24", "192.0.3.0", false },
		{ "192.0.2.128/25", "192.0.2.127", false },
		{ "192.0.2.128/25", "192.0.2.128", true },
		{ "192.0.2.7", "192.0.2.7", true },
		{ "192.0.2.7", "192.0.2.6", false },
		{ "192.0.2.6/31", "192.0.2.7", true },
		{ "192.0.2.0/24", "::ffff:192.0.2.9", true }, /* the same client by an IPv6 socket */
		{ "::ffff:192.0.2.0/120", "192.0.2.9", true },
		{ "0.0.0.0/0", "203.0.113.1", true },
		{ "0.0.0.0/0", "2001:db8::1", false },
		{ "::/0", "2001:db8::1", true },
		{ "::/0", "203.0.113.1", false },
		{ "2001:db8::/32", "2001:db8:ffff::1", true },
		{ "2001:db8::/32", "2001:db9::1", false },
		{ "2001:db8:0:8000::/49", "2001:db8:0:7fff::1", false },
		{ "2001:db8:0:8000::/49", "2001:db8:0:ffff::1", true },
		{ "::1", "::1", true },
		{ "::1", "127.0.0.1", false },
	};
	uint8_t address[CIDR_ADDRESS_SIZE];
	struct cidr cidr;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_true(cidr_parse(cases[i].network, &cidr));
		assert_true(cidr_parse_address(cases[i].address, address));
		if (cidr_contains(&cidr, address) != cases[i].inside)
			fail_msg("%s in %s should be %d", cases[i].address, cases[i].network, cases[i].inside);
	}
}

static void test_list(void **state UNUSED)
{
	static const char *const words[] = { "192.0.2.0/24", "2001:db8::/32", "ten" };
	uint8_t address[CIDR_ADDRESS_SIZE];
	struct cidr_list list;
	struct err err;

	assert_int_equal(cidr_list_parse(words, 3, &list, &err), ERR_INVALID);
	assert_string_equal(err.text, "\"ten\" is neither an address nor a network");
	assert_int_equal(cidr_list_parse(words, 2, &list, &err), ERR_OK);
	assert_true(cidr_parse_address("2001:db8::5", address));
	assert_true(cidr_list_contains(&list, address));
	assert_true(cidr_parse_address("192.0.3.1", address));
	assert_false(cidr_list_contains(&list, address));
	cidr_list_free(&list);
	assert_int_equal(cidr_list_parse(words, 0, &list, &err), ERR_OK);
	assert_false(cidr_list_contains(&list, address));
	cidr_list_free(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_contains),
		cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
