/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the back end says of a database for the healing pass: the zones asked for, and strays. */
#include "test_coredns_mysql_util.h"

enum { SEEN = 300 };

static void fill_batch(struct backend_item *items, char (*names)[32])
{
	for (size_t i = 0; i < SEEN; i++) {
		snprintf(names[i], sizeof(names[i]), "b%zu.test.", i);
		items[i] = (struct backend_item){ .name = names[i], .generation = 1,
			.zone = make_zone(names[i], "www 60 IN A 192.0.2.1\n") };
	}
}

/* All zones of a batch, in order of name. */
static struct backend_look look_for(struct backend_seen *seen, char (*names)[32], size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		seen[i] = (struct backend_seen){ .name = names[i] };
	return (struct backend_look){ .after = from == 0 ? "" : names[from - 1], .zones = seen + from,
		.count = to - from, .to_end = to == SEEN };
}

static void look_well(struct fixture *fixture, struct backend_look *look)
{
	struct err err = { 0 };

	if (fixture->backend->ops->look(fixture->backend, look, &err) != BACKEND_OK)
		fail_msg("%s", err.text);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void test_look(void **state)
{
	struct fixture *fixture = *state;
	struct backend_item items[SEEN];
	struct backend_seen seen[SEEN];
	char names[SEEN][32];

	fill_batch(items, names);
	fixture->backend->ops->apply(fixture->backend, items, SEEN);
	for (size_t i = 0; i < SEEN; i++)
		assert_ok(items[i]);
	struct zone_digest digest = *zone_digest(items[8].zone);
	char eighth[32];
	memcpy(eighth, names[8], sizeof(eighth));
	assert_ok(save(fixture, names[7], NULL, 2));
	char deleted[32];
	memcpy(deleted, names[7], sizeof(deleted));
	sql("INSERT INTO zones (zone_name) VALUES ('foreign.test.')");
	sql("INSERT INTO records (zone_id, hostname, type, data, ttl, online) SELECT id, 'f', 'A', '192.0.2.9', 60, 1 FROM "
	    "zones WHERE zone_name = 'foreign.test.'");
	qsort(names, SEEN, sizeof(names[0]), compare_texts);
	for (size_t page = 1; page <= SEEN; page = page * 7 + 3) {
		for (size_t from = 0; from < SEEN; from += page) {
			size_t to = from + page < SEEN ? from + page : SEEN;
			struct backend_look look = look_for(seen, names, from, to);

			look_well(fixture, &look);
			assert_int_equal(look.done, to - from);
			assert_string_equal(look.upto, to == SEEN ? "" : names[to - 1]);
			assert_int_equal(look.stray_count, 0); /* no foreign zone, no catch-all row */
		}
	}
	for (size_t i = 0; i < SEEN; i++) {
		bool is_deleted = strcmp(names[i], deleted) == 0;

		assert_int_equal(seen[i].exists, !is_deleted);
		assert_int_equal(seen[i].deleted, is_deleted);
		assert_int_equal(seen[i].stamp.generation, is_deleted ? 2 : 1);
		assert_string_equal(seen[i].stamp.store_id, OUR_STORE);
		assert_true(zone_digest_equal(&seen[i].actual, &seen[i].stamped));
		assert_true((seen[i].actual.count == 0) == is_deleted);
		if (strcmp(names[i], eighth) == 0)
			assert_true(zone_digest_equal(&seen[i].actual, &digest));
	}
	struct backend_seen foreign = seen_of(fixture, "foreign.test.");
	assert_true(foreign.exists && foreign.stamp.store_id[0] == '\0' && foreign.actual.count == 1);
	struct backend_seen none = seen_of(fixture, "none.test.");
	assert_true(!none.exists && none.stamp.store_id[0] == '\0' && none.actual.count == 0);
	for (size_t i = 0; i < SEEN; i++)
		zone_unref(items[i].zone);
}

static bool has_stray(const struct backend_look *look, const char *name)
{
	const char *at = look->strays.data;

	for (size_t i = 0; i < look->stray_count; i++, at += strlen(at) + 1) {
		if (strcmp(at, name) == 0)
			return true;
	}
	return false;
}

/* Names that bear our stamp, and of which the caller knows nothing: in any number, and odd ones too. */
static void test_look_finds_strays(void **state)
{
	struct fixture *fixture = *state;
	struct backend_seen seen[3] = { { .name = "b.test." }, { .name = "m.test." }, { .name = "y.test." } };
	struct backend_look look = { .after = "b.test.", .zones = seen + 1, .count = 1 };

	for (size_t i = 0; i < 3; i++) {
		struct zone *zone = make_zone(seen[i].name, "");

		assert_ok(save(fixture, seen[i].name, zone, 1));
		zone_unref(zone);
	}
	sql("INSERT INTO zonefan_state (zone_name, store_id, generation, digest, record_count, serial, deleted, changed_at) "
	    "SELECT CONCAT('c', seq, '.test.'), '%s', 1, '', 0, 0, seq %% 2, UTC_TIMESTAMP(6) FROM seq_1_to_6", OUR_STORE);
	sql("UPDATE zonefan_state SET store_id = '%s' WHERE zone_name = 'c2.test.'", OTHER_STORE);
	look_well(fixture, &look);
	assert_string_equal(look.upto, "m.test.");
	assert_int_equal(look.stray_count, 2);
	assert_true(has_stray(&look, "c4.test.") && has_stray(&look, "c6.test."));
	buf_free(&look.strays);
	/* More of them than one look takes: it says how far it got, and goes on from there. */
	sql("INSERT INTO zonefan_state (zone_name, store_id, generation, digest, record_count, serial, deleted, changed_at) "
	    "SELECT CONCAT('n', LPAD(seq, 6, '0'), '.test.'), '%s', 1, '', 0, 0, 0, UTC_TIMESTAMP(6) FROM seq_1_to_1000",
		OUR_STORE);
	sql("UPDATE zonefan_state SET zone_name = CONCAT('n000300', CONVERT(x'C3BC' USING utf8mb4)) WHERE zone_name = "
	    "'n000300.test.'");
	char after[ZONE_NAME_SIZE] = "";
	size_t strays = 0, done = 0, looks = 0;
	do {
		look = (struct backend_look){ .after = after, .zones = seen + done, .count = 3 - done, .to_end = true };
		look_well(fixture, &look);
		strays += look.stray_count;
		done += look.done;
		buf_free(&look.strays);
		assert_true(look.upto[0] == '\0' || strcmp(look.upto, after) > 0);
		memcpy(after, look.upto, sizeof(after));
		assert_true(++looks < 20);
	} while (after[0] != '\0');
	assert_int_equal(done, 3);
	assert_int_equal(strays, 1002);
	assert_true(looks > 1);
	for (size_t i = 0; i < 3; i++)
		assert_true(seen[i].exists && seen[i].stamp.generation == 1 && seen[i].actual.count > 0);
}

/* As many as the server takes in one packet. */
static void test_look_in_small_packets(void **state)
{
	struct fixture *fixture = *state;
	struct backend_item items[SEEN];
	struct backend_seen seen[SEEN];
	char names[SEEN][32];
	size_t done = 0, looks = 0;
	struct err err = { 0 };

	sql("SET GLOBAL max_allowed_packet = 16384");
	open_backend(fixture);
	assert_int_equal(fixture->backend->ops->ping(fixture->backend, &err), BACKEND_OK); /* it knows of the packets then */
	fill_batch(items, names);
	fixture->backend->ops->apply(fixture->backend, items, SEEN);
	for (size_t i = 0; i < SEEN; i++)
		assert_ok(items[i]);
	qsort(names, SEEN, sizeof(names[0]), compare_texts);
	while (done < SEEN) {
		struct backend_look look = look_for(seen, names, done, SEEN);

		look_well(fixture, &look);
		assert_true(look.done > 0);
		assert_string_equal(look.upto, done + look.done == SEEN ? "" : names[done + look.done - 1]);
		done += look.done;
		looks++;
	}
	assert_true(looks > 1);
	for (size_t i = 0; i < SEEN; i++) {
		assert_true(seen[i].exists && zone_digest_equal(&seen[i].actual, &seen[i].stamped));
		zone_unref(items[i].zone);
	}
	sql("SET GLOBAL max_allowed_packet = 16777216");
}

/* A look writes nothing and waits for no lock of a delivery. */
static void test_look_is_free(void **state)
{
	struct fixture *fixture = *state;
	struct zone *zone = make_zone("free.test.", "");

	assert_ok(save(fixture, "free.test.", zone, 1));
	MYSQL *locker = connect_root(current_database);
	assert_non_null(locker);
	assert_int_equal(mysql_query(locker, "BEGIN"), 0);
	assert_int_equal(mysql_query(locker, "UPDATE zonefan_state SET generation = generation + 1"), 0);
	assert_int_equal(mysql_query(locker, "DELETE FROM records"), 0);
	uint64_t before = rows_written();
	struct backend_seen seen = seen_of(fixture, "free.test.");
	assert_true(seen.exists && seen.stamp.generation == 1 && zone_digest_equal(&seen.actual, zone_digest(zone)));
	assert_int_equal(rows_written(), before);
	mysql_close(locker);
	zone_unref(zone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_look, setup, teardown),
		cmocka_unit_test_setup_teardown(test_look_finds_strays, setup, teardown),
		cmocka_unit_test_setup_teardown(test_look_in_small_packets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_look_is_free, setup, teardown),
	};

	return cmocka_run_group_tests_name("coredns_mysql look", tests, group_setup, group_teardown);
}
