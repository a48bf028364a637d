/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/held.h"

#include <stdlib.h>
#include <string.h>

#include "store/checksum.h"
#include "store/db.h"
#include "store/keyed.h"

enum { FIELD_MAX = 1024 };

#define ROW "id, kind, subject, at, origin, source, actor, hostname, username, reason, approved"

static const char find_sql[] = "SELECT id, checksum FROM held WHERE kind = ?1 AND subject = ?2";
static const char insert_sql[] = "INSERT INTO held (kind, subject, at, origin, source, actor, hostname, username,"
	" reason, checksum, text) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) RETURNING id";
static const char drop_sql[] = "DELETE FROM held WHERE id = ?1";
static const char approve_sql[] = "UPDATE held SET approved = 1 WHERE id = ?1";
static const char get_sql[] = "SELECT " ROW ", checksum, text FROM held WHERE id = ?1";
static const char list_sql[] = "SELECT " ROW " FROM held WHERE id > ?1 ORDER BY id LIMIT ?2";
static const char count_sql[] = "SELECT count(*) FROM held";
static const char add_zone_sql[] = "INSERT INTO held_zone (held_id, zone_id, generation) VALUES (?1, ?2, ?3)";
static const char zones_sql[] = "SELECT zone_id, generation FROM held_zone WHERE held_id = ?1 AND zone_id > ?2"
	" ORDER BY zone_id LIMIT ?3";

/* *same: what is held under that id has this checksum. */
static int find(struct store *store, const char *kind, const char *subject, const uint8_t *sum, int64_t *id, bool *same,
	struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, find_sql, &stmt, err);

	*id = 0;
	if (rc < 0)
		return rc;
	db_bind_text(stmt, 1, kind, -1);
	db_bind_text(stmt, 2, subject, -1);
	rc = db_step(store, stmt, err);
	if (rc <= 0)
		return rc;
	*id = sqlite3_column_int64(stmt, 0);
	*same = sum != NULL && sqlite3_column_bytes(stmt, 1) == HASH_SIZE &&
		memcmp(sqlite3_column_blob(stmt, 1), sum, HASH_SIZE) == 0;
	db_reset(stmt);
	return 0;
}

int store_held_find(struct store *store, const char *kind, const char *subject, int64_t *id, struct err *err)
{
	bool same;
	int rc = find(store, kind, subject, NULL, id, &same, err);

	if (rc == 0 && *id == 0)
		rc = err_set(err, ERR_NOTFOUND, "nothing of %s is held", subject);
	return rc;
}

static int insert(struct store *store, struct store_held *held, const uint8_t sum[HASH_SIZE], struct err *err)
{
	const char *texts[] = { held->origin, held->source, held->actor, held->hostname, held->username, held->reason };
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, insert_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_text(stmt, 1, held->kind, -1);
	db_bind_text(stmt, 2, held->subject, -1);
	db_bind_int(stmt, 3, held->at_us);
	for (int i = 0; i < (int)ARRAY_SIZE(texts); i++)
		db_bind_text(stmt, 4 + i, texts[i], -1);
	db_bind_blob(stmt, 10, sum, HASH_SIZE);
	if (held->text == NULL)
		db_bind_text(stmt, 11, NULL, -1);
	else
		db_bind_blob(stmt, 11, held->text, held->text_size);
	rc = db_step(store, stmt, err);
	if (rc < 0)
		return rc;
	CHECK(rc > 0);
	held->id = sqlite3_column_int64(stmt, 0);
	db_reset(stmt);
	return 0;
}

static int put(struct store *store, struct store_held *held, bool *fresh, struct err *err)
{
	uint8_t sum[HASH_SIZE];
	int64_t id;
	bool same = false;

	checksum_held(held, sum);
	int rc = find(store, held->kind, held->subject, sum, &id, &same, err);
	if (rc == 0 && same)
		rc = store_held_check(store, id, &same, err); /* what is damaged has the checksum that it should have, as a rule */
	*fresh = !same;
	if (rc < 0 || same) {
		held->id = id;
		return rc;
	}
	if (id != 0)
		rc = keyed_change(store, drop_sql, id, NULL, err);
	return rc == 0 ? insert(store, held, sum, err) : rc;
}

/* So that the checksum is over what is stored. */
static const char *cut(const char *text, char out[FIELD_MAX + 1])
{
	size_t size = text == NULL ? 0 : strnlen(text, FIELD_MAX);

	if (size > 0)
		memcpy(out, text, size);
	out[size] = '\0';
	return out;
}

int store_held_put(struct store *store, struct store_held *held, bool *fresh, struct err *err)
{
	struct store_held row = *held;
	char texts[6][FIELD_MAX + 1];
	bool own;
	int rc = db_scope_open(store, &own, err);

	if (rc < 0)
		return rc;
	row.origin = cut(held->origin, texts[0]);
	row.source = cut(held->source, texts[1]);
	row.actor = cut(held->actor, texts[2]);
	row.hostname = cut(held->hostname, texts[3]);
	row.username = cut(held->username, texts[4]);
	row.reason = cut(held->reason, texts[5]);
	rc = put(store, &row, fresh, err);
	held->id = row.id;
	return db_scope_close(store, own, rc, err);
}

int store_held_add_zone(struct store *store, int64_t id, int64_t zone_id, uint64_t generation, struct err *err)
{
	sqlite3_stmt *stmt;
	bool own;
	int rc = db_scope_open(store, &own, err);

	if (rc < 0)
		return rc;
	rc = db_prepare(store, add_zone_sql, &stmt, err);
	if (rc == 0) {
		db_bind_int(stmt, 1, id);
		db_bind_int(stmt, 2, zone_id);
		db_bind_uint(stmt, 3, generation);
		rc = db_run(store, stmt, err);
	}
	return db_scope_close(store, own, rc, err);
}

int store_held_approve(struct store *store, int64_t id, struct err *err)
{
	return keyed_change(store, approve_sql, id, NULL, err);
}

int store_held_drop(struct store *store, int64_t id, struct err *err)
{
	return keyed_change(store, drop_sql, id, NULL, err);
}

/* Borrowed until the next step. */
static void read_row(sqlite3_stmt *stmt, struct store_held *out)
{
	*out = (struct store_held){
		.id = sqlite3_column_int64(stmt, 0),
		.kind = db_column_text(stmt, 1),
		.subject = db_column_text(stmt, 2),
		.at_us = sqlite3_column_int64(stmt, 3),
		.origin = db_column_text(stmt, 4),
		.source = db_column_text(stmt, 5),
		.actor = db_column_text(stmt, 6),
		.hostname = db_column_text(stmt, 7),
		.username = db_column_text(stmt, 8),
		.reason = db_column_text(stmt, 9),
		.approved = sqlite3_column_int64(stmt, 10) != 0,
	};
}

static int read_whole(sqlite3_stmt *stmt, struct store_held *out, struct err *err)
{
	const void *expected = sqlite3_column_blob(stmt, 11);
	uint8_t sum[HASH_SIZE];

	read_row(stmt, out);
	if (sqlite3_column_type(stmt, 12) != SQLITE_NULL) {
		out->text_size = (size_t)sqlite3_column_bytes(stmt, 12);
		out->text = out->text_size == 0 ? "" : sqlite3_column_blob(stmt, 12);
	}
	checksum_held(out, sum);
	if (sqlite3_column_bytes(stmt, 11) != HASH_SIZE || memcmp(expected, sum, HASH_SIZE) != 0)
		return err_set(err, ERR_CORRUPT, "what is held as %lld (%.64s %.255s) fails its checksum", (long long)out->id,
			out->kind, out->subject);
	return 0;
}

static void own_texts(struct store_held *held)
{
	held->kind = xstrdup(held->kind);
	held->subject = xstrdup(held->subject);
	held->origin = xstrdup(held->origin);
	held->source = xstrdup(held->source);
	held->actor = xstrdup(held->actor);
	held->hostname = xstrdup(held->hostname);
	held->username = xstrdup(held->username);
	held->reason = xstrdup(held->reason);
	held->text = held->text == NULL ? NULL : xmemdup(held->text, held->text_size);
}

void store_held_clear(struct store_held *held)
{
	const char *texts[] = { held->kind, held->subject, held->origin, held->source, held->actor, held->hostname,
		held->username, held->reason, held->text };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		free((void *)(uintptr_t)texts[i]);
	*held = (struct store_held){ 0 };
}

int store_held_get(struct store *store, int64_t id, struct store_held *out, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, get_sql, &stmt, err);

	*out = (struct store_held){ 0 };
	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, id);
	rc = db_step(store, stmt, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return err_set(err, ERR_NOTFOUND, "nothing is held as %lld", (long long)id);
	rc = read_whole(stmt, out, err);
	if (rc == 0)
		own_texts(out);
	else
		*out = (struct store_held){ 0 };
	db_reset(stmt);
	return rc;
}

int store_held_check(struct store *store, int64_t id, bool *whole, struct err *err)
{
	struct store_held there;
	struct err damage;
	int rc = store_held_get(store, id, &there, &damage);

	store_held_clear(&there);
	*whole = rc == 0;
	if (rc == ERR_CORRUPT)
		return 0;
	if (rc < 0)
		*err = damage;
	return rc;
}

int store_held_list(struct store *store, int64_t after, size_t limit,
	bool (*each)(void *ctx, const struct store_held *held), void *ctx, struct err *err)
{
	struct store_held held;
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, list_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, after);
	db_bind_int(stmt, 2, db_limit(limit));
	while ((rc = db_step(store, stmt, err)) > 0) {
		read_row(stmt, &held);
		if (!each(ctx, &held)) {
			db_reset(stmt);
			return 0;
		}
	}
	return rc;
}

int store_held_zones(struct store *store, int64_t id, int64_t after, size_t limit,
	bool (*each)(void *ctx, int64_t zone_id, uint64_t generation), void *ctx, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, zones_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, id);
	db_bind_int(stmt, 2, after);
	db_bind_int(stmt, 3, db_limit(limit));
	while ((rc = db_step(store, stmt, err)) > 0) {
		if (!each(ctx, sqlite3_column_int64(stmt, 0), db_column_uint(stmt, 1))) {
			db_reset(stmt);
			return 0;
		}
	}
	return rc;
}

int store_held_count(struct store *store, uint64_t *count, struct err *err)
{
	return keyed_ask(store, count_sql, 0, count, err);
}
