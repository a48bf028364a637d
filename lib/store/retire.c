/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/retire.h"

#include "store/db.h"
#include "store/keyed.h"

/* Zones in one step: some milliseconds, which a push may have to wait. */
enum { STEP = 2000 };

static const char list_sql[] = "SELECT id, name FROM backend ORDER BY name";
static const char rows_sql[] = "SELECT count(*) FROM delivery WHERE backend_id = ?1";
static const char last_sql[] = "SELECT coalesce(max(id), 0) FROM zone";
static const char drop_rows_sql[] = "DELETE FROM delivery WHERE zone_id > ?1 AND zone_id <= ?2 AND backend_id = ?3";
static const char drop_receipts_sql[] = "DELETE FROM receipt WHERE zone_id > ?1 AND zone_id <= ?2 AND backend_id = ?3";
static const char drop_answers_sql[] =
	"DELETE FROM receipt_answer WHERE zone_id > ?1 AND zone_id <= ?2 AND backend_id = ?3";
static const char drop_sql[] = "DELETE FROM backend WHERE id = ?1";

int store_backend_list(struct store *store, void (*each)(void *ctx, int64_t id, const char *name), void *ctx,
	struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, list_sql, &stmt, err);

	if (rc < 0)
		return rc;
	while ((rc = db_step(store, stmt, err)) > 0)
		each(ctx, sqlite3_column_int64(stmt, 0), db_column_text(stmt, 1));
	return rc;
}

int store_backend_rows(struct store *store, int64_t backend_id, uint64_t *count, struct err *err)
{
	*count = 0;
	return keyed_ask(store, rows_sql, backend_id, count, err);
}

static int drop_rows(struct store *store, const char *sql, int64_t backend_id, int64_t after, uint64_t *count,
	struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, after);
	db_bind_int(stmt, 2, after + STEP);
	db_bind_int(stmt, 3, backend_id);
	rc = db_run(store, stmt, err);
	*count = rc == 0 ? (uint64_t)sqlite3_changes64(store->db) : 0;
	return rc;
}

static int step(struct store *store, int64_t backend_id, int64_t *after, uint64_t *count, struct err *err)
{
	uint64_t last = 0, receipts;
	int rc = keyed_ask(store, last_sql, 0, &last, err);

	if (rc == 0)
		rc = drop_rows(store, drop_answers_sql, backend_id, *after, &receipts, err);
	if (rc == 0)
		rc = drop_rows(store, drop_receipts_sql, backend_id, *after, &receipts, err);
	if (rc == 0)
		rc = drop_rows(store, drop_rows_sql, backend_id, *after, count, err);
	if (rc < 0)
		return rc;
	*after += STEP;
	if (*after < (int64_t)last)
		return 0;
	*after = INT64_MAX;
	return keyed_change(store, drop_sql, backend_id, NULL, err);
}

int store_retire_step(struct store *store, int64_t backend_id, int64_t *after, uint64_t *count, struct err *err)
{
	bool own;
	int rc = db_scope_open(store, &own, err);

	if (rc < 0)
		return rc;
	return db_scope_close(store, own, step(store, backend_id, after, count, err), err);
}
