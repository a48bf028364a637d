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
#include "base/strmap.h"

enum { KEYS = 900, KEY_MAX = 700 };

/* Key number i: any byte, the NUL among them; most are as long as names are, some much longer. */
static size_t make_key(int i, unsigned char out[KEY_MAX])
{
	struct rng rng = { .state = (uint64_t)i + 1 };
	size_t size = (size_t)rng_between(&rng, 3, i % 10 == 0 ? KEY_MAX : 40);

	out[0] = (unsigned char)(i & 0xff);
	out[1] = (unsigned char)(i >> 8);
	for (size_t k = 2; k < size; k++)
		out[k] = (unsigned char)rng_between(&rng, 0, 255);
	return size;
}

static void test_empty(void **state UNUSED)
{
	struct strmap map = { 0 };

	assert_int_equal(strmap_find(&map, "a", 1), 0);
	uint32_t entry = strmap_add(&map, "", 0, 7);
	assert_int_equal(strmap_find(&map, "", 0), entry);
	assert_int_equal(strmap_find(&map, "a", 1), 0);
	assert_int_equal(strmap_get(&map, entry), 7);
	strmap_remove(&map, entry);
	assert_int_equal(strmap_find(&map, "", 0), 0);
	assert_int_equal(strmap_memory(&map), 0);
	strmap_free(&map);
}

static void expect_all(const struct strmap *map, const int64_t held[KEYS], const uint32_t entries[KEYS])
{
	unsigned char key[KEY_MAX];
	uint32_t count = 0;

	for (int i = 0; i < KEYS; i++) {
		size_t size = make_key(i, key);
		uint32_t entry = strmap_find(map, key, size);

		if (held[i] < 0) {
			assert_int_equal(entry, 0);
			continue;
		}
		count++;
		assert_int_equal(entry, entries[i]);
		assert_memory_equal(strmap_key(map, entry), key, size);
		assert_int_equal(strmap_get(map, entry), held[i]);
	}
	assert_int_equal(map->count, count);
}

/* Against a plain array, with few enough keys that everything happens often. */
static void test_random(void **state UNUSED)
{
	int64_t held[KEYS];
	uint32_t entries[KEYS] = { 0 };
	unsigned char key[KEY_MAX];
	struct strmap map = { 0 };
	struct rng rng = { .state = 11 };

	memset(held, -1, sizeof(held));
	for (int round = 0; round < 60000; round++) {
		int i = (int)rng_between(&rng, 0, KEYS - 1);
		/* Grows and shrinks by turns. */
		bool add = rng_between(&rng, 0, 9) < (round / 10000 % 2 == 0 ? 8 : 2);
		size_t size = make_key(i, key);

		assert_int_equal(strmap_find(&map, key, size), held[i] < 0 ? 0 : entries[i]);
		if (add && held[i] < 0) {
			held[i] = rng_between(&rng, 0, UINT32_MAX);
			entries[i] = strmap_add(&map, key, size, (uint32_t)held[i]);
		} else if (add) {
			held[i] = rng_between(&rng, 0, UINT32_MAX);
			*strmap_value(&map, entries[i]) = (uint32_t)held[i];
		} else if (held[i] >= 0) {
			held[i] = -1;
			strmap_remove(&map, entries[i]);
		}
		if (round % 1000 == 0)
			expect_all(&map, held, entries);
	}
	expect_all(&map, held, entries);
	strmap_free(&map);
}

/* Removed entries are used again: what comes and goes takes no more room than what is there at once. */
static void test_reuse(void **state UNUSED)
{
	unsigned char key[KEY_MAX];
	struct strmap map = { 0 };
	size_t size = make_key(0, key);
	uint32_t used;

	/* One stays, so that the map is never given up as empty. */
	strmap_add(&map, key, size, 1);
	for (int i = 1; i < KEYS; i++) {
		size = make_key(i, key);
		strmap_add(&map, key, size, 1);
	}
	used = map.used;
	for (int round = 0; round < 20; round++) {
		for (int i = 1; i < KEYS; i++) {
			size = make_key(i, key);
			strmap_remove(&map, strmap_find(&map, key, size));
		}
		assert_int_equal(map.count, 1);
		for (int i = KEYS - 1; i > 0; i--) {
			size = make_key(i, key);
			strmap_add(&map, key, size, 1);
		}
		assert_int_equal(map.used, used);
	}
	strmap_free(&map);
}

static void test_size(void **state UNUSED)
{
	enum { NAMES = 100000, NAME_SIZE = 20 };
	struct strmap map = { 0 };
	char name[NAME_SIZE + 1];

	for (int i = 0; i < NAMES; i++) {
		snprintf(name, sizeof(name), "a-zone-%05d.example", i);
		strmap_add(&map, name, NAME_SIZE, 1);
	}
	/* 28 for the entry, 4 for a slot at 3/8 to 3/4; room grows by a quarter. */
	assert_true(strmap_memory(&map) < (28 + 11) * NAMES * 5 / 4);
	strmap_free(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_reuse),
		cmocka_unit_test(test_size),
	};

	return cmocka_run_group_tests_name("base_strmap", tests, NULL, NULL);
}
