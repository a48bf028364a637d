/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test_zone_util.h"

static void assert_name(const char *text, const char *expected)
{
	char name[ZONE_NAME_SIZE];
	char plain[ZONE_NAME_SIZE];
	struct err err;

	if (zone_name_parse(text, strlen(text), name, &err) != 0)
		fail_msg("%s: %s", text, err.text);
	assert_string_equal(name, expected);
	zone_name_plain(name, plain);
	assert_int_equal(strlen(plain) + 1, strlen(expected));
	assert_memory_equal(plain, expected, strlen(plain));
}

static void assert_refused(const char *text, size_t length, const char *message)
{
	char name[ZONE_NAME_SIZE];
	struct err err;

	assert_int_equal(zone_name_parse(text, length, name, &err), ERR_INVALID);
	assert_int_equal(err.code, ERR_INVALID);
	assert_string_equal(err.text, message);
}

static void normalises(void **state)
{
	(void)state;
	assert_name("shop.example", "shop.example.");
	assert_name("SHOP.Example.", "shop.example.");
	assert_name("x", "x.");
	assert_name("0", "0.");
	assert_name("2.0.192.in-addr.arpa", "2.0.192.in-addr.arpa.");
	assert_name("8.b.d.0.1.0.0.2.ip6.arpa.", "8.b.d.0.1.0.0.2.ip6.arpa.");
	assert_name("_dmarc.under_score.example", "_dmarc.under_score.example.");
	assert_name("-a.b-.example", "-a.b-.example.");
	assert_name("XN--BCHER-KVA.example", "xn--bcher-kva.example.");
}

static void refuses(void **state)
{
	(void)state;
	assert_refused("", 0, "zone name: empty");
	assert_refused(".", 1, "zone name: empty");
	assert_refused("..", 2, "zone name: empty label at position 1");
	assert_refused("a..b", 4, "zone name: empty label at position 3");
	assert_refused("a.b..", 5, "zone name: empty label at position 5");
	assert_refused(".a", 2, "zone name: empty label at position 1");
	assert_refused("../../etc/passwd", 16, "zone name: empty label at position 1");
	assert_refused("a/b.example", 11, "zone name: '/' at position 2 is not allowed");
	assert_refused("a'b.example", 11, "zone name: ''' at position 2 is not allowed");
	assert_refused("a\"b.example", 11, "zone name: '\"' at position 2 is not allowed");
	assert_refused("a\\.b.example", 12, "zone name: '\\' at position 2 is not allowed");
	assert_refused("*.example", 9, "zone name: '*' at position 1 is not allowed");
	assert_refused("@", 1, "zone name: '@' at position 1 is not allowed");
	assert_refused("a b.example", 11, "zone name: byte 0x20 at position 2 is not allowed");
	assert_refused("a.example\n", 10, "zone name: byte 0x0a at position 10 is not allowed");
	assert_refused("a.exa\0mple", 10, "zone name: byte 0x00 at position 6 is not allowed");
	assert_refused("b\xc3\xbc" "cher.example", 15, "zone name: byte 0xc3 at position 2 is not allowed");
}

static void knows_its_limits(void **state)
{
	char text[301];
	char expected[sizeof(text) + 1];

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_refused(text, 300, "zone name: longer than 253 characters");
	assert_refused(text, 64, "zone name: label longer than 63 characters");
	text[63] = text[127] = text[191] = '.';
	assert_refused(text, 254, "zone name: longer than 253 characters");
	text[253] = '\0';
	snprintf(expected, sizeof(expected), "%s.", text);
	assert_name(text, expected);
	/* With its final dot it is as long as it may be. */
	text[253] = '.';
	text[254] = '\0';
	assert_name(text, expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(normalises),
		cmocka_unit_test(refuses),
		cmocka_unit_test(knows_its_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
