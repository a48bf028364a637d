/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is written, and what is not, against a real mariadbd. */
#include "test_coredns_mysql_util.h"

#include "backends/coredns_mysql/verify.h"

static void test_new_zone_and_equal_push(void **state)
{
	struct fixture *fixture = *state;
	struct zone *zone = make_zone("a.test.", "www 300 IN A 192.0.2.1\nwww 300 IN A 192.0.2.2\n* 60 IN AAAA ::1\n");
	struct backend_item item = save(fixture, "a.test.", zone, 1);

	assert_ok(item);
	assert_int_equal(item.rows_inserted, 5 + 1 + 1);
	assert_rows("a.test.", zone);
	assert_string_equal(ask("SELECT CONCAT(store_id, ' ', generation, ' ', record_count, ' ', serial, ' ', deleted) "
				"FROM zonefan_state WHERE zone_name = 'a.test.'"),
		OUR_STORE " 1 5 2026112000 0");
	assert_int_equal(count("SELECT ABS(TIMESTAMPDIFF(SECOND, changed_at, UTC_TIMESTAMP())) < 60 FROM zonefan_state"), 1);
	uint64_t before = rows_written();
	uint64_t next_id = count("SELECT AUTO_INCREMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() "
				 "AND TABLE_NAME = 'zones'");
	assert_ok(save(fixture, "a.test.", zone, 1));
	assert_ok(check(fixture, "a.test.", zone, 1));
	assert_int_equal(rows_written(), before);
	assert_int_equal(count("SELECT AUTO_INCREMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() "
			       "AND TABLE_NAME = 'zones'"),
		next_id);
	/* Only the generation differs: the stamp alone. */
	assert_ok(save(fixture, "a.test.", zone, 2));
	assert_int_equal(rows_written(), before + 1);
	assert_ok(check(fixture, "a.test.", zone, 3));
	assert_int_equal(rows_written(), before + 2);
	zone_unref(zone);
}

static void test_one_record_of_many(void **state)
{
	struct fixture *fixture = *state;
	struct zone *first = make_big_zone("big.test.", 200, 1000);
	struct zone *second = make_big_zone("big.test.", 200, 117);

	assert_ok(save(fixture, "big.test.", first, 1));
	uint64_t zone_id = count("SELECT id FROM zones WHERE zone_name = 'big.test.'");
	uint64_t ids = count("SELECT SUM(id) FROM records");
	uint64_t before = rows_written();
	struct backend_item item = save(fixture, "big.test.", second, 2);
	assert_ok(item);
	assert_int_equal(item.rows_inserted + item.rows_updated + item.rows_deleted, 2);
	assert_int_equal(rows_written(), before + 2); /* the record and the stamp */
	assert_rows("big.test.", second);
	assert_int_equal(count("SELECT id FROM zones WHERE zone_name = 'big.test.'"), zone_id);
	assert_int_equal(count("SELECT SUM(id) FROM records"), ids);
	zone_unref(first);
	zone_unref(second);
}

static void test_new_ttl_is_one_statement(void **state)
{
	struct fixture *fixture = *state;
	struct zone *first = make_zone("t.test.", "a 300 IN A 192.0.2.1\nb 300 IN A 192.0.2.1\nc 300 IN TXT x\n");
	struct zone *second = make_zone("t.test.", "a 600 IN A 192.0.2.1\nb 600 IN A 192.0.2.7\nc 600 IN TXT x\n");

	assert_ok(save(fixture, "t.test.", first, 1));
	struct backend_item item = save(fixture, "t.test.", second, 2);
	assert_ok(item);
	assert_int_equal(item.rows_updated, 3 + 1);
	assert_int_equal(item.rows_inserted + item.rows_deleted, 0);
	assert_rows("t.test.", second);
	zone_unref(first);
	zone_unref(second);
}

/* Every record has other data: rows are changed where they are, and no id is used up. */
static void test_whole_rewrite(void **state)
{
	struct fixture *fixture = *state;
	struct buf lines[2] = { { 0 }, { 0 } };
	struct zone *zones[2];

	for (unsigned k = 0; k < 2; k++) {
		for (unsigned i = 0; i < 60; i++)
			buf_printf(&lines[k], "h%u %u IN A 10.%u.0.%u\n", i, i % 3 == 0 ? 300 + k : 300, k, i);
		zones[k] = make_zone("w.test.", lines[k].data);
		buf_free(&lines[k]);
	}
	assert_ok(save(fixture, "w.test.", zones[0], 1));
	const char *ids = ask("SELECT GROUP_CONCAT(id ORDER BY hostname, type) FROM records");
	uint64_t next_id = count("SELECT AUTO_INCREMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() "
				 "AND TABLE_NAME = 'records'");
	uint64_t before = rows_written();
	struct backend_item item = save(fixture, "w.test.", zones[1], 2);
	assert_ok(item);
	assert_int_equal(item.rows_updated, 60 + 1);
	assert_int_equal(item.rows_inserted + item.rows_deleted, 0);
	assert_true(rows_written() - before <= 60 + 1);
	assert_rows("w.test.", zones[1]);
	assert_string_equal(ask("SELECT GROUP_CONCAT(id ORDER BY hostname, type) FROM records"), ids);
	assert_int_equal(count("SELECT AUTO_INCREMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() "
			       "AND TABLE_NAME = 'records'"),
		next_id);
	zone_unref(zones[0]);
	zone_unref(zones[1]);
}

static void test_delete(void **state)
{
	struct fixture *fixture = *state;
	struct zone *zone = make_zone("d.test.", "");
	struct err err = { 0 };
	bool exists = true;

	assert_ok(save(fixture, "d.test.", zone, 1));
	assert_int_equal(fixture->backend->ops->zone_exists(fixture->backend, "d.test.", &exists, &err), BACKEND_OK);
	assert_true(exists);
	assert_ok(save(fixture, "d.test.", NULL, 2));
	assert_int_equal(count("SELECT COUNT(*) FROM records") + count("SELECT COUNT(*) FROM zones WHERE zone_name <> ''"),
		0);
	assert_string_equal(ask("SELECT CONCAT(generation, ' ', deleted, ' ', record_count) FROM zonefan_state"), "2 1 0");
	assert_int_equal(fixture->backend->ops->zone_exists(fixture->backend, "d.test.", &exists, &err), BACKEND_OK);
	assert_false(exists);
	uint64_t before = rows_written();
	assert_ok(save(fixture, "d.test.", NULL, 2));
	assert_int_equal(rows_written(), before);
	/* A name that was never there gets a tombstone, once. */
	assert_ok(save(fixture, "never.test.", NULL, 1));
	assert_int_equal(rows_written(), before + 1);
	/* And back again. */
	assert_ok(save(fixture, "d.test.", zone, 3));
	assert_rows("d.test.", zone);
	assert_string_equal(ask("SELECT deleted FROM zonefan_state WHERE zone_name = 'd.test.'"), "0");
	zone_unref(zone);
}

/* Deletes of zones that had these rows last. */
static void delete_checked(struct fixture *fixture, const char *const *names, size_t count, const struct zone_digest *last,
	uint64_t generation)
{
	struct backend_item items[8] = { 0 };

	for (size_t i = 0; i < count; i++)
		items[i] = (struct backend_item){ .name = names[i], .generation = generation, .check = true, .last = *last };
	fixture->backend->ops->apply(fixture->backend, items, count);
	for (size_t i = 0; i < count; i++)
		assert_ok(items[i]);
}

static char *all_rows(void)
{
	return xstrdup(ask("SELECT GROUP_CONCAT(CONCAT_WS(',', z.id, z.zone_name, r.id, r.hostname, r.type, r.data, r.ttl, r.online) "
			   "ORDER BY r.id SEPARATOR ';') FROM zones z JOIN records r ON r.zone_id = z.id"));
}

/* What we wrote goes, an older copy of it too; what somebody else made of a name that we deleted stays as it is. */
static void test_delete_checked(void **state)
{
	static const char *const names[] = { "copy.test.", "live.test.", "made.test.", "none.test.", "other.test.",
		"unstamped.test." };
	struct fixture *fixture = *state;
	struct zone_digest last = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct zone *zone = make_zone("x.test.", "www 60 IN A 192.0.2.1\n");

		last = *zone_digest(zone);
		assert_ok(save(fixture, names[i], zone, 1));
		zone_unref(zone);
	}
	assert_ok(save(fixture, "none.test.", NULL, 2));
	sql("DELETE FROM zonefan_state WHERE zone_name = 'none.test.'");
	sql("UPDATE zonefan_state SET deleted = 1, generation = 2 WHERE zone_name IN ('copy.test.', 'made.test.')");
	sql("UPDATE records r JOIN zones z ON z.id = r.zone_id SET r.data = '192.0.2.77' "
	    "WHERE z.zone_name = 'made.test.' AND r.type = 'A'");
	sql("UPDATE zonefan_state SET store_id = '%s' WHERE zone_name = 'other.test.'", OTHER_STORE);
	sql("DELETE FROM zonefan_state WHERE zone_name = 'unstamped.test.'");
	delete_checked(fixture, names, ARRAY_SIZE(names), &last, 2);
	assert_string_equal(ask("SELECT GROUP_CONCAT(zone_name ORDER BY zone_name) FROM zones WHERE zone_name <> ''"),
		"made.test.,other.test.,unstamped.test.");
	assert_int_equal(count("SELECT COUNT(*) FROM records"), 9);
	assert_string_equal(ask("SELECT GROUP_CONCAT(CONCAT_WS(' ', zone_name, store_id = '" OUR_STORE "', generation, deleted) "
				"ORDER BY zone_name) FROM zonefan_state"),
		"copy.test. 1 2 1,live.test. 1 2 1,made.test. 1 2 1,other.test. 0 1 0");
	char *rows = all_rows();
	uint64_t before = rows_written();
	delete_checked(fixture, names, ARRAY_SIZE(names), &last, 2);
	assert_int_equal(rows_written(), before);
	char *again = all_rows();
	assert_string_equal(rows, again);
	free(rows);
	free(again);
}

/* What bears a newer stamp of ours is told, as ever. */
static void test_delete_checked_is_stale(void **state)
{
	struct fixture *fixture = *state;
	struct zone *zone = make_zone("s.test.", "");

	assert_ok(save(fixture, "s.test.", zone, 5));
	assert_verdict(check(fixture, "s.test.", NULL, 4), BACKEND_STALE, "generation 5");
	assert_rows("s.test.", zone);
	assert_ok(check(fixture, "s.test.", NULL, 6));
	assert_int_equal(count("SELECT COUNT(*) FROM records"), 0);
	zone_unref(zone);
}

/* We know a zone by its id; one that is no positive number is refused by name, and nothing of it is called done. */
static void test_odd_ids(void **state)
{
	static const char *const ids[] = { "0", "-7" };
	static const char refusal[] = "dc1: o.test.: its id in table zones is no positive number";
	struct fixture *fixture = *state;
	struct zone *zone = make_zone("o.test.", "www 300 IN A 192.0.2.1\n");
	struct zone *other = make_zone("p.test.", "");
	struct err err = { 0 };

	assert_int_equal(fixture->backend->ops->ping(fixture->backend, &err), BACKEND_OK);
	sql("ALTER TABLE records DROP FOREIGN KEY records_ibfk_1");
	for (uint64_t i = 0; i < ARRAY_SIZE(ids); i++) {
		assert_ok(save(fixture, "o.test.", zone, 10 * i + 1));
		sql("UPDATE records SET zone_id = %s WHERE zone_id = (SELECT id FROM zones WHERE zone_name = 'o.test.');"
		    "UPDATE zones SET id = %s WHERE zone_name = 'o.test.'",
			ids[i], ids[i]);
		struct backend_item items[] = { { .name = "o.test.", .generation = 10 * i + 2 },
			{ .name = "p.test.", .generation = 10 * i + 2, .zone = other } };
		fixture->backend->ops->apply(fixture->backend, items, 2);
		assert_verdict(items[0], BACKEND_REJECT, refusal);
		assert_ok(items[1]);
		assert_verdict(check(fixture, "o.test.", NULL, 10 * i + 2), BACKEND_REJECT, refusal);
		assert_verdict(save(fixture, "o.test.", zone, 10 * i + 3), BACKEND_REJECT, refusal);
		sql("UPDATE zonefan_state SET deleted = 1 WHERE zone_name = 'o.test.'");
		assert_verdict(check(fixture, "o.test.", NULL, 10 * i + 1), BACKEND_REJECT, refusal);
		assert_rows("o.test.", zone);
		assert_int_equal(count("SELECT generation FROM zonefan_state WHERE zone_name = 'o.test.'"), 10 * i + 1);
		sql("UPDATE zones SET id = 90 WHERE zone_name = 'o.test.'; UPDATE records SET zone_id = 90 WHERE zone_id = %s",
			ids[i]);
		assert_ok(save(fixture, "o.test.", NULL, 10 * i + 4));
		assert_int_equal(count("SELECT COUNT(*) FROM records WHERE zone_id = 90"), 0);
	}
	zone_unref(zone);
	zone_unref(other);
}

static uint64_t rows_of(const char *name)
{
	return count("SELECT COUNT(*) FROM records r JOIN zones z ON z.id = r.zone_id WHERE z.zone_name = '%s'", name);
}

/* Rows that somebody left under our zones, far more than are wanted: they go, and are not all read for that. */
static void test_far_too_many_rows(void **state)
{
	static const char *const names[] = { "a.test.", "many.test.", "none.test." };
	struct fixture *fixture = *state;
	struct zone *zones[2][3];

	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < 3; i++)
			zones[k][i] = make_zone(names[i], k == 0 ? "www 60 IN A 192.0.2.1\n" : "www 60 IN A 192.0.2.2\n");
	assert_ok(save(fixture, names[0], zones[0][0], 1));
	assert_ok(save(fixture, names[1], zones[0][1], 1));
	target_of(fixture)->link.statement_ms = WAIT_MS; /* not how soon is asked here */
	for (uint64_t round = 0; round < 2; round++) {
		sql("INSERT INTO records (zone_id, hostname, type, data, ttl, online) SELECT id, CONCAT('h', seq), 'A', '192.0.2.9', 60, 1 "
		    "FROM zones JOIN seq_1_to_200100 WHERE zone_name = 'many.test.'");
		struct backend_item items[3];
		for (size_t i = 0; i < 3; i++)
			items[i] = (struct backend_item){ .name = names[i], .generation = 2 + round, .zone = zones[round == 0][i] };
		uint64_t sent = count("SELECT ROWS_SENT FROM information_schema.USER_STATISTICS WHERE USER = 'root'");
		fixture->backend->ops->apply(fixture->backend, items, round == 0 ? 3 : 2);
		sent = count("SELECT ROWS_SENT FROM information_schema.USER_STATISTICS WHERE USER = 'root'") - sent;
		assert_in_range(sent, 200000, 200090);
		for (size_t i = 0; i < (round == 0 ? 3 : 2); i++) {
			assert_ok(items[i]);
			assert_rows(names[i], items[i].zone);
		}
		assert_int_equal(rows_of("many.test."), 3);
		assert_int_equal(count("SELECT COUNT(*) FROM zonefan_state WHERE generation = %" PRIu64, 2 + round), 3 - round);
	}
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < 3; i++)
			zone_unref(zones[k][i]);
}

/* Few, but more of them than there is room for. */
static void test_far_too_wide_rows(void **state)
{
	struct fixture *fixture = *state;
	struct zone *zone = make_zone("wide.test.", "www 60 IN A 192.0.2.1\n");
	struct zone *newer = make_zone("wide.test.", "www 60 IN A 192.0.2.2\n");

	assert_ok(save(fixture, "wide.test.", zone, 1));
	target_of(fixture)->link.statement_ms = WAIT_MS;
	for (int i = 0; i < 18; i++)
		sql("INSERT INTO records (zone_id, hostname, type, data, ttl, online) SELECT id, 'w', 'TXT', REPEAT('x', 15728640), 60, 1 "
		    "FROM zones WHERE zone_name = 'wide.test.'");
	assert_ok(save(fixture, "wide.test.", newer, 2));
	assert_rows("wide.test.", newer);
	zone_unref(zone);
	zone_unref(newer);
}

/* Likewise of those that are read after they were written: they are not the zone's, however many fit. */
static void test_far_too_many_rows_after(void **state)
{
	struct fixture *fixture = *state;
	struct zone *zone = make_zone("t.test.", "www 60 IN A 192.0.2.1\n");
	struct err err = { 0 };

	assert_int_equal(fixture->backend->ops->ping(fixture->backend, &err), BACKEND_OK);
	assert_ok(save(fixture, "t.test.", zone, 1));
	struct backend_item item = { .name = "t.test.", .generation = 1, .zone = zone };
	struct work work = { .item = &item };
	struct work *works[] = { &work };
	struct compose compose = { .target = target_of(fixture) };
	struct roster roster;
	const uint64_t zone_id = count("SELECT id FROM zones WHERE zone_name = 't.test.'");
	roster_init(&roster, works, 1);
	work.kind = WORK_REWRITE;
	work.exists = true;
	work.zone_id = zone_id;
	roster.ids[0] = (struct roster_id){ zone_id, &work };
	roster.id_count = 1;
	assert_int_equal(verify_read(&compose, &roster, works, 1), 0);
	assert_true(work.right);
	sql("INSERT INTO records (zone_id, hostname, type, data, ttl, online) SELECT %" PRIu64 ", CONCAT('h', seq), 'A', '192.0.2.9', 60, 1 "
	    "FROM seq_1_to_200100",
		zone_id);
	assert_int_equal(verify_read(&compose, &roster, works, 1), 0);
	assert_false(work.right);
	assert_int_equal(work.row_count, 200003);
	roster_free(&roster);
	buf_free(&compose.sql);
	zone_unref(zone);
}

static void test_foreign_zones(void **state)
{
	struct fixture *fixture = *state;
	struct zone *zone = make_zone("f.test.", "www 300 IN A 192.0.2.1\n");
	struct err err = { 0 };

	assert_int_equal(fixture->backend->ops->ping(fixture->backend, &err), BACKEND_OK);
	sql("INSERT INTO zones (zone_name) VALUES ('f.test.'), ('other.test.');"
	    "INSERT INTO records (zone_id, hostname, type, data, ttl, online) SELECT id, 'x', 'A', '192.0.2.9', 60, 1 "
	    "FROM zones WHERE zone_name LIKE '%%.test.'");
	uint64_t zone_id = count("SELECT id FROM zones WHERE zone_name = 'f.test.'");
	/* A save of that very name takes it over, and keeps its id. */
	assert_ok(save(fixture, "f.test.", zone, 2));
	assert_rows("f.test.", zone);
	assert_int_equal(count("SELECT id FROM zones WHERE zone_name = 'f.test.'"), zone_id);
	assert_int_equal(count("SELECT COUNT(*) FROM records JOIN zones ON zones.id = zone_id WHERE zone_name = 'other.test.'"),
		1);
	zone_unref(zone);
}

static void test_stale_and_supersede(void **state)
{
	struct fixture *fixture = *state;
	struct zone *zone = make_zone("s.test.", "");
	struct zone *newer = make_zone("s.test.", "www 60 IN A 192.0.2.1\n");
	struct backend_item item;

	assert_ok(save(fixture, "s.test.", zone, 5));
	item = save(fixture, "s.test.", newer, 4);
	assert_verdict(item, BACKEND_STALE, "generation 5");
	assert_string_equal(item.found.store_id, OUR_STORE);
	assert_int_equal(item.found.generation, 5);
	assert_rows("s.test.", zone);
	assert_verdict(save(fixture, "s.test.", NULL, 4), BACKEND_STALE, "generation 5");
	/* The same generation with other content is written. */
	assert_ok(save(fixture, "s.test.", newer, 5));
	assert_rows("s.test.", newer);
	sql("UPDATE zonefan_state SET store_id = '" OTHER_STORE "', generation = 77");
	item = save(fixture, "s.test.", zone, 100);
	assert_verdict(item, BACKEND_STALE, "another store");
	assert_string_equal(item.found.store_id, OTHER_STORE);
	assert_int_equal(item.found.generation, 77);
	item = (struct backend_item){ .name = "s.test.", .zone = zone, .generation = 100, .supersede = item.found };
	item.supersede.generation = 76; /* it has gone on since */
	assert_verdict(apply_item(fixture, item), BACKEND_STALE, "77");
	item.supersede.generation = 77;
	assert_ok(apply_item(fixture, item));
	assert_rows("s.test.", zone);
	assert_string_equal(ask("SELECT store_id FROM zonefan_state"), OUR_STORE);
	zone_unref(zone);
	zone_unref(newer);
}

static void fill_batch(struct backend_item *items, char (*names)[32], size_t size)
{
	for (size_t i = 0; i < size; i++) {
		snprintf(names[i], sizeof(names[i]), "b%zu.test.", i);
		items[i] = (struct backend_item){ .name = names[i], .generation = 1,
			.zone = make_zone(names[i], i == 23 ? "bad 60 IN A 192.0.2.66\n" : "www 60 IN A 192.0.2.1\n") };
	}
}

static void test_batch_with_one_refused_by_the_server(void **state)
{
	enum { SIZE = 50 };
	struct fixture *fixture = *state;
	struct backend_item items[SIZE];
	char names[SIZE][32];
	struct err err = { 0 };

	assert_int_equal(fixture->backend->ops->ping(fixture->backend, &err), BACKEND_OK);
	sql("ALTER TABLE records ADD CONSTRAINT no_bad CHECK (hostname <> 'bad')");
	fill_batch(items, names, SIZE);
	fixture->backend->ops->apply(fixture->backend, items, SIZE);
	for (size_t i = 0; i < SIZE; i++) {
		if (i == 23)
			assert_verdict(items[i], BACKEND_REJECT, "4025");
		else
			assert_ok(items[i]);
		if (i != 23)
			assert_rows(names[i], items[i].zone);
		zone_unref(items[i].zone);
	}
	assert_int_equal(count("SELECT COUNT(*) FROM zones WHERE zone_name <> ''"), SIZE - 1);
	assert_int_equal(count("SELECT COUNT(*) FROM zonefan_state"), SIZE - 1);
}

static void test_batch_mixed(void **state)
{
	enum { SIZE = 150 };
	struct fixture *fixture = *state;
	struct backend_item items[SIZE];
	char names[SIZE][32];

	fill_batch(items, names, SIZE);
	fixture->backend->ops->apply(fixture->backend, items, SIZE);
	for (size_t i = 0; i < SIZE; i++)
		assert_ok(items[i]);
	/* Deletes, changes, stale ones and equal ones in one call; and names in no order. */
	for (size_t i = 0; i < SIZE; i++) {
		struct zone *changed = make_zone(names[i], "www 60 IN A 192.0.2.1\nnew 60 IN A 192.0.2.2\n");

		if (i % 4 == 0) {
			zone_unref(items[i].zone);
			items[i].zone = NULL;
		} else if (i % 4 == 1) {
			zone_unref(items[i].zone);
			items[i].zone = zone_ref(changed);
		}
		items[i].generation = i % 4 == 2 ? 0 : i % 4 == 3 ? 1 : 2;
		zone_unref(changed);
	}
	fixture->backend->ops->apply(fixture->backend, items, SIZE);
	for (size_t i = 0; i < SIZE; i++) {
		if (i % 4 == 2) {
			assert_verdict(items[i], BACKEND_STALE, "");
			assert_int_equal(items[i].rows_inserted + items[i].rows_updated, 0);
		} else {
			assert_ok(items[i]);
		}
		if (items[i].zone != NULL)
			assert_rows(names[i], items[i].zone);
		else
			assert_int_equal(count("SELECT COUNT(*) FROM zones WHERE zone_name = '%s'", names[i]), 0);
		zone_unref(items[i].zone);
	}
}

static void test_large_zone_in_many_packets(void **state)
{
	struct fixture *fixture = *state;
	struct zone *zone = make_big_zone("huge.test.", 20000, 5);
	struct zone *half = make_big_zone("huge.test.", 9000, 7);

	assert_ok(save(fixture, "huge.test.", zone, 1));
	assert_rows("huge.test.", zone);
	assert_ok(save(fixture, "huge.test.", half, 2));
	assert_rows("huge.test.", half);
	assert_ok(save(fixture, "huge.test.", zone, 3));
	assert_rows("huge.test.", zone);
	zone_unref(zone);
	zone_unref(half);
}

static void test_hostile_text(void **state)
{
	struct fixture *fixture = *state;
	struct buf lines = { 0 };

	buf_puts(&lines, "a 60 IN TXT \"'; DROP TABLE zones; -- \\\\ %s %n `x` /* */\"\nb 60 IN TXT \"");
	for (int i = 0; i < 256; i++)
		buf_printf(&lines, "\\%03d", i);
	buf_puts(&lines, "\"\nc 60 IN TXT \"\\191'\\039 \" \"  trailing  \"\nd 60 IN TXT \"\"\n");
	struct zone *zone = make_zone("evil.test.", lines.data);
	buf_free(&lines);
	assert_ok(save(fixture, "evil.test.", zone, 1));
	assert_rows("evil.test.", zone);
	assert_int_equal(count("SELECT COUNT(*) FROM zones WHERE zone_name = 'evil.test.'"), 1);
	struct backend_seen seen = seen_of(fixture, "evil.test.");
	assert_true(zone_digest_equal(&seen.actual, zone_digest(zone)));
	zone_unref(zone);
}

/* Each statement damages the zone; a check must see it and make it right, and a plain redelivery must not look. */
static void test_repairs(void **state)
{
	static const char *const damages[] = {
		"INSERT INTO records (zone_id, hostname, type, data, ttl, online) SELECT zone_id, hostname, type, data, ttl, "
		"online FROM records WHERE hostname = 'a'",
		"UPDATE records SET online = 0 WHERE hostname = 'a'",
		"UPDATE records SET ttl = ttl + 1 WHERE hostname = 'a'",
		"UPDATE records SET data = CONCAT(data, ' ') WHERE hostname = 'a'",
		"UPDATE records SET hostname = 'A' WHERE hostname = 'a'",
		"UPDATE records SET type = 'a' WHERE hostname = 'a'",
		"UPDATE records r JOIN records s ON r.hostname = 'a' AND s.hostname = 'b' SET r.data = s.data, s.data = r.data",
		"DELETE FROM records WHERE hostname = 'b'",
		"DELETE FROM records",
		"INSERT INTO records (zone_id, hostname, type, data, ttl, online) SELECT zone_id, 'x', 'TXT', "
		"CONCAT('a', CHAR(0), 'b'), 60, 1 FROM records LIMIT 1",
		"INSERT INTO records (zone_id, hostname, type, data, ttl, online) SELECT zone_id, 'x', 'TXT', "
		"CONVERT(x'C3BC' USING utf8mb4), 60, 1 FROM records LIMIT 1",
		"ALTER TABLE records MODIFY data MEDIUMTEXT NULL, MODIFY ttl INT NULL; "
		"UPDATE records SET data = NULL WHERE hostname = 'a'",
		"UPDATE records SET ttl = NULL WHERE hostname = 'b'",
		"DELETE FROM records; DELETE FROM zones WHERE zone_name <> ''",
	};
	struct fixture *fixture = *state;
	struct zone *zone = make_zone("r.test.", "a 60 IN A 192.0.2.1\nb 60 IN A 192.0.2.2\n");

	assert_ok(save(fixture, "r.test.", zone, 1));
	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		sql("%s", damages[i]);
		struct backend_seen seen = seen_of(fixture, "r.test.");
		if (zone_digest_equal(&seen.actual, zone_digest(zone)))
			fail_msg("not seen: %s", damages[i]);
		assert_true(zone_digest_equal(&seen.stamped, zone_digest(zone)));
		struct backend_item item = check(fixture, "r.test.", zone, 1);
		if (item.verdict != BACKEND_OK)
			fail_msg("%s: %s", damages[i], item.err.text);
		assert_rows("r.test.", zone);
		seen = seen_of(fixture, "r.test.");
		assert_true(zone_digest_equal(&seen.actual, zone_digest(zone)));
	}
	sql("UPDATE records SET ttl = 1");
	uint64_t before = rows_written();
	assert_ok(save(fixture, "r.test.", zone, 1));
	assert_int_equal(rows_written(), before);
	zone_unref(zone);
}

static void test_other_spelling(void **state)
{
	struct fixture *fixture = *state;
	struct zone *zone = make_zone("up.test.", "");

	make_plugin_tables();
	sql("INSERT INTO zones (id, zone_name) VALUES (41, 'UP.Test.')");
	assert_ok(save(fixture, "up.test.", zone, 1));
	assert_string_equal(ask("SELECT CONCAT(id, HEX(zone_name) = HEX('up.test.')) FROM zones WHERE zone_name <> ''"),
		"411");
	assert_rows("up.test.", zone);
	zone_unref(zone);
}

/* A trigger that alters what is written: the old rows stay, and the zone alone is refused. */
static void test_verification(void **state)
{
	struct fixture *fixture = *state;
	struct zone *old = make_zone("v.test.", "ok 60 IN A 192.0.2.1\n");
	struct zone *new = make_zone("v.test.", "bent 60 IN A 192.0.2.1\n");
	struct zone *other = make_zone("w.test.", "ok 60 IN A 192.0.2.1\n");
	struct backend_item items[2];

	assert_ok(save(fixture, "v.test.", old, 1));
	sql("CREATE TRIGGER bend BEFORE INSERT ON records FOR EACH ROW "
	    "SET NEW.ttl = IF(NEW.hostname = 'bent', 61, NEW.ttl)");
	items[0] = (struct backend_item){ .name = "v.test.", .zone = new, .generation = 2 };
	items[1] = (struct backend_item){ .name = "w.test.", .zone = other, .generation = 1 };
	fixture->backend->ops->apply(fixture->backend, items, 2);
	assert_verdict(items[0], BACKEND_REJECT, "something else than was written");
	assert_ok(items[1]);
	assert_rows("v.test.", old);
	assert_rows("w.test.", other);
	/* What a second, full write cures is cured: a row that somebody slips in between. */
	sql("DROP TRIGGER bend; CREATE TRIGGER bend BEFORE UPDATE ON records FOR EACH ROW SET NEW.ttl = 61");
	struct zone *changed = make_zone("v.test.", "ok 60 IN A 192.0.2.2\n");
	assert_ok(save(fixture, "v.test.", changed, 3));
	assert_rows("v.test.", changed);
	zone_unref(old);
	zone_unref(new);
	zone_unref(other);
	zone_unref(changed);
}

static void test_signed_zones(void **state)
{
	static const char signature[] = "@ 3600 IN DNSKEY 257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+"
					"KkxLbxILfDLUT0rAK9iUzy1L53eKGQ==\n";
	struct fixture *fixture = *state;
	struct zone *zone = make_zone("signed.test.", signature);

	assert_ok(save(fixture, "signed.test.", zone, 1));
	assert_ok(save(fixture, "signed.test.", zone, 2));
	assert_non_null(find_notice(fixture, "signed_zone signed.test."));
	size_t told = 0;
	for (size_t i = 0; i < fixture->notice_count; i++)
		told += strncmp(fixture->notices[i], "signed_zone", 11) == 0;
	assert_int_equal(told, 1);
	fixture->settings.signed_zones = COREDNS_MYSQL_SIGNED_REFUSE;
	open_backend(fixture);
	assert_verdict(save(fixture, "signed.test.", zone, 3), BACKEND_REJECT, "signed");
	assert_string_equal(ask("SELECT generation FROM zonefan_state"), "2");
	zone_unref(zone);
}

static void test_old_tombstones_go(void **state)
{
	struct fixture *fixture = *state;
	struct err err = { 0 };

	assert_ok(save(fixture, "old.test.", NULL, 1));
	assert_ok(save(fixture, "young.test.", NULL, 1));
	sql("UPDATE zonefan_state SET changed_at = UTC_TIMESTAMP(6) - INTERVAL 31 DAY WHERE zone_name = 'old.test.'");
	assert_int_equal(fixture->backend->ops->ping(fixture->backend, &err), BACKEND_OK);
	assert_string_equal(ask("SELECT GROUP_CONCAT(zone_name) FROM zonefan_state"), "young.test.");
}

/* ---- two lane threads ---- */

struct lane {
	struct backend *backend;
	unsigned number;
	unsigned failed;
	pthread_t thread;
};

/* Makes, changes, deletes and makes again its own zones, whose names lie between those of the other lane. */
static void *drive(void *context)
{
	enum { SIZE = 32, ROUNDS = 8 };
	struct lane *lane = context;
	struct backend_item items[SIZE];
	char names[SIZE][32];

	for (uint64_t round = 1; round <= ROUNDS; round++) {
		for (unsigned i = 0; i < SIZE; i++) {
			snprintf(names[i], sizeof(names[i]), "c%u.test.", i * 2 + lane->number);
			items[i] = (struct backend_item){ .name = names[i], .generation = round,
				.zone = round % 4 == 3 ? NULL :
							 make_big_zone(names[i], 10, (unsigned)round % 10) };
		}
		lane->backend->ops->apply(lane->backend, items, SIZE);
		for (unsigned i = 0; i < SIZE; i++) {
			/* A deadlock is no failure; it is repeated, as the lane thread does. */
			for (int again = 0; items[i].verdict == BACKEND_RETRY && again < 3; again++)
				lane->backend->ops->apply(lane->backend, &items[i], 1);
			lane->failed += items[i].verdict != BACKEND_OK;
			zone_unref(items[i].zone);
		}
	}
	return NULL;
}

static void test_two_lanes(void **state)
{
	struct fixture *fixture = *state;
	struct lane lanes[2] = { { .number = 0 }, { .number = 1 } };
	struct err err = { 0 };

	/* Both find no tables and make them: one does, the other waits. */
	for (int i = 0; i < 2; i++) {
		lanes[i].backend = make_backend(fixture, OUR_STORE);
		assert_int_equal(pthread_create(&lanes[i].thread, NULL, drive, &lanes[i]), 0);
	}
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(lanes[i].thread, NULL), 0);
		assert_int_equal(lanes[i].failed, 0);
		lanes[i].backend->ops->destroy(lanes[i].backend);
	}
	struct zone *zone = make_big_zone("c7.test.", 10, 8);
	assert_rows("c7.test.", zone);
	zone_unref(zone);
	assert_int_equal(count("SELECT COUNT(*) FROM zones WHERE zone_name <> ''"), 64);
	assert_int_equal(count("SELECT COUNT(*) FROM records"), 64 * 12);
	assert_int_equal(fixture->backend->ops->ping(fixture->backend, &err), BACKEND_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_new_zone_and_equal_push, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_record_of_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_new_ttl_is_one_statement, setup, teardown),
		cmocka_unit_test_setup_teardown(test_whole_rewrite, setup, teardown),
		cmocka_unit_test_setup_teardown(test_delete, setup, teardown),
		cmocka_unit_test_setup_teardown(test_delete_checked, setup, teardown),
		cmocka_unit_test_setup_teardown(test_delete_checked_is_stale, setup, teardown),
		cmocka_unit_test_setup_teardown(test_odd_ids, setup, teardown),
		cmocka_unit_test_setup_teardown(test_far_too_many_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_far_too_wide_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_far_too_many_rows_after, setup, teardown),
		cmocka_unit_test_setup_teardown(test_foreign_zones, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stale_and_supersede, setup, teardown),
		cmocka_unit_test_setup_teardown(test_batch_with_one_refused_by_the_server, setup, teardown),
		cmocka_unit_test_setup_teardown(test_batch_mixed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_large_zone_in_many_packets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_repairs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_spelling, setup, teardown),
		cmocka_unit_test_setup_teardown(test_verification, setup, teardown),
		cmocka_unit_test_setup_teardown(test_two_lanes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_signed_zones, setup, teardown),
		cmocka_unit_test_setup_teardown(test_old_tombstones_go, setup, teardown),
	};

	return cmocka_run_group_tests_name("coredns_mysql server", tests, group_setup, group_teardown);
}
