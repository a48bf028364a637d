/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/checksum.h"
#include "store/db.h"
#include "store/history.h"
#include "store/keyed.h"
#include "store/rows.h"

enum { FIELD_MAX = 255 };

static const char find_sql[] = "SELECT " ROWS_ZONE " FROM zone AS z WHERE z.name = ?1";
static const char get_sql[] = "SELECT " ROWS_ZONE " FROM zone AS z WHERE z.id = ?1";
static const char list_sql[] = "SELECT " ROWS_ZONE " FROM zone AS z WHERE z.name > ?1 AND z.deleted <= ?2"
	" ORDER BY z.name";
static const char walk_sql[] = "SELECT " ROWS_ZONE " FROM zone AS z WHERE z.id > ?1 ORDER BY z.id LIMIT ?2";
/* Ids are given without gaps and rows stay: counting a million of them would take 10 ms at each look at the status. */
static const char count_sql[] =
	"SELECT coalesce(max(id), 0) - (SELECT count(*) FROM zone WHERE deleted = 1) FROM zone";
static const char next_id_sql[] = "SELECT coalesce(max(id), 0) + 1 FROM zone";
static const char text_size_sql[] = "SELECT text_size FROM zone WHERE id = ?1";
static const char applied_sql[] = "SELECT coalesce(max(applied), 0) FROM delivery"
	" WHERE backend_id IN (SELECT id FROM backend) AND zone_id = ?1";
static const char insert_sql[] = "INSERT INTO zone (id, name, generation, deleted, digest_count, digest_high, digest_low,"
	" serial, hostname, username, updated_at, text_size, checksum)"
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
static const char update_sql[] = "UPDATE zone SET generation = ?3, deleted = ?4, digest_count = ?5, digest_high = ?6,"
	" digest_low = ?7, serial = ?8, hostname = ?9, username = ?10, updated_at = ?11, text_size = ?12, checksum = ?13"
	" WHERE id = ?1 AND name = ?2";
static const char update_text_sql[] = "UPDATE zone_text SET checksum = ?2, text = ?3 WHERE zone_id = ?1";
static const char update_version_sql[] = "UPDATE zone_text SET checksum = ?2, text = ?3, version = ?4, at = ?5, origin = ?6,"
	" source = ?7, actor = ?8 WHERE zone_id = ?1";
static const char insert_version_sql[] = "INSERT INTO zone_text (zone_id, checksum, text, version, at, origin, source, actor)"
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
static const char insert_text_sql[] = "INSERT INTO zone_text (zone_id, checksum, text) VALUES (?1, ?2, ?3)";
static const char text_sql[] = "SELECT z.name, z.text_size, t.checksum, t.text FROM zone AS z"
	" JOIN zone_text AS t ON t.zone_id = z.id WHERE z.id = ?1";

/* ---- reading ---- */

static bool sum_matches(sqlite3_stmt *stmt, int column, const uint8_t expected[HASH_SIZE])
{
	const void *sum = sqlite3_column_blob(stmt, column);

	return sum != NULL && sqlite3_column_bytes(stmt, column) == HASH_SIZE && memcmp(sum, expected, HASH_SIZE) == 0;
}

int rows_read_zone(sqlite3_stmt *stmt, struct store_zone *out, struct err *err)
{
	const char *name = db_column_text(stmt, 1);
	size_t length = strlen(name);
	uint8_t sum[HASH_SIZE];

	*out = (struct store_zone){ .id = sqlite3_column_int64(stmt, 0) };
	if (length >= sizeof(out->name))
		return err_set(err, ERR_CORRUPT, "zone %.64s... (row %lld): its name is damaged in the store", name,
			(long long)out->id);
	memcpy(out->name, name, length + 1);
	out->generation = db_column_uint(stmt, 2);
	out->deleted = sqlite3_column_int64(stmt, 3) != 0;
	out->digest.count = db_column_uint(stmt, 4);
	out->digest.high = db_column_uint(stmt, 5);
	out->digest.low = db_column_uint(stmt, 6);
	out->serial = (uint32_t)sqlite3_column_int64(stmt, 7);
	/* Borrowed: whoever keeps the zone copies them. */
	out->hostname = (char *)(uintptr_t)db_column_text(stmt, 8);
	out->username = (char *)(uintptr_t)db_column_text(stmt, 9);
	out->updated_at_us = sqlite3_column_int64(stmt, 10);
	out->text_size = db_column_uint(stmt, 11);
	checksum_zone(out, sum);
	if (!sum_matches(stmt, 12, sum))
		return err_set(err, ERR_CORRUPT, "zone %s (row %lld): its row in the store fails its checksum", out->name,
			(long long)out->id);
	return 0;
}

void rows_own_texts(struct store_zone *zone)
{
	zone->hostname = xstrdup(zone->hostname);
	zone->username = xstrdup(zone->username);
}

void store_zone_clear(struct store_zone *zone)
{
	free(zone->hostname);
	free(zone->username);
	*zone = (struct store_zone){ 0 };
}

/* A single row of a bound statement. */
static int fetch(struct store *store, sqlite3_stmt *stmt, struct store_zone *out, struct err *err)
{
	int rc = db_step(store, stmt, err);

	if (rc < 0)
		return rc;
	if (rc == 0)
		return ERR_NOTFOUND;
	rc = rows_read_zone(stmt, out, err);
	if (rc == 0)
		rows_own_texts(out);
	else
		*out = (struct store_zone){ 0 };
	db_reset(stmt);
	return rc;
}

int store_zone_find(struct store *store, const char *name, struct store_zone *out, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, find_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_text(stmt, 1, name, -1);
	rc = fetch(store, stmt, out, err);
	return rc == ERR_NOTFOUND ? err_set(err, rc, "zone %s is not held", name) : rc;
}

int store_zone_get(struct store *store, int64_t id, struct store_zone *out, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, get_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, id);
	rc = fetch(store, stmt, out, err);
	return rc == ERR_NOTFOUND ? err_set(err, rc, "there is no zone %lld", (long long)id) : rc;
}

int store_zone_salvage(struct store *store, const char *name, struct store_zone *out, struct err *err)
{
	enum { PLAUSIBLE_LEAD = 1000000 };
	sqlite3_stmt *stmt;
	uint64_t applied;
	int rc = db_prepare(store, find_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_text(stmt, 1, name, -1);
	rc = db_step(store, stmt, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return err_set(err, ERR_NOTFOUND, "zone %s is not held", name);
	(void)rows_read_zone(stmt, out, NULL);
	db_reset(stmt);
	out->hostname = xstrdup("");
	out->username = xstrdup("");
	snprintf(out->name, sizeof(out->name), "%s", name);
	rc = keyed_ask(store, applied_sql, out->id, &applied, err);
	if (rc < 0) {
		store_zone_clear(out);
		return rc;
	}
	/* A generation out of all proportion is damage itself. */
	if (out->generation < applied || out->generation - applied > PLAUSIBLE_LEAD)
		out->generation = applied;
	if (out->generation == 0)
		out->generation = 1;
	return 0;
}

static int read_text(sqlite3_stmt *stmt, char **text, size_t *size, struct err *err)
{
	const char *name = db_column_text(stmt, 0);
	const void *blob = sqlite3_column_blob(stmt, 3);
	size_t length = (size_t)sqlite3_column_bytes(stmt, 3);
	uint8_t sum[HASH_SIZE];

	checksum_text("zone_text", name, blob, length, sum);
	if (length != db_column_uint(stmt, 1) || !sum_matches(stmt, 2, sum))
		return err_set(err, ERR_CORRUPT, "zone %.255s: its text in the store fails its checksum", name);
	*text = xmemdup(blob, length);
	*size = length;
	return 0;
}

int store_zone_text(struct store *store, int64_t id, char **text, size_t *size, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, text_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, id);
	rc = db_step(store, stmt, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return err_set(err, ERR_NOTFOUND, "there is no text of zone %lld", (long long)id);
	rc = read_text(stmt, text, size, err);
	db_reset(stmt);
	return rc;
}

int store_zone_list(struct store *store, const char *after, size_t limit, bool tombstones,
	bool (*each)(void *ctx, const struct store_zone *zone), void *ctx, struct err *err)
{
	struct store_zone zone;
	sqlite3_stmt *stmt;
	int damaged = 0;
	int rc = db_prepare(store, list_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_text(stmt, 1, after, -1);
	db_bind_int(stmt, 2, tombstones ? 1 : 0);
	/* Damaged rows do not count: fewer than limit zones always mean the end. */
	while (limit > 0 && (rc = db_step(store, stmt, err)) > 0) {
		int bad = rows_read_zone(stmt, &zone, damaged == 0 ? err : NULL);
		if (bad < 0) {
			damaged = bad;
			continue;
		}
		limit--;
		if (!each(ctx, &zone))
			break;
	}
	db_reset(stmt);
	return rc < 0 ? rc : damaged;
}

int store_zone_walk(struct store *store, int64_t *after, size_t limit,
	void (*each)(void *ctx, const struct store_zone *zone, const struct err *damage), void *ctx, struct err *err)
{
	struct store_zone zone;
	struct err damage;
	sqlite3_stmt *stmt;
	size_t given = 0;
	int64_t sound = *after;
	int64_t last = *after;
	int rc = db_prepare(store, walk_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, *after);
	db_bind_int(stmt, 2, db_limit(limit));
	while ((rc = db_step(store, stmt, err)) > 0) {
		int bad = rows_read_zone(stmt, &zone, &damage);

		given++;
		last = zone.id;
		if (bad < 0)
			zone = (struct store_zone){ .id = zone.id };
		else if (zone.id > sound)
			sound = zone.id;
		each(ctx, &zone, bad < 0 ? &damage : NULL);
	}
	if (rc < 0)
		return rc;
	/* The id of a damaged row may be what is damaged: it leads on only if nothing else does. */
	if (sound == *after)
		sound = last;
	if (given == limit && sound <= *after)
		return err_set(err, ERR_CORRUPT, "store %s: zones out of order behind row %lld", store->path,
			(long long)*after);
	*after = given == limit ? sound : INT64_MAX;
	return 0;
}

int store_zone_count(struct store *store, uint64_t *count, struct err *err)
{
	return keyed_ask(store, count_sql, 0, count, err);
}

/* ---- writing ---- */

static int put_row(struct store *store, const struct store_zone *zone, const char *sql, struct err *err)
{
	sqlite3_stmt *stmt;
	uint8_t sum[HASH_SIZE];
	int rc = db_prepare(store, sql, &stmt, err);

	if (rc < 0)
		return rc;
	checksum_zone(zone, sum);
	db_bind_int(stmt, 1, zone->id);
	db_bind_text(stmt, 2, zone->name, -1);
	db_bind_uint(stmt, 3, zone->generation);
	db_bind_int(stmt, 4, zone->deleted ? 1 : 0);
	db_bind_uint(stmt, 5, zone->digest.count);
	db_bind_uint(stmt, 6, zone->digest.high);
	db_bind_uint(stmt, 7, zone->digest.low);
	db_bind_int(stmt, 8, zone->serial);
	db_bind_text(stmt, 9, zone->hostname, -1);
	db_bind_text(stmt, 10, zone->username, -1);
	db_bind_int(stmt, 11, zone->updated_at_us);
	db_bind_uint(stmt, 12, zone->text_size);
	db_bind_blob(stmt, 13, sum, sizeof(sum));
	rc = db_run(store, stmt, err);
	if (rc == 0 && sqlite3_changes(store->db) != 1)
		rc = err_set(err, ERR_CORRUPT, "there is no zone %s with row %lld", zone->name, (long long)zone->id);
	return rc;
}

static int run_put_text(struct store *store, const char *sql, const struct store_zone *zone, const char *text,
	const struct store_origin *origin, struct err *err)
{
	sqlite3_stmt *stmt;
	uint8_t sum[HASH_SIZE];
	int rc = db_prepare(store, sql, &stmt, err);

	if (rc < 0)
		return rc;
	checksum_text("zone_text", zone->name, text, (size_t)zone->text_size, sum);
	db_bind_int(stmt, 1, zone->id);
	db_bind_blob(stmt, 2, sum, sizeof(sum));
	db_bind_blob(stmt, 3, text, (size_t)zone->text_size);
	if (origin != NULL) {
		db_bind_uint(stmt, 4, origin->version);
		db_bind_int(stmt, 5, origin->at_us);
		db_bind_text(stmt, 6, origin->origin, -1);
		db_bind_text(stmt, 7, origin->source == NULL ? "" : origin->source, FIELD_MAX);
		db_bind_text(stmt, 8, origin->actor == NULL ? "" : origin->actor, FIELD_MAX);
	}
	return db_run(store, stmt, err);
}

/* Not by an upsert, which costs more than two plain statements. */
static int put_text(struct store *store, const struct store_zone *zone, bool fresh, const char *text,
	const struct store_origin *origin, struct err *err)
{
	const char *update = origin == NULL ? update_text_sql : update_version_sql;
	int rc = fresh ? 0 : run_put_text(store, update, zone, text, origin, err);

	if (rc == 0 && (fresh || sqlite3_changes(store->db) == 0))
		rc = run_put_text(store, origin == NULL ? insert_text_sql : insert_version_sql, zone, text, origin, err);
	return rc;
}

int rows_put_zone(struct store *store, struct store_zone *zone, const char *text, size_t size,
	const struct store_origin *origin, struct err *err)
{
	/* Rows are never removed, so a committed id is never used again. */
	bool fresh = zone->id == 0;
	uint64_t number;
	int rc = 0;

	if (text != NULL || fresh) {
		zone->text_size = text == NULL ? 0 : size;
	} else {
		rc = keyed_ask(store, text_size_sql, zone->id, &zone->text_size, err);
	}
	if (rc == 0 && fresh) {
		rc = keyed_ask(store, next_id_sql, 0, &number, err);
		if (rc == 0)
			zone->id = (int64_t)number;
	}
	if (rc == 0)
		rc = put_row(store, zone, fresh ? insert_sql : update_sql, err);
	if (rc == 0 && (text != NULL || fresh))
		rc = put_text(store, zone, fresh, text, origin, err);
	if (rc < 0 && fresh)
		zone->id = 0;
	return rc;
}

int store_zone_put(struct store *store, struct store_zone *zone, const char *text, size_t size, struct err *err)
{
	bool own;

	CHECK(zone->generation > 0 && zone->hostname != NULL && zone->username != NULL);
	int rc = db_scope_open(store, &own, err);
	if (rc < 0)
		return rc;
	return db_scope_close(store, own, rows_put_zone(store, zone, text, size, NULL, err), err);
}
