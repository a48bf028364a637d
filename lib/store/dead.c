/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/dead.h"

#include "store/db.h"
#include "store/rows.h"

enum { REVIVE_MOST = 500 };

/* "state >= 4" as it stands in the index, so that it can be used: along it, without a sort. */
static const char list_sql[] = "SELECT " ROWS_DELIVERY ", d.zone_id, z.name, d.backend_id"
	" FROM delivery AS d INDEXED BY delivery_dead CROSS JOIN zone AS z ON z.id = d.zone_id"
	" WHERE d.state >= 4 AND d.state <= ?1 AND d.zone_id > ?2 AND d.zone_id <= ?3 AND ?4 IN (0, d.backend_id)"
	" AND (d.state <> 6 OR NOT EXISTS (SELECT 1 FROM frozen AS f WHERE f.zone_id = d.zone_id))"
	" ORDER BY d.zone_id, d.backend_id LIMIT ?5";

static const char due_sql[] = "SELECT d.zone_id, d.next_try FROM delivery AS d INDEXED BY delivery_dead"
	" WHERE d.state >= 4 AND d.state = 5 AND d.backend_id = ?1 AND d.zone_id > ?2 ORDER BY d.zone_id LIMIT ?3";
static const char revive_sql[] = "UPDATE delivery SET next_try = ?3 WHERE zone_id = ?1 AND backend_id = ?2";

int store_dead_list(struct store *store, const struct store_dead_filter *filter, size_t limit,
	bool (*each)(void *ctx, const struct store_dead *dead), void *ctx, struct err *err)
{
	struct delivery delivery;
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, list_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, filter->dropped ? DELIVERY_PARKED : DELIVERY_DEAD);
	db_bind_int(stmt, 2, filter->zone_id == 0 ? filter->after : filter->zone_id - 1);
	db_bind_int(stmt, 3, filter->zone_id == 0 ? INT64_MAX : filter->zone_id);
	db_bind_int(stmt, 4, filter->backend_id);
	db_bind_int(stmt, 5, db_limit(limit));
	while ((rc = db_step(store, stmt, err)) > 0) {
		struct store_dead dead = { .zone_id = sqlite3_column_int64(stmt, ROWS_DELIVERY_COLUMNS),
			.zone = db_column_text(stmt, ROWS_DELIVERY_COLUMNS + 1),
			.backend_id = sqlite3_column_int64(stmt, ROWS_DELIVERY_COLUMNS + 2), .delivery = &delivery };

		rows_read_delivery(stmt, 0, &delivery);
		if (!each(ctx, &dead)) {
			db_reset(stmt);
			return 0;
		}
	}
	return rc;
}

/* ---- revival ---- */

/* Copied, for the rows are changed while they would be read. */
struct sleepers {
	struct sleeper {
		int64_t zone_id;
		int64_t next_try_us;
	} rows[REVIVE_MOST];
	size_t count;
};

static int find_sleepers(struct store *store, int64_t backend_id, int64_t after, struct sleepers *out, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, due_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, backend_id);
	db_bind_int(stmt, 2, after);
	db_bind_int(stmt, 3, REVIVE_MOST);
	while ((rc = db_step(store, stmt, err)) > 0)
		out->rows[out->count++] = (struct sleeper){ sqlite3_column_int64(stmt, 0),
			sqlite3_column_int64(stmt, 1) };
	return rc;
}

static int wake(struct store *store, int64_t zone_id, int64_t backend_id, int64_t now_us, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, revive_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, zone_id);
	db_bind_int(stmt, 2, backend_id);
	db_bind_int(stmt, 3, now_us);
	return db_run(store, stmt, err);
}

static int revive(struct store *store, int64_t backend_id, int64_t now_us, int64_t *after, uint64_t *count,
	struct err *err)
{
	struct sleepers found = { .count = 0 };
	int rc = find_sleepers(store, backend_id, *after, &found, err);

	*count = 0;
	for (size_t i = 0; rc == 0 && i < found.count; i++) {
		/* A lane that flaps writes nothing for those that are due anyway. */
		if (found.rows[i].next_try_us <= now_us)
			continue;
		rc = wake(store, found.rows[i].zone_id, backend_id, now_us, err);
		(*count)++;
	}
	if (rc == 0)
		*after = found.count < REVIVE_MOST ? INT64_MAX : found.rows[REVIVE_MOST - 1].zone_id;
	return rc;
}

int store_dead_revive(struct store *store, int64_t backend_id, int64_t now_us, int64_t *after, uint64_t *count,
	struct err *err)
{
	uint64_t ignored;
	bool own;
	int rc = db_scope_open(store, &own, err);

	if (rc < 0)
		return rc;
	rc = revive(store, backend_id, now_us, after, count == NULL ? &ignored : count, err);
	return db_scope_close(store, own, rc, err);
}
