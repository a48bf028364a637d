/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What was written must be there before it is committed, whatever the database makes of it: the server itself ends the
 * packet where it is not, and COMMIT is not executed.
 */
#include "test_coredns_mysql_util.h"

#include "backends/coredns_mysql/compose.h"

/* ---- one zone, several ways in which a database may differ from what it was told ---- */

struct oddity {
	const char *what;
	const char *statements;
	const char *repeal;
};

static const struct oddity oddities[] = {
	{ "a trigger that alters a number",
		"CREATE TRIGGER odd BEFORE INSERT ON records FOR EACH ROW SET NEW.ttl = IF(NEW.hostname = 'bent', 61, NEW.ttl)",
		"DROP TRIGGER odd" },
	{ "a trigger that alters a text",
		"CREATE TRIGGER odd BEFORE INSERT ON records FOR EACH ROW "
		"SET NEW.data = IF(NEW.hostname = 'bent', CONCAT(NEW.data, ' '), NEW.data)",
		"DROP TRIGGER odd" },
	{ "a trigger that hides a row",
		"CREATE TRIGGER odd BEFORE INSERT ON records FOR EACH ROW SET NEW.online = NEW.hostname <> 'bent'",
		"DROP TRIGGER odd" },
	{ "a row lost to another zone",
		"CREATE TRIGGER odd BEFORE INSERT ON records FOR EACH ROW SET NEW.zone_id = IF(NEW.hostname = 'bent', "
		"(SELECT id FROM zones WHERE zone_name = ''), NEW.zone_id)",
		"DROP TRIGGER odd" },
	{ "a zone without rows",
		"CREATE TRIGGER odd BEFORE INSERT ON records FOR EACH ROW SET NEW.zone_id = "
		"(SELECT id FROM zones WHERE zone_name = '')",
		"DROP TRIGGER odd" },
	{ "a column that alters what it shows",
		"ALTER TABLE records DROP CONSTRAINT CONSTRAINT_1, MODIFY ttl INT(8) UNSIGNED ZEROFILL NOT NULL",
		"ALTER TABLE records MODIFY ttl INT NOT NULL" },
};

static void test_oddities(void **state)
{
	struct fixture *fixture = *state;
	struct zone *old = make_zone("v.test.", "ok 60 IN A 192.0.2.1\n");
	struct zone *bent = make_zone("v.test.", "ok 60 IN A 192.0.2.1\nbent 60 IN A 192.0.2.2\n");
	struct zone *new = make_zone("n.test.", "bent 60 IN A 192.0.2.2\n");
	uint64_t generation = 1;

	assert_ok(save(fixture, "v.test.", old, 1));
	for (size_t i = 0; i < ARRAY_SIZE(oddities); i++) {
		sql("%s", oddities[i].statements);
		generation++;
		struct backend_item items[] = { { .name = "v.test.", .zone = bent, .generation = generation },
			{ .name = "n.test.", .zone = new, .generation = generation } };
		for (size_t k = 0; k < 2; k++) {
			struct backend_item item = apply_item(fixture, items[k]);
			if (item.verdict != BACKEND_REJECT || strstr(item.err.text, items[k].name) == NULL ||
				strstr(item.err.text, "something else than was written") == NULL)
				fail_msg("%s: verdict %d: %s", oddities[i].what, (int)item.verdict, item.err.text);
		}
		sql("%s", oddities[i].repeal);
		assert_rows("v.test.", old);
		assert_int_equal(count("SELECT COUNT(*) FROM zones WHERE zone_name = 'n.test.'"), 0);
		assert_int_equal(count("SELECT COUNT(*) FROM records WHERE hostname = 'bent'"), 0);
		assert_string_equal(ask("SELECT GROUP_CONCAT(zone_name, ' ', generation) FROM zonefan_state"), "v.test. 1");
	}
	assert_ok(save(fixture, "v.test.", bent, ++generation));
	assert_ok(save(fixture, "n.test.", new, generation));
	assert_rows("v.test.", bent);
	assert_rows("n.test.", new);
	zone_unref(old);
	zone_unref(bent);
	zone_unref(new);
}

/* Two of many: they are named, the others are written, and it takes few transactions to find out. */
static void try_some_of_many(struct fixture *fixture, const char *prefix, uint64_t expected_transactions)
{
	enum { SIZE = 300 };
	struct backend_item items[SIZE];
	char names[SIZE][32];

	for (size_t i = 0; i < SIZE; i++) {
		snprintf(names[i], sizeof(names[i]), "%s%zu.test.", prefix, i);
		items[i] = (struct backend_item){ .name = names[i], .generation = 1,
			.zone = make_zone(names[i], i == 71 || i == 255 ? "bent 60 IN A 192.0.2.66\n" :
									  "www 60 IN A 192.0.2.1\n") };
	}
	uint64_t before = transactions();
	fixture->backend->ops->apply(fixture->backend, items, SIZE);
	assert_int_equal(transactions() - before, expected_transactions);
	for (size_t i = 0; i < SIZE; i++) {
		if (i == 71 || i == 255) {
			assert_verdict(items[i], BACKEND_REJECT, names[i]);
			assert_int_equal(items[i].rows_inserted, 0);
		} else {
			assert_ok(items[i]);
			assert_int_equal(items[i].rows_inserted, 3 + 1 + 1);
			assert_rows(names[i], items[i].zone);
		}
		zone_unref(items[i].zone);
	}
	assert_int_equal(count("SELECT COUNT(*) FROM zonefan_state WHERE zone_name LIKE '%s%%'", prefix), SIZE - 2);
	assert_int_equal(count("SELECT COUNT(*) FROM zones WHERE zone_name LIKE '%s%%'", prefix), SIZE - 2);
}

static void test_some_of_many(void **state)
{
	struct fixture *fixture = *state;
	struct err err = { 0 };

	assert_int_equal(fixture->backend->ops->ping(fixture->backend, &err), BACKEND_OK);
	target_of(fixture)->link.round_trip_us = 1; /* near, however busy this host is */
	sql("CREATE TRIGGER odd BEFORE INSERT ON records FOR EACH ROW SET NEW.ttl = IF(NEW.hostname = 'bent', 61, NEW.ttl)");
	try_some_of_many(fixture, "n", 2); /* once, and without the two */
	use_text_only(fixture);
	try_some_of_many(fixture, "f", 3); /* swiftly, carefully, without the two */
}

/* What a second, full write cures is cured. */
static void test_cured(void **state)
{
	struct fixture *fixture = *state;
	struct zone *old = make_zone("c.test.", "ok 60 IN A 192.0.2.1\n");
	struct zone *new = make_zone("c.test.", "ok 60 IN A 192.0.2.2\n");

	assert_ok(save(fixture, "c.test.", old, 1));
	sql("CREATE TRIGGER odd BEFORE UPDATE ON records FOR EACH ROW SET NEW.ttl = 61");
	assert_ok(save(fixture, "c.test.", new, 2));
	assert_rows("c.test.", new);
	assert_int_equal(target_of(fixture)->false_alarms, 0);
	zone_unref(old);
	zone_unref(new);
}

/* ---- numbers of new zones ---- */

static void save_many(struct fixture *fixture, const char *prefix)
{
	enum { SIZE = 40 };
	struct backend_item items[SIZE];
	char names[SIZE][32];

	for (size_t i = 0; i < SIZE; i++) {
		snprintf(names[i], sizeof(names[i]), "%s%zu.test.", prefix, i);
		items[i] = (struct backend_item){ .name = names[i], .generation = 1,
			.zone = make_big_zone(names[i], 3, (unsigned)i % 3) };
	}
	fixture->backend->ops->apply(fixture->backend, items, SIZE);
	for (size_t i = 0; i < SIZE; i++) {
		assert_ok(items[i]);
		assert_rows(names[i], items[i].zone);
		zone_unref(items[i].zone);
	}
}

static void test_distant_numbers(void **state)
{
	struct fixture *fixture = *state;

	sql("SET GLOBAL auto_increment_increment = 7, GLOBAL auto_increment_offset = 3");
	open_backend(fixture);
	save_many(fixture, "c");
	use_text_only(fixture);
	save_many(fixture, "d");
	sql("SET GLOBAL auto_increment_increment = 1, GLOBAL auto_increment_offset = 1");
	assert_int_equal(target_of(fixture)->false_alarms, 0);
	assert_int_equal(count("SELECT COUNT(DISTINCT id MOD 7) FROM zones WHERE zone_name <> ''"), 1);
}

/* A server that does not number as all do: nothing is lost by it but time. */
static void test_odd_numbers(void **state)
{
	struct fixture *fixture = *state;
	struct err err = { 0 };

	assert_int_equal(fixture->backend->ops->ping(fixture->backend, &err), BACKEND_OK);
	target_of(fixture)->link.round_trip_us = 1; /* near, however busy this host is */
	sql("CREATE TRIGGER odd BEFORE INSERT ON zones FOR EACH ROW SET NEW.id = 1000 + CRC32(NEW.zone_name) MOD 1000000");
	save_many(fixture, "n");
	assert_int_equal(target_of(fixture)->false_alarms, 0);
	use_text_only(fixture);
	save_many(fixture, "a");
	assert_int_equal(target_of(fixture)->false_alarms, 1);
	for (unsigned i = 0; i < 4; i++) {
		char prefix[8];

		snprintf(prefix, sizeof(prefix), "b%u-", i);
		save_many(fixture, prefix);
	}
	/* It has learnt: each batch takes one transaction now. */
	uint64_t before = transactions();
	save_many(fixture, "z");
	assert_int_equal(transactions() - before, 1);
}

/* ---- servers with which it must be done otherwise ---- */

static void save_two(struct fixture *fixture, struct zone *const zones[2], uint64_t generation)
{
	struct backend_item items[] = { { .name = "u.test.", .zone = zones[0], .generation = generation },
		{ .name = "v.test.", .zone = zones[1], .generation = generation } };

	fixture->backend->ops->apply(fixture->backend, items, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_ok(items[i]);
		assert_rows(items[i].name, zones[i]);
	}
}

/* Texts that the server puts together in another charset are not those that were expected. */
static void test_false_alarms(void **state)
{
	struct fixture *fixture = *state;
	struct zone *zones[2] = { make_zone("u.test.", ""), make_zone("v.test.", "") };
	struct err err = { 0 };

	assert_int_equal(fixture->backend->ops->ping(fixture->backend, &err), BACKEND_OK);
	sql("ALTER TABLE zones MODIFY zone_name VARCHAR(255) CHARACTER SET utf16 NOT NULL");
	open_backend(fixture);
	use_text_only(fixture);
	for (unsigned i = 1; i <= 5; i++)
		save_two(fixture, zones, i);
	assert_true(target_of(fixture)->false_alarms >= 3);
	uint64_t before = transactions();
	save_two(fixture, zones, 6);
	assert_int_equal(transactions() - before, 1);
	/* A new connection tries again. */
	link_abort(&target_of(fixture)->link);
	use_text_only(fixture);
	save_two(fixture, zones, 7);
	assert_int_equal(target_of(fixture)->false_alarms, 1);
	zone_unref(zones[0]);
	zone_unref(zones[1]);
}

static void test_server_that_does_not_stop(void **state)
{
	struct fixture *fixture = *state;
	struct zone *old = make_zone("s.test.", "ok 60 IN A 192.0.2.1\n");
	struct zone *bent = make_zone("s.test.", "bent 60 IN A 192.0.2.2\n");
	struct err err = { 0 };

	assert_int_equal(fixture->backend->ops->ping(fixture->backend, &err), BACKEND_OK);
	assert_true(target_of(fixture)->stops);
	target_of(fixture)->stops = false;
	assert_ok(save(fixture, "s.test.", old, 1));
	sql("CREATE TRIGGER odd BEFORE INSERT ON records FOR EACH ROW SET NEW.ttl = IF(NEW.hostname = 'bent', 61, NEW.ttl)");
	assert_verdict(save(fixture, "s.test.", bent, 2), BACKEND_REJECT, "something else than was written for s.test.");
	assert_rows("s.test.", old);
	sql("DROP TRIGGER odd");
	assert_ok(save(fixture, "s.test.", bent, 3));
	assert_rows("s.test.", bent);
	save_many(fixture, "t");
	assert_ok(save(fixture, "s.test.", NULL, 4));
	assert_int_equal(count("SELECT COUNT(*) FROM zones WHERE zone_name = 's.test.'"), 0);
	zone_unref(old);
	zone_unref(bent);
}

/* ---- stamps ---- */

/*
 * decisions.md 29: whoever looks for what has changed relies on the stamps being written last. The log has one row for
 * each packet; no literal of ours holds a semicolon.
 */
static void assert_stamps_come_last(uint64_t commits)
{
	static const char stamps[] = "INSERT INTO `zonefan_state`";
	uint64_t seen = 0;
	MYSQL_ROW row;

	assert_int_equal(mysql_query(root, "SELECT argument FROM mysql.general_log WHERE thread_id <> CONNECTION_ID()"), 0);
	MYSQL_RES *rows = mysql_store_result(root);
	assert_non_null(rows);
	while ((row = mysql_fetch_row(rows)) != NULL) {
		char *commit = strstr(row[0], "COMMIT");

		if (commit == NULL)
			continue;
		seen++;
		assert_true(commit > row[0] && commit[-1] == ';' && strcmp(commit, "COMMIT") == 0);
		commit[-1] = '\0';
		const char *before = strrchr(row[0], ';') == NULL ? row[0] : strrchr(row[0], ';') + 1;
		if (strncmp(before, stamps, sizeof(stamps) - 1) != 0)
			fail_msg("before COMMIT: %.60s", before);
	}
	mysql_free_result(rows);
	assert_int_equal(seen, commits);
}

static void test_stamps_come_last(void **state)
{
	struct fixture *fixture = *state;
	struct zone *first = make_zone("s.test.", "a 60 IN A 192.0.2.1\nb 60 IN A 192.0.2.1\n");
	struct zone *second = make_zone("s.test.", "a 60 IN A 192.0.2.2\nb 60 IN A 192.0.2.2\n");
	struct err err = { 0 };

	assert_int_equal(fixture->backend->ops->ping(fixture->backend, &err), BACKEND_OK);
	sql("SET GLOBAL log_output = 'TABLE'; TRUNCATE mysql.general_log; SET GLOBAL general_log = 1");
	assert_ok(save(fixture, "s.test.", first, 1));
	assert_ok(save(fixture, "s.test.", second, 2));
	assert_ok(save(fixture, "s.test.", second, 3)); /* the stamp alone */
	sql("UPDATE records SET ttl = 1");
	assert_ok(check(fixture, "s.test.", second, 3));
	assert_ok(check(fixture, "s.test.", second, 3)); /* nothing */
	assert_ok(save(fixture, "s.test.", NULL, 4));
	save_many(fixture, "n");
	use_text_only(fixture);
	save_many(fixture, "f");
	sql("SET GLOBAL general_log = 0");
	assert_stamps_come_last(5 + 2);
	sql("SET GLOBAL log_output = 'FILE'");
	zone_unref(first);
	zone_unref(second);
}

/* ---- large zones: several statements, and more packets than one ---- */

static void test_many_statements(void **state)
{
	struct fixture *fixture = *state;
	struct backend_item items[3];
	static const char *const names[] = { "x.test.", "y.test.", "z.test." };

	for (size_t i = 0; i < 3; i++)
		items[i] = (struct backend_item){ .name = names[i], .generation = 1,
			.zone = make_big_zone(names[i], 5000, (unsigned)i) };
	fixture->backend->ops->apply(fixture->backend, items, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_ok(items[i]);
		assert_rows(names[i], items[i].zone);
	}
	assert_int_equal(target_of(fixture)->false_alarms, 0);
	/* The last row of the last one. */
	sql("CREATE TRIGGER odd BEFORE INSERT ON records FOR EACH ROW SET NEW.ttl = IF(NEW.hostname = 'h999', 61, NEW.ttl); "
	    "DELETE FROM records WHERE zone_id = (SELECT id FROM zones WHERE zone_name = 'z.test.')");
	for (size_t i = 0; i < 3; i++)
		items[i].generation = 2;
	fixture->backend->ops->apply(fixture->backend, items, 3);
	assert_ok(items[0]);
	assert_ok(items[1]);
	assert_verdict(items[2], BACKEND_REJECT, "z.test.");
	assert_string_equal(ask("SELECT GROUP_CONCAT(generation ORDER BY zone_name) FROM zonefan_state"), "2,2,1");
	for (size_t i = 0; i < 3; i++)
		zone_unref(items[i].zone);
}

/* Answers that end too early say nothing of the rest, COMMIT perhaps: the outcome is unknown. */
static void test_short_answers(void **state)
{
	struct fixture *fixture = *state;
	struct target *target = target_of(fixture);
	struct compose compose = { .target = target };
	const unsigned one = 1;
	struct result *rows[2];
	struct err err = { 0 };

	for (int fetching = 0; fetching < 2; fetching++) {
		assert_int_equal(fixture->backend->ops->ping(fixture->backend, &err), BACKEND_OK);
		assert_int_equal(compose_begin(&compose, 16), 0);
		buf_puts(&compose.sql, "SELECT 1");
		compose.statements++; /* one that the server will not answer */
		link_demand(&target->link, &one, 1);
		assert_int_equal(fetching ? compose_fetch(&compose, rows, 2) : compose_send(&compose), -1);
		assert_true(target->link.lost);
		assert_null(target->link.mysql);
		assert_true(classify_is_lost(target_failed(target, "trying", &err)));
		assert_non_null(strstr(err.text, "answered only 1 statements of a packet of at least 2"));
	}
	/* Likewise outside a transaction; and what was not sent was not answered. */
	assert_int_equal(fixture->backend->ops->ping(fixture->backend, &err), BACKEND_OK);
	buf_puts(&compose.sql, "SELECT 1");
	link_demand(&target->link, &one, 1);
	assert_int_equal(link_fetch(&target->link, &compose.sql, rows, 2), -1);
	assert_true(target->link.lost);
	assert_null(rows[0]);
	/* An error behind the last answer is that of no statement. */
	assert_int_equal(fixture->backend->ops->ping(fixture->backend, &err), BACKEND_OK);
	buf_clear(&compose.sql);
	buf_puts(&compose.sql, "DO 1;DO 2;SELECT 1 FROM nowhere");
	assert_int_equal(link_run(&target->link, &compose.sql, 2), -1);
	assert_true(target->link.lost);
	assert_non_null(strstr(target->link.text, "answered more than the 2 statements"));
	assert_int_equal(fixture->backend->ops->ping(fixture->backend, &err), BACKEND_OK);
	assert_true(target->link.answered > 0);
	shutdown((int)mysql_get_socket(target->link.mysql), SHUT_RDWR);
	compose.stage = COMPOSE_WRITING;
	compose.first[COMPOSE_WRITING] = 1;
	compose.first[COMPOSE_COMMITTING] = 2;
	compose.statements = 1;
	assert_int_equal(compose_send(&compose), -1);
	assert_int_equal(compose.failed, COMPOSE_WRITING);
	buf_free(&compose.sql);
}

/* Of one statement no more than one answer is taken, however many come and however soon. */
static void test_endless_answers(void **state)
{
	struct fixture *fixture = *state;
	struct link *link = &target_of(fixture)->link;
	const unsigned one = 1;
	struct result *rows[2];
	struct buf sql_text = { 0 };
	struct err err = { 0 };

	sql("CREATE PROCEDURE endless() BEGIN WHILE TRUE DO SELECT SLEEP(0.05); END WHILE; END");
	buf_puts(&sql_text, "SELECT 1;CALL endless()");
	for (int fetching = 0; fetching < 2; fetching++) {
		assert_int_equal(fixture->backend->ops->ping(fixture->backend, &err), BACKEND_OK);
		link_demand(link, &one, 1);
		int64_t start = now_ms();
		assert_int_equal(fetching ? link_fetch(link, &sql_text, rows, 2) : link_run(link, &sql_text, 2), -1);
		assert_true(now_ms() - start < 3000); /* the server's own limit is 8 s */
		assert_true(link->lost);
		assert_null(link->mysql);
		assert_non_null(strstr(link->text, "answered more than the 2 statements"));
	}
	/* One whose answer nobody waited for, too. */
	assert_int_equal(fixture->backend->ops->ping(fixture->backend, &err), BACKEND_OK);
	link_post(link, "CALL endless()");
	int64_t start = now_ms();
	assert_false(link_is_alive(link));
	assert_true(now_ms() - start < 3000);
	assert_true(link->unheard);
	buf_free(&sql_text);
}

static void *cancel_soon(void *context)
{
	struct backend *backend = context;

	pause_ms(300);
	backend->ops->cancel(backend);
	return NULL;
}

#define NULLS "NULL, NULL, NULL, NULL, NULL, NULL, NULL"

/* Rows that come so fast that no read has to wait: neither memory nor the time is theirs. */
static void test_endless_rows(void **state)
{
	static const struct {
		const char *sql;
		int64_t statement_ms;
		bool cancelled;
		bool may_be_cut;
		const char *text;
	} cases[] = {
		{ "SELECT REPEAT('x', 1048576) FROM seq_1_to_1000000", 30000, false, false, "more of one answer than there is room for" },
		{ "SELECT " NULLS " FROM seq_1_to_1000000000", 30000, false, false, "more of one answer than there is room for" },
		{ "SELECT " NULLS " FROM seq_1_to_1000000000", 500, false, true, "no answer in time" },
		{ "SELECT " NULLS " FROM seq_1_to_1000000000", 30000, true, true, "cancelled" },
	};
	struct fixture *fixture = *state;
	struct link *link = &target_of(fixture)->link;
	struct buf sql_text = { 0 };
	struct err err = { 0 };
	pthread_t thread;
	long before = most_resident_kib();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(fixture->backend->ops->ping(fixture->backend, &err), BACKEND_OK);
		link->statement_ms = cases[i].statement_ms;
		buf_clear(&sql_text);
		buf_puts(&sql_text, cases[i].sql);
		if (cases[i].cancelled)
			assert_int_equal(pthread_create(&thread, NULL, cancel_soon, fixture->backend), 0);
		if (cases[i].may_be_cut)
			link_allow(link, 0, 1 << 20);
		int64_t start = now_ms();
		assert_int_equal(link_run(link, &sql_text, 1), -1);
		print_message("%s: %lld ms, %s\n", cases[i].sql, (long long)(now_ms() - start), link->text);
		assert_true(link->lost);
		assert_null(link->mysql);
		assert_string_equal(link->text, cases[i].text);
		if (cases[i].cancelled)
			assert_int_equal(pthread_join(thread, NULL), 0);
	}
	/* The shortest rows have the most that is not text. */
	assert_in_range(most_resident_kib() - before, 0, 300 * 1024);
	buf_free(&sql_text);
}

/* Rows that may be cut are taken as far as there is room; the connection serves on. */
static void test_cut_rows(void **state)
{
	struct fixture *fixture = *state;
	struct link *link = &target_of(fixture)->link;
	unsigned columns = 2;
	struct result *rows[2];
	struct buf sql_text = { 0 };
	struct err err = { 0 };
	char **row;

	assert_int_equal(fixture->backend->ops->ping(fixture->backend, &err), BACKEND_OK);
	buf_puts(&sql_text, "SELECT seq, IF(seq = 2, NULL, REPEAT('x', 1000)) FROM seq_1_to_100;SELECT 'a', 'b'");
	link_demand(link, &columns, 1);
	link_allow(link, 0, 10 * 1024);
	assert_int_equal(link_fetch(link, &sql_text, rows, 2), 0);
	assert_true(result_cut(rows[0]));
	assert_false(result_cut(rows[1]));
	assert_int_equal(result_columns(rows[0]), 2);
	assert_int_equal(result_count(rows[0]), 11); /* 10 of 1,011 to 1,012 bytes, one of 10 */
	for (int round = 0; round < 2; round++, result_rewind(rows[0])) {
		for (unsigned i = 1; i <= 11; i++) {
			row = result_next(rows[0]);
			assert_non_null(row);
			assert_int_equal(strtoul(row[0], NULL, 10), i);
			assert_int_equal(result_lengths(rows[0])[1], i == 2 ? 0 : 1000);
			assert_true(i == 2 ? row[1] == NULL : strspn(row[1], "x") == 1000);
		}
		assert_null(result_next(rows[0]));
	}
	row = result_next(rows[1]);
	assert_string_equal(row[0], "a");
	assert_string_equal(row[1], "b");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		result_free(rows[i]);
	/* That holds for one packet, and there for what may be cut: else too many are a failure again. */
	for (int packet = 0; packet < 2; packet++) {
		assert_int_equal(fixture->backend->ops->ping(fixture->backend, &err), BACKEND_OK);
		buf_clear(&sql_text);
		buf_puts(&sql_text, "SELECT REPEAT('x', 1048576) FROM seq_1_to_40;SELECT 1");
		if (packet == 1)
			link_allow(link, 1, 10 * 1024);
		assert_int_equal(link_run(link, &sql_text, 2), -1);
		assert_string_equal(link->text, "more of one answer than there is room for");
	}
	/* Also where the socket holds the rest of them already. */
	columns = 1;
	for (int i = 0; i < 30; i++) {
		assert_int_equal(fixture->backend->ops->ping(fixture->backend, &err), BACKEND_OK);
		buf_clear(&sql_text);
		buf_puts(&sql_text, "SELECT REPEAT('x', 1048576) FROM seq_1_to_32");
		link_demand(link, &columns, 1);
		assert_int_equal(link_fetch(link, &sql_text, rows, 1), -1);
		assert_string_equal(link->text, "more of one answer than there is room for");
		assert_true(link->lost);
	}
	buf_free(&sql_text);
}

/* Answers that are each in time, of a packet that is not: outside a transaction as within. */
static void test_slow_packet(void **state)
{
	struct fixture *fixture = *state;
	struct link *link = &target_of(fixture)->link;
	struct buf sql_text = { 0 };
	struct err err = { 0 };

	assert_int_equal(fixture->backend->ops->ping(fixture->backend, &err), BACKEND_OK);
	link->statement_ms = 1000;
	fixture->settings.transaction_max_ms = 2000;
	buf_puts(&sql_text, "SELECT SLEEP(0.6);SELECT SLEEP(0.6)");
	assert_int_equal(link_run(link, &sql_text, 2), 0);
	link_post(link, "DO SLEEP(0)");
	pause_ms(2500); /* a connection may be idle for longer than that */
	assert_int_equal(link_run(link, &sql_text, 2), 0);
	buf_puts(&sql_text, ";SELECT SLEEP(0.6);SELECT SLEEP(0.6);SELECT SLEEP(0.6)");
	int64_t start = now_ms();
	assert_int_equal(link_run(link, &sql_text, 5), -1);
	assert_true(link->lost && link->timed_out);
	assert_in_range(now_ms() - start, 1900, 2900);
	buf_free(&sql_text);
}

/* Rows with fewer columns than were asked for are not looked into, wherever in a packet they come. */
static void test_narrow_answers(void **state)
{
	static const unsigned columns[] = { 1, 2 };
	struct fixture *fixture = *state;
	struct target *target = target_of(fixture);
	struct buf sql = { 0 };
	struct result *rows[3];
	struct err err = { 0 };

	assert_int_equal(fixture->backend->ops->ping(fixture->backend, &err), BACKEND_OK);
	buf_puts(&sql, "SELECT 1;SELECT 1,2;SELECT 1,2,3");
	link_demand(&target->link, columns, ARRAY_SIZE(columns));
	assert_int_equal(link_fetch(&target->link, &sql, rows, 3), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		result_free(rows[i]);
	buf_clear(&sql);
	buf_puts(&sql, "SELECT 1;SELECT 1,2;SELECT 1");
	link_demand(&target->link, columns, ARRAY_SIZE(columns));
	assert_int_equal(link_fetch(&target->link, &sql, rows, 3), -1);
	assert_true(target->link.lost);
	assert_null(target->link.mysql);
	assert_null(rows[0]);
	assert_true(classify_is_lost(target_failed(target, "trying", &err)));
	assert_non_null(strstr(err.text, "fewer columns"));
	buf_free(&sql);
}

/* An administrator's settings for all sessions do not hold for ours. */
static void test_server_wide_settings(void **state)
{
	struct fixture *fixture = *state;
	struct zone *zone = make_zone("a.test.", "www 60 IN A 192.0.2.1\nwww 60 IN A 192.0.2.2\n");

	sql("SET GLOBAL sql_select_limit = 1");
	sql("SET GLOBAL completion_type = 'RELEASE'");
	sql("SET GLOBAL max_join_size = 10");
	link_abort(&target_of(fixture)->link);
	assert_ok(save(fixture, "a.test.", zone, 1));
	assert_non_null(target_of(fixture)->link.mysql);
	assert_ok(check(fixture, "a.test.", zone, 1));
	assert_false(target_of(fixture)->fresh);
	sql("SET GLOBAL sql_select_limit = DEFAULT");
	sql("SET GLOBAL completion_type = DEFAULT");
	sql("SET GLOBAL max_join_size = DEFAULT");
	zone_unref(zone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_oddities, setup, teardown),
		cmocka_unit_test_setup_teardown(test_some_of_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cured, setup, teardown),
		cmocka_unit_test_setup_teardown(test_distant_numbers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_odd_numbers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_false_alarms, setup, teardown),
		cmocka_unit_test_setup_teardown(test_server_that_does_not_stop, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stamps_come_last, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_statements, setup, teardown),
		cmocka_unit_test_setup_teardown(test_short_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_endless_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_endless_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slow_packet, setup, teardown),
		cmocka_unit_test_setup_teardown(test_narrow_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_server_wide_settings, setup, teardown),
	};

	return cmocka_run_group_tests_name("coredns_mysql verify", tests, group_setup, group_teardown);
}
