/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "http/auth.h"

#define GOOD "Basic ZG5zOnNlY3JldDp4" /* dns:secret:x, a colon may be in the password */
#define WRONG_PASSWORD "Basic ZG5zOnNlY3JldDp5"

static const uint8_t home[AUTH_ADDRESS_SIZE] = { 127, 0, 0, 1 };
static const uint8_t away[AUTH_ADDRESS_SIZE] = { 10, 0, 0, 1 };

static const struct auth_login dns = { "dns", "secret:x", AUTH_ALL, NULL };
static const struct auth_login *login;

static void test_verdicts(void **state UNUSED)
{
	static const struct {
		const char *header;
		enum auth_verdict verdict;
	} cases[] = {
		{ NULL, AUTH_ABSENT },
		{ GOOD, AUTH_GOOD },
		{ "basic   ZG5zOnNlY3JldDp4", AUTH_GOOD },
		{ WRONG_PASSWORD, AUTH_WRONG },
		{ "Basic ZG50OnNlY3JldDp4", AUTH_WRONG },       /* dnt:secret:x */
		{ "Basic ZG5z", AUTH_WRONG },                   /* dns, no colon */
		{ "Basic ZG5zOg==", AUTH_WRONG },               /* empty password */
		{ "Basic Og==", AUTH_WRONG },
		{ "Basic ", AUTH_WRONG },
		{ "Basic ZG5zOnNlY3JldDp4=", AUTH_GOOD },       /* padding is not needed, nor looked at closely */
		{ "Basic ZG5zOnNlY3JldDp4===", AUTH_WRONG },
		{ "Basic ZG5zOnNlY3JldDp4!", AUTH_WRONG },
		{ "Basic ZG5zOnNlY3JldDp4A", AUTH_WRONG },
		{ "Bearer ZG5zOnNlY3JldDp4", AUTH_WRONG },
		{ "Basic ZG5zOnNlY3JldDp4AA==", AUTH_WRONG },   /* with a NUL behind */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct auth *auth = auth_create(&dns, 1);

		if (auth_check(auth, cases[i].header, home, 1000, &login) != cases[i].verdict)
			fail_msg("case %zu", i);
		auth_destroy(auth);
	}
}

static void test_bucket_of_an_address(void **state UNUSED)
{
	struct auth *auth = auth_create(&dns, 1);
	int64_t now = 1000;

	for (int i = 0; i < AUTH_ADDRESS_BURST; i++)
		assert_int_equal(auth_check(auth, WRONG_PASSWORD, home, now, &login), AUTH_WRONG);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(auth_check(auth, WRONG_PASSWORD, home, now, &login), AUTH_LIMITED);
		/* Never refused, never charged, and others are not touched. */
		assert_int_equal(auth_check(auth, GOOD, home, now, &login), AUTH_GOOD);
		assert_int_equal(auth_check(auth, NULL, home, now, &login), AUTH_ABSENT);
	}
	assert_int_equal(auth_check(auth, WRONG_PASSWORD, away, now, &login), AUTH_WRONG);
	now += 60000 / AUTH_ADDRESS_PER_MINUTE;
	assert_int_equal(auth_check(auth, WRONG_PASSWORD, home, now, &login), AUTH_WRONG);
	assert_int_equal(auth_check(auth, WRONG_PASSWORD, home, now, &login), AUTH_LIMITED);
	/* A long silence gives the burst back, not more. */
	now += INT64_C(86400000) * 365;
	for (int i = 0; i < AUTH_ADDRESS_BURST; i++)
		assert_int_equal(auth_check(auth, WRONG_PASSWORD, home, now, &login), AUTH_WRONG);
	assert_int_equal(auth_check(auth, WRONG_PASSWORD, home, now, &login), AUTH_LIMITED);
	auth_destroy(auth);
}

static void test_bucket_of_all(void **state UNUSED)
{
	struct auth *auth = auth_create(&dns, 1);
	uint8_t address[AUTH_ADDRESS_SIZE] = { 0 };
	int wrong = 0;

	for (int i = 0; i < 3000; i++) {
		address[0] = (uint8_t)i;
		address[1] = (uint8_t)(i >> 8);
		wrong += auth_check(auth, WRONG_PASSWORD, address, 1000, &login) == AUTH_WRONG;
	}
	assert_int_equal(wrong, AUTH_GLOBAL_BURST);
	assert_int_equal(auth_check(auth, GOOD, home, 1000, &login), AUTH_GOOD);
	auth_destroy(auth);
}

static void test_who_it_is(void **state UNUSED)
{
	static const struct auth_login logins[] = {
		{ "dns", "secret:x", AUTH_ALL, NULL },
		{ "da1", "secret:x", AUTH_MASTER, "da1.example,da2.example" }, /* one password, two logins */
		{ "ops", "other", AUTH_OPERATOR, NULL },
	};
	static const struct {
		const char *header;
		int login;
	} cases[] = {
		{ GOOD, 0 },
		{ "Basic ZGExOnNlY3JldDp4", 1 },
		{ "Basic b3BzOm90aGVy", 2 },
		{ "Basic b3BzOnNlY3JldDp4", -1 }, /* ops with the password of another */
		{ "Basic bm9ib2R5Om90aGVy", -1 }, /* nobody:other */
	};
	struct auth *auth = auth_create(logins, ARRAY_SIZE(logins));

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		enum auth_verdict verdict = auth_check(auth, cases[i].header, home, 1000, &login);

		assert_int_equal(verdict, cases[i].login < 0 ? AUTH_WRONG : AUTH_GOOD);
		if (cases[i].login < 0)
			continue;
		assert_string_equal(login->name, logins[cases[i].login].name);
		assert_int_equal(login->role, logins[cases[i].login].role);
		assert_null(login->password);
	}
	assert_int_equal(auth_check(auth, "Basic ZGExOnNlY3JldDp4", home, 1000, &login), AUTH_GOOD);
	assert_string_equal(login->identities, "da1.example,da2.example");
	auth_destroy(auth);
}

static void test_who_may_what(void **state UNUSED)
{
	static const bool may[][4] = { /* PUSH, LOOK, CHANGE, EXCHANGE */
		[AUTH_ALL] = { true, true, true, true },
		[AUTH_MASTER] = { true, false, false, false },
		[AUTH_OPERATOR] = { false, true, true, true },
		[AUTH_READER] = { false, true, false, false },
		[AUTH_PEER] = { false, false, false, true },
	};

	for (size_t role = 0; role < ARRAY_SIZE(may); role++) {
		for (size_t act = 0; act < 4; act++)
			assert_int_equal(auth_may((enum auth_role)role, (enum auth_act)act), may[role][act]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_who_it_is),
		cmocka_unit_test(test_who_may_what),
		cmocka_unit_test(test_bucket_of_an_address),
		cmocka_unit_test(test_bucket_of_all),
	};

	return cmocka_run_group_tests_name("http_auth", tests, NULL, NULL);
}
