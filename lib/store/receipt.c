/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/receipt.h"

#include "store/db.h"
#include "store/keyed.h"

enum { ERROR_MAX = 1024, SERVER_MAX = 512 };

/* It was deleted, and a name server told a serial of it when it was asked last: not so if it said nothing. */
#define STILL                                                                                                \
	"iif(r.late AND r.deleted, EXISTS (SELECT 1 FROM receipt_answer AS a WHERE a.zone_id = r.zone_id"            \
	" AND a.backend_id = r.backend_id AND a.generation = r.generation AND a.answered_at = 0"                     \
	" AND a.serial IS NOT NULL), 0)"
#define ROW                                                                                                  \
	"r.zone_id, r.backend_id, r.number, r.generation, r.deleted, r.serial, r.pushed_at, r.written_at, r.since,"  \
	" r.answered_at, r.late, " STILL

static const char write_sql[] = "INSERT INTO receipt (zone_id, backend_id, number, generation, deleted, serial, pushed_at,"
	" written_at, since, late, answered_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, 0, 0)"
	" ON CONFLICT (zone_id, backend_id) DO UPDATE SET number = excluded.number, generation = excluded.generation,"
	" deleted = excluded.deleted, serial = excluded.serial, pushed_at = excluded.pushed_at,"
	" written_at = excluded.written_at, since = iif(answered_at = 0 AND deleted = excluded.deleted, since, excluded.since),"
	" late = late AND deleted = excluded.deleted, answered_at = 0 WHERE generation <> excluded.generation";
static const char load_sql[] = "SELECT " ROW " FROM receipt AS r WHERE r.zone_id = ?1 AND r.backend_id = ?2";
static const char close_sql[] = "UPDATE receipt SET answered_at = ?3, late = 0 WHERE zone_id = ?1 AND backend_id = ?2";
static const char late_sql[] = "UPDATE receipt SET late = ?3 WHERE zone_id = ?1 AND backend_id = ?2 AND answered_at = 0";
static const char reopen_sql[] = "UPDATE receipt SET answered_at = 0, number = ?3, since = ?4, pushed_at = 0"
	" WHERE zone_id = ?1 AND backend_id = ?2";
static const char outdate_sql[] = "DELETE FROM receipt WHERE zone_id = ?1 AND backend_id = ?2 AND generation < ?3";
static const char last_sql[] = "SELECT coalesce(max(number), 0) FROM receipt";
static const char list_sql[] = "SELECT " ROW " FROM receipt AS r WHERE r.answered_at = 0 AND r.backend_id = ?1"
	" AND r.number > ?2 ORDER BY r.number LIMIT ?3";
static const char counts_sql[] = "SELECT total(late AND NOT still), min(iif(late AND NOT still, since, NULL)), total(still),"
	" total(NOT late) FROM (SELECT r.late, r.since, " STILL " AS still FROM receipt AS r"
	" WHERE r.backend_id = ?1 AND r.answered_at = 0)";
static const char sample_sql[] = "SELECT z.id, z.name, z.generation, z.serial, r.answered_at, r.generation"
	" FROM zone AS z CROSS JOIN delivery AS d ON d.zone_id = z.id AND d.backend_id = ?1"
	" LEFT JOIN receipt AS r ON r.zone_id = z.id AND r.backend_id = ?1"
	" WHERE z.id > ?2 AND z.deleted = 0 AND d.state = 0 AND d.applied = z.generation ORDER BY z.id LIMIT ?3";
static const char put_sql[] = "INSERT OR REPLACE INTO receipt_answer (zone_id, backend_id, server, generation, asked_at,"
	" answered_at, serial, authoritative, error) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
static const char answers_sql[] = "SELECT server, generation, asked_at, answered_at, serial, authoritative, error"
	" FROM receipt_answer WHERE zone_id = ?1 AND backend_id = ?2 ORDER BY server";

static void read_receipt(sqlite3_stmt *stmt, struct store_receipt *out)
{
	*out = (struct store_receipt){
		.zone_id = sqlite3_column_int64(stmt, 0),
		.backend_id = sqlite3_column_int64(stmt, 1),
		.number = sqlite3_column_int64(stmt, 2),
		.generation = db_column_uint(stmt, 3),
		.deleted = sqlite3_column_int64(stmt, 4) != 0,
		.serial = (uint32_t)sqlite3_column_int64(stmt, 5),
		.pushed_at_us = sqlite3_column_int64(stmt, 6),
		.written_at_us = sqlite3_column_int64(stmt, 7),
		.since_us = sqlite3_column_int64(stmt, 8),
		.answered_at_us = sqlite3_column_int64(stmt, 9),
		.late = sqlite3_column_int64(stmt, 10) != 0,
		.still = sqlite3_column_int64(stmt, 11) != 0,
	};
}

/* Binds two ids, and up to two numbers behind them, and runs it in a scope. */
static int change(struct store *store, const char *sql, int64_t zone_id, int64_t backend_id, int64_t third, int64_t fourth,
	struct err *err)
{
	sqlite3_stmt *stmt;
	bool own;
	int rc = db_scope_open(store, &own, err);

	if (rc < 0)
		return rc;
	rc = db_prepare(store, sql, &stmt, err);
	if (rc == 0) {
		db_bind_int(stmt, 1, zone_id);
		db_bind_int(stmt, 2, backend_id);
		db_bind_int(stmt, 3, third);
		if (sqlite3_bind_parameter_count(stmt) > 3)
			db_bind_int(stmt, 4, fourth);
		rc = db_run(store, stmt, err);
	}
	return db_scope_close(store, own, rc, err);
}

static int write_row(struct store *store, const struct store_receipt *receipt, bool *fresh, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, write_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, receipt->zone_id);
	db_bind_int(stmt, 2, receipt->backend_id);
	db_bind_int(stmt, 3, receipt->number);
	db_bind_uint(stmt, 4, receipt->generation);
	db_bind_int(stmt, 5, receipt->deleted ? 1 : 0);
	db_bind_int(stmt, 6, receipt->serial);
	db_bind_int(stmt, 7, receipt->pushed_at_us);
	db_bind_int(stmt, 8, receipt->written_at_us);
	rc = db_run(store, stmt, err);
	*fresh = rc == 0 && sqlite3_changes(store->db) > 0;
	return rc;
}

int store_receipt_write(struct store *store, const struct store_receipt *receipt, bool *fresh, struct err *err)
{
	bool own;
	int rc = db_scope_open(store, &own, err);

	*fresh = false;
	if (rc < 0)
		return rc;
	return db_scope_close(store, own, write_row(store, receipt, fresh, err), err);
}

int store_receipt_load(struct store *store, int64_t zone_id, int64_t backend_id, struct store_receipt *out, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, load_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, zone_id);
	db_bind_int(stmt, 2, backend_id);
	rc = db_step(store, stmt, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return err_set(err, ERR_NOTFOUND, "zone %lld has no receipt at back end %lld", (long long)zone_id,
			(long long)backend_id);
	read_receipt(stmt, out);
	db_reset(stmt);
	return 0;
}

int store_receipt_close(struct store *store, int64_t zone_id, int64_t backend_id, int64_t at_us, struct err *err)
{
	return change(store, close_sql, zone_id, backend_id, at_us, 0, err);
}

int store_receipt_late(struct store *store, int64_t zone_id, int64_t backend_id, struct err *err)
{
	return change(store, late_sql, zone_id, backend_id, 1, 0, err);
}

int store_receipt_reopen(struct store *store, int64_t zone_id, int64_t backend_id, int64_t number, int64_t since_us,
	struct err *err)
{
	return change(store, reopen_sql, zone_id, backend_id, number, since_us, err);
}

int store_receipt_outdate(struct store *store, int64_t zone_id, int64_t backend_id, uint64_t generation, struct err *err)
{
	return change(store, outdate_sql, zone_id, backend_id, (int64_t)generation, 0, err);
}

int store_receipt_last(struct store *store, int64_t *number, struct err *err)
{
	uint64_t last = 0;
	int rc = keyed_ask(store, last_sql, 0, &last, err);

	*number = (int64_t)last;
	return rc;
}

int store_receipt_list(struct store *store, int64_t backend_id, int64_t after, size_t limit,
	bool (*each)(void *ctx, const struct store_receipt *receipt), void *ctx, struct err *err)
{
	struct store_receipt receipt;
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, list_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, backend_id);
	db_bind_int(stmt, 2, after);
	db_bind_int(stmt, 3, db_limit(limit));
	while ((rc = db_step(store, stmt, err)) > 0) {
		read_receipt(stmt, &receipt);
		if (!each(ctx, &receipt)) {
			db_reset(stmt);
			return 0;
		}
	}
	return rc;
}

int store_receipt_counts(struct store *store, int64_t backend_id, struct store_receipt_counts *out, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, counts_sql, &stmt, err);

	*out = (struct store_receipt_counts){ 0 };
	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, backend_id);
	rc = db_step(store, stmt, err);
	if (rc <= 0)
		return rc;
	out->unanswered = db_column_uint(stmt, 0);
	out->oldest_since_us = sqlite3_column_int64(stmt, 1);
	out->still = db_column_uint(stmt, 2);
	out->waiting = db_column_uint(stmt, 3);
	db_reset(stmt);
	return 0;
}

int store_receipt_sample(struct store *store, int64_t backend_id, int64_t after, size_t limit,
	void (*each)(void *ctx, const struct store_sample *sample), void *ctx, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, sample_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, backend_id);
	db_bind_int(stmt, 2, after);
	db_bind_int(stmt, 3, db_limit(limit));
	while ((rc = db_step(store, stmt, err)) > 0) {
		struct store_sample sample = {
			.zone_id = sqlite3_column_int64(stmt, 0),
			.name = db_column_text(stmt, 1),
			.generation = db_column_uint(stmt, 2),
			.serial = (uint32_t)sqlite3_column_int64(stmt, 3),
		};
		bool known = sqlite3_column_type(stmt, 5) != SQLITE_NULL && db_column_uint(stmt, 5) == sample.generation;

		sample.answered = known && sqlite3_column_int64(stmt, 4) != 0;
		sample.open = known && !sample.answered;
		each(ctx, &sample);
	}
	return rc;
}

static int put_answer(struct store *store, const struct store_answer *answer, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, put_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, answer->zone_id);
	db_bind_int(stmt, 2, answer->backend_id);
	db_bind_text(stmt, 3, answer->server, SERVER_MAX);
	db_bind_uint(stmt, 4, answer->generation);
	db_bind_int(stmt, 5, answer->asked_at_us);
	db_bind_int(stmt, 6, answer->answered_at_us);
	if (answer->has_serial)
		db_bind_int(stmt, 7, answer->serial);
	else
		db_bind_text(stmt, 7, NULL, -1);
	db_bind_int(stmt, 8, answer->authoritative ? 1 : 0);
	db_bind_text(stmt, 9, answer->error, ERROR_MAX);
	return db_run(store, stmt, err);
}

int store_answer_put(struct store *store, const struct store_answer *answer, struct err *err)
{
	bool own;
	int rc = db_scope_open(store, &own, err);

	if (rc < 0)
		return rc;
	return db_scope_close(store, own, put_answer(store, answer, err), err);
}

int store_answer_list(struct store *store, int64_t zone_id, int64_t backend_id,
	void (*each)(void *ctx, const struct store_answer *answer), void *ctx, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, answers_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, zone_id);
	db_bind_int(stmt, 2, backend_id);
	while ((rc = db_step(store, stmt, err)) > 0) {
		struct store_answer answer = {
			.zone_id = zone_id,
			.backend_id = backend_id,
			.server = db_column_text(stmt, 0),
			.generation = db_column_uint(stmt, 1),
			.asked_at_us = sqlite3_column_int64(stmt, 2),
			.answered_at_us = sqlite3_column_int64(stmt, 3),
			.has_serial = sqlite3_column_type(stmt, 4) != SQLITE_NULL,
			.serial = (uint32_t)sqlite3_column_int64(stmt, 4),
			.authoritative = sqlite3_column_int64(stmt, 5) != 0,
			.error = sqlite3_column_type(stmt, 6) == SQLITE_NULL ? NULL : db_column_text(stmt, 6),
		};

		each(ctx, &answer);
	}
	return rc;
}
