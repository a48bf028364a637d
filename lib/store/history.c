/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/history.h"

#include <stdlib.h>
#include <string.h>

#include "store/checksum.h"
#include "store/db.h"
#include "store/rows.h"

#define ROW "id, at, origin, source, actor, hostname, username, serial, digest_count, digest_high, digest_low, text_size"

static const char present_sql[] = "SELECT version, at, origin, source, actor, checksum, text FROM zone_text WHERE zone_id = ?1";
/* A number that is damaged must not stop the zone's pushes. */
static const char insert_sql[] = "INSERT OR REPLACE INTO history (" ROW ", checksum, text)"
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
static const char trim_sql[] = "DELETE FROM history WHERE id >= ?1 AND id <= ?2";
static const char list_sql[] = "SELECT " ROW " FROM history WHERE id >= ?1 AND id < ?2"
	" ORDER BY id DESC LIMIT ?3";
static const char current_sql[] = "SELECT version, at, origin, source, actor FROM zone_text WHERE zone_id = ?1";
static const char text_sql[] = "SELECT text_size, checksum, text FROM history WHERE id = ?1";

/* ---- keeping ---- */

/* So many versions a zone may have in its life. */
static const uint64_t versions_most = UINT32_MAX;

static int64_t id_of(int64_t zone_id, uint64_t version)
{
	return (int64_t)((uint64_t)zone_id << 32 | version);
}

static int insert(struct store *store, const struct store_zone *zone, uint64_t version, sqlite3_stmt *present,
	struct err *err)
{
	const void *packed;
	size_t text_size = (size_t)sqlite3_column_bytes(present, 6);
	size_t size = squeeze_pack(&store->squeeze, sqlite3_column_blob(present, 6), text_size, &packed);
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, insert_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, id_of(zone->id, version));
	db_bind_int(stmt, 2, sqlite3_column_int64(present, 1));
	for (int i = 0; i < 3; i++)
		db_bind_text(stmt, 3 + i, db_column_text(present, 2 + i), -1);
	db_bind_text(stmt, 6, zone->hostname, -1);
	db_bind_text(stmt, 7, zone->username, -1);
	db_bind_int(stmt, 8, zone->serial);
	db_bind_uint(stmt, 9, zone->digest.count);
	db_bind_uint(stmt, 10, zone->digest.high);
	db_bind_uint(stmt, 11, zone->digest.low);
	db_bind_uint(stmt, 12, text_size);
	/* The sum that it has already: a text that was damaged before stays known as that. */
	db_bind_blob(stmt, 13, sqlite3_column_blob(present, 5), (size_t)sqlite3_column_bytes(present, 5));
	db_bind_blob(stmt, 14, packed, size);
	return db_run(store, stmt, err);
}

static int trim(struct store *store, int64_t zone_id, uint64_t upto, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, trim_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, id_of(zone_id, 0));
	db_bind_int(stmt, 2, id_of(zone_id, upto));
	return db_run(store, stmt, err);
}

static int keep(struct store *store, int64_t zone_id, const struct store_zone *zone, unsigned most, uint64_t *next,
	struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, present_sql, &stmt, err);

	*next = 1;
	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, zone_id);
	rc = db_step(store, stmt, err);
	if (rc <= 0)
		return rc;
	int64_t version = sqlite3_column_int64(stmt, 0);
	if (version < 1 || version >= (int64_t)versions_most)
		version = 1;
	*next = (uint64_t)version + 1;
	rc = zone != NULL && most > 1 ? insert(store, zone, (uint64_t)version, stmt, err) : 0;
	db_reset(stmt);
	return rc == 0 && *next > most ? trim(store, zone_id, *next - most, err) : rc;
}

int store_history_keep(struct store *store, int64_t zone_id, const struct store_zone *zone, unsigned most,
	uint64_t *next, struct err *err)
{
	bool own;
	int rc = db_scope_open(store, &own, err);

	if (rc < 0)
		return rc;
	return db_scope_close(store, own, keep(store, zone_id, zone, most, next, err), err);
}

int store_history_put(struct store *store, struct store_zone *zone, const char *text, size_t size,
	const struct store_origin *origin, struct err *err)
{
	bool own;
	int rc = db_scope_open(store, &own, err);

	if (rc < 0)
		return rc;
	return db_scope_close(store, own, rows_put_zone(store, zone, text, size, origin, err), err);
}

/* ---- reading ---- */

static int read_current(struct store *store, const struct store_zone *zone, struct store_text_version *out,
	sqlite3_stmt **stmt, struct err *err)
{
	int rc = db_prepare(store, current_sql, stmt, err);

	if (rc < 0)
		return rc;
	db_bind_int(*stmt, 1, zone->id);
	rc = db_step(store, *stmt, err);
	if (rc <= 0)
		return rc;
	*out = (struct store_text_version){ .version = db_column_uint(*stmt, 0), .current = true,
		.at_us = sqlite3_column_int64(*stmt, 1), .origin = db_column_text(*stmt, 2),
		.source = db_column_text(*stmt, 3), .actor = db_column_text(*stmt, 4), .hostname = zone->hostname,
		.username = zone->username, .serial = zone->serial, .digest = zone->digest, .text_size = zone->text_size };
	return 1;
}

static void read_row(sqlite3_stmt *stmt, struct store_text_version *out)
{
	*out = (struct store_text_version){
		.version = db_column_uint(stmt, 0) & versions_most,
		.at_us = sqlite3_column_int64(stmt, 1),
		.origin = db_column_text(stmt, 2),
		.source = db_column_text(stmt, 3),
		.actor = db_column_text(stmt, 4),
		.hostname = db_column_text(stmt, 5),
		.username = db_column_text(stmt, 6),
		.serial = (uint32_t)sqlite3_column_int64(stmt, 7),
		.digest = { .count = db_column_uint(stmt, 8), .high = db_column_uint(stmt, 9), .low = db_column_uint(stmt, 10) },
		.text_size = db_column_uint(stmt, 11),
	};
}

static int list_old(struct store *store, int64_t zone_id, uint64_t before, size_t limit,
	bool (*each)(void *ctx, const struct store_text_version *version), void *ctx, struct err *err)
{
	struct store_text_version version;
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, list_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, id_of(zone_id, 0));
	db_bind_int(stmt, 2, id_of(zone_id, before));
	db_bind_int(stmt, 3, db_limit(limit));
	while ((rc = db_step(store, stmt, err)) > 0) {
		read_row(stmt, &version);
		if (!each(ctx, &version)) {
			db_reset(stmt);
			return 0;
		}
	}
	return rc;
}

int store_history_list(struct store *store, const struct store_zone *zone, uint64_t before, size_t limit,
	bool (*each)(void *ctx, const struct store_text_version *version), void *ctx, struct err *err)
{
	struct store_text_version version;
	sqlite3_stmt *stmt;
	int rc = before == 0 ? read_current(store, zone, &version, &stmt, err) : 0;

	if (rc < 0)
		return rc;
	if (rc > 0) {
		bool more = limit > 0 && each(ctx, &version);

		db_reset(stmt);
		if (!more)
			return 0;
		limit--;
	}
	return list_old(store, zone->id, before == 0 || before > versions_most ? versions_most : before, limit, each, ctx, err);
}

static int read_text(const struct store_zone *zone, uint64_t version, sqlite3_stmt *stmt,
	char **text, size_t *size, struct err *err)
{
	const void *expected = sqlite3_column_blob(stmt, 1);
	uint8_t sum[HASH_SIZE];

	*size = (size_t)db_column_uint(stmt, 0);
	char *unpacked;
	int rc = squeeze_unpack(sqlite3_column_blob(stmt, 2), (size_t)sqlite3_column_bytes(stmt, 2), *size, &unpacked, err);
	if (rc == 0) {
		checksum_text("zone_text", zone->name, unpacked, *size, sum);
		if (sqlite3_column_bytes(stmt, 1) == HASH_SIZE && memcmp(expected, sum, HASH_SIZE) == 0) {
			*text = unpacked;
			return 0;
		}
		free(unpacked);
		rc = err_set(err, ERR_CORRUPT, "it fails its checksum");
	}
	if (err != NULL)
		err_prefix(err, "zone %s: version %llu in the store", zone->name, (unsigned long long)version);
	return rc;
}

int store_history_text(struct store *store, const struct store_zone *zone, uint64_t version, char **text, size_t *size,
	struct err *err)
{
	struct store_text_version current = { 0 };
	sqlite3_stmt *stmt;
	int rc = read_current(store, zone, &current, &stmt, err);

	if (rc < 0)
		return rc;
	if (rc > 0)
		db_reset(stmt);
	if (rc > 0 && current.version == version)
		return store_zone_text(store, zone->id, text, size, err);
	rc = db_prepare(store, text_sql, &stmt, err);
	if (rc < 0)
		return rc;
	/* A number that is none is that of no version. */
	db_bind_int(stmt, 1, version > versions_most ? 0 : id_of(zone->id, version));
	rc = db_step(store, stmt, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return err_set(err, ERR_NOTFOUND, "version %llu is not kept", (unsigned long long)version);
	rc = read_text(zone, version, stmt, text, size, err);
	db_reset(stmt);
	return rc;
}
