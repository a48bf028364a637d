/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows as they really are, and the names of all zones there: whoever wrote them, before and after zonefan's tables are made. */
#include "test_coredns_mysql_util.h"

#include <stdatomic.h>

static void read_well(struct fixture *fixture, struct backend_read *read)
{
	struct err err = { 0 };

	if (fixture->backend->ops->read(fixture->backend, read, &err) != BACKEND_OK)
		fail_msg("%s", err.text);
}

/* The zone's rows by our own arithmetic. */
static struct zone_digest digest_of(const struct backend_rows *zone)
{
	struct zone_digest digest = { 0 };

	for (uint64_t i = 0; i < zone->count; i++)
		zone_digest_add(&digest, zone->rows[i].owner, zone->rows[i].type, zone->rows[i].data, zone->rows[i].ttl,
			zone->rows[i].online);
	return digest;
}

static void save_zone(struct fixture *fixture, const char *name, const char *lines)
{
	struct zone *zone = make_zone(name, lines);

	assert_ok(save(fixture, name, zone, 1));
	zone_unref(zone);
}

static void add_foreign(const char *name, const char *rows)
{
	sql("INSERT INTO zones (zone_name) VALUES ('%s')", name);
	if (rows[0] != '\0')
		sql("INSERT INTO records (zone_id, hostname, type, data, ttl, online) SELECT id, %s FROM zones WHERE "
		    "zone_name = '%s'",
			rows, name);
}

/* ---- rows ---- */

static void rows_as_they_are(void **state)
{
	struct fixture *fixture = *state;
	struct backend_rows zones[] = { { .name = "a.test." }, { .name = "f.test." }, { .name = "gone.test." },
		{ .name = "hollow.test." }, { .name = "none.test." }, { .name = "z.test." } };
	struct backend_read read = { .zones = zones, .count = ARRAY_SIZE(zones) };

	save_zone(fixture, "a.test.", "www 60 IN A 192.0.2.1\ntxt 60 IN TXT \"a; b\"\n");
	save_zone(fixture, "gone.test.", "");
	assert_ok(save(fixture, "gone.test.", NULL, 2));
	save_zone(fixture, "z.test.", "");
	add_foreign("f.test.", "'WWW', 'a', '', 7, 0");
	add_foreign("hollow.test.", "");
	sql("UPDATE zonefan_state SET store_id = '%s', generation = 9 WHERE zone_name = 'z.test.'", OTHER_STORE);
	sql("UPDATE records SET data = CONCAT('x', CHAR(0), 'y') WHERE type = 'NS' AND zone_id = (SELECT id FROM zones WHERE "
	    "zone_name = 'z.test.')");
	uint64_t before = rows_written();
	read_well(fixture, &read);
	assert_int_equal(rows_written(), before);
	assert_int_equal(read.done, read.count);

	struct zone *zone = make_zone("a.test.", "www 60 IN A 192.0.2.1\ntxt 60 IN TXT \"a; b\"\n");
	struct zone_digest digest = digest_of(&zones[0]);
	assert_true(zone_digest_equal(&digest, zone_digest(zone)));
	assert_true(zones[0].exists && zones[0].stamp.generation == 1);
	assert_string_equal(zones[0].stamp.store_id, OUR_STORE);
	zone_unref(zone);
	assert_true(zones[1].exists && zones[1].count == 1 && zones[1].stamp.store_id[0] == '\0');
	assert_string_equal(zones[1].rows[0].owner, "WWW");
	assert_string_equal(zones[1].rows[0].data, "");
	assert_string_equal(zones[1].rows[0].ttl, "7");
	assert_string_equal(zones[1].rows[0].online, "0");
	assert_true(!zones[2].exists && zones[2].deleted && zones[2].stamp.generation == 2 && zones[2].count == 0);
	assert_true(zones[3].exists && zones[3].count == 0 && !zones[3].cut);
	assert_true(!zones[4].exists && zones[4].stamp.store_id[0] == '\0');
	assert_true(zones[5].exists && zones[5].stamp.generation == 9);
	assert_string_equal(zones[5].stamp.store_id, OTHER_STORE);
	for (uint64_t i = 0; i < zones[5].count; i++)
		assert_true((strcmp(zones[5].rows[i].type, "NS") == 0) == (zones[5].rows[i].data == NULL));
	backend_read_free(&read);
	assert_true(zones[0].rows == NULL && !zones[0].exists && zones[0].name != NULL);
}

/* Tables of the plugin's, in a charset of their own, whose fields may be NULL. */
static void any_text(void **state)
{
	struct fixture *fixture = *state;
	struct backend_rows zone = { .name = "odd.test." };
	struct backend_read read = { .zones = &zone, .count = 1 };

	make_plugin_tables();
	make_state_table();
	sql("ALTER TABLE records MODIFY data VARCHAR(1024) NULL, MODIFY ttl INT NULL, MODIFY online INT NULL");
	add_foreign("odd.test.", "'h', 'TXT', NULL, NULL, NULL");
	sql("INSERT INTO records (zone_id, hostname, type, data, ttl, online) SELECT id, CONVERT(x'FC' USING latin1), 'TXT', "
	    "'  blanks  ', -1, 2 FROM zones WHERE zone_name = 'odd.test.'");
	read_well(fixture, &read);
	assert_int_equal(zone.count, 2);
	const struct diff_row *null = zone.rows[0].data == NULL ? &zone.rows[0] : &zone.rows[1];
	const struct diff_row *text = zone.rows[0].data == NULL ? &zone.rows[1] : &zone.rows[0];
	assert_true(null->data == NULL && null->ttl == NULL && null->online == NULL);
	assert_string_equal(text->owner, "\xc3\xbc");
	assert_string_equal(text->data, "  blanks  ");
	assert_string_equal(text->ttl, "-1");
	assert_string_equal(text->online, "2");
	backend_read_free(&read);
}

/* Memory is bounded: zones that do not fit are left for the next call, and one that nobody could hold is cut. */
static void memory_is_bounded(void **state)
{
	struct fixture *fixture = *state;
	struct backend_rows zones[] = { { .name = "a.test." }, { .name = "b.test." }, { .name = "c.test." },
		{ .name = "d.test." } };
	struct backend_read read = { .zones = zones, .count = 4 };

	for (size_t i = 0; i < 4; i++)
		save_zone(fixture, zones[i].name, "");
	/* a and b: 3 MiB each; c: 5 rows of 16 MiB. */
	sql("UPDATE records SET data = REPEAT('x', 3 << 20) WHERE type = 'NS' AND zone_id IN (SELECT id FROM zones WHERE "
	    "zone_name IN ('a.test.', 'b.test.'))");
	sql("SET GLOBAL max_allowed_packet = 33554432");
	sql("INSERT INTO records (zone_id, hostname, type, data, ttl, online) SELECT id, seq, 'TXT', REPEAT('x', 16777000), 1, 1 "
	    "FROM zones, seq_1_to_5 WHERE zone_name = 'c.test.'");
	read_well(fixture, &read);
	assert_int_equal(read.done, 1);
	assert_int_equal(zones[0].count, 2);
	assert_true(strlen(zones[0].rows[zones[0].rows[0].type[0] == 'N' ? 0 : 1].data) == 3 << 20);
	backend_read_free(&read);
	read = (struct backend_read){ .zones = zones + 1, .count = 3 };
	read_well(fixture, &read);
	assert_int_equal(read.done, 3);
	assert_true(zones[1].count == 2 && !zones[1].cut);
	assert_true(zones[2].cut && zones[2].exists && zones[2].count == 7 && zones[2].rows == NULL);
	assert_true(zones[3].count == 2 && zones[3].rows != NULL);
	backend_read_free(&read);
	sql("SET GLOBAL max_allowed_packet = 16777216");
}

/* Also of what is not measured before: the first zone is then read by itself. */
static void wide_columns_are_bounded(void **state)
{
	struct fixture *fixture = *state;
	struct backend_rows zones[] = { { .name = "a.test." }, { .name = "b.test." }, { .name = "c.test." } };
	struct backend_read read = { .zones = zones, .count = 3 };

	make_plugin_tables();
	sql("ALTER TABLE records MODIFY online MEDIUMTEXT NULL");
	for (size_t i = 0; i < 3; i++)
		add_foreign(zones[i].name, "'@', 'A', '192.0.2.1', 60, '1'");
	for (int i = 0; i < 10; i++)
		sql("INSERT INTO records (zone_id, hostname, type, data, ttl, online) SELECT id, 'w', 'A', '192.0.2.2', 60, REPEAT('1', 15728640) "
		    "FROM zones WHERE zone_name = 'b.test.'");
	read_well(fixture, &read);
	assert_int_equal(read.done, 1);
	assert_int_equal(read.count, 3);
	assert_true(zones[0].exists && !zones[0].cut && zones[0].count == 1);
	assert_string_equal(zones[0].rows[0].data, "192.0.2.1");
	backend_read_free(&read);
	read = (struct backend_read){ .zones = zones + 1, .count = 2 };
	read_well(fixture, &read);
	assert_int_equal(read.done, 1);
	assert_true(zones[1].exists && zones[1].cut && zones[1].rows == NULL);
	backend_read_free(&read);
	read = (struct backend_read){ .zones = zones + 2, .count = 1 };
	read_well(fixture, &read);
	assert_true(read.done == 1 && !zones[2].cut && zones[2].count == 1);
	backend_read_free(&read);
}

/* A read waits for no writer, sees nothing that is not committed, and holds up nobody. */
static void reads_are_free(void **state)
{
	struct fixture *fixture = *state;
	struct backend_rows zone = { .name = "free.test." };
	struct backend_read read = { .zones = &zone, .count = 1 };

	save_zone(fixture, "free.test.", "www 60 IN A 192.0.2.1\n");
	MYSQL *locker = connect_root(current_database);
	assert_non_null(locker);
	assert_int_equal(mysql_query(locker, "BEGIN"), 0);
	assert_int_equal(mysql_query(locker, "DELETE FROM records"), 0);
	assert_int_equal(mysql_query(locker, "UPDATE zonefan_state SET generation = 7"), 0);
	read_well(fixture, &read);
	assert_true(zone.count == 3 && zone.stamp.generation == 1);
	backend_read_free(&read);
	assert_int_equal(mysql_query(locker, "ROLLBACK"), 0);
	mysql_close(locker);
	/* The transaction is over: an ALTER waits for nothing. */
	read_well(fixture, &read);
	sql("SET SESSION lock_wait_timeout = 2; ALTER TABLE records ADD COLUMN more INT NULL; SET SESSION lock_wait_timeout = 60");
	backend_read_free(&read);
	save_zone(fixture, "after.test.", "");
}

/* ---- without tables ---- */

/* Where zonefan has never written, nothing is made by a question; a delivery on that connection makes it then. */
static void questions_make_no_schema(void **state)
{
	struct fixture *fixture = *state;
	struct backend_rows zone = { .name = "old.test." };
	struct backend_read read = { .zones = &zone, .count = 1 };
	struct backend_list list = { .most = 10 };
	struct err err = { 0 };

	read_well(fixture, &read);
	assert_true(!zone.exists && read.done == 1);
	assert_int_equal(fixture->backend->ops->list(fixture->backend, &list, &err), BACKEND_OK);
	assert_true(list.count == 0 && list.next == 0);
	backend_list_free(&list);
	assert_int_equal(count("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()"), 0);
	make_plugin_tables();
	add_foreign("old.test.", "'@', 'A', '192.0.2.1', 60, 1");
	read_well(fixture, &read);
	assert_true(zone.exists && zone.count == 1 && zone.stamp.store_id[0] == '\0');
	backend_read_free(&read);
	assert_int_equal(count("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()"), 2);
	save_zone(fixture, "new.test.", "");
	assert_int_equal(count("SELECT COUNT(*) FROM zonefan_state"), 1);
	/* Somebody drops everything under a connection that is ready: it is found out. */
	sql("DROP TABLE records; DROP TABLE zones; DROP TABLE zonefan_state");
	read_well(fixture, &read);
	assert_true(!zone.exists);
	backend_read_free(&read);
}

static void a_server_that_is_away(void **state)
{
	struct fixture *fixture = *state;
	struct backend_rows zone = { .name = "a.test." };
	struct backend_read read = { .zones = &zone, .count = 1 };
	struct backend_list list = { .most = 10 };
	struct err err = { 0 };

	/* A connection that was killed while it was idle is made anew. */
	save_zone(fixture, "a.test.", "");
	sql("KILL %lu", target_of(fixture)->link.thread_id);
	read_well(fixture, &read);
	assert_true(zone.exists);
	backend_read_free(&read);
	fixture->settings.password = "wrong";
	fixture->settings.username = "nobody";
	open_backend(fixture);
	assert_int_equal(fixture->backend->ops->read(fixture->backend, &read, &err), BACKEND_DOWN);
	assert_non_null(strstr(err.text, "dc1"));
	assert_true(!zone.exists && zone.rows == NULL);
	assert_int_equal(fixture->backend->ops->list(fixture->backend, &list, &err), BACKEND_DOWN);
	assert_true(list.count == 0 && list.names == NULL);
}

/* ---- tables that are altered meanwhile ---- */

enum { ALTERS = 200 };

static atomic_bool altering;

/* As schema steps do it. */
static void *alter(void *arg)
{
	static const char *const steps[] = { "ALTER TABLE records ADD INDEX by_name (hostname, type)",
		"ALTER TABLE records MODIFY data MEDIUMTEXT NOT NULL", "ALTER TABLE records DROP INDEX by_name",
		"ALTER TABLE records MODIFY data VARCHAR(1024) NOT NULL" };
	MYSQL *mysql = arg;
	int failures = 0;

	for (size_t i = 0; i < ALTERS; i++)
		failures += mysql_query(mysql, steps[i % ARRAY_SIZE(steps)]) != 0;
	atomic_store(&altering, false);
	mysql_close(mysql);
	return failures == 0 ? arg : NULL;
}

/* What cannot be seen at the moment is not taken for absent: an import would believe that there are no zones. */
static void a_table_that_is_altered_is_there(void **state)
{
	struct fixture *fixture = *state;
	struct backend_list list = { .most = 10 };
	struct err err = { 0 };
	pthread_t thread;
	void *well;
	size_t seen = 0;

	make_plugin_tables();
	add_foreign("old.test.", "'@', 'A', '192.0.2.1', 60, 1");
	MYSQL *other = connect_root(fixture->database);
	assert_non_null(other);
	atomic_store(&altering, true);
	assert_int_equal(pthread_create(&thread, NULL, alter, other), 0);
	while (atomic_load(&altering)) {
		if (fixture->backend->ops->list(fixture->backend, &list, &err) != BACKEND_OK)
			continue; /* it says so */
		assert_int_equal(list.count, 1);
		assert_int_equal(list.names[0].rows, 1);
		backend_list_free(&list);
		seen++;
	}
	assert_int_equal(pthread_join(thread, &well), 0);
	assert_non_null(well);
	assert_true(seen > 0);
}

/* Rights that are missing make nothing absent either. */
static void a_table_that_may_not_be_read_is_no_absent_one(void **state)
{
	struct fixture *fixture = *state;
	struct backend_rows zone = { .name = "old.test." };
	struct backend_read read = { .zones = &zone, .count = 1 };
	struct err err = { 0 };

	make_plugin_tables();
	add_foreign("old.test.", "'@', 'A', '192.0.2.1', 60, 1");
	sql("CREATE USER IF NOT EXISTS narrow IDENTIFIED BY 'narrow'");
	sql("GRANT SELECT ON zones TO narrow");
	fixture->settings.username = "narrow";
	fixture->settings.password = "narrow";
	open_backend(fixture);
	assert_int_equal(fixture->backend->ops->read(fixture->backend, &read, &err), BACKEND_DOWN);
	sql("GRANT SELECT ON records TO narrow");
	open_backend(fixture);
	read_well(fixture, &read);
	assert_true(zone.exists && zone.count == 1 && zone.stamp.store_id[0] == '\0');
	backend_read_free(&read);
	sql("DROP USER narrow");
}

/* ---- names ---- */

static bool has_name(const struct backend_list *list, const char *name, uint64_t rows, const char *store_id)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->names[i].name, name) == 0)
			return list->names[i].rows == rows && strcmp(list->names[i].stamp.store_id, store_id) == 0;
	}
	return false;
}

static void all_names(void **state)
{
	struct fixture *fixture = *state;
	struct backend_list list = { .most = BACKEND_LIST_MOST };
	struct err err = { 0 };

	save_zone(fixture, "ours.test.", "www 60 IN A 192.0.2.1\n");
	add_foreign("Foreign.test", "'@', 'A', '192.0.2.1', 60, 1");
	sql("INSERT INTO zones (zone_name) VALUES (CONVERT(x'C3BC2E746573742E' USING utf8mb4))");
	sql("INSERT INTO zones (zone_name) SELECT CONCAT('n', seq, '.test.') FROM seq_1_to_50");
	assert_int_equal(fixture->backend->ops->list(fixture->backend, &list, &err), BACKEND_OK);
	assert_int_equal(list.count, 53); /* and not the catch-all row */
	assert_int_equal(list.next, 0);
	assert_true(has_name(&list, "ours.test.", 3, OUR_STORE) && has_name(&list, "Foreign.test", 1, "") &&
		has_name(&list, "\xc3\xbc.test.", 0, "") && has_name(&list, "n7.test.", 0, ""));
	backend_list_free(&list);
	/* Page by page it is the same. */
	size_t seen = 0, pages = 0;
	list = (struct backend_list){ .most = 7 };
	do {
		assert_int_equal(fixture->backend->ops->list(fixture->backend, &list, &err), BACKEND_OK);
		assert_true(list.count <= 7 && (list.next == 0 || list.next > list.after));
		seen += list.count;
		list.after = list.next;
		backend_list_free(&list);
		assert_true(++pages < 20);
	} while (list.after != 0);
	assert_int_equal(seen, 53);
	assert_int_equal(pages, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rows_as_they_are, setup, teardown),
		cmocka_unit_test_setup_teardown(any_text, setup, teardown),
		cmocka_unit_test_setup_teardown(memory_is_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(wide_columns_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(reads_are_free, setup, teardown),
		cmocka_unit_test_setup_teardown(questions_make_no_schema, setup, teardown),
		cmocka_unit_test_setup_teardown(a_server_that_is_away, setup, teardown),
		cmocka_unit_test_setup_teardown(a_table_that_is_altered_is_there, setup, teardown),
		cmocka_unit_test_setup_teardown(a_table_that_may_not_be_read_is_no_absent_one, setup, teardown),
		cmocka_unit_test_setup_teardown(all_names, setup, teardown),
	};

	return cmocka_run_group_tests_name("coredns_mysql reading", tests, group_setup, group_teardown);
}
