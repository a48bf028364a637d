/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test_store_help.h"

#include "store/db.h"
#include "store/held.h"

static struct store_held sample(const char *subject, const char *text)
{
	return (struct store_held){ .kind = "push", .subject = subject, .at_us = 7, .origin = "push", .source = "192.0.2.1",
		.actor = "panel", .hostname = "da1.example", .username = "fred", .reason = "it drops 90 of 100 records",
		.text = text, .text_size = strlen(text) };
}

static int64_t put(struct store *store, struct store_held held, bool expected)
{
	bool fresh;

	OK(store_held_put(store, &held, &fresh, err));
	assert_int_equal(fresh, expected);
	return held.id;
}

static void the_same_is_held_once(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	int64_t id = put(store, sample("a.test.", "one"), true);
	struct store_held again = sample("a.test.", "one");
	uint64_t count;

	/* When, from where and why do not make it another one. */
	again.at_us = 8;
	again.source = "192.0.2.2";
	again.reason = "another";
	assert_int_equal(put(store, again, false), id);
	int64_t other = put(store, sample("a.test.", "two"), true);
	assert_true(other > id);
	FAILS(ERR_NOTFOUND, store_held_get(store, id, &again, err));
	again = sample("a.test.", "two");
	again.username = "joe";
	assert_true(put(store, again, true) > other);
	put(store, sample("b.test.", "two"), true);
	OK(store_held_count(store, &count, err));
	assert_int_equal(count, 2);
}

static void it_is_read_as_it_was_put(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	struct store_held held = sample("a.test.", "zone\0text");
	int64_t id, found;

	held.text_size = 9;
	id = put(store, held, true);
	OK(store_held_find(store, "push", "a.test.", &found, err));
	assert_int_equal(found, id);
	FAILS(ERR_NOTFOUND, store_held_find(store, "deletes", "a.test.", &found, err));
	OK(store_held_get(store, id, &held, err));
	assert_string_equal(held.subject, "a.test.");
	assert_string_equal(held.reason, "it drops 90 of 100 records");
	assert_string_equal(held.hostname, "da1.example");
	assert_int_equal(held.text_size, 9);
	assert_memory_equal(held.text, "zone\0text", 9);
	store_held_clear(&held);
	OK(store_held_drop(store, id, err));
	FAILS(ERR_NOTFOUND, store_held_get(store, id, &held, err));
}

/* What would be put in force must be what was held. */
static void damage_is_found(void **state)
{
	static const char *const changes[] = { "text = x'6f6e66'", "hostname = 'da2.example'", "subject = 'b.test.'" };
	struct store *store = ((struct fixture *)*state)->store;
	struct store_held held;

	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		int64_t id = put(store, sample("a.test.", "one"), true);
		char *sql = xasprintf("UPDATE held SET %s", changes[i]);

		OK(db_exec(store, sql, err));
		free(sql);
		FAILS(ERR_CORRUPT, store_held_get(store, id, &held, err));
		OK(store_held_drop(store, id, err));
	}
}

/* The push of it again brings it. */
static void the_same_takes_the_place_of_what_is_damaged(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	struct store_held held;
	uint64_t count;

	put(store, sample("a.test.", "one"), true);
	OK(db_exec(store, "UPDATE held SET text = x'6f6e66'", err));
	int64_t id = put(store, sample("a.test.", "one"), true);
	OK(store_held_get(store, id, &held, err));
	assert_memory_equal(held.text, "one", 3);
	store_held_clear(&held);
	OK(store_held_count(store, &count, err));
	assert_int_equal(count, 1);
	put(store, sample("a.test.", "one"), false);
}

static bool count_zone(void *ctx, int64_t zone_id, uint64_t generation)
{
	int64_t *sum = ctx;

	*sum += zone_id * 100 + (int64_t)generation;
	return true;
}

static bool count_held(void *ctx, const struct store_held *held)
{
	assert_null(held->text);
	++*(int64_t *)ctx;
	return true;
}

static void a_set_goes_with_its_row(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	struct store_held held = sample("da1.example", "a.test.\nb.test.\n");
	int64_t first = put_sample(store, 1, 3, 0), second = put_sample(store, 2, 4, 0), sum = 0;

	held.kind = "deletes";
	int64_t id = put(store, held, true);
	OK(store_held_add_zone(store, id, first, 3, err));
	OK(store_held_add_zone(store, id, second, 4, err));
	OK(store_held_zones(store, id, 0, 10, count_zone, &sum, err));
	assert_int_equal(sum, first * 100 + 3 + second * 100 + 4);
	sum = 0;
	OK(store_held_list(store, 0, 10, count_held, &sum, err));
	assert_int_equal(sum, 1);
	OK(store_held_list(store, id, 10, count_held, &sum, err));
	assert_int_equal(sum, 1);
	OK(store_held_drop(store, id, err));
	sum = 0;
	OK(store_held_zones(store, id, 0, 10, count_zone, &sum, err));
	assert_int_equal(sum, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_same_is_held_once, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(it_is_read_as_it_was_put, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(damage_is_found, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(the_same_takes_the_place_of_what_is_damaged, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(a_set_goes_with_its_row, fixture_open, fixture_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
