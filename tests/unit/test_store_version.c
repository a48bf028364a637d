/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Version vectors in the store: assumed from the generation, kept where they are more. */
#include "test_store_help.h"

#include "store/db.h"
#include "store/version.h"

#define PEER "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static struct store_zone put(struct fixture *fixture, uint64_t generation)
{
	struct store_zone zone = sample_zone(1, generation);
	struct store_zone held;

	if (store_zone_find(fixture->store, zone.name, &held, NULL) == 0) {
		zone.id = held.id;
		store_zone_clear(&held);
	}
	zone.id = put_sample(fixture->store, 1, generation, zone.id);
	return zone;
}

static void without_a_row_the_generation_counts(void **state)
{
	struct fixture *fixture = *state;
	struct store_zone zone = put(fixture, 7);
	struct store_version version;
	int64_t rows;

	OK(store_version_load(fixture->store, &zone, &version, err));
	assert_int_equal(version.vector.count, 1);
	assert_int_equal(version_get(&version.vector, store_id(fixture->store)), 7);
	assert_string_equal(version.origin, store_id(fixture->store));
	/* Written back it is no more than that. */
	OK(store_version_save(fixture->store, &zone, &version, err));
	OK(db_fetch_int(fixture->store, "SELECT count(*) FROM zone_version", &rows, err));
	assert_int_equal(rows, 0);
}

static void what_is_merged_stays_and_changes_count_on(void **state)
{
	struct fixture *fixture = *state;
	struct store_zone zone = put(fixture, 7);
	struct store_version version;

	OK(store_version_load(fixture->store, &zone, &version, err));
	/* A peer's content came as generation 8: none of our changes. */
	zone = put(fixture, 8);
	OK(version_set(&version.vector, PEER, 3, 1, err));
	memcpy(version.origin, PEER, sizeof(version.origin));
	OK(store_version_save(fixture->store, &zone, &version, err));
	OK(store_version_load(fixture->store, &zone, &version, err));
	assert_int_equal(version_get(&version.vector, store_id(fixture->store)), 7);
	assert_int_equal(version_get(&version.vector, PEER), 3);
	assert_string_equal(version.origin, PEER);
	/* A push: one change more, and the content is ours. */
	zone = put(fixture, 9);
	OK(store_version_load(fixture->store, &zone, &version, err));
	assert_int_equal(version_get(&version.vector, store_id(fixture->store)), 8);
	assert_int_equal(version_get(&version.vector, PEER), 3);
	assert_string_equal(version.origin, store_id(fixture->store));
	/* A counter can run ahead of the generation. */
	OK(version_set(&version.vector, store_id(fixture->store), 50, 5, err));
	OK(store_version_save(fixture->store, &zone, &version, err));
	OK(store_version_load(fixture->store, &zone, &version, err));
	assert_int_equal(version_get(&version.vector, store_id(fixture->store)), 50);
}

static void a_damaged_row_is_found_out(void **state)
{
	static const char *const damages[] = {
		"UPDATE zone_version SET lead = lead + 1",
		"UPDATE zone_version SET tag = tag + 1",
		"UPDATE zone_version SET others = replace(others, ':3:', ':4:')",
		"UPDATE zone_version SET others = ''",
		"UPDATE zone_version SET origin = ''",
		"UPDATE zone_version SET merged = 6",
		"UPDATE zone_version SET checksum = x'00'",
	};

	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		struct fixture *fixture = *state;
		struct store_zone zone = put(fixture, 7);
		struct store_version version;

		OK(store_version_load(fixture->store, &zone, &version, err));
		OK(version_set(&version.vector, PEER, 3, 1, err));
		OK(store_version_save(fixture->store, &zone, &version, err));
		OK(db_exec(fixture->store, damages[i], err));
		FAILS(ERR_CORRUPT, store_version_load(fixture->store, &zone, &version, err));
		assert_int_equal(version.vector.count, 1);
		OK(db_exec(fixture->store, "DELETE FROM zone_version", err));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(without_a_row_the_generation_counts, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(what_is_merged_stays_and_changes_count_on, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(a_damaged_row_is_found_out, fixture_open, fixture_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
