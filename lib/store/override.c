/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/override.h"

#include "store/db.h"
#include "store/keyed.h"

static const char set_sql[] = "INSERT OR REPLACE INTO zone_override (zone_id, at, master_serial) VALUES (?1, ?2, ?3)";
static const char get_sql[] = "SELECT at, master_serial FROM zone_override WHERE zone_id = ?1";
static const char drop_sql[] = "DELETE FROM zone_override WHERE zone_id = ?1";

int store_override_set(struct store *store, int64_t zone_id, const struct store_override *override, struct err *err)
{
	sqlite3_stmt *stmt;
	bool own;
	int rc = db_scope_open(store, &own, err);

	if (rc < 0)
		return rc;
	rc = db_prepare(store, set_sql, &stmt, err);
	if (rc == 0) {
		db_bind_int(stmt, 1, zone_id);
		db_bind_int(stmt, 2, override->at_us);
		db_bind_int(stmt, 3, override->master_serial);
		rc = db_run(store, stmt, err);
	}
	return db_scope_close(store, own, rc, err);
}

int store_override_get(struct store *store, int64_t zone_id, struct store_override *out, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, get_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, zone_id);
	rc = db_step(store, stmt, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return err_set(err, ERR_NOTFOUND, "zone %lld was not rolled back", (long long)zone_id);
	out->at_us = sqlite3_column_int64(stmt, 0);
	out->master_serial = (uint32_t)sqlite3_column_int64(stmt, 1);
	db_reset(stmt);
	return 0;
}

int store_override_drop(struct store *store, int64_t zone_id, bool *dropped, struct err *err)
{
	uint64_t rows = 0;
	int rc = keyed_change(store, drop_sql, zone_id, &rows, err);

	*dropped = rc == 0 && rows > 0;
	return rc;
}
