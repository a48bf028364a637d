/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sched/delivery.h"

#include <string.h>

#include "store/db.h"
#include "store/keyed.h"
#include "store/rows.h"

/* PENDING_STEP: zones in one step, a millisecond of walking. */
enum { ERROR_MAX = 1024, PENDING_STEP = 2000 };

#define ROW ROWS_DELIVERY ", z.id, z.name"

static const char open_sql[] = "SELECT " ROWS_ZONE ", " ROWS_DELIVERY " FROM zone AS z"
	" LEFT JOIN delivery AS d ON d.backend_id = ?1 AND d.zone_id = z.id WHERE z.id = ?2";
static const char load_sql[] = "SELECT " ROW " FROM delivery AS d JOIN zone AS z ON z.id = d.zone_id"
	" WHERE d.backend_id = ?1 AND d.zone_id = ?2";
/* Two plain statements: an upsert may have to undo part of itself, and what it keeps for that costs more than it does. */
static const char update_sql[] = "UPDATE delivery SET applied = ?3, state = ?4, check_rows = ?5, suspect = ?6,"
	" attempts = ?7, next_try = ?8, since = ?9, applied_at = ?10, last_error = ?11"
	" WHERE backend_id = ?1 AND zone_id = ?2";
static const char insert_sql[] = "INSERT INTO delivery (backend_id, zone_id, applied, state, check_rows, suspect,"
	" attempts, next_try, since, applied_at, last_error) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";

/* "state <> 0" as it stands in the index delivery_due, so that it can be used. */
static const char due_sql[] = "SELECT d.zone_id, d.next_try FROM delivery AS d"
	" WHERE d.backend_id = ?1 AND d.suspect = ?2 AND d.state <> 0 AND (d.next_try, d.zone_id) < (?3, ?4)"
	" ORDER BY d.next_try DESC, d.zone_id DESC LIMIT ?5";
static const char next_sql[] = "SELECT min(next_try) FROM (SELECT * FROM (SELECT next_try FROM delivery"
	" WHERE backend_id = ?1 AND suspect = 0 AND state <> 0 AND next_try > ?2 ORDER BY next_try LIMIT 1)"
	" UNION ALL SELECT * FROM (SELECT next_try FROM delivery"
	" WHERE backend_id = ?1 AND suspect = 1 AND state <> 0 AND next_try > ?2 ORDER BY next_try LIMIT 1))";
static const char clamp_sql[] = "UPDATE delivery SET next_try = CASE state WHEN 1 THEN ?1 WHEN 3 THEN ?2 ELSE ?3 END"
	" WHERE backend_id IN (SELECT id FROM backend) AND suspect IN (0, 1) AND state <> 0 AND state <> 6"
	" AND next_try > ?1 AND (state = 1 OR next_try > iif(state = 3, ?2, ?3))";
static const char counts_sql[] = "SELECT total(state <> 6), min(iif(state = 6, NULL, since)),"
	" total(state = 5), total(state = 4), total(suspect AND state <> 6), total(state = 6)"
	" FROM delivery WHERE backend_id = ?1 AND state <> 0";
/* Along the ids, without a sort. */
static const char pending_sql[] = "SELECT " ROWS_DELIVERY ", d.zone_id, d.backend_id"
	" FROM delivery AS d CROSS JOIN zone AS z ON z.id = d.zone_id"
	" WHERE d.zone_id > ?1 AND d.zone_id <= ?2 AND d.state <> 0 AND d.state <> 6 ORDER BY d.zone_id, d.backend_id";
static const char last_sql[] = "SELECT coalesce(max(id), 0) FROM zone";

/* ---- one delivery ---- */

void rows_read_delivery(sqlite3_stmt *stmt, int first, struct delivery *out)
{
	const unsigned char *error = sqlite3_column_text(stmt, first + 8);

	*out = (struct delivery){ .wanted = db_column_uint(stmt, first + 9) };
	out->applied = db_column_uint(stmt, first);
	out->check = sqlite3_column_int64(stmt, first + 2) != 0;
	out->suspect = sqlite3_column_int64(stmt, first + 3) != 0;
	out->attempts = (uint32_t)sqlite3_column_int64(stmt, first + 4);
	out->next_try_us = sqlite3_column_int64(stmt, first + 5);
	out->since_us = sqlite3_column_int64(stmt, first + 6);
	out->applied_at_us = sqlite3_column_int64(stmt, first + 7);
	out->last_error = (char *)(uintptr_t)error;
	if (!delivery_state_parse(sqlite3_column_int64(stmt, first + 1), &out->state) || out->applied > out->wanted) {
		out->state = DELIVERY_DUE;
		out->applied = 0;
		out->check = true;
	}
	out->resting = out->state;
}

static int no_delivery(int64_t zone_id, int64_t backend_id, struct err *err)
{
	return err_set(err, ERR_NOTFOUND, "zone %lld has no delivery at back end %lld", (long long)zone_id,
		(long long)backend_id);
}

int store_delivery_load(struct store *store, int64_t zone_id, int64_t backend_id, struct delivery *out, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, load_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, backend_id);
	db_bind_int(stmt, 2, zone_id);
	rc = db_step(store, stmt, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return no_delivery(zone_id, backend_id, err);
	rows_read_delivery(stmt, 0, out);
	out->last_error = xstrdup(out->last_error);
	db_reset(stmt);
	return 0;
}

int store_delivery_open(struct store *store, int64_t zone_id, int64_t backend_id, struct store_zone *zone,
	struct delivery *delivery, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, open_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, backend_id);
	db_bind_int(stmt, 2, zone_id);
	rc = db_step(store, stmt, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return err_set(err, ERR_NOTFOUND, "there is no zone %lld", (long long)zone_id);
	rc = rows_read_zone(stmt, zone, err);
	if (rc == 0 && sqlite3_column_type(stmt, ROWS_ZONE_COLUMNS) == SQLITE_NULL)
		rc = no_delivery(zone_id, backend_id, err);
	if (rc == 0) {
		rows_own_texts(zone);
		rows_read_delivery(stmt, ROWS_ZONE_COLUMNS, delivery);
		delivery->last_error = xstrdup(delivery->last_error);
	} else {
		*zone = (struct store_zone){ 0 };
	}
	db_reset(stmt);
	return rc;
}

static int run_save(struct store *store, const char *sql, int64_t zone_id, int64_t backend_id,
	const struct delivery *delivery, struct err *err)
{
	enum delivery_state state = delivery->state == DELIVERY_INFLIGHT ? delivery->resting : delivery->state;
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, backend_id);
	db_bind_int(stmt, 2, zone_id);
	db_bind_uint(stmt, 3, delivery->applied);
	db_bind_int(stmt, 4, state);
	db_bind_int(stmt, 5, delivery->check ? 1 : 0);
	db_bind_int(stmt, 6, delivery->suspect ? 1 : 0);
	db_bind_int(stmt, 7, delivery->attempts);
	db_bind_int(stmt, 8, delivery->next_try_us);
	db_bind_int(stmt, 9, delivery->since_us);
	db_bind_int(stmt, 10, delivery->applied_at_us);
	db_bind_text(stmt, 11, delivery->last_error, ERROR_MAX);
	return db_run(store, stmt, err);
}

static int save(struct store *store, int64_t zone_id, int64_t backend_id, const struct delivery *delivery,
	struct err *err)
{
	int rc = run_save(store, update_sql, zone_id, backend_id, delivery, err);

	if (rc == 0 && sqlite3_changes(store->db) == 0)
		rc = run_save(store, insert_sql, zone_id, backend_id, delivery, err);
	return rc;
}

int store_delivery_save(struct store *store, int64_t zone_id, int64_t backend_id, const struct delivery *delivery,
	struct err *err)
{
	bool own;
	int rc = db_scope_open(store, &own, err);

	if (rc < 0)
		return rc;
	return db_scope_close(store, own, save(store, zone_id, backend_id, delivery, err), err);
}

int store_delivery_add(struct store *store, int64_t zone_id, int64_t backend_id, const struct delivery *delivery,
	struct err *err)
{
	bool own;
	int rc = db_scope_open(store, &own, err);

	if (rc < 0)
		return rc;
	return db_scope_close(store, own, run_save(store, insert_sql, zone_id, backend_id, delivery, err), err);
}

/* ---- what is due ---- */

int store_due_list(struct store *store, int64_t backend_id, bool suspect, int64_t now_us, int64_t before_us,
	int64_t before_id, size_t limit, struct store_due *out, size_t *count, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, due_sql, &stmt, err);

	*count = 0;
	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, backend_id);
	db_bind_int(stmt, 2, suspect ? 1 : 0);
	/* next_try <= now as a page key: one range of the index. */
	db_bind_int(stmt, 3, before_us > now_us ? now_us : before_us);
	db_bind_int(stmt, 4, before_us > now_us ? INT64_MAX : before_id);
	db_bind_int(stmt, 5, db_limit(limit));
	while ((rc = db_step(store, stmt, err)) > 0) {
		out[(*count)++] = (struct store_due){
			.zone_id = sqlite3_column_int64(stmt, 0),
			.next_try_us = sqlite3_column_int64(stmt, 1),
			.suspect = suspect,
		};
	}
	return rc;
}

int store_due_next(struct store *store, int64_t backend_id, int64_t now_us, int64_t *next_us, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, next_sql, &stmt, err);

	*next_us = INT64_MAX;
	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, backend_id);
	db_bind_int(stmt, 2, now_us);
	rc = db_step(store, stmt, err);
	if (rc <= 0)
		return rc;
	if (sqlite3_column_type(stmt, 0) != SQLITE_NULL)
		*next_us = sqlite3_column_int64(stmt, 0);
	db_reset(stmt);
	return 0;
}

int store_due_clamp(struct store *store, int64_t now_us, int64_t wait_us, int64_t slow_us, struct err *err)
{
	sqlite3_stmt *stmt;
	bool own;
	int rc = db_scope_open(store, &own, err);

	if (rc < 0)
		return rc;
	rc = db_prepare(store, clamp_sql, &stmt, err);
	if (rc == 0) {
		db_bind_int(stmt, 1, now_us);
		db_bind_int(stmt, 2, wait_us);
		db_bind_int(stmt, 3, slow_us);
		rc = db_run(store, stmt, err);
	}
	return db_scope_close(store, own, rc, err);
}

int store_backend_counts(struct store *store, int64_t backend_id, struct store_counts *out, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, counts_sql, &stmt, err);

	*out = (struct store_counts){ 0 };
	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, backend_id);
	rc = db_step(store, stmt, err);
	if (rc <= 0)
		return rc;
	out->pending = db_column_uint(stmt, 0);
	out->oldest_since_us = sqlite3_column_int64(stmt, 1);
	out->dead = db_column_uint(stmt, 2);
	out->rejected = db_column_uint(stmt, 3);
	out->suspect = db_column_uint(stmt, 4);
	out->parked = db_column_uint(stmt, 5);
	db_reset(stmt);
	return 0;
}

static int list_pending(struct store *store, int64_t after, int64_t *upto,
	bool (*each)(void *ctx, int64_t zone_id, int64_t backend_id, const struct delivery *delivery), void *ctx,
	struct err *err)
{
	struct delivery delivery;
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, pending_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, after);
	db_bind_int(stmt, 2, *upto);
	while ((rc = db_step(store, stmt, err)) > 0) {
		int64_t zone_id = sqlite3_column_int64(stmt, ROWS_DELIVERY_COLUMNS);

		rows_read_delivery(stmt, 0, &delivery);
		if (!each(ctx, zone_id, sqlite3_column_int64(stmt, ROWS_DELIVERY_COLUMNS + 1), &delivery)) {
			*upto = zone_id - 1;
			db_reset(stmt);
			return 0;
		}
	}
	return rc;
}

int store_pending_step(struct store *store, int64_t *after,
	bool (*each)(void *ctx, int64_t zone_id, int64_t backend_id, const struct delivery *delivery), void *ctx,
	struct err *err)
{
	uint64_t last = 0; /* the highest zone id there is */
	int64_t upto = *after + PENDING_STEP;
	int rc = keyed_ask(store, last_sql, 0, &last, err);

	if (rc == 0)
		rc = list_pending(store, *after, &upto, each, ctx, err);
	if (rc == 0)
		*after = upto < (int64_t)last ? upto : INT64_MAX;
	return rc;
}
