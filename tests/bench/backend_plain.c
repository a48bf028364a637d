/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backend_plain.h"

#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ZONES_PER_COMMIT = 100 };

NORETURN static void fail(MYSQL *db)
{
	fprintf(stderr, "bench_backend: %s\n", mysql_error(db));
	exit(1);
}

static MYSQL *open_connection(const struct coredns_mysql_settings *settings, bool in_database)
{
	MYSQL *db = mysql_init(NULL);

	if (mysql_real_connect(db, settings->host, settings->username, settings->password,
		    in_database ? settings->database : NULL, settings->port, NULL, CLIENT_MULTI_STATEMENTS) == NULL)
		fail(db);
	return db;
}

static void run(MYSQL *db, const struct buf *sql)
{
	if (mysql_real_query(db, sql->data, sql->size) != 0)
		fail(db);
	mysql_free_result(mysql_store_result(db));
}

static void run_text(MYSQL *db, const char *text)
{
	struct buf sql = { 0 };

	buf_puts(&sql, text);
	run(db, &sql);
	buf_free(&sql);
}

static void put_literal(MYSQL *db, struct buf *sql, const char *text)
{
	size_t size = strlen(text);

	buf_puts(sql, "'");
	buf_reserve(sql, 2 * size + 1);
	sql->size += mysql_real_escape_string(db, sql->data + sql->size, text, size);
	buf_puts(sql, "'");
}

static void insert_records(MYSQL *db, struct buf *sql, const struct zone *zone, uint64_t id)
{
	size_t count;
	const struct zone_record *records = zone_records(zone, &count);

	buf_clear(sql);
	buf_puts(sql, "INSERT INTO records (zone_id, hostname, type, data, ttl, online) VALUES ");
	for (size_t i = 0; i < count; i++) {
		buf_puts(sql, i == 0 ? "(" : ", (");
		buf_uint(sql, id);
		buf_puts(sql, ", ");
		put_literal(db, sql, records[i].owner);
		buf_puts(sql, ", ");
		put_literal(db, sql, records[i].type);
		buf_puts(sql, ", ");
		put_literal(db, sql, records[i].data);
		buf_printf(sql, ", %u, 1)", (unsigned)records[i].ttl);
	}
	run(db, sql);
}

static void write_zone(MYSQL *db, struct buf *sql, const struct zone *zone, uint64_t known_id)
{
	uint64_t id = known_id;

	buf_clear(sql);
	if (known_id != 0) {
		buf_puts(sql, "DELETE FROM records WHERE zone_id = ");
		buf_uint(sql, id);
		run(db, sql);
	} else {
		buf_puts(sql, "INSERT INTO zones (zone_name) VALUES (");
		put_literal(db, sql, zone_name(zone));
		buf_puts(sql, ")");
		run(db, sql);
		id = mysql_insert_id(db);
	}
	insert_records(db, sql, zone, id);
}

/* The ids of the zones in the order of their names, which is that of zones. */
static MYSQL_RES *read_ids(MYSQL *db)
{
	if (mysql_query(db, "SELECT id FROM zones WHERE zone_name <> '' ORDER BY zone_name") != 0)
		fail(db);
	return mysql_store_result(db);
}

void backend_plain_write(const struct coredns_mysql_settings *settings, struct zone *const *zones, size_t count,
	bool rewrite)
{
	MYSQL *db = open_connection(settings, true);
	MYSQL_RES *ids = rewrite ? read_ids(db) : NULL;
	struct buf sql = { 0 };

	for (size_t i = 0; i < count; i++) {
		MYSQL_ROW row = rewrite ? mysql_fetch_row(ids) : NULL;

		CHECK(!rewrite || row != NULL);
		if (i % ZONES_PER_COMMIT == 0)
			run_text(db, "START TRANSACTION");
		write_zone(db, &sql, zones[i], rewrite ? strtoull(row[0], NULL, 10) : 0);
		if ((i + 1) % ZONES_PER_COMMIT == 0 || i + 1 == count)
			run_text(db, "COMMIT");
	}
	buf_free(&sql);
	mysql_free_result(ids);
	mysql_close(db);
}

void backend_plain_run(const struct coredns_mysql_settings *settings, bool in_database, const char *sql)
{
	MYSQL *db = open_connection(settings, in_database);

	for (const char *rest = sql; *rest != '\0';) {
		struct buf one = { 0 };
		size_t length = strcspn(rest, ";");

		buf_append(&one, rest, length);
		run(db, &one);
		buf_free(&one);
		rest += length + (rest[length] == ';' ? 1 : 0);
	}
	mysql_close(db);
}
