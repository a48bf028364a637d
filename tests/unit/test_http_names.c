/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/rng.h"
#include "http/names.h"

static void test_spelling(void **state UNUSED)
{
	struct names *names = names_create();

	names_set(names, "shop.example.", "da1", "fred");
	assert_string_equal(names_find(names, "SHOP.example.")->hostname, "da1");
	assert_string_equal(names_find(names, "shop.example")->username, "fred");
	assert_null(names_find(names, "shop.example.."));
	assert_null(names_find(names, "hop.example"));
	assert_null(names_find(names, ""));
	assert_null(names_find(names, "."));
	names_set(names, "shop.example", NULL, NULL);
	assert_int_equal(names_count(names), 1);
	assert_string_equal(names_find(names, "shop.example")->hostname, "");
	names_remove(names, "Shop.Example");
	names_remove(names, "never.there");
	assert_int_equal(names_count(names), 0);
	names_destroy(names);
}

static void test_parents(void **state UNUSED)
{
	struct names *names = names_create();

	names_set(names, "shop.example.", "da1", "fred");
	names_set(names, "com.", "da9", "root");
	assert_string_equal(names_find_parent(names, "a.b.c.shop.example.")->username, "fred");
	assert_string_equal(names_find_parent(names, "a.SHOP.example")->username, "fred");
	assert_null(names_find_parent(names, "shop.example")); /* not a proper parent */
	assert_null(names_find_parent(names, "x.com"));        /* a bare label is never asked for */
	assert_null(names_find_parent(names, "xshop.example"));
	assert_null(names_find_parent(names, "com"));
	assert_null(names_find_parent(names, "..."));
	names_set(names, "b.shop.example", "da2", "eve");
	assert_string_equal(names_find_parent(names, "a.b.shop.example")->username, "eve"); /* the nearest */
	names_destroy(names);
}

static void test_odd_names(void **state UNUSED)
{
	struct names *names = names_create();
	char name[2000];

	names_set(names, "shop.example.", "da1", "fred");
	memset(name, 'a', sizeof(name));
	memcpy(name + sizeof(name) - 14, ".shop.example", 14);
	assert_null(names_find(names, name));
	assert_null(names_find_parent(names, name));
	assert_null(names_find(names, "'; DROP TABLE zones; --"));
	assert_null(names_find(names, "\xff\x01/../.."));
	names_destroy(names);
}

/* Against a plain array, with few enough names that everything happens often. */
static void test_random(void **state UNUSED)
{
	enum { NAMES = 700, OWNERS = 9 };
	int held[NAMES];
	struct names *names = names_create();
	struct rng rng = { .state = 5 };
	size_t count = 0;

	memset(held, -1, sizeof(held));
	for (int round = 0; round < 60000; round++) {
		int i = (int)rng_between(&rng, 0, NAMES - 1);
		/* Grows in the first half, shrinks in the second. */
		bool set = rng_between(&rng, 0, 9) < (round < 30000 ? 6 : 3);
		char name[32], owner[16];
		const struct names_owner *found;

		snprintf(name, sizeof(name), "n%d.zone.example", i * 7919);
		found = names_find(names, name);
		assert_int_equal(found != NULL, held[i] >= 0);
		if (found != NULL)
			assert_int_equal(atoi(found->hostname + 2), held[i]);
		if (set) {
			count += held[i] < 0;
			held[i] = (int)rng_between(&rng, 0, OWNERS - 1);
			snprintf(owner, sizeof(owner), "da%d", held[i]);
			names_set(names, name, owner, "u");
		} else {
			count -= held[i] >= 0;
			held[i] = -1;
			names_remove(names, name);
		}
		assert_int_equal(names_count(names), count);
	}
	names_destroy(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spelling),
		cmocka_unit_test(test_parents),
		cmocka_unit_test(test_odd_names),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests_name("http_names", tests, NULL, NULL);
}
