/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tables: made, completed, used as they are, or refused by name; rights and read-only servers. */
#include "test_coredns_mysql_util.h"

static void assert_ping(struct fixture *fixture, enum backend_verdict verdict, const char *part)
{
	struct err err = { 0 };
	enum backend_verdict got = fixture->backend->ops->ping(fixture->backend, &err);

	if (got != verdict || strstr(err.text, part) == NULL)
		fail_msg("verdict %d: %s", (int)got, err.text);
}

static bool ends_with(const char *text, const char *end)
{
	return strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

static unsigned count_notices(const struct fixture *fixture, const char *part)
{
	unsigned found = 0;

	for (size_t i = 0; i < fixture->notice_count; i++)
		found += strstr(fixture->notices[i], part) != NULL;
	return found;
}

static void drop_notice(void *ctx, const char *kind, const char *text)
{
	(void)ctx;
	(void)kind;
	(void)text;
}

static void test_made(void **state)
{
	struct fixture *fixture = *state;

	assert_ping(fixture, BACKEND_OK, "");
	assert_non_null(find_notice(fixture, "table made for the zones"));
	assert_non_null(find_notice(fixture, "table made for the records"));
	assert_non_null(find_notice(fixture, "3_zonefan_state.sql"));
	assert_non_null(find_notice(fixture, "7_catch_all.sql"));
	assert_int_equal(count("SELECT COUNT(*) FROM zones WHERE zone_name = ''"), 1);
	/* Once only, and silent then. */
	fixture->notice_count = 0;
	open_backend(fixture);
	assert_ping(fixture, BACKEND_OK, "");
	assert_int_equal(fixture->notice_count, 0);
	assert_int_equal(count("SELECT COUNT(*) FROM zones WHERE zone_name = ''"), 1);
	/* What would stop the plugin cannot be written by anybody. */
	assert_int_not_equal(mysql_query(root, "INSERT INTO records (zone_id, hostname, type, data, ttl) "
					       "SELECT id, 'x', 'A', '192.0.2.1', -1 FROM zones"),
		0);
}

static void test_other_table_names(void **state)
{
	struct fixture *fixture = *state;
	struct zone *zone = make_zone("n.test.", "");

	fixture->settings.zones_table = "My_Zones";
	fixture->settings.records_table = "my_records";
	fixture->settings.state_table = "my_state";
	fixture->settings.catch_all_zone = false;
	open_backend(fixture);
	assert_ok(save(fixture, "n.test.", zone, 1));
	assert_int_equal(count("SELECT COUNT(*) FROM My_Zones JOIN my_records ON My_Zones.id = zone_id JOIN my_state "
			       "ON my_state.zone_name = My_Zones.zone_name"),
		2);
	assert_int_equal(count("SELECT COUNT(*) FROM My_Zones"), 1);
	fixture->settings.zones_table = "zones; DROP TABLE x";
	const struct backend_params params = { .name = "dc1", .store_id = OUR_STORE, .settings = &fixture->settings };
	struct backend *refused = NULL;
	struct err err = { 0 };
	assert_int_equal(coredns_mysql_ops.create(&params, &refused, &err), ERR_INVALID);
	assert_non_null(strstr(err.text, "zones_table"));
	zone_unref(zone);
}

static void test_plugin_tables_completed(void **state)
{
	struct fixture *fixture = *state;

	make_plugin_tables();
	sql("INSERT INTO zones (zone_name) VALUES ('theirs.test.');"
	    "INSERT INTO records (zone_id, hostname, type, data) SELECT id, 'x', 'A', '192.0.2.1' FROM zones");
	assert_ping(fixture, BACKEND_OK, "");
	/* What may take hours is told before, too. */
	const char *begun = find_notice(fixture, "schema step 4_records_index.sql runs: ALTER TABLE `records` ADD INDEX");
	const char *done = find_notice(fixture, "index on (zone_id, hostname, type) added (schema/coredns_mysql/4_records_index.sql)");
	assert_non_null(begun);
	assert_true(begun < done);
	assert_non_null(find_notice(fixture, "schema step 5_records_data.sql runs"));
	assert_non_null(find_notice(fixture, "widened to MEDIUMTEXT (schema/coredns_mysql/5_records_data.sql)"));
	assert_string_equal(ask("SELECT DATA_TYPE FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND "
				"TABLE_NAME = 'records' AND COLUMN_NAME = 'data'"),
		"mediumtext");
	assert_int_equal(count("SELECT COUNT(*) FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND "
			       "INDEX_NAME = 'zone_hostname_type'"),
		3);
	/* Nothing is narrowed or re-engined, and nobody's rows are touched. */
	assert_string_equal(ask("SELECT DATA_TYPE FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND "
				"TABLE_NAME = 'zones' AND COLUMN_NAME = 'id'"),
		"int");
	assert_int_equal(count("SELECT COUNT(*) FROM records WHERE online = 0"), 1);
}

static void test_plugin_tables_as_they_are(void **state)
{
	struct fixture *fixture = *state;
	char lines[2200];
	struct zone *good = make_zone("good.test.", "www 60 IN A 192.0.2.1\n");
	struct backend_item items[2];

	make_plugin_tables();
	fixture->settings.manage_schema = false;
	open_backend(fixture);
	assert_ping(fixture, BACKEND_DOWN, "schema/coredns_mysql/3_zonefan_state.sql: CREATE TABLE IF NOT EXISTS");
	assert_int_equal(count_notices(fixture, "3_zonefan_state.sql"), 1);
	assert_ping(fixture, BACKEND_DOWN, "; apply");
	assert_int_equal(count_notices(fixture, "3_zonefan_state.sql"), 1);
	assert_int_equal(count("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()"), 2);
	assert_verdict(save(fixture, "good.test.", good, 1), BACKEND_DOWN, "3_zonefan_state.sql");
	make_state_table();
	assert_ping(fixture, BACKEND_OK, "");
	assert_non_null(find_notice(fixture, "4_records_index.sql"));
	assert_int_equal(count("SELECT COUNT(*) FROM zones"), 0);
	/* 1024 characters are what fits; the type column is ten wide. */
	memcpy(lines, "long 60 IN TXT ", 15);
	size_t at = 15;
	for (int i = 0; i < 5; i++)
		at += (size_t)snprintf(lines + at, sizeof(lines) - at, " \"%0250d\"", 1);
	snprintf(lines + at, sizeof(lines) - at, "\n");
	items[0] = (struct backend_item){ .name = "long.test.", .generation = 1, .zone = make_zone("long.test.", lines) };
	items[1] = (struct backend_item){ .name = "good.test.", .generation = 1, .zone = good };
	fixture->backend->ops->apply(fixture->backend, items, 2);
	assert_verdict(items[0], BACKEND_REJECT, "record long TXT: data is 1264 characters long, column data holds 1024");
	assert_ok(items[1]);
	assert_rows("good.test.", good);
	assert_int_equal(count("SELECT COUNT(*) FROM zones"), 1);
	/* An administrator widens the column: the next try sees it. */
	sql("ALTER TABLE records MODIFY data TEXT NOT NULL");
	assert_ok(apply_item(fixture, items[0]));
	assert_rows("long.test.", items[0].zone);
	zone_unref(items[0].zone);
	zone_unref(good);
}

static void test_without_the_right_to_alter(void **state)
{
	struct fixture *fixture = *state;
	struct zone *zone = make_zone("r.test.", "");

	make_plugin_tables();
	use_plain_user(fixture);
	fixture->settings.manage_schema = true;
	open_backend(fixture);
	assert_ping(fixture, BACKEND_DOWN, "the table for zonefan's stamps is missing: CREATE right missing on table");
	make_state_table();
	assert_ping(fixture, BACKEND_OK, ""); /* usable as it is */
	assert_non_null(find_notice(fixture, "not done: ALTER right missing on table records (1142)"));
	assert_ok(save(fixture, "r.test.", zone, 1));
	zone_unref(zone);
}

static void test_engine_without_transactions(void **state)
{
	struct fixture *fixture = *state;
	struct zone *zone = make_zone("e.test.", "");

	make_plugin_tables();
	sql("ALTER TABLE records DROP FOREIGN KEY records_ibfk_1; ALTER TABLE records ENGINE=Aria");
	assert_ping(fixture, BACKEND_DOWN, "table records is of engine Aria, not InnoDB");
	assert_verdict(save(fixture, "e.test.", zone, 1), BACKEND_DOWN, "Aria");
	assert_int_equal(count("SELECT COUNT(*) FROM records"), 0);
	assert_string_equal(ask("SELECT ENGINE FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND "
				"TABLE_NAME = 'records'"),
		"Aria");
	sql("ALTER TABLE records ENGINE=InnoDB");
	assert_ping(fixture, BACKEND_OK, "");
	assert_ok(save(fixture, "e.test.", zone, 1));
	zone_unref(zone);
}

/* What is altered under an open connection is seen by the next transaction, before it writes. */
static void test_engine_altered(void **state)
{
	static const char *const tables[] = { "records", "zones", "zonefan_state" };
	struct fixture *fixture = *state;
	struct zone *old = make_zone("a.test.", "www 60 IN A 192.0.2.1\n");
	struct zone *new = make_zone("a.test.", "www 60 IN A 192.0.2.2\nmore 60 IN A 192.0.2.3\n");
	struct zone *other = make_zone("b.test.", "www 60 IN A 192.0.2.1\n");
	char name[64];

	make_plugin_tables();
	make_state_table();
	sql("ALTER TABLE records DROP FOREIGN KEY records_ibfk_1");
	for (uint64_t i = 0; i < ARRAY_SIZE(tables); i++) {
		struct backend_item items[] = { { .name = "a.test.", .zone = new, .generation = 2 * i + 2 },
			{ .name = "b.test.", .zone = other, .generation = 2 * i + 2 } };

		assert_ok(save(fixture, "a.test.", old, 2 * i + 1));
		sql("ALTER TABLE %s ENGINE=Aria", tables[i]);
		snprintf(name, sizeof(name), "dc1: table %s is of engine Aria, not InnoDB", tables[i]);
		fixture->backend->ops->apply(fixture->backend, items, 2);
		for (size_t k = 0; k < 2; k++) {
			assert_verdict(items[k], BACKEND_DOWN, name);
			assert_false(items[k].lost);
		}
		assert_ping(fixture, BACKEND_DOWN, name);
		assert_verdict(apply_item(fixture, (struct backend_item){ .name = "a.test.", .generation = 2 * i + 2 }),
			BACKEND_DOWN, name);
		assert_rows("a.test.", old);
		assert_int_equal(count("SELECT COUNT(*) FROM zones WHERE zone_name <> ''"), i == 0 ? 1 : 2);
		assert_int_equal(count("SELECT MAX(generation) FROM zonefan_state"), 2 * i + 1);
		sql("ALTER TABLE %s ENGINE=InnoDB", tables[i]);
		assert_ping(fixture, BACKEND_OK, "");
		fixture->backend->ops->apply(fixture->backend, items, 2);
		assert_ok(items[0]);
		assert_ok(items[1]);
		assert_rows("a.test.", new);
		assert_rows("b.test.", other);
		/* A probe on an idle connection sees it too. */
		sql("ALTER TABLE %s ENGINE=MyISAM", tables[i]);
		assert_ping(fixture, BACKEND_DOWN, "of engine MyISAM");
		sql("ALTER TABLE %s ENGINE=InnoDB", tables[i]);
		assert_ping(fixture, BACKEND_OK, "");
	}
	zone_unref(old);
	zone_unref(new);
	zone_unref(other);
}

static void *alter_records(void *database)
{
	MYSQL *mysql = connect_root(database);

	assert_int_equal(mysql_query(mysql, "ALTER TABLE records ENGINE=Aria"), 0);
	mysql_close(mysql);
	return NULL;
}

struct push {
	struct fixture *fixture;
	struct backend_item item;
};

static void *run_push(void *data)
{
	struct push *push = data;

	push->item = apply_item(push->fixture, push->item);
	return NULL;
}

/* Altered within the transaction, before that has opened the table: the look at the engines comes behind it. */
static void test_engine_altered_meanwhile(void **state)
{
	struct fixture *fixture = *state;
	struct zone *zone = make_zone("m.test.", "www 60 IN A 192.0.2.1\n");
	struct push push = { .fixture = fixture, .item = { .name = "m.test.", .zone = zone, .generation = 2 } };
	pthread_t pusher;
	pthread_t altering;

	make_plugin_tables();
	make_state_table();
	sql("ALTER TABLE records DROP FOREIGN KEY records_ibfk_1");
	assert_ok(save(fixture, "m.test.", zone, 1));
	zone_unref(zone);
	push.item.zone = zone = make_zone("m.test.", "www 60 IN A 192.0.2.7\n");
	sql("START TRANSACTION; SELECT zone_name FROM zonefan_state WHERE zone_name = 'm.test.' FOR UPDATE");
	assert_int_equal(pthread_create(&pusher, NULL, run_push, &push), 0);
	wait_for("SELECT COUNT(*) FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT'");
	assert_int_equal(pthread_create(&altering, NULL, alter_records, fixture->database), 0);
	/* The transaction has not opened records yet, so the ALTER goes through. */
	assert_int_equal(pthread_join(altering, NULL), 0);
	sql("ROLLBACK");
	assert_int_equal(pthread_join(pusher, NULL), 0);
	assert_verdict(push.item, BACKEND_DOWN, "table records is of engine Aria");
	assert_int_equal(count("SELECT COUNT(*) FROM records WHERE data = '192.0.2.7'"), 0);
	assert_int_equal(count("SELECT generation FROM zonefan_state"), 1);
	zone_unref(zone);
}

/* Whatever the columns are like, and if that is altered under an open connection: rows are right, and seen to be. */
static void test_columns_of_all_kinds(void **state)
{
	static const char *const alters[] = {
		"ALTER TABLE records CONVERT TO CHARACTER SET latin1",
		("ALTER TABLE records MODIFY data MEDIUMTEXT NULL, MODIFY ttl INT NULL, MODIFY hostname VARCHAR(512) NULL, "
		 "MODIFY type VARCHAR(10) NULL, MODIFY online INT NULL"),
		"ALTER TABLE records CONVERT TO CHARACTER SET utf16; ALTER TABLE zonefan_state CONVERT TO CHARACTER SET utf32",
		"ALTER TABLE zones CONVERT TO CHARACTER SET ucs2",
		"ALTER TABLE records CONVERT TO CHARACTER SET ascii; ALTER TABLE zones CONVERT TO CHARACTER SET utf8mb3",
		"ALTER TABLE records MODIFY data MEDIUMBLOB NOT NULL, MODIFY hostname VARBINARY(512) NOT NULL",
	};
	struct fixture *fixture = *state;
	struct zone *zones[2];
	uint64_t generation = 0;

	zones[0] = make_zone("k.test.", "www 60 IN A 192.0.2.1\nt 60 IN TXT \"a \\\\ \\\" \\200\\001 '\"\n");
	zones[1] = make_zone("k.test.", "www 60 IN A 192.0.2.2\nt 60 IN TXT \"b \\\\ \\\" \\201\\002 `\"\nmore 60 IN AAAA ::1\n");
	for (size_t i = 0; i <= ARRAY_SIZE(alters); i++) {
		struct zone *fresh = make_big_zone("n.test.", 30, (unsigned)i);

		for (size_t k = 0; k < 2; k++) {
			assert_ok(save(fixture, "k.test.", zones[k], ++generation));
			assert_rows("k.test.", zones[k]);
			struct backend_seen seen = seen_of(fixture, "k.test.");
			assert_true(zone_digest_equal(&seen.actual, zone_digest(zones[k])));
			assert_true(zone_digest_equal(&seen.stamped, zone_digest(zones[k])));
		}
		assert_ok(save(fixture, "n.test.", NULL, 2 * i + 1));
		assert_ok(save(fixture, "n.test.", fresh, 2 * i + 2));
		assert_rows("n.test.", fresh);
		uint64_t before = rows_written();
		assert_ok(check(fixture, "n.test.", fresh, 2 * i + 2));
		assert_int_equal(rows_written(), before);
		sql("UPDATE records SET ttl = ttl + 1 WHERE hostname = 'h7'");
		assert_ok(check(fixture, "n.test.", fresh, 2 * i + 2));
		assert_rows("n.test.", fresh);
		zone_unref(fresh);
		if (i < ARRAY_SIZE(alters))
			sql("SET SESSION foreign_key_checks = 0; %s; SET SESSION foreign_key_checks = 1", alters[i]);
	}
	zone_unref(zones[0]);
	zone_unref(zones[1]);
}

/* The longest names there can be, the longest complaint: it ends with the statement's short form all the same. */
static void test_complaint_is_whole(void **state)
{
	static const char longest[] = "t234567890123456789012345678901234567890123456789012345678901234";
	struct fixture *fixture = *state;
	struct err err = { 0 };

	sql("CREATE TABLE `%s` (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, zone_name VARCHAR(255) NOT NULL)", longest);
	use_plain_user(fixture);
	fixture->settings.zones_table = longest;
	fixture->settings.manage_schema = true;
	open_backend(fixture);
	assert_int_equal(fixture->backend->ops->ping(fixture->backend, &err), BACKEND_DOWN);
	assert_true(strlen(err.text) < 400);
	assert_non_null(strstr(err.text, "apply schema/coredns_mysql/"));
	if (!ends_with(err.text, "(...)"))
		fail_msg("%s", err.text);
	/* A table of which all is missing, by those who may not make it. */
	make_plugin_tables();
	fixture->settings.zones_table = "zones";
	fixture->settings.manage_schema = false;
	open_backend(fixture);
	assert_int_equal(fixture->backend->ops->ping(fixture->backend, &err), BACKEND_DOWN);
	assert_string_equal(err.text, "dc1: the table for zonefan's stamps is missing; apply "
				      "schema/coredns_mysql/3_zonefan_state.sql: CREATE TABLE IF NOT EXISTS "
				      "`zonefan_state` (...)");
}

/* An index that is there, and that the server does not use: the records are read by another way, the zones are not. */
static void test_ignored_index(void **state)
{
	struct fixture *fixture = *state;
	struct zone *zones[] = { make_zone("i.test.", "www 60 IN A 192.0.2.1\n"), make_zone("i.test.", "www 60 IN A 192.0.2.2\n") };
	struct zone *fresh = make_zone("n.test.", "");
	struct err err = { 0 };
	bool makeable;

	assert_ok(save(fixture, "i.test.", zones[0], 1));
	assert_string_equal(target_of(fixture)->schema.records_index, "zone_hostname_type");
	sql("ALTER TABLE records ALTER INDEX zone_hostname_type IGNORED");
	open_backend(fixture);
	assert_ping(fixture, BACKEND_OK, "");
	assert_non_null(find_notice(fixture, "schema - index zone_hostname_type of table records is made IGNORED or INVISIBLE"));
	assert_ok(save(fixture, "i.test.", zones[1], 2));
	assert_rows("i.test.", zones[1]);
	assert_ok(check(fixture, "i.test.", zones[1], 2));
	assert_true(schema_refresh(&target_of(fixture)->link, &target_of(fixture)->schema));
	target_of(fixture)->stops = false;
	assert_ok(save(fixture, "i.test.", zones[0], 3));
	assert_rows("i.test.", zones[0]);
	/* What an open connection has found is not so any more: the next one says what it is. */
	sql("ALTER TABLE zones ALTER INDEX zone_name IGNORED");
	assert_verdict(save(fixture, "n.test.", fresh, 1), BACKEND_DOWN, "an index is missing or not to be used (1176)");
	assert_verdict(save(fixture, "n.test.", fresh, 1), BACKEND_DOWN,
		"dc1: index zone_name of table zones is made IGNORED or INVISIBLE");
	assert_ping(fixture, BACKEND_DOWN, "ALTER TABLE `zones` ALTER INDEX `zone_name` NOT IGNORED (or VISIBLE)");
	const struct schema_notices notices = { "dc1", drop_notice, NULL };
	assert_int_equal(target_connected(target_of(fixture), &err), 0);
	assert_int_equal(schema_judge(&target_of(fixture)->link, &notices, &makeable, &err), ERR_INVALID);
	assert_false(makeable);
	sql("ALTER TABLE zones ALTER INDEX zone_name NOT IGNORED");
	link_abort(&target_of(fixture)->link);
	assert_ok(save(fixture, "n.test.", fresh, 1));
	zone_unref(zones[0]);
	zone_unref(zones[1]);
	zone_unref(fresh);
}

static void test_missing_column(void **state)
{
	struct fixture *fixture = *state;

	make_plugin_tables();
	sql("ALTER TABLE records DROP COLUMN online");
	assert_ping(fixture, BACKEND_DOWN,
		"table records has no column online; make it as in schema/coredns_mysql/2_records.sql: ALTER TABLE `records` ...");
}

static void test_dropped_tables(void **state)
{
	struct fixture *fixture = *state;
	struct zone *zone = make_zone("x.test.", "");
	struct err err = { 0 };

	assert_ok(save(fixture, "x.test.", zone, 1));
	sql("DROP TABLE records, zonefan_state");
	assert_verdict(save(fixture, "x.test.", zone, 2), BACKEND_DOWN, "a table is missing (1146)");
	assert_ping(fixture, BACKEND_OK, "");
	assert_ok(save(fixture, "x.test.", zone, 2));
	assert_rows("x.test.", zone);
	/* Under a connection that is idle, a probe makes them anew too. */
	sql("DROP TABLE zonefan_state");
	assert_ping(fixture, BACKEND_OK, "");
	sql("DROP TABLE records");
	fixture->settings.manage_schema = false;
	assert_ping(fixture, BACKEND_DOWN, "2_records.sql");
	fixture->settings.manage_schema = true;
	assert_int_equal(fixture->backend->ops->ping(fixture->backend, &err), BACKEND_OK);
	zone_unref(zone);
}

static void test_read_only_server(void **state)
{
	struct fixture *fixture = *state;
	struct zone *zone = make_zone("ro.test.", "");

	assert_ping(fixture, BACKEND_OK, "");
	use_plain_user(fixture);
	assert_ping(fixture, BACKEND_OK, "");
	sql("SET GLOBAL read_only = 1");
	assert_ping(fixture, BACKEND_DOWN, "server is read-only (1290)");
	struct backend_item item = save(fixture, "ro.test.", zone, 1);
	assert_verdict(item, BACKEND_DOWN, "server is read-only (1290)");
	assert_false(item.lost);
	sql("SET GLOBAL read_only = 0");
	assert_ping(fixture, BACKEND_OK, "");
	assert_ok(save(fixture, "ro.test.", zone, 1));
	zone_unref(zone);
}

static void test_revoked_right(void **state)
{
	struct fixture *fixture = *state;
	struct zone *old = make_zone("rv.test.", "www 60 IN A 192.0.2.1\n");
	struct zone *new = make_zone("rv.test.", "other 60 IN AAAA 2001:db8::1\nmore 60 IN A 192.0.2.2\n");

	assert_ok(save(fixture, "rv.test.", old, 1));
	use_plain_user(fixture);
	sql("REVOKE INSERT ON %s.* FROM plain@localhost; GRANT INSERT ON %s.zones TO plain@localhost;"
	    "GRANT INSERT ON %s.zonefan_state TO plain@localhost",
		fixture->database, fixture->database, fixture->database);
	assert_ping(fixture, BACKEND_DOWN, "INSERT right missing on table records (1142)");
	struct backend_item item = save(fixture, "rv.test.", new, 2);
	assert_verdict(item, BACKEND_DOWN, "INSERT right missing on table records (1142)");
	assert_false(item.lost);
	assert_rows("rv.test.", old);
	assert_string_equal(ask("SELECT generation FROM zonefan_state"), "1");
	sql("GRANT INSERT ON %s.* TO plain@localhost", fixture->database);
	assert_ok(save(fixture, "rv.test.", new, 2));
	assert_rows("rv.test.", new);
	zone_unref(old);
	zone_unref(new);
}

static void test_ids_run_out(void **state)
{
	struct fixture *fixture = *state;

	make_plugin_tables();
	sql("ALTER TABLE records AUTO_INCREMENT = 1200000000");
	assert_ping(fixture, BACKEND_OK, "");
	assert_non_null(find_notice(fixture, "auto_increment - ids of table records are used up to 1200000000 of 2147483647"));
}

static void test_login_refused(void **state)
{
	struct fixture *fixture = *state;

	fixture->settings.username = "nobody";
	fixture->settings.password = "top-secret";
	open_backend(fixture);
	assert_ping(fixture, BACKEND_DOWN, "login refused for user 'nobody'");
	struct err err = { 0 };
	assert_int_equal(fixture->backend->ops->ping(fixture->backend, &err), BACKEND_DOWN);
	assert_null(strstr(err.text, "top-secret"));
	fixture->settings.username = "root";
	fixture->settings.password = "";
	fixture->settings.database = "no_such_database";
	open_backend(fixture);
	assert_ping(fixture, BACKEND_DOWN, "the database does not exist (1049)");
}

static void test_unix_socket(void **state)
{
	struct fixture *fixture = *state;
	struct buf text = { 0 };

	fixture->settings.host = "";
	fixture->settings.unix_socket = server_socket;
	open_backend(fixture);
	assert_ping(fixture, BACKEND_OK, "");
	fixture->backend->ops->describe(fixture->backend, &text);
	assert_non_null(strstr(text.data, server_socket));
	assert_non_null(strstr(text.data, "MariaDB"));
	buf_free(&text);
	fixture->settings.unix_socket = "/nonexistent/socket";
	open_backend(fixture);
	assert_ping(fixture, BACKEND_DOWN, "cannot connect to dc1 at /nonexistent/socket");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_made, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_table_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_plugin_tables_completed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_plugin_tables_as_they_are, setup, teardown),
		cmocka_unit_test_setup_teardown(test_without_the_right_to_alter, setup, teardown),
		cmocka_unit_test_setup_teardown(test_engine_without_transactions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_engine_altered, setup, teardown),
		cmocka_unit_test_setup_teardown(test_engine_altered_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_columns_of_all_kinds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_complaint_is_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ignored_index, setup, teardown),
		cmocka_unit_test_setup_teardown(test_missing_column, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dropped_tables, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_only_server, setup, teardown),
		cmocka_unit_test_setup_teardown(test_revoked_right, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ids_run_out, setup, teardown),
		cmocka_unit_test_setup_teardown(test_login_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unix_socket, setup, teardown),
	};

	return cmocka_run_group_tests_name("coredns_mysql schema", tests, group_setup, group_teardown);
}
