/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/masters.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/checksum.h"
#include "store/db.h"
#include "store/keyed.h"

enum { ERROR_MAX = 1024 };

#define MISSING "m.zone_id, m.master, m.generation, m.updated_at, m.first_at, m.passes, m.last_pass, m.condemned, m.checksum"
#define NAMED "SELECT " MISSING ", z.name FROM missing AS m JOIN zone AS z ON z.id = m.zone_id"

static const char load_master_sql[] =
	"SELECT pass, judged, complete_at, tried_at, since, zones, error FROM master WHERE identity = ?1";
static const char save_master_sql[] = "INSERT OR REPLACE INTO master (identity, pass, judged, complete_at, tried_at, since, zones,"
	" error) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
static const char load_missing_sql[] = NAMED " WHERE m.zone_id = ?1";
static const char save_missing_sql[] = "INSERT OR REPLACE INTO missing (zone_id, master, generation, updated_at, first_at,"
	" passes, last_pass, condemned, checksum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
static const char drop_missing_sql[] = "DELETE FROM missing WHERE zone_id = ?1";
static const char list_sql[] = NAMED " WHERE m.zone_id > ?1 ORDER BY m.zone_id LIMIT ?2";
static const char list_master_sql[] = NAMED " WHERE m.zone_id > ?1 AND m.master = ?3 ORDER BY m.zone_id LIMIT ?2";
static const char next_condemned_sql[] = NAMED " WHERE m.condemned = 1 AND m.zone_id > ?1 ORDER BY m.zone_id LIMIT 1";
static const char condemned_sql[] = NAMED " WHERE m.condemned = 1"
	" AND NOT EXISTS (SELECT 1 FROM master AS a WHERE a.identity = m.master AND a.judged <> a.pass)"
	" ORDER BY m.zone_id LIMIT ?1";

/* ---- masters ---- */

void store_master_clear(struct store_master *master)
{
	free(master->error);
	*master = (struct store_master){ 0 };
}

int store_master_load(struct store *store, const char *identity, struct store_master *out, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, load_master_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_text(stmt, 1, identity, -1);
	rc = db_step(store, stmt, err);
	if (rc <= 0)
		return rc < 0 ? rc : err_set(err, ERR_NOTFOUND, "master %s is not known", identity);
	*out = (struct store_master){
		.pass = sqlite3_column_int64(stmt, 0),
		.judged = sqlite3_column_int64(stmt, 1),
		.complete_at_us = sqlite3_column_int64(stmt, 2),
		.tried_at_us = sqlite3_column_int64(stmt, 3),
		.since_us = sqlite3_column_int64(stmt, 4),
		.zones = db_column_uint(stmt, 5),
		.error = xstrdup((const char *)sqlite3_column_text(stmt, 6)),
	};
	snprintf(out->identity, sizeof(out->identity), "%s", identity);
	db_reset(stmt);
	return 0;
}

static int save_master(struct store *store, const struct store_master *master, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, save_master_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_text(stmt, 1, master->identity, -1);
	db_bind_int(stmt, 2, master->pass);
	db_bind_int(stmt, 3, master->judged);
	db_bind_int(stmt, 4, master->complete_at_us);
	db_bind_int(stmt, 5, master->tried_at_us);
	db_bind_int(stmt, 6, master->since_us);
	db_bind_uint(stmt, 7, master->zones);
	db_bind_text(stmt, 8, master->error, ERROR_MAX);
	return db_run(store, stmt, err);
}

int store_master_save(struct store *store, const struct store_master *master, struct err *err)
{
	bool own;
	int rc = db_scope_open(store, &own, err);

	if (rc < 0)
		return rc;
	return db_scope_close(store, own, save_master(store, master, err), err);
}

/* ---- missing zones ---- */

/* False: the row is damaged, and counts as none. */
static bool read_missing(sqlite3_stmt *stmt, struct store_missing *out)
{
	uint8_t sum[HASH_SIZE];

	*out = (struct store_missing){
		.zone_id = sqlite3_column_int64(stmt, 0),
		.generation = db_column_uint(stmt, 2),
		.updated_at_us = sqlite3_column_int64(stmt, 3),
		.first_at_us = sqlite3_column_int64(stmt, 4),
		.passes = db_column_uint(stmt, 5),
		.last_pass = sqlite3_column_int64(stmt, 6),
		.condemned = sqlite3_column_int64(stmt, 7) != 0,
	};
	snprintf(out->master, sizeof(out->master), "%s", db_column_text(stmt, 1));
	snprintf(out->name, sizeof(out->name), "%s", db_column_text(stmt, 9));
	checksum_missing(out, sum);
	return sqlite3_column_bytes(stmt, 8) == HASH_SIZE && memcmp(sqlite3_column_blob(stmt, 8), sum, HASH_SIZE) == 0;
}

int store_missing_load(struct store *store, int64_t zone_id, struct store_missing *out, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, load_missing_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, zone_id);
	rc = db_step(store, stmt, err);
	if (rc < 0)
		return rc;
	bool there = rc > 0 && read_missing(stmt, out);
	if (rc > 0)
		db_reset(stmt);
	return there ? 0 : err_set(err, ERR_NOTFOUND, "the zone is not missing");
}

static int save_missing(struct store *store, const struct store_missing *missing, struct err *err)
{
	uint8_t sum[HASH_SIZE];
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, save_missing_sql, &stmt, err);

	if (rc < 0)
		return rc;
	checksum_missing(missing, sum);
	db_bind_int(stmt, 1, missing->zone_id);
	db_bind_text(stmt, 2, missing->master, -1);
	db_bind_uint(stmt, 3, missing->generation);
	db_bind_int(stmt, 4, missing->updated_at_us);
	db_bind_int(stmt, 5, missing->first_at_us);
	db_bind_uint(stmt, 6, missing->passes);
	db_bind_int(stmt, 7, missing->last_pass);
	db_bind_int(stmt, 8, missing->condemned ? 1 : 0);
	db_bind_blob(stmt, 9, sum, sizeof(sum));
	return db_run(store, stmt, err);
}

int store_missing_save(struct store *store, const struct store_missing *missing, struct err *err)
{
	bool own;
	int rc = db_scope_open(store, &own, err);

	if (rc < 0)
		return rc;
	return db_scope_close(store, own, save_missing(store, missing, err), err);
}

int store_missing_drop(struct store *store, int64_t zone_id, struct err *err)
{
	return keyed_change(store, drop_missing_sql, zone_id, NULL, err);
}

int store_missing_list(struct store *store, const char *master, int64_t after, size_t limit,
	bool (*each)(void *ctx, const struct store_missing *missing), void *ctx, struct err *err)
{
	struct store_missing missing;
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, master == NULL ? list_sql : list_master_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, after);
	db_bind_int(stmt, 2, db_limit(limit));
	if (master != NULL)
		db_bind_text(stmt, 3, master, -1);
	while ((rc = db_step(store, stmt, err)) > 0) {
		if (read_missing(stmt, &missing) && !each(ctx, &missing)) {
			db_reset(stmt);
			return 0;
		}
	}
	return rc;
}

int store_missing_condemned(struct store *store, size_t limit, struct store_missing *out, size_t *count, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, condemned_sql, &stmt, err);

	*count = 0;
	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, db_limit(limit));
	while ((rc = db_step(store, stmt, err)) > 0) {
		if (read_missing(stmt, &out[*count]))
			(*count)++;
	}
	return rc;
}

/* > 0: *out is the next one behind *after; *good: its row is not damaged. */
static int next_condemned(struct store *store, int64_t *after, struct store_missing *out, bool *good, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, next_condemned_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, *after);
	rc = db_step(store, stmt, err);
	if (rc <= 0)
		return rc;
	*good = read_missing(stmt, out);
	*after = out->zone_id;
	db_reset(stmt);
	return 1;
}

/* Row by row: the mark is part of the row's checksum. */
static int reprieve(struct store *store, size_t *count, struct err *err)
{
	struct store_missing missing;
	int64_t after = 0;
	bool good;
	int rc;

	while ((rc = next_condemned(store, &after, &missing, &good, err)) > 0) {
		missing.condemned = false;
		rc = good ? save_missing(store, &missing, err) : 0;
		if (rc < 0)
			return rc;
		*count += good ? 1 : 0;
	}
	return rc;
}

int store_missing_reprieve(struct store *store, size_t *count, struct err *err)
{
	bool own;
	int rc = db_scope_open(store, &own, err);

	*count = 0;
	if (rc < 0)
		return rc;
	return db_scope_close(store, own, reprieve(store, count, err), err);
}
