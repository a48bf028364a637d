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

static const char *hostname_of(const struct names *names, const char *name)
{
	struct names_owner owner = { 0 };

	return names_find(names, name, &owner) ? owner.hostname : NULL;
}

static const char *username_of(const struct names *names, const char *name)
{
	struct names_owner owner = { 0 };

	return names_find(names, name, &owner) ? owner.username : NULL;
}

static const char *parents_user(const struct names *names, const char *name)
{
	struct names_owner owner = { 0 };

	return names_find_parent(names, name, &owner) ? owner.username : NULL;
}

static void test_spelling(void **state UNUSED)
{
	struct names *names = names_create();

	names_set(names, "shop.example.", "da1", "fred");
	assert_string_equal(hostname_of(names, "SHOP.example."), "da1");
	assert_string_equal(username_of(names, "shop.example"), "fred");
	assert_null(hostname_of(names, "shop.example.."));
	assert_null(hostname_of(names, "hop.example"));
	assert_null(hostname_of(names, ""));
	assert_null(hostname_of(names, "."));
	names_set(names, "shop.example", NULL, NULL);
	assert_int_equal(names_count(names), 1);
	assert_string_equal(hostname_of(names, "shop.example"), "");
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
	assert_string_equal(parents_user(names, "a.b.c.shop.example."), "fred");
	assert_string_equal(parents_user(names, "a.SHOP.example"), "fred");
	assert_null(parents_user(names, "shop.example")); /* not a proper parent */
	assert_null(parents_user(names, "x.com"));        /* a bare label is never asked for */
	assert_null(parents_user(names, "xshop.example"));
	assert_null(parents_user(names, "com"));
	assert_null(parents_user(names, "..."));
	names_set(names, "b.shop.example", "da2", "eve");
	assert_string_equal(parents_user(names, "a.b.shop.example"), "eve"); /* the nearest */
	names_destroy(names);
}

static void test_odd_names(void **state UNUSED)
{
	struct names *names = names_create();
	char name[2000];

	names_set(names, "shop.example.", "da1", "fred");
	memset(name, 'a', sizeof(name));
	memcpy(name + sizeof(name) - 14, ".shop.example", 14);
	assert_null(hostname_of(names, name));
	assert_null(parents_user(names, name));
	assert_null(hostname_of(names, "'; DROP TABLE zones; --"));
	assert_null(hostname_of(names, "\xff\x01/../.."));
	names_destroy(names);
}

struct model {
	int host; /* -1: not held */
	int user;
};

static void expect_owner(const struct names *names, const char *name, const struct model *model)
{
	struct names_owner owner;
	char hostname[32], username[32];

	assert_int_equal(names_find(names, name, &owner), model->host >= 0);
	if (model->host < 0)
		return;
	snprintf(hostname, sizeof(hostname), "da%d.example", model->host);
	snprintf(username, sizeof(username), "%.*s", model->user, "abcdefghijklmnop");
	assert_string_equal(owner.hostname, hostname);
	assert_string_equal(owner.username, username);
}

/* Against a plain array, with few enough names that everything happens often. */
static void test_random(void **state UNUSED)
{
	enum { NAMES = 700, HOSTS = 5, USERS = 16 };
	struct model held[NAMES];
	struct names *names = names_create();
	struct rng rng = { .state = 5 };
	size_t count = 0;

	memset(held, -1, sizeof(held));
	for (int round = 0; round < 60000; round++) {
		int i = (int)rng_between(&rng, 0, NAMES - 1);
		/* Grows in the first half, shrinks in the second. */
		bool set = rng_between(&rng, 0, 9) < (round < 30000 ? 6 : 3);
		char name[64], host[32], user[32];

		snprintf(name, sizeof(name), "%.*sn%d.zone.example", i % 20, "abcdefghijklmnopqrst", i * 7919);
		expect_owner(names, name, &held[i]);
		count -= held[i].host >= 0;
		if (set) {
			held[i].host = (int)rng_between(&rng, 0, HOSTS - 1);
			held[i].user = (int)rng_between(&rng, 0, USERS - 1);
			snprintf(host, sizeof(host), "da%d.example", held[i].host);
			snprintf(user, sizeof(user), "%.*s", held[i].user, "abcdefghijklmnop");
			names_set(names, name, host, user);
			count++;
		} else {
			held[i].host = -1;
			names_remove(names, name);
		}
		expect_owner(names, name, &held[i]);
		assert_int_equal(names_count(names), count);
	}
	names_destroy(names);
}

/* Owners go with their last name: else every change of them would stay for good. */
static void test_owners_go(void **state UNUSED)
{
	struct names *names = names_create();
	char user[32], host[32];
	size_t most = 0;

	names_set(names, "stays.example", "da0", "root");
	for (int i = 0; i < 20000; i++) {
		snprintf(user, sizeof(user), "user%05d", i);
		snprintf(host, sizeof(host), "da%05d.example", i);
		names_set(names, "shop.example", host, user);
		assert_string_equal(hostname_of(names, "shop.example"), host);
		if (i == 100)
			most = names_memory(names);
	}
	assert_int_equal(names_memory(names), most);
	assert_string_equal(username_of(names, "stays.example"), "root");
	names_destroy(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spelling),
		cmocka_unit_test(test_parents),
		cmocka_unit_test(test_odd_names),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_owners_go),
	};

	return cmocka_run_group_tests_name("http_names", tests, NULL, NULL);
}
