/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The yardstick: what a plain C program needs to put the same rows into the
 * same databases. One thread and one connection per database, side by side;
 * one INSERT for a zone and one for its records; many zones per transaction.
 * It compares nothing, checks nothing and remembers nothing.
 *
 * bench_loader ROWS ZONES_PER_TRANSACTION USER DATABASE PORT...
 * The password comes from BENCH_DB_PASSWORD. Prints JSON.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <mysql.h>

#include "base/buf.h"
#include "base/thread.h"
#include "rows.h"

enum { DATABASES_MAX = 8 };

struct load {
	const struct bench_rows *rows;
	size_t zones_per_transaction;
	const char *user;
	const char *password;
	const char *database;
	unsigned port;
	pthread_barrier_t *start;
	pthread_t thread;
	int64_t done_ns;
};

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

NORETURN static void fail(const struct load *load, MYSQL *db)
{
	fprintf(stderr, "bench_loader: port %u: %s\n", load->port, mysql_error(db));
	exit(1);
}

static void run(const struct load *load, MYSQL *db, const struct buf *sql)
{
	if (mysql_real_query(db, sql->data, sql->size) != 0)
		fail(load, db);
}

static void put_literal(MYSQL *db, struct buf *sql, const char *text)
{
	size_t size = strlen(text);

	buf_puts(sql, "'");
	buf_reserve(sql, 2 * size + 1);
	sql->size += mysql_real_escape_string(db, sql->data + sql->size, text, size);
	buf_puts(sql, "'");
}

static void load_zone(const struct load *load, MYSQL *db, struct buf *sql, const struct bench_zone *zone)
{
	buf_clear(sql);
	buf_puts(sql, "INSERT INTO zones (zone_name) VALUES (");
	put_literal(db, sql, zone->name);
	buf_puts(sql, ")");
	run(load, db, sql);

	uint64_t id = mysql_insert_id(db);

	buf_clear(sql);
	buf_puts(sql, "INSERT INTO records (zone_id, hostname, type, data, ttl, online) VALUES ");
	for (size_t i = 0; i < zone->row_count; i++) {
		const struct bench_row *row = &zone->rows[i];

		buf_puts(sql, i == 0 ? "(" : ", (");
		buf_uint(sql, id);
		buf_puts(sql, ", ");
		put_literal(db, sql, row->hostname);
		buf_puts(sql, ", ");
		put_literal(db, sql, row->type);
		buf_puts(sql, ", ");
		put_literal(db, sql, row->data);
		buf_printf(sql, ", %s, 1)", row->ttl);
	}
	run(load, db, sql);
}

static void load_all(const struct load *load, MYSQL *db)
{
	struct buf sql = { 0 };
	size_t i = 0;

	while (i < load->rows->zone_count) {
		if (mysql_query(db, "START TRANSACTION") != 0)
			fail(load, db);
		for (size_t n = 0; n < load->zones_per_transaction && i < load->rows->zone_count; n++)
			load_zone(load, db, &sql, &load->rows->zones[i++]);
		if (mysql_query(db, "COMMIT") != 0)
			fail(load, db);
	}
	buf_free(&sql);
}

static void *load_thread(void *arg)
{
	struct load *load = arg;
	MYSQL *db = mysql_init(NULL);

	if (mysql_real_connect(
		    db, "127.0.0.1", load->user, load->password, load->database, load->port, NULL, 0) == NULL)
		fail(load, db);
	pthread_barrier_wait(load->start);
	load_all(load, db);
	load->done_ns = now_ns();
	mysql_close(db);
	mysql_thread_end();
	return NULL;
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
	printf("], \"seconds\": %.6f}\n", (double)(end_ns - start_ns) / 1e9);
}

int main(int argc, char **argv)
{
	struct load loads[DATABASES_MAX] = { 0 };
	struct bench_rows rows;
	struct err err = { 0 };
	pthread_barrier_t start;
	const char *password = getenv("BENCH_DB_PASSWORD");

	if (argc < 6 || argc - 5 > DATABASES_MAX) {
		fprintf(stderr, "usage: bench_loader ROWS ZONES_PER_TRANSACTION USER DATABASE PORT...\n");
		return 2;
	}
	if (rows_read(argv[1], &rows, &err) != 0) {
		fprintf(stderr, "bench_loader: %s\n", err.text);
		return 1;
	}

	size_t count = (size_t)argc - 5;

	mysql_library_init(0, NULL, NULL);
	pthread_barrier_init(&start, NULL, (unsigned)count + 1);
	for (size_t i = 0; i < count; i++) {
		loads[i] = (struct load){ .rows = &rows,
			.zones_per_transaction = strtoul(argv[2], NULL, 10),
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
