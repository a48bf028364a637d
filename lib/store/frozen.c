/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/frozen.h"

#include "store/db.h"
#include "store/keyed.h"

enum { FIELD_MAX = 1024 };

static const char set_sql[] = "INSERT INTO frozen (zone_id, at, actor) VALUES (?1, ?2, ?3)";
static const char clear_sql[] = "DELETE FROM frozen WHERE zone_id = ?1";
static const char list_sql[] = "SELECT zone_id, at, actor FROM frozen WHERE ?1 IN (0, zone_id) ORDER BY zone_id";
static const char count_sql[] = "SELECT count(*) FROM frozen";

int store_frozen_set(struct store *store, const struct store_frozen *frozen, struct err *err)
{
	sqlite3_stmt *stmt;
	bool own;
	int rc = db_scope_open(store, &own, err);

	if (rc < 0)
		return rc;
	rc = db_prepare(store, set_sql, &stmt, err);
	if (rc == 0) {
		db_bind_int(stmt, 1, frozen->zone_id);
		db_bind_int(stmt, 2, frozen->at_us);
		db_bind_text(stmt, 3, frozen->actor == NULL ? "" : frozen->actor, FIELD_MAX);
		rc = db_run(store, stmt, err);
	}
	return db_scope_close(store, own, rc, err);
}

int store_frozen_clear(struct store *store, int64_t zone_id, struct err *err)
{
	return keyed_change(store, clear_sql, zone_id, NULL, err);
}

int store_frozen_list(struct store *store, int64_t zone_id,
	void (*each)(void *ctx, const struct store_frozen *frozen), void *ctx, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, list_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, zone_id);
	while ((rc = db_step(store, stmt, err)) > 0) {
		struct store_frozen frozen = { .zone_id = sqlite3_column_int64(stmt, 0),
			.at_us = sqlite3_column_int64(stmt, 1), .actor = db_column_text(stmt, 2) };

		each(ctx, &frozen);
	}
	return rc;
}

int store_frozen_count(struct store *store, uint64_t *count, struct err *err)
{
	return keyed_ask(store, count_sql, 0, count, err);
}
