/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test_conf_util.h"

#include "conf/value.h"

static void numbers_are_read_strictly(void **state)
{
	static const struct {
		const char *text;
		bool good;
		int64_t number;
	} table[] = {
		{ "0", true, 0 },
		{ "1", true, 1 },
		{ "65535", true, 65535 },
		{ "9223372036854775807", true, INT64_MAX },
		{ "9223372036854775808", false, 0 },
		{ "99999999999999999999", false, 0 },
		{ "", false, 0 },
		{ "10m", false, 0 },
		{ "m10", false, 0 },
		{ "010", false, 0 },
		{ "00", false, 0 },
		{ "0x10", false, 0 },
		{ "0o17", false, 0 },
		{ "0b1", false, 0 },
		{ "-1", false, 0 },
		{ "-0", false, 0 },
		{ "+1", false, 0 },
		{ "1.0", false, 0 },
		{ "1e3", false, 0 },
		{ "1_000", false, 0 },
		{ "1,000", false, 0 },
		{ " 1", false, 0 },
		{ "1 ", false, 0 },
		{ "1\n", false, 0 },
		{ "1:30", false, 0 },
		{ "\xd9\xa1", false, 0 },
		{ "nan", false, 0 },
		{ "true", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		int64_t number = -1;

		if (value_number(table[i].text, &number) != table[i].good)
			fail_msg("\"%s\"", table[i].text);
		if (table[i].good)
			assert_int_equal(number, table[i].number);
	}
}

/* The same through a file: each is refused with line and key, whatever the range. */
static void numbers_in_files_are_read_strictly(void **state)
{
	static const char *const bad[] = { "10m", "010", "0x10", "-1", "99999999999", "1.5", "1e3", "+1", "1_0", "0b1",
		"0o7", "1:30", "''", "~", ".inf", "true", "'1 '", "65536", "0", "18446744073709551617" };
	struct folder *folder = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char *text = xasprintf("%s      port: %s\n", GOOD, bad[i]);

		assert_refused_at(folder, folder_load(folder, text, NULL), 9, "dns.backends.dc1.port: \"");
		assert_contains(folder->err.text, "is not a whole number from 1 to 65535");
		free(text);
	}
}

static void ranges_are_exact(void **state)
{
	static const struct {
		const char *key;
		const char *low, *high, *below, *above;
	} table[] = {
		{ "port", "1", "65535", "0", "65536" },
		{ "connections", "1", "64", "0", "65" },
		{ "query_timeout_ms", "1", "86400000", "0", "86400001" },
	};
	struct folder *folder = *state;

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const char *const values[] = { table[i].low, table[i].high, table[i].below, table[i].above };

		for (size_t j = 0; j < ARRAY_SIZE(values); j++) {
			char *text = xasprintf("%s      %s: %s\n", GOOD, table[i].key, values[j]);

			assert_int_equal(folder_load(folder, text, NULL), j < 2 ? 0 : ERR_INVALID);
			free(text);
		}
	}
}

static void booleans_have_eight_spellings(void **state)
{
	static const char *const bad[] = { "", "2", "tru", "y", "n", "enabled", "01", " true" };
	static const char *const good[] = { "true", "YES", "On", "1" };
	static const char *const wrong[] = { "false", "No", "OFF", "0" };
	bool flag;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_true(value_bool(good[i], &flag));
		assert_true(flag);
		assert_true(value_bool(wrong[i], &flag));
		assert_false(flag);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(value_bool(bad[i], &flag));
}

static void levels_have_the_predecessor_s_names(void **state)
{
	static const struct {
		const char *name;
		enum log_level level;
	} table[] = {
		{ "TRACE", LOG_LEVEL_DEBUG }, { "debug", LOG_LEVEL_DEBUG }, { "INFO", LOG_LEVEL_INFO },
		{ "SUCCESS", LOG_LEVEL_INFO }, { "Warning", LOG_LEVEL_WARN }, { "error", LOG_LEVEL_ERROR },
		{ "CRITICAL", LOG_LEVEL_ERROR },
	};
	enum log_level level;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		assert_true(value_level(table[i].name, &level));
		assert_int_equal(level, table[i].level);
		assert_true(value_level(value_level_name(level), &level));
		assert_int_equal(level, table[i].level);
	}
	assert_false(value_level("", &level));
	assert_false(value_level("verbose", &level));
}

static void text_is_clean_utf8(void **state)
{
	static const char *const good[] = { "", "plain", "quote\" back\\slash", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x90\x9f" };
	static const char *const control[] = { "\n", "a\tb", "\x7f", "\xc2\x85", "\xe2\x80\xa8", "\xef\xbb\xbf", "\xef\xbf\xbf" };
	static const char *const broken[] = { "\x80", "\xff", "\xc3", "\xc3(", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80",
		"\xf4\x90\x80\x80", "\xf0\x9f\x90", "\xf8\x88\x80\x80\x80" };
	char *huge = xmalloc(VALUE_MAX_SIZE + 2);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_null(value_text_fault(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(control); i++)
		assert_string_equal(value_text_fault(control[i]), "contains a control character");
	for (size_t i = 0; i < ARRAY_SIZE(broken); i++)
		assert_string_equal(value_text_fault(broken[i]), "is not UTF-8");
	memset(huge, 'x', VALUE_MAX_SIZE + 1);
	huge[VALUE_MAX_SIZE + 1] = '\0';
	assert_string_equal(value_text_fault(huge), "is longer than 4096 bytes");
	huge[VALUE_MAX_SIZE] = '\0';
	assert_null(value_text_fault(huge));
	huge[VALUE_MAX_SIZE] = 'x';
	assert_null(value_list_fault(huge));
	free(huge);
	assert_string_equal(value_list_fault("10.0.0.1,\xff"), "is not UTF-8");
}

static void shapes_are_told_apart(void **state)
{
	char longest[128];

	(void)state;
	memset(longest, 'a', sizeof(longest));
	longest[64] = '\0';
	assert_true(value_is_table(longest));
	assert_true(value_is_name(longest));
	longest[64] = 'a';
	longest[65] = '\0';
	assert_false(value_is_table(longest));
	assert_false(value_is_name(longest));
	assert_true(value_is_table("zonefan_State9"));
	assert_false(value_is_table(""));
	assert_false(value_is_table("a-b"));
	assert_false(value_is_table("a`b"));
	assert_true(value_is_name("dc-1.west_2"));
	assert_false(value_is_name("dc/1"));
	assert_true(value_is_address("127.0.0.1"));
	assert_true(value_is_address("::"));
	assert_true(value_is_address(""));
	assert_false(value_is_address("127.1"));
	assert_false(value_is_address("localhost"));
	assert_true(value_is_host("db-1.example.net"));
	assert_true(value_is_host("fe80::1%eth0"));
	assert_false(value_is_host("db 1"));
	assert_true(value_is_server("192.0.2.1:53"));
	assert_true(value_is_server("ns1.example.net:5353"));
	assert_true(value_is_server("[2001:db8::1]:53"));
	assert_false(value_is_server("192.0.2.1"));
	assert_false(value_is_server("2001:db8::1:53"));
	assert_false(value_is_server("[192.0.2.1]:53"));
	assert_false(value_is_server("[]:53"));
	assert_false(value_is_server(":53"));
	assert_false(value_is_server("ns1:0"));
	assert_false(value_is_server("ns1:65536"));
	assert_true(value_is_domain("canary.example.net"));
	assert_true(value_is_domain(""));
	assert_false(value_is_domain("canary"));
	assert_false(value_is_domain("canary."));
	assert_false(value_is_domain("a..b"));
	assert_true(value_is_login("da"));
	assert_false(value_is_login(""));
	assert_false(value_is_login("d:a"));
	assert_true(value_is_zone_name("America/Argentina/Buenos_Aires"));
	assert_true(value_is_zone_name("Etc/GMT+5"));
	assert_false(value_is_zone_name("/etc/passwd"));
	assert_false(value_is_zone_name("../x"));
	memset(longest, 'a', sizeof(longest));
	longest[107] = '\0';
	assert_true(value_is_socket_path(longest));
	longest[107] = 'a';
	longest[108] = '\0';
	assert_false(value_is_socket_path(longest));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(numbers_are_read_strictly),
		TEST(numbers_in_files_are_read_strictly),
		TEST(ranges_are_exact),
		TEST(booleans_have_eight_spellings),
		TEST(levels_have_the_predecessor_s_names),
		TEST(text_is_clean_utf8),
		TEST(shapes_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
