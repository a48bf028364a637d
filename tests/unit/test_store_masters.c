/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Masters and missing zones in the store: round trips, lists, a row that somebody changed. */
#include "test_store_help.h"

#include <sqlite3.h>

#include "store/masters.h"

static struct store_missing missing_of(int64_t zone_id, const char *master)
{
	struct store_missing missing = { .zone_id = zone_id, .generation = UINT64_MAX - (uint64_t)zone_id,
		.updated_at_us = 5, .first_at_us = 6, .passes = 7, .last_pass = 8, .condemned = zone_id % 2 == 0 };

	snprintf(missing.master, sizeof(missing.master), "%s", master);
	return missing;
}

static void add_zones(struct store *store, int count)
{
	for (int i = 1; i <= count; i++) {
		struct store_zone zone = { .generation = 1, .hostname = "da1.example", .username = "" };

		snprintf(zone.name, sizeof(zone.name), "z%d.example.", i);
		OK(store_zone_put(store, &zone, "x", 1, err));
		assert_int_equal(zone.id, i);
	}
}

static int open_store(void **state)
{
	fixture_make(state);
	struct fixture *fixture = *state;
	OK(store_open(fixture->path, &fixture->store, NULL, err));
	add_zones(fixture->store, 6);
	return 0;
}

static void test_masters(void **state)
{
	struct fixture *fixture = *state;
	struct store_master master = { .identity = "da1.example", .pass = 3, .judged = 2, .complete_at_us = 4, .tried_at_us = 5,
		.since_us = 6, .zones = 7 };
	struct store_master back;

	FAILS(ERR_NOTFOUND, store_master_load(fixture->store, "da1.example", &back, err));
	OK(store_master_save(fixture->store, &master, err));
	OK(store_master_load(fixture->store, "da1.example", &back, err));
	assert_memory_equal(&master, &back, sizeof(back));
	master.error = (char[]){ "away" };
	OK(store_master_save(fixture->store, &master, err));
	OK(store_master_load(fixture->store, "da1.example", &back, err));
	assert_string_equal(back.error, "away");
	store_master_clear(&back);
	FAILS(ERR_NOTFOUND, store_master_load(fixture->store, "da2.example", &back, err));
}

struct seen {
	int64_t ids[8];
	size_t count;
	size_t most;
};

static bool take(void *ctx, const struct store_missing *missing)
{
	struct seen *seen = ctx;
	char name[32];

	snprintf(name, sizeof(name), "z%d.example.", (int)missing->zone_id);
	assert_string_equal(missing->name, name);
	seen->ids[seen->count++] = missing->zone_id;
	return seen->count < seen->most;
}

static void fill(struct store *store)
{
	for (int64_t id = 1; id <= 6; id++) {
		struct store_missing missing = missing_of(id, id <= 4 ? "da1.example" : "da2.example");

		OK(store_missing_save(store, &missing, err));
	}
}

static void test_missing(void **state)
{
	struct fixture *fixture = *state;
	struct store_missing want = missing_of(3, "da1.example"), got;
	struct store_missing condemned[8];
	struct seen seen = { .most = 8 };
	size_t count;

	FAILS(ERR_NOTFOUND, store_missing_load(fixture->store, 3, &got, err));
	fill(fixture->store);
	OK(store_missing_load(fixture->store, 3, &got, err));
	snprintf(want.name, sizeof(want.name), "z3.example.");
	assert_memory_equal(&want, &got, sizeof(got));
	OK(store_missing_list(fixture->store, "da1.example", 1, 100, take, &seen, err));
	assert_int_equal(seen.count, 3);
	assert_int_equal(seen.ids[0], 2);
	seen = (struct seen){ .most = 2 };
	OK(store_missing_list(fixture->store, NULL, 0, 100, take, &seen, err));
	assert_int_equal(seen.count, 2);
	OK(store_missing_condemned(fixture->store, 2, condemned, &count, err));
	assert_int_equal(count, 2);
	assert_int_equal(condemned[1].zone_id, 4);
	/* A newer list that is not judged yet may have it again. */
	struct store_master master = { .identity = "da1.example", .pass = 9, .judged = 8 };
	OK(store_master_save(fixture->store, &master, err));
	OK(store_missing_condemned(fixture->store, 8, condemned, &count, err));
	assert_int_equal(count, 1);
	assert_int_equal(condemned[0].zone_id, 6);
	master.judged = 9;
	OK(store_master_save(fixture->store, &master, err));
	OK(store_missing_condemned(fixture->store, 8, condemned, &count, err));
	assert_int_equal(count, 3);
	OK(store_missing_reprieve(fixture->store, &count, err));
	assert_int_equal(count, 3);
	OK(store_missing_condemned(fixture->store, 8, condemned, &count, err));
	assert_int_equal(count, 0);
	OK(store_missing_load(fixture->store, 4, &got, err));
	assert_int_equal(got.passes, want.passes);
	OK(store_missing_drop(fixture->store, 4, err));
	OK(store_missing_drop(fixture->store, 4, err));
	FAILS(ERR_NOTFOUND, store_missing_load(fixture->store, 4, &got, err));
}

/* Such a row would delete a zone: it counts as none, whatever was changed. */
static void test_damage(void **state)
{
	static const char *const changes[] = { "generation = 1", "updated_at = 1", "first_at = 1", "passes = 99", "last_pass = 9",
		"condemned = 1 - condemned", "master = 'da2.example'", "checksum = x'00'" };
	struct fixture *fixture = *state;
	struct store_missing condemned[8], got;

	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		struct seen seen = { .most = 8 };
		size_t count;
		sqlite3 *db;

		fill(fixture->store);
		char *sql = xasprintf("UPDATE missing SET %s WHERE zone_id = 2", changes[i]);
		assert_int_equal(sqlite3_open(fixture->path, &db), SQLITE_OK);
		assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
		assert_int_equal(sqlite3_close(db), SQLITE_OK);
		free(sql);
		FAILS(ERR_NOTFOUND, store_missing_load(fixture->store, 2, &got, err));
		OK(store_missing_list(fixture->store, NULL, 0, 100, take, &seen, err));
		assert_int_equal(seen.count, 5);
		OK(store_missing_condemned(fixture->store, 8, condemned, &count, err));
		assert_int_equal(count, 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_masters, open_store, fixture_remove),
		cmocka_unit_test_setup_teardown(test_missing, open_store, fixture_remove),
		cmocka_unit_test_setup_teardown(test_damage, open_store, fixture_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
