/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test_store_help.h"

#include "store/db.h"
#include "store/history.h"
#include "store/override.h"

/* A text of its own for each version; the row is the one that was there. */
static void push_version(struct store *store, struct store_zone *zone, unsigned most)
{
	struct store_origin origin = { .at_us = 1000 + (int64_t)zone->generation, .origin = "push", .source = "192.0.2.9" };
	size_t size;

	origin.version = 1;
	if (zone->id != 0)
		OK(store_history_keep(store, zone->id, zone, most, &origin.version, err));
	zone->generation++;
	zone->serial = (uint32_t)zone->generation * 10;
	zone->digest.low = zone->generation;
	char *text = sample_text(1, zone->generation, &size);
	OK(store_history_put(store, zone, text, size, &origin, err));
	free(text);
}

struct seen {
	uint64_t first;
	size_t count;
	size_t most;
};

static bool look(void *ctx, const struct store_text_version *version)
{
	struct seen *seen = ctx;

	/* Newest first; of each it is known what it was. */
	if (seen->count == 0)
		seen->first = version->version;
	assert_int_equal(version->version, seen->first - seen->count);
	assert_int_equal(version->current, seen->count == 0 && seen->most == 0);
	assert_int_equal(version->serial, version->version * 10);
	assert_int_equal(version->digest.low, version->version);
	assert_int_equal(version->at_us, 999 + (int64_t)version->version);
	assert_string_equal(version->origin, "push");
	assert_string_equal(version->hostname, "da1.example.net");
	seen->count++;
	return seen->most == 0 || seen->count < seen->most;
}

static struct store_zone fresh(void)
{
	struct store_zone zone = sample_zone(1, 1);

	zone.generation = 0;
	return zone;
}

static void the_newest_stay(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	struct store_zone zone = fresh();
	struct seen seen = { 0 };
	char *text, *expected;
	size_t size, expected_size;

	for (int i = 0; i < 12; i++)
		push_version(store, &zone, 4);
	OK(store_history_list(store, &zone, 0, SIZE_MAX, look, &seen, err));
	assert_int_equal(seen.count, 4);
	assert_int_equal(seen.first, 12);
	seen = (struct seen){ .most = 1 };
	OK(store_history_list(store, &zone, 11, 5, look, &seen, err));
	assert_int_equal(seen.first, 10);
	for (uint64_t version = 9; version <= 12; version++) {
		OK(store_history_text(store, &zone, version, &text, &size, err));
		expected = sample_text(1, version, &expected_size);
		assert_int_equal(size, expected_size);
		assert_memory_equal(text, expected, size);
		free(text);
		free(expected);
	}
	FAILS(ERR_NOTFOUND, store_history_text(store, &zone, 8, &text, &size, err));
	FAILS(ERR_NOTFOUND, store_history_text(store, &zone, 13, &text, &size, err));
	/* One alone: the present one. */
	push_version(store, &zone, 1);
	seen = (struct seen){ 0 };
	OK(store_history_list(store, &zone, 0, SIZE_MAX, look, &seen, err));
	assert_int_equal(seen.count, 1);
}

static void damage_costs_its_own_version(void **state)
{
	static const char *const changes[] = {
		"UPDATE history SET text = x'00' WHERE (id & 4294967295) = 2", "UPDATE history SET text_size = 1 << 40 WHERE (id & 4294967295) = 2",
		"UPDATE history SET checksum = zeroblob(32) WHERE (id & 4294967295) = 2",
		"UPDATE history SET text = (SELECT text FROM history WHERE (id & 4294967295) = 1) WHERE (id & 4294967295) = 2"
	};
	struct store *store = ((struct fixture *)*state)->store;
	struct store_zone zone = fresh();
	char *text;
	size_t size;

	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		OK(db_exec(store, "DELETE FROM history; UPDATE zone_text SET version = 1", err));
		zone = i == 0 ? zone : (struct store_zone){ .id = zone.id, .generation = 0, .hostname = zone.hostname,
			.username = zone.username };
		memcpy(zone.name, fresh().name, sizeof(zone.name));
		for (int k = 0; k < 3; k++)
			push_version(store, &zone, 10);
		OK(db_exec(store, changes[i], err));
		uint64_t base = i == 0 ? 0 : 1;
		FAILS(ERR_CORRUPT, store_history_text(store, &zone, 2, &text, &size, err));
		/* Nobody asks why, and the text is nobody's to free. */
		text = NULL;
		assert_int_equal(store_history_text(store, &zone, 2, &text, &size, NULL), ERR_CORRUPT);
		assert_null(text);
		OK(store_history_text(store, &zone, 1, &text, &size, err));
		free(text);
		OK(store_history_text(store, &zone, 3 + base, &text, &size, err));
		free(text);
	}
	/* A number that is nonsense does not stop the pushes. */
	OK(db_exec(store, "UPDATE zone_text SET version = -5", err));
	push_version(store, &zone, 10);
	push_version(store, &zone, 10);
}

static void a_rollback_is_remembered(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	struct store_override override = { .at_us = 5, .master_serial = UINT32_MAX };
	int64_t id = put_sample(store, 1, 1, 0);
	bool dropped;

	FAILS(ERR_NOTFOUND, store_override_get(store, id, &override, err));
	OK(store_override_set(store, id, &override, err));
	override.at_us = 6;
	OK(store_override_set(store, id, &override, err));
	override = (struct store_override){ 0 };
	OK(store_override_get(store, id, &override, err));
	assert_int_equal(override.at_us, 6);
	assert_int_equal(override.master_serial, UINT32_MAX);
	OK(store_override_drop(store, id, &dropped, err));
	assert_true(dropped);
	OK(store_override_drop(store, id, &dropped, err));
	assert_false(dropped);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_newest_stay, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(damage_costs_its_own_version, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(a_rollback_is_remembered, fixture_open, fixture_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
