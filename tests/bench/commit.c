/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a durable answer costs at least: bare SQLite commits of the texts that a
 * plan pushes. WAL, synchronous=FULL, SQLite's own checkpoints; one table, a row
 * for each zone, put there or overwritten, ROWS of them in each commit.
 *
 * bench_commit PLAN FILE ROWS PAUSE_MS
 *
 * Rests PAUSE_MS after each commit. Prints JSON: the microseconds that each
 * commit took, from BEGIN to COMMIT's return, and the seconds in all (rests
 * included).
 */
#include <stdio.h>
#include <stdlib.h>

#include <sqlite3.h>

#include "base/check.h"
#include "now.h"
#include "plan.h"

static const char set_up_sql[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
	" CREATE TABLE IF NOT EXISTS zone (id INTEGER PRIMARY KEY, name TEXT NOT NULL, text BLOB NOT NULL)";
/* A log as long as it will be: while it grows each commit makes the file longer. */
static const char warm_sql[] = "DROP TABLE IF EXISTS warm; CREATE TABLE warm (x BLOB);"
	" WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)"
	" INSERT INTO warm SELECT zeroblob(3000) FROM n; PRAGMA wal_checkpoint(RESTART)";
static const char put_sql[] = "INSERT INTO zone (id, name, text) VALUES (?1, ?2, ?3)"
	" ON CONFLICT (id) DO UPDATE SET text = excluded.text";

NORETURN static void fail(sqlite3 *db)
{
	fprintf(stderr, "bench_commit: %s\n", sqlite3_errmsg(db));
	exit(1);
}

static void execute(sqlite3 *db, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail(db);
}

static void put(sqlite3 *db, sqlite3_stmt *stmt, const struct plan *plan, size_t i)
{
	const struct plan_push *push = &plan->pushes[i];

	if (sqlite3_bind_int64(stmt, 1, (sqlite3_int64)i + 1) != SQLITE_OK ||
		sqlite3_bind_text(stmt, 2, push->name, -1, SQLITE_STATIC) != SQLITE_OK ||
		sqlite3_bind_blob64(stmt, 3, push->body, push->body_size, SQLITE_STATIC) != SQLITE_OK ||
		sqlite3_step(stmt) != SQLITE_DONE || sqlite3_reset(stmt) != SQLITE_OK)
		fail(db);
}

/* A commit of the pushes from first on; how long it took. */
static int64_t commit(sqlite3 *db, sqlite3_stmt *stmt, const struct plan *plan, size_t first, size_t rows)
{
	int64_t start_ns = now_ns();

	execute(db, "BEGIN IMMEDIATE");
	for (size_t i = first; i < first + rows && i < plan->count; i++)
		put(db, stmt, plan, i);
	execute(db, "COMMIT");
	return now_ns() - start_ns;
}

static void commit_all(sqlite3 *db, const struct plan *plan, size_t rows, int64_t pause_ms)
{
	struct timespec pause = timespec_of_ns(pause_ms * 1000000);
	int64_t *took_ns = xcalloc(plan->count / rows + 1, sizeof(*took_ns));
	size_t count = 0;
	sqlite3_stmt *stmt;

	if (sqlite3_prepare_v2(db, put_sql, -1, &stmt, NULL) != SQLITE_OK)
		fail(db);

	int64_t start_ns = now_ns();

	for (size_t i = 0; i < plan->count; i += rows) {
		took_ns[count++] = commit(db, stmt, plan, i, rows);
		if (pause_ms > 0)
			nanosleep(&pause, NULL);
	}
	printf("{\"rows\": %zu, \"seconds\": %.6f, \"commits_us\": [", plan->count, (double)(now_ns() - start_ns) / 1e9);
	for (size_t i = 0; i < count; i++)
		printf("%s%lld", i == 0 ? "" : ", ", (long long)(took_ns[i] / 1000));
	printf("]}\n");
	sqlite3_finalize(stmt);
	free(took_ns);
}

int main(int argc, char **argv)
{
	struct plan plan;
	struct err err = { 0 };
	sqlite3 *db;

	if (argc != 5 || strtoul(argv[3], NULL, 10) == 0) {
		fprintf(stderr, "usage: bench_commit PLAN FILE ROWS PAUSE_MS\n");
		return 2;
	}
	if (plan_read(argv[1], &plan, &err) != 0) {
		fprintf(stderr, "bench_commit: %s\n", err.text);
		return 1;
	}
	if (sqlite3_open(argv[2], &db) != SQLITE_OK)
		fail(db);
	execute(db, set_up_sql);
	execute(db, warm_sql);
	commit_all(db, &plan, strtoul(argv[3], NULL, 10), strtol(argv[4], NULL, 10));
	sqlite3_close(db);
	plan_free(&plan);
	return 0;
}
