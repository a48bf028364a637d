/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test_store_help.h"

static void test_put_and_find(void **state)
{
	struct fixture *fixture = *state;
	struct store_zone zone;

	int64_t first = put_sample(fixture->store, 1, 1, 0);
	int64_t second = put_sample(fixture->store, 2, UINT32_MAX, 0);
	assert_true(first > 0);
	assert_true(second > first);
	expect_sample(fixture->store, 1, 1);
	expect_sample(fixture->store, 2, UINT32_MAX);
	assert_int_equal(put_sample(fixture->store, 1, 2, first), first);
	expect_sample(fixture->store, 1, 2);
	OK(store_zone_get(fixture->store, second, &zone, err));
	assert_string_equal(zone.name, "z000002.test.");
	store_zone_clear(&zone);
	FAILS(ERR_NOTFOUND, store_zone_find(fixture->store, "z000003.test.", &zone, err));
	FAILS(ERR_NOTFOUND, store_zone_find(fixture->store, "Z000001.test.", &zone, err));
	FAILS(ERR_NOTFOUND, store_zone_get(fixture->store, 99, &zone, err));
}

static void test_extremes(void **state)
{
	struct fixture *fixture = *state;
	struct store_zone zone = sample_zone(1, UINT64_MAX / 2);
	struct store_zone back;
	char *hostname = xmalloc(5001);
	char text[] = "a\0b\xff\r\n";
	char *text_back;
	size_t size;

	memset(hostname, 'h', 5000);
	hostname[5000] = '\0';
	memset(zone.name, 'n', sizeof(zone.name) - 1);
	zone.hostname = hostname;
	zone.username = hostname + 5000;
	zone.digest = (struct zone_digest){ .count = 0, .high = UINT64_MAX, .low = UINT64_C(1) << 63 };
	zone.updated_at_us = INT64_MIN;
	OK(store_zone_put(fixture->store, &zone, text, sizeof(text), err));
	OK(store_zone_find(fixture->store, zone.name, &back, err));
	assert_int_equal(back.generation, UINT64_MAX / 2);
	assert_string_equal(back.hostname, hostname);
	assert_string_equal(back.username, "");
	assert_true(back.digest.high == UINT64_MAX && back.digest.low == UINT64_C(1) << 63);
	assert_true(back.updated_at_us == INT64_MIN);
	store_zone_clear(&back);
	OK(store_zone_text(fixture->store, zone.id, &text_back, &size, err));
	assert_int_equal(size, sizeof(text));
	assert_memory_equal(text_back, text, sizeof(text));
	free(text_back);
	free(hostname);
}

static void test_large_text(void **state)
{
	struct fixture *fixture = *state;
	struct store_zone zone = sample_zone(1, 1);
	size_t size = 16 << 20;
	char *text = xmalloc(size);
	char *back;
	size_t back_size;

	for (size_t i = 0; i < size; i++)
		text[i] = (char)(i * 7 / 3);
	OK(store_zone_put(fixture->store, &zone, text, size, err));
	OK(store_zone_text(fixture->store, zone.id, &back, &back_size, err));
	assert_int_equal(back_size, size);
	assert_memory_equal(back, text, size);
	free(back);
	free(text);
}

/* A delete keeps the last text, and its size stays right whatever the caller has there. */
static void test_tombstone_keeps_text(void **state)
{
	struct fixture *fixture = *state;
	struct store_zone zone = sample_zone(1, 2);
	struct store_zone back;
	size_t size;
	size_t expected_size;
	char *expected = sample_text(1, 1, &expected_size);
	char *text;
	uint64_t count;

	zone.id = put_sample(fixture->store, 1, 1, 0);
	zone.deleted = true;
	zone.text_size = 12345;
	OK(store_zone_put(fixture->store, &zone, NULL, 0, err));
	OK(store_zone_find(fixture->store, zone.name, &back, err));
	assert_true(back.deleted);
	assert_int_equal(back.generation, 2);
	assert_int_equal(back.text_size, expected_size);
	store_zone_clear(&back);
	OK(store_zone_text(fixture->store, zone.id, &text, &size, err));
	assert_int_equal(size, expected_size);
	assert_memory_equal(text, expected, size);
	OK(store_zone_count(fixture->store, &count, err));
	assert_int_equal(count, 0);
	put_sample(fixture->store, 1, 3, zone.id);
	OK(store_zone_count(fixture->store, &count, err));
	assert_int_equal(count, 1);
	expect_sample(fixture->store, 1, 3);
	free(text);
	free(expected);
}

static void test_wrong_row(void **state)
{
	struct fixture *fixture = *state;
	struct store_zone zone = sample_zone(2, 2);
	struct store_zone twin = sample_zone(1, 2);

	zone.id = put_sample(fixture->store, 1, 1, 0);
	/* Another zone's row. */
	FAILS(ERR_CORRUPT, store_zone_put(fixture->store, &zone, "x", 1, err));
	/* A second row of one name. */
	FAILS(ERR_CORRUPT, store_zone_put(fixture->store, &twin, "x", 1, err));
	assert_int_equal(twin.id, 0);
	expect_sample(fixture->store, 1, 1);
}

struct names {
	char seen[2048];
	int count;
	int stop_after;
};

static bool note_name(void *ctx, const struct store_zone *zone)
{
	struct names *names = ctx;

	strcat(names->seen, zone->name);
	strcat(names->seen, " ");
	return ++names->count != names->stop_after;
}

static void test_list(void **state)
{
	struct fixture *fixture = *state;
	struct store_zone dead = sample_zone(2, 2);
	struct names names = { 0 };

	for (int i = 5; i > 0; i--) {
		int64_t id = put_sample(fixture->store, i, 1, 0);
		if (i == 2)
			dead.id = id;
	}
	dead.deleted = true;
	OK(store_zone_put(fixture->store, &dead, NULL, 0, err));
	OK(store_zone_list(fixture->store, "", 100, false, note_name, &names, err));
	assert_string_equal(names.seen, "z000001.test. z000003.test. z000004.test. z000005.test. ");
	names = (struct names){ 0 };
	OK(store_zone_list(fixture->store, "z000001.test.", 2, true, note_name, &names, err));
	assert_string_equal(names.seen, "z000002.test. z000003.test. ");
	names = (struct names){ .stop_after = 1 };
	OK(store_zone_list(fixture->store, "z000003.test.", 100, true, note_name, &names, err));
	assert_string_equal(names.seen, "z000004.test. ");
	names = (struct names){ 0 };
	OK(store_zone_list(fixture->store, "z000005.test.", 100, true, note_name, &names, err));
	assert_int_equal(names.count, 0);
}

static void note_walked(void *ctx, const struct store_zone *zone, const struct err *damage)
{
	struct names *names = ctx;

	assert_null(damage);
	strcat(names->seen, zone->deleted ? "-" : "");
	strcat(names->seen, zone->name);
	strcat(names->seen, " ");
	names->count++;
}

static void test_walk(void **state)
{
	struct fixture *fixture = *state;
	struct store_zone dead = sample_zone(2, 2);
	struct names names = { 0 };
	int64_t after = 0;

	OK(store_zone_walk(fixture->store, &after, 2, note_walked, &names, err));
	assert_int_equal(names.count, 0);
	assert_int_equal(after, INT64_MAX);
	for (int i = 5; i > 0; i--) {
		int64_t id = put_sample(fixture->store, i, 1, 0);
		if (i == 2)
			dead.id = id;
	}
	dead.deleted = true;
	OK(store_zone_put(fixture->store, &dead, NULL, 0, err));
	after = 0;
	OK(store_zone_walk(fixture->store, &after, 2, note_walked, &names, err));
	assert_string_equal(names.seen, "z000005.test. z000004.test. ");
	/* What comes meanwhile is met, if it comes behind. */
	put_sample(fixture->store, 6, 1, 0);
	OK(store_zone_walk(fixture->store, &after, 4, note_walked, &names, err));
	assert_string_equal(names.seen,
		"z000005.test. z000004.test. z000003.test. -z000002.test. z000001.test. z000006.test. ");
	assert_int_not_equal(after, INT64_MAX);
	OK(store_zone_walk(fixture->store, &after, 4, note_walked, &names, err));
	assert_int_equal(names.count, 6);
	assert_int_equal(after, INT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_put_and_find, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_extremes, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_large_text, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_tombstone_keeps_text, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_wrong_row, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_list, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_walk, fixture_open, fixture_remove),
	};

	return cmocka_run_group_tests_name("store zones", tests, NULL, NULL);
}
