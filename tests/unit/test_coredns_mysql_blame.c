/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Large batches: each zone has a verdict of its own, and a bad one costs a few transactions, not one for each other. */
#include "test_coredns_mysql_util.h"

enum { SIZE = BACKEND_ITEMS_MAX };

static struct backend_item items[SIZE];
static char names[SIZE][32];

static void make_items(const char *prefix, bool (*is_bad)(size_t at))
{
	for (size_t i = 0; i < SIZE; i++) {
		snprintf(names[i], sizeof(names[i]), "%s%04zu.test.", prefix, i);
		items[i] = (struct backend_item){ .name = names[i], .generation = 1,
			.zone = make_zone(names[i], is_bad(i) ? "bad 60 IN A 192.0.2.66\n" : "www 60 IN A 192.0.2.1\n") };
	}
}

static void free_items(void)
{
	for (size_t i = 0; i < SIZE; i++)
		zone_unref(items[i].zone);
}

static void apply_all(struct fixture *fixture)
{
	fixture->backend->ops->apply(fixture->backend, items, SIZE);
}

static void refuse_bad_ones(struct fixture *fixture)
{
	struct err err = { 0 };

	assert_int_equal(fixture->backend->ops->ping(fixture->backend, &err), BACKEND_OK);
	sql("ALTER TABLE records ADD CONSTRAINT no_bad CHECK (hostname <> 'bad')");
	open_backend(fixture);
}

static bool none(size_t at)
{
	(void)at;
	return false;
}

static void try_one_transaction(struct fixture *fixture)
{
	make_items("o", none);
	uint64_t before = transactions();
	apply_all(fixture);
	assert_int_equal(transactions() - before, 1);
	for (size_t i = 0; i < SIZE; i++)
		assert_ok(items[i]);
	assert_int_equal(count("SELECT COUNT(*) FROM zonefan_state WHERE record_count = 3"), SIZE);
	assert_int_equal(count("SELECT COUNT(*) FROM records"), SIZE * 3);
	for (size_t i = 0; i < SIZE; i += 93)
		assert_rows(names[i], items[i].zone);
	/* And all at once in every other way: checked, changed, deleted. */
	for (size_t i = 0; i < SIZE; i++)
		items[i].check = true;
	uint64_t written = rows_written();
	apply_all(fixture);
	assert_int_equal(transactions() - before, 1);
	assert_int_equal(rows_written(), written);
	for (size_t i = 0; i < SIZE; i++) {
		zone_unref(items[i].zone);
		items[i] = (struct backend_item){ .name = names[i], .generation = 2,
			.zone = i % 3 == 0 ? NULL : make_zone(names[i], "www 60 IN A 192.0.2.2\nmore 60 IN A 192.0.2.1\n") };
	}
	apply_all(fixture);
	assert_int_equal(transactions() - before, 2);
	for (size_t i = 0; i < SIZE; i++) {
		assert_ok(items[i]);
		if (i % 93 == 1)
			assert_rows(names[i], items[i].zone);
	}
	assert_int_equal(count("SELECT COUNT(*) FROM zones WHERE zone_name <> ''"), SIZE - (SIZE + 2) / 3);
	assert_int_equal(count("SELECT COUNT(*) FROM zonefan_state WHERE generation = 2"), SIZE);
	free_items();
}

static void test_one_transaction(void **state)
{
	struct fixture *fixture = *state;
	struct err err = { 0 };

	assert_int_equal(fixture->backend->ops->ping(fixture->backend, &err), BACKEND_OK);
	try_one_transaction(fixture);
	sql("DELETE FROM records; DELETE FROM zones; DELETE FROM zonefan_state");
	use_text_only(fixture);
	try_one_transaction(fixture);
}

/* More than one transaction takes: in several. */
static void test_more_than_one_transaction(void **state)
{
	enum { MORE = SIZE + 10 };
	static struct backend_item many[MORE];
	static char many_names[MORE][32];
	struct fixture *fixture = *state;

	for (size_t i = 0; i < MORE; i++) {
		snprintf(many_names[i], sizeof(many_names[i]), "m%04zu.test.", i);
		many[i] = (struct backend_item){ .name = many_names[i], .generation = 1, .zone = make_zone(many_names[i], "") };
	}
	fixture->backend->ops->apply(fixture->backend, many, MORE);
	for (size_t i = 0; i < MORE; i++) {
		assert_ok(many[i]);
		zone_unref(many[i].zone);
	}
	assert_int_equal(count("SELECT COUNT(*) FROM records"), MORE * 2);
}

static bool first(size_t at)
{
	return at == 0;
}

static bool last(size_t at)
{
	return at == SIZE - 1;
}

static bool middle(size_t at)
{
	return at == 617;
}

static bool some(size_t at)
{
	return at == 3 || at == 4 || at == 500 || at == 901 || at == 1022;
}

static bool every_one(size_t at)
{
	(void)at;
	return true;
}

static void test_bad_zones(void **state)
{
	static const struct {
		const char *prefix;
		bool (*is_bad)(size_t at);
		unsigned bad;
		unsigned transactions; /* at most: the batch itself, and two for each doubling of 1,024 and bad zone */
		bool text_only;
	} cases[] = { { "f", first, 1, 21, false }, { "l", last, 1, 21, true }, { "m", middle, 1, 21, true },
		{ "s", some, 5, 101, false } };
	struct fixture *fixture = *state;

	refuse_bad_ones(fixture);
	for (size_t c = 0; c < ARRAY_SIZE(cases); c++) {
		make_items(cases[c].prefix, cases[c].is_bad);
		open_backend(fixture);
		if (cases[c].text_only)
			use_text_only(fixture);
		uint64_t before = transactions();
		apply_all(fixture);
		uint64_t took = transactions() - before;
		if (took > cases[c].transactions)
			fail_msg("case %s: %" PRIu64 " transactions", cases[c].prefix, took);
		for (size_t i = 0; i < SIZE; i++) {
			if (cases[c].is_bad(i))
				assert_verdict(items[i], BACKEND_REJECT, "4025");
			else
				assert_ok(items[i]);
		}
		assert_int_equal(count("SELECT COUNT(*) FROM zones WHERE zone_name LIKE '%s%%'", cases[c].prefix),
			SIZE - cases[c].bad);
		assert_int_equal(count("SELECT COUNT(*) FROM zonefan_state WHERE zone_name LIKE '%s%%'", cases[c].prefix),
			SIZE - cases[c].bad);
		free_items();
	}
	assert_int_equal(count("SELECT COUNT(*) FROM records WHERE hostname = 'bad'"), 0);
}

static void test_nothing_but_bad_zones(void **state)
{
	struct fixture *fixture = *state;

	refuse_bad_ones(fixture);
	make_items("e", every_one);
	apply_all(fixture);
	for (size_t i = 0; i < SIZE; i++)
		assert_verdict(items[i], BACKEND_REJECT, "4025");
	assert_int_equal(count("SELECT COUNT(*) FROM zonefan_state"), 0);
	free_items();
}

/* Many rows in few round trips, or by arrays: what comes of it is the same, and what a server refuses is done without. */
static void test_arrays(void **state)
{
	struct fixture *fixture = *state;
	struct err err = { 0 };

	assert_int_equal(fixture->backend->ops->ping(fixture->backend, &err), BACKEND_OK);
	struct link *link = &target_of(fixture)->link;
	assert_true(link_takes_arrays(link));
	link->round_trip_us = 1; /* near, however busy this host is */
	make_items("a", none);
	apply_all(fixture);
	assert_non_null(link->statements[0]);
	uint64_t ids = count("SELECT SUM(id) FROM records");
	for (size_t i = 0; i < SIZE; i++) {
		zone_unref(items[i].zone);
		items[i].generation = 2;
		items[i].zone = make_zone(names[i], "www 60 IN A 192.0.2.77\n");
	}
	apply_all(fixture);
	assert_non_null(link->statements[1]);
	for (size_t i = 0; i < SIZE; i++) {
		assert_ok(items[i]);
		assert_int_equal(items[i].rows_updated, 2); /* a record, the stamp */
		assert_rows(names[i], items[i].zone);
	}
	assert_int_equal(count("SELECT SUM(id) FROM records"), ids);
	/* The server is short of them. */
	sql("SET GLOBAL max_prepared_stmt_count = 0");
	open_backend(fixture);
	assert_int_equal(fixture->backend->ops->ping(fixture->backend, &err), BACKEND_OK);
	target_of(fixture)->link.round_trip_us = 1;
	for (size_t i = 0; i < SIZE; i++) {
		zone_unref(items[i].zone);
		items[i].generation = 3;
		items[i].zone = make_zone(names[i], "www 60 IN A 192.0.2.78\n");
	}
	apply_all(fixture);
	sql("SET GLOBAL max_prepared_stmt_count = 16382");
	assert_true(target_of(fixture)->link.prepares_none);
	for (size_t i = 0; i < SIZE; i++)
		assert_ok(items[i]);
	assert_rows(names[9], items[9].zone);
	free_items();
}

/* Ids that are few are spared: an array's may have gaps. */
static void test_few_ids(void **state)
{
	struct fixture *fixture = *state;

	make_plugin_tables();
	make_state_table();
	make_items("i", none);
	apply_all(fixture);
	for (size_t i = 0; i < SIZE; i++)
		assert_ok(items[i]);
	assert_null(target_of(fixture)->link.statements[0]);
	assert_int_equal(count("SELECT MAX(id) - MIN(id) + 1 FROM records"), SIZE * 3);
	free_items();
}

enum { FEW = 64 };

/* A few zones that are there, and are to be written anew, by a back end with that time-out. */
static void make_few(struct fixture *fixture, const char *prefix, int64_t query_timeout_ms)
{
	make_items(prefix, none);
	fixture->backend->ops->apply(fixture->backend, items, FEW);
	for (size_t i = 0; i < FEW; i++) {
		assert_ok(items[i]);
		items[i].generation = 2;
	}
	/* From now on only: that the tables are made, and all these, may take longer. */
	fixture->settings.query_timeout_ms = query_timeout_ms;
	open_backend(fixture);
	ping_in_the_end(fixture);
}

/* Somebody holds one of them: it alone has to wait, and to find out which takes a second for each doubling. */
static void test_locked_zone(void **state)
{
	struct fixture *fixture = *state;

	make_few(fixture, "k", 6000); /* the server's lock wait is 3 s then */
	sql("START TRANSACTION; SELECT id FROM zones WHERE zone_name = 'k0050.test.' FOR UPDATE");
	int64_t start = now_ms();
	fixture->backend->ops->apply(fixture->backend, items, FEW);
	int64_t took_ms = now_ms() - start;
	for (size_t i = 0; i < FEW; i++) {
		if (i == 50)
			assert_verdict(items[i], BACKEND_RETRY, "1205");
		else
			assert_ok(items[i]);
	}
	assert_in_range(took_ms, 3000 + 6000, 3 * (3000 + 6000)); /* the whole, and six parts that get smaller */
	/* Alone it may wait again as long as a zone may. */
	start = now_ms();
	assert_verdict(apply_item(fixture, items[50]), BACKEND_RETRY, "1205");
	assert_true(now_ms() - start > 2500);
	sql("ROLLBACK");
	assert_int_equal(count("SELECT COUNT(*) FROM zonefan_state WHERE generation = 2"), FEW - 1);
	assert_ok(apply_item(fixture, items[50]));
	free_items();
}

/* Some that have to wait, one behind the other: the others are delivered, and no more than some seconds are lost. */
static void test_locked_zones(void **state)
{
	enum { LOCKED = 8 };
	struct fixture *fixture = *state;

	make_few(fixture, "k", 2500); /* the server's lock wait is 1 s then */
	sql("SET TRANSACTION ISOLATION LEVEL READ COMMITTED; START TRANSACTION; "
	    "SELECT id FROM zones WHERE zone_name IN ('k0000.test.', 'k0001.test.', 'k0002.test.', 'k0003.test.', "
	    "'k0004.test.', 'k0005.test.', 'k0006.test.', 'k0007.test.') FOR UPDATE");
	fixture->backend->ops->apply(fixture->backend, items, FEW);
	sql("ROLLBACK");
	for (size_t i = 0; i < FEW; i++) {
		if (i < LOCKED)
			assert_int_equal(items[i].verdict, BACKEND_RETRY);
		else
			assert_ok(items[i]);
	}
	assert_false(items[0].untried);
	free_items();
}

/* No time to find out who is to blame: then it is all of them, or they would come again for ever. */
static void test_no_time_to_find_out(void **state)
{
	struct fixture *fixture = *state;

	make_few(fixture, "n", 2500);
	fixture->settings.transaction_max_ms = 2500;
	sql("START TRANSACTION; SELECT id FROM zones WHERE zone_name = 'n0000.test.' FOR UPDATE");
	fixture->backend->ops->apply(fixture->backend, items, FEW);
	sql("ROLLBACK");
	assert_verdict(items[0], BACKEND_RETRY, "not tried alone");
	assert_false(items[0].untried);
	free_items();
}

/* Where all have to wait it is not found out of each one. */
static void test_locked_table(void **state)
{
	struct fixture *fixture = *state;

	make_few(fixture, "t", 2500); /* the server's lock wait is 1 s then */
	sql("FLUSH TABLES WITH READ LOCK");
	int64_t start = now_ms();
	fixture->backend->ops->apply(fixture->backend, items, FEW);
	assert_true(now_ms() - start < 50000); /* 126 seconds if each part were waited for */
	sql("UNLOCK TABLES");
	size_t untried = 0;
	for (size_t i = 0; i < FEW; i++) {
		assert_int_equal(items[i].verdict, BACKEND_RETRY);
		untried += items[i].untried;
	}
	assert_in_range(untried, FEW / 2, FEW - 1);
	fixture->backend->ops->apply(fixture->backend, items, FEW);
	for (size_t i = 0; i < FEW; i++)
		assert_ok(items[i]);
	free_items();
}

/* Somebody's zone that a careless collation takes for another one: that is not ours to remove, and is named. */
static void test_name_taken_by_collation(void **state)
{
	struct fixture *fixture = *state;
	struct zone *zone = make_zone("example.test.", "www 60 IN A 192.0.2.1\n");
	struct zone *fine = make_zone("fine.test.", "www 60 IN A 192.0.2.1\n");
	struct backend_item both[] = { { .name = "example.test.", .generation = 1, .zone = zone },
		{ .name = "fine.test.", .generation = 1, .zone = fine } };

	struct err err = { 0 };
	assert_int_equal(fixture->backend->ops->ping(fixture->backend, &err), BACKEND_OK);
	sql("ALTER TABLE zones CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci");
	sql("INSERT INTO zones (zone_name) VALUES (_utf8mb4 x'6578C3A46D706C652E746573742E')");
	fixture->backend->ops->apply(fixture->backend, both, 2);
	assert_verdict(both[0], BACKEND_REJECT, "the zone ex\xc3\xa4mple.test. is there");
	assert_ok(both[1]);
	assert_int_equal(count("SELECT COUNT(*) FROM zones WHERE zone_name = 'ex\xc3\xa4mple.test.'"), 1);
	sql("DELETE FROM zones WHERE zone_name = 'ex\xc3\xa4mple.test.'");
	fixture->backend->ops->apply(fixture->backend, both, 1);
	assert_ok(both[0]);
	assert_rows("example.test.", zone);
	zone_unref(zone);
	zone_unref(fine);
}

/*
 * To a Lithuanian y is i. A zone that cannot be made for that brings the other one's rows, in an answer that may come
 * before or behind the one that asked for them.
 */
static void try_like_names(struct fixture *fixture, const char *there, const char *like)
{
	enum { BETWEEN = 200 };
	static struct backend_item all[BETWEEN + 2];
	struct zone *old = make_zone(there, "www 60 IN A 192.0.2.1\nmail 60 IN A 192.0.2.2\n");
	struct zone *new = make_zone(there, "www 60 IN A 192.0.2.7\nmail 60 IN A 192.0.2.2\n");
	struct zone *other = make_zone(like, "www 60 IN A 192.0.2.9\n");

	assert_ok(save(fixture, there, old, 1));
	uint64_t id_sum = count("SELECT SUM(id) FROM records");
	make_items("j", none); /* between i and y */
	all[0] = (struct backend_item){ .name = there, .generation = 2, .zone = new };
	all[1] = (struct backend_item){ .name = like, .generation = 1, .zone = other };
	memcpy(all + 2, items, BETWEEN * sizeof(items[0]));
	fixture->backend->ops->apply(fixture->backend, all, BETWEEN + 2);
	assert_ok(all[0]);
	assert_verdict(all[1], BACKEND_REJECT, there);
	for (size_t i = 2; i < BETWEEN + 2; i++)
		assert_ok(all[i]);
	assert_rows(there, new);
	assert_int_equal(count("SELECT SUM(r.id) FROM records AS r JOIN zones AS z ON z.id = r.zone_id WHERE z.zone_name = '%s'",
				 there),
		id_sum);
	free_items();
	zone_unref(old);
	zone_unref(new);
	zone_unref(other);
}

static void test_rows_of_a_like_name(void **state)
{
	struct fixture *fixture = *state;
	struct err err = { 0 };

	assert_int_equal(fixture->backend->ops->ping(fixture->backend, &err), BACKEND_OK);
	sql("ALTER TABLE zones CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_lithuanian_ci");
	try_like_names(fixture, "ivona.lt.", "yvona.lt.");
	sql("DELETE FROM records");
	sql("DELETE FROM zones WHERE zone_name <> ''");
	sql("DELETE FROM zonefan_state");
	try_like_names(fixture, "yvona.lt.", "ivona.lt.");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one_transaction, setup, teardown),
		cmocka_unit_test_setup_teardown(test_more_than_one_transaction, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_zones, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_but_bad_zones, setup, teardown),
		cmocka_unit_test_setup_teardown(test_arrays, setup, teardown),
		cmocka_unit_test_setup_teardown(test_few_ids, setup, teardown),
		cmocka_unit_test_setup_teardown(test_locked_zone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_locked_zones, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_time_to_find_out, setup, teardown),
		cmocka_unit_test_setup_teardown(test_locked_table, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rows_of_a_like_name, setup, teardown),
		cmocka_unit_test_setup_teardown(test_name_taken_by_collation, setup, teardown),
	};

	return cmocka_run_group_tests_name("coredns_mysql blame", tests, group_setup, group_teardown);
}
