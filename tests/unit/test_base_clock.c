/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Times as text: what clock_text writes is read back, a naive time is UTC, and what is no time is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

static void times_come_back(void **state)
{
	static const int64_t times[] = { 1000000, 951782400123456, 1772000000000001, 253402300799999999 };
	char text[CLOCK_TEXT_SIZE];
	int64_t again;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		assert_true(clock_parse(clock_text(times[i], text), &again));
		assert_int_equal(again, times[i]);
	}
}

static void a_naive_time_is_utc(void **state)
{
	static const struct { const char *text; int64_t us; } times[] = {
		{ "2026-02-21 10:11:12", 1771668672000000 },
		{ "2026-02-21 10:11:12.5", 1771668672500000 },
		{ "2026-02-21T10:11:12.000001Z", 1771668672000001 },
		{ "2026-02-21 10:11:12.1234567", 1771668672123456 },
		{ "2024-02-29 00:00:00", 1709164800000000 },
	};
	int64_t us;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		assert_true(clock_parse(times[i].text, &us));
		assert_int_equal(us, times[i].us);
	}
}

static void what_is_none_is_none(void **state)
{
	static const char *const none[] = { "", "2026", "2026-02-21", "2026-02-21 10:11", "2026-02-31 10:11:12",
		"2026-13-01 10:11:12", "2026-00-01 10:11:12", "2026-02-21 24:00:00", "2026-02-21 10:60:00",
		"2026-02-21 10:11:12.", "2026-02-21 10:11:12+01:00", "2026-02-21 10:11:12 ", " 2026-02-21 10:11:12",
		"2026-2-21 10:11:12", "1969-12-31 23:59:59", "now", "2026-02-21 10:11:12ZZ" };
	int64_t us = -1;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		if (clock_parse(none[i], &us))
			fail_msg("\"%s\" is no time", none[i]);
	}
	assert_int_equal(us, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_come_back),
		cmocka_unit_test(a_naive_time_is_utc),
		cmocka_unit_test(what_is_none_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
