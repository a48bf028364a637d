/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The yardstick: what a plain C program needs to put the same rows into the
 * same databases. One thread and one connection per database, side by side;
 * text protocol; many zones per transaction. It compares nothing, checks
 * nothing and remembers nothing.
 *
 * bench_loader [-p PAUSE_MS] MODE ROWS ZONES_PER_TRANSACTION USER DATABASE PORT...
 *
 * MODE new: one INSERT for a zone and one for its records; bulk: one INSERT
 * for all zones of a transaction and one for all their records; rewrite: for a
 * zone that is there, DELETE of its records and one INSERT of the new ones
 * (the zones' ids are asked for before the clock starts); change: one UPDATE
 * for each row given, whose host name and type stand once in its zone.
 * -p: rests after each transaction, and reports how long each took.
 * The password comes from BENCH_DB_PASSWORD. Prints JSON.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mysql.h>

#include "base/buf.h"
#include "base/thread.h"
#include "now.h"
#include "rows.h"

enum { DATABASES_MAX = 8 };

struct load {
	const struct mode *mode;
	const struct bench_rows *rows;
	size_t zones_per_transaction;
	int64_t pause_ms; /* -1: no rest, and single transactions are not timed */
	const char *user;
	const char *password;
	const char *database;
	unsigned port;
	pthread_barrier_t *start;
	pthread_t thread;
	MYSQL *db;
	struct buf sql;
	uint64_t *ids; /* rewrite, change: of each zone of rows, in this database */
	int64_t *took_us; /* each transaction */
	size_t took_count;
	int64_t done_ns;
};

struct mode {
	const char *name;
	bool needs_ids;
	/* writes count zones from the first on, within one transaction */
	void (*write)(struct load *load, size_t first, size_t count);
};

NORETURN static void fail(const struct load *load, const char *what)
{
	fprintf(stderr, "bench_loader: port %u: %s\n", load->port, what);
	exit(1);
}

static void run(struct load *load)
{
	if (mysql_real_query(load->db, load->sql.data, load->sql.size) != 0)
		fail(load, mysql_error(load->db));
	buf_clear(&load->sql);
}

static void put_literal(struct load *load, const char *text)
{
	struct buf *sql = &load->sql;
	size_t size = strlen(text);

	buf_puts(sql, "'");
	buf_reserve(sql, 2 * size + 1);
	sql->size += mysql_real_escape_string(load->db, sql->data + sql->size, text, size);
	buf_puts(sql, "'");
}

static void put_records_head(struct load *load)
{
	buf_puts(&load->sql, "INSERT INTO records (zone_id, hostname, type, data, ttl, online) VALUES ");
}

static void put_records(struct load *load, uint64_t zone_id, const struct bench_zone *zone, bool first)
{
	struct buf *sql = &load->sql;

	for (size_t i = 0; i < zone->row_count; i++) {
		const struct bench_row *row = &zone->rows[i];

		buf_puts(sql, first && i == 0 ? "(" : ", (");
		buf_uint(sql, zone_id);
		buf_puts(sql, ", ");
		put_literal(load, row->hostname);
		buf_puts(sql, ", ");
		put_literal(load, row->type);
		buf_puts(sql, ", ");
		put_literal(load, row->data);
		buf_printf(sql, ", %s, 1)", row->ttl);
	}
}

static void write_new(struct load *load, size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++) {
		const struct bench_zone *zone = &load->rows->zones[i];

		buf_puts(&load->sql, "INSERT INTO zones (zone_name) VALUES (");
		put_literal(load, zone->name);
		buf_puts(&load->sql, ")");
		run(load);
		put_records_head(load);
		put_records(load, mysql_insert_id(load->db), zone, true);
		run(load);
	}
}

static void write_bulk(struct load *load, size_t first, size_t count)
{
	buf_puts(&load->sql, "INSERT INTO zones (zone_name) VALUES ");
	for (size_t i = first; i < first + count; i++) {
		buf_puts(&load->sql, i == first ? "(" : ", (");
		put_literal(load, load->rows->zones[i].name);
		buf_puts(&load->sql, ")");
	}
	run(load);

	/* the ids of one INSERT ... VALUES follow each other; this is the first */
	uint64_t id = mysql_insert_id(load->db);

	put_records_head(load);
	for (size_t i = first; i < first + count; i++)
		put_records(load, id + (i - first), &load->rows->zones[i], i == first);
	run(load);
}

static void write_again(struct load *load, size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++) {
		buf_puts(&load->sql, "DELETE FROM records WHERE zone_id=");
		buf_uint(&load->sql, load->ids[i]);
		run(load);
		put_records_head(load);
		put_records(load, load->ids[i], &load->rows->zones[i], true);
		run(load);
	}
}

static void write_changes(struct load *load, size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++) {
		const struct bench_zone *zone = &load->rows->zones[i];

		for (size_t k = 0; k < zone->row_count; k++) {
			const struct bench_row *row = &zone->rows[k];

			buf_puts(&load->sql, "UPDATE records SET data=");
			put_literal(load, row->data);
			buf_printf(&load->sql, ", ttl=%s WHERE zone_id=", row->ttl);
			buf_uint(&load->sql, load->ids[i]);
			buf_puts(&load->sql, " AND hostname=");
			put_literal(load, row->hostname);
			buf_puts(&load->sql, " AND type=");
			put_literal(load, row->type);
			run(load);
			if (mysql_affected_rows(load->db) != 1)
				fail(load, "a change did not change one row");
		}
	}
}

static const struct mode modes[] = {
	{ .name = "new", .write = write_new },
	{ .name = "bulk", .write = write_bulk },
	{ .name = "rewrite", .write = write_again, .needs_ids = true },
	{ .name = "change", .write = write_changes, .needs_ids = true },
};

static const struct mode *mode_find(const char *name)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(modes[i].name, name) == 0)
			return &modes[i];
	}
	return NULL;
}

static void read_ids(struct load *load)
{
	MYSQL_RES *result;
	size_t count = load->rows->zone_count;

	load->ids = xcalloc(count, sizeof(load->ids[0]));
	if (mysql_query(load->db, "SELECT id, zone_name FROM zones WHERE zone_name<>'' ORDER BY zone_name") != 0 ||
		(result = mysql_store_result(load->db)) == NULL)
		fail(load, mysql_error(load->db));
	for (size_t i = 0; i < count; i++) {
		MYSQL_ROW row = mysql_fetch_row(result);

		if (row == NULL || strcmp(row[1], load->rows->zones[i].name) != 0)
			fail(load, "holds other zones than those to be rewritten");
		load->ids[i] = strtoull(row[0], NULL, 10);
	}
	mysql_free_result(result);
}

static void load_some(struct load *load, size_t first, size_t count)
{
	int64_t start_ns = now_ns();

	if (mysql_query(load->db, "START TRANSACTION") != 0)
		fail(load, mysql_error(load->db));
	load->mode->write(load, first, count);
	if (mysql_query(load->db, "COMMIT") != 0)
		fail(load, mysql_error(load->db));
	if (load->pause_ms >= 0)
		load->took_us[load->took_count++] = (now_ns() - start_ns) / 1000;
}

static void load_all(struct load *load)
{
	struct timespec pause = timespec_of_ns(load->pause_ms * 1000000);
	size_t count = load->rows->zone_count;

	for (size_t i = 0; i < count; i += load->zones_per_transaction) {
		size_t left = count - i;

		load_some(load, i, left < load->zones_per_transaction ? left : load->zones_per_transaction);
		if (load->pause_ms > 0)
			nanosleep(&pause, NULL);
	}
}

static void *load_thread(void *arg)
{
	struct load *load = arg;

	load->db = mysql_init(NULL);
	if (mysql_real_connect(load->db, "127.0.0.1", load->user, load->password, load->database, load->port,
		    NULL, 0) == NULL)
		fail(load, mysql_error(load->db));
	if (load->mode->needs_ids)
		read_ids(load);
	load->took_us = xcalloc(load->rows->zone_count, sizeof(load->took_us[0]));
	pthread_barrier_wait(load->start);
	load_all(load);
	load->done_ns = now_ns();
	mysql_close(load->db);
	mysql_thread_end();
	buf_free(&load->sql);
	free(load->ids);
	return NULL;
}

static void report_each(const struct load *load)
{
	for (size_t i = 0; i < load->took_count; i++)
		printf("%s%" PRId64, i == 0 ? "" : ", ", load->took_us[i]);
	free(load->took_us);
}

static void report(const struct bench_rows *rows, const struct load *loads, size_t count, int64_t start_ns)
{
	int64_t end_ns = start_ns;

	printf("{\"zones\": %zu, \"rows\": %zu, \"seconds_each\": [", rows->zone_count, rows->row_count);
	for (size_t i = 0; i < count; i++) {
		if (loads[i].done_ns > end_ns)
			end_ns = loads[i].done_ns;
		printf("%s%.6f", i == 0 ? "" : ", ", (double)(loads[i].done_ns - start_ns) / 1e9);
	}
	printf("], \"seconds\": %.6f, \"transactions_us\": [", (double)(end_ns - start_ns) / 1e9);
	for (size_t i = 0; i < count; i++) {
		printf("%s[", i == 0 ? "" : ", ");
		report_each(&loads[i]);
		printf("]");
	}
	printf("]}\n");
}

static int usage(void)
{
	fprintf(stderr, "usage: bench_loader [-p PAUSE_MS] new|bulk|rewrite|change ROWS ZONES_PER_TRANSACTION USER "
			"DATABASE PORT...\n");
	return 2;
}

int main(int argc, char **argv)
{
	struct load loads[DATABASES_MAX] = { 0 };
	struct bench_rows rows;
	struct err err = { 0 };
	pthread_barrier_t start;
	const char *password = getenv("BENCH_DB_PASSWORD");
	int64_t pause_ms = -1;
	int option;

	while ((option = getopt(argc, argv, "p:")) == 'p')
		pause_ms = strtol(optarg, NULL, 10);
	argc -= optind;
	argv += optind;
	if (option != -1 || argc < 6 || argc - 5 > DATABASES_MAX || mode_find(argv[0]) == NULL ||
		strtoul(argv[2], NULL, 10) == 0)
		return usage();
	if (rows_read(argv[1], &rows, &err) != 0) {
		fprintf(stderr, "bench_loader: %s\n", err.text);
		return 1;
	}

	size_t count = (size_t)argc - 5;

	mysql_library_init(0, NULL, NULL);
	pthread_barrier_init(&start, NULL, (unsigned)count + 1);
	for (size_t i = 0; i < count; i++) {
		loads[i] = (struct load){ .mode = mode_find(argv[0]),
			.rows = &rows,
			.zones_per_transaction = strtoul(argv[2], NULL, 10),
			.pause_ms = pause_ms,
			.user = argv[3],
			.password = password != NULL ? password : "",
			.database = argv[4],
			.port = (unsigned)strtoul(argv[5 + i], NULL, 10),
			.start = &start };
		loads[i].thread = thread_start("load", load_thread, &loads[i]);
	}
	pthread_barrier_wait(&start);

	int64_t start_ns = now_ns();

	for (size_t i = 0; i < count; i++)
		thread_join(loads[i].thread);
	report(&rows, loads, count, start_ns);
	pthread_barrier_destroy(&start);
	mysql_library_end();
	rows_free(&rows);
	return 0;
}
