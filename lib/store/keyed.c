/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/keyed.h"

#include "store/db.h"

static int prepare(struct store *store, const char *sql, int64_t key, sqlite3_stmt **out, struct err *err)
{
	int rc = db_prepare(store, sql, out, err);

	if (rc == 0 && sqlite3_bind_parameter_count(*out) > 0)
		db_bind_int(*out, 1, key);
	return rc;
}

int keyed_ask(struct store *store, const char *sql, int64_t key, uint64_t *answer, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = prepare(store, sql, key, &stmt, err);

	if (rc == 0)
		rc = db_step(store, stmt, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return err_set(err, ERR_NOTFOUND, "there is no row %lld", (long long)key);
	*answer = db_column_uint(stmt, 0);
	db_reset(stmt);
	return 0;
}

int keyed_change(struct store *store, const char *sql, int64_t key, uint64_t *changed, struct err *err)
{
	sqlite3_stmt *stmt;
	bool own;
	int rc = db_scope_open(store, &own, err);

	if (rc < 0)
		return rc;
	rc = prepare(store, sql, key, &stmt, err);
	if (rc == 0)
		rc = db_run(store, stmt, err);
	if (changed != NULL)
		*changed = rc == 0 ? (uint64_t)sqlite3_changes64(store->db) : 0;
	return db_scope_close(store, own, rc, err);
}
