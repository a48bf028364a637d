/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/store.h"

#include <string.h>

#include "store/checksum.h"
#include "store/db.h"

enum {
	ROWS_MAX = 1000,
	BYTES_MAX = 64 * 1024 * 1024,
	FIELD_MAX = 1024,
};

#define ROW "r.id, r.name, r.at, r.source, r.hostname, r.username, r.error, r.text_size"

static const char drop_sql[] = "DELETE FROM rejected WHERE name = ?1";
static const char insert_sql[] = "INSERT INTO rejected (name, at, source, hostname, username, error, text_size)"
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING id";
static const char insert_text_sql[] = "INSERT INTO rejected_text (rejected_id, checksum, text) VALUES (?1, ?2, ?3)";
static const char sizes_sql[] = "SELECT id, text_size FROM rejected ORDER BY id DESC";
static const char evict_sql[] = "DELETE FROM rejected WHERE id <= ?1";
static const char list_sql[] = "SELECT " ROW " FROM rejected AS r WHERE r.name > ?1 ORDER BY r.name LIMIT ?2";
static const char get_sql[] = "SELECT " ROW ", t.checksum, t.text FROM rejected AS r"
	" JOIN rejected_text AS t ON t.rejected_id = r.id WHERE r.name = ?1";

static int drop(struct store *store, const char *name, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, drop_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_text(stmt, 1, name, -1);
	return db_run(store, stmt, err);
}

static void bind_field(sqlite3_stmt *stmt, int index, const char *text)
{
	db_bind_text(stmt, index, text == NULL ? "" : text, FIELD_MAX);
}

static int insert_row(struct store *store, struct store_rejected *rejected, size_t kept, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, insert_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_text(stmt, 1, rejected->name, -1);
	db_bind_int(stmt, 2, rejected->at_us);
	bind_field(stmt, 3, rejected->source);
	bind_field(stmt, 4, rejected->hostname);
	bind_field(stmt, 5, rejected->username);
	bind_field(stmt, 6, rejected->error);
	db_bind_int(stmt, 7, (int64_t)kept);
	rc = db_step(store, stmt, err);
	if (rc < 0)
		return rc;
	CHECK(rc > 0);
	rejected->id = sqlite3_column_int64(stmt, 0);
	db_reset(stmt);
	return 0;
}

static int insert_text(struct store *store, const struct store_rejected *rejected, size_t kept, struct err *err)
{
	sqlite3_stmt *stmt;
	uint8_t sum[HASH_SIZE];
	int rc = db_prepare(store, insert_text_sql, &stmt, err);

	if (rc < 0)
		return rc;
	checksum_text("rejected_text", rejected->name, rejected->text, kept, sum);
	db_bind_int(stmt, 1, rejected->id);
	db_bind_blob(stmt, 2, sum, sizeof(sum));
	db_bind_blob(stmt, 3, rejected->text, kept);
	return db_run(store, stmt, err);
}

/* From the newest on, what fits stays. */
static int evict(struct store *store, struct err *err)
{
	sqlite3_stmt *stmt;
	int64_t bytes = 0;
	int64_t oldest = 0;
	int rows = 0;
	int rc = db_prepare(store, sizes_sql, &stmt, err);

	if (rc < 0)
		return rc;
	while ((rc = db_step(store, stmt, err)) > 0) {
		rows++;
		bytes += sqlite3_column_int64(stmt, 1);
		if (rows > ROWS_MAX || bytes > BYTES_MAX) {
			oldest = sqlite3_column_int64(stmt, 0);
			db_reset(stmt);
			break;
		}
	}
	if (rc < 0 || oldest == 0)
		return rc;
	rc = db_prepare(store, evict_sql, &stmt, err);
	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, oldest);
	return db_run(store, stmt, err);
}

int store_rejected_add(struct store *store, struct store_rejected *rejected, struct err *err)
{
	size_t kept = rejected->text_size > BYTES_MAX ? BYTES_MAX : rejected->text_size;
	bool own;
	int rc = db_scope_open(store, &own, err);

	if (rc < 0)
		return rc;
	rc = drop(store, rejected->name, err);
	if (rc == 0)
		rc = insert_row(store, rejected, kept, err);
	if (rc == 0)
		rc = insert_text(store, rejected, kept, err);
	if (rc == 0)
		rc = evict(store, err);
	return db_scope_close(store, own, rc, err);
}

int store_rejected_drop(struct store *store, const char *name, struct err *err)
{
	bool own;
	int rc = db_scope_open(store, &own, err);

	if (rc < 0)
		return rc;
	return db_scope_close(store, own, drop(store, name, err), err);
}

static void read_row(sqlite3_stmt *stmt, struct store_rejected *out)
{
	*out = (struct store_rejected){
		.id = sqlite3_column_int64(stmt, 0),
		.name = db_column_text(stmt, 1),
		.at_us = sqlite3_column_int64(stmt, 2),
		.source = db_column_text(stmt, 3),
		.hostname = db_column_text(stmt, 4),
		.username = db_column_text(stmt, 5),
		.error = db_column_text(stmt, 6),
		.text_size = (size_t)sqlite3_column_int64(stmt, 7),
	};
}

int store_rejected_list(struct store *store, const char *after, size_t limit,
	bool (*each)(void *ctx, const struct store_rejected *rejected), void *ctx, struct err *err)
{
	struct store_rejected rejected;
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, list_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_text(stmt, 1, after, -1);
	db_bind_int(stmt, 2, db_limit(limit));
	while ((rc = db_step(store, stmt, err)) > 0) {
		read_row(stmt, &rejected);
		if (!each(ctx, &rejected)) {
			db_reset(stmt);
			return 0;
		}
	}
	return rc;
}

int store_rejected_get(struct store *store, const char *name,
	bool (*each)(void *ctx, const struct store_rejected *rejected), void *ctx, struct err *err)
{
	struct store_rejected rejected;
	uint8_t sum[HASH_SIZE];
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, get_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_text(stmt, 1, name, -1);
	rc = db_step(store, stmt, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return err_set(err, ERR_NOTFOUND, "no push of zone %s was refused", name);
	read_row(stmt, &rejected);
	const void *text = sqlite3_column_blob(stmt, 9);
	size_t size = (size_t)sqlite3_column_bytes(stmt, 9);
	const void *expected = sqlite3_column_blob(stmt, 8);
	checksum_text("rejected_text", rejected.name, text, size, sum);
	if (size != rejected.text_size || sqlite3_column_bytes(stmt, 8) != HASH_SIZE ||
		memcmp(expected, sum, HASH_SIZE) != 0) {
		rc = err_set(err, ERR_CORRUPT, "refused push of zone %.255s: its text fails its checksum", name);
	} else {
		rejected.text = size == 0 ? "" : text;
		each(ctx, &rejected);
		rc = 0;
	}
	db_reset(stmt);
	return rc;
}
