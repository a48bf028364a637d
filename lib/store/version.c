/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/version.h"

#include <string.h>

#include "store/checksum.h"
#include "store/db.h"

static const char load_sql[] = "SELECT lead, tag, others, origin, merged, checksum FROM zone_version WHERE zone_id = ?1";
static const char save_sql[] = "INSERT OR REPLACE INTO zone_version (zone_id, lead, tag, others, origin, merged, checksum)"
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
static const char drop_sql[] = "DELETE FROM zone_version WHERE zone_id = ?1";

/* Of the change that gave us the zone as it is, if that is one of ours. */
static uint32_t tag_of(const struct store_zone *zone)
{
	uint64_t bits = zone->digest.high ^ (uint64_t)zone->updated_at_us * UINT64_C(0x9e3779b97f4a7c15);

	return (uint32_t)(bits >> 32) ^ (uint32_t)bits ^ (zone->deleted ? UINT32_MAX : 0);
}

int store_version_count(struct store *store, const struct store_zone *zone, struct store_version *version, struct err *err)
{
	memcpy(version->origin, store->id, sizeof(version->origin));
	return version_set(&version->vector, store->id, version_get(&version->vector, store->id) + 1, tag_of(zone), err);
}

/* ---- reading ---- */

/* What it is without a row. */
static int assume(struct store *store, const struct store_zone *zone, struct store_version *out, struct err *err)
{
	*out = (struct store_version){ 0 };
	memcpy(out->origin, store->id, sizeof(out->origin));
	return version_set(&out->vector, store->id, zone->generation, tag_of(zone), err);
}

static int read_row(struct store *store, const struct store_zone *zone, sqlite3_stmt *stmt, struct store_version *out,
	struct err *err)
{
	struct checksum_version row = { .zone_id = zone->id, .lead = sqlite3_column_int64(stmt, 0),
		.tag = (uint32_t)sqlite3_column_int64(stmt, 1), .others = db_column_text(stmt, 2),
		.origin = db_column_text(stmt, 3), .merged = db_column_uint(stmt, 4) };
	/* Since then we changed it. */
	uint32_t tag = row.merged == zone->generation ? row.tag : tag_of(zone);
	uint8_t sum[HASH_SIZE];
	struct version others;

	checksum_version(&row, sum);
	if (sqlite3_column_bytes(stmt, 5) != HASH_SIZE || memcmp(sqlite3_column_blob(stmt, 5), sum, HASH_SIZE) != 0 ||
		strlen(row.origin) >= sizeof(out->origin) ||
		version_parse(row.others, strlen(row.others), &others, err) != ERR_OK ||
		version_set(&others, store->id, zone->generation - (uint64_t)row.lead, tag, err) != ERR_OK)
		return err_set(err, ERR_CORRUPT, "zone %s: its version in the store is damaged", zone->name);
	out->vector = others;
	if (row.merged == zone->generation)
		memcpy(out->origin, row.origin, strlen(row.origin) + 1);
	return ERR_OK;
}

int store_version_load(struct store *store, const struct store_zone *zone, struct store_version *out, struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = assume(store, zone, out, err);

	if (rc == 0)
		rc = db_prepare(store, load_sql, &stmt, err);
	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, zone->id);
	rc = db_step(store, stmt, err);
	if (rc <= 0)
		return rc;
	rc = read_row(store, zone, stmt, out, err);
	db_reset(stmt);
	return rc;
}

/* ---- writing ---- */

static int drop(struct store *store, int64_t zone_id, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, drop_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, zone_id);
	return db_run(store, stmt, err);
}

static int put(struct store *store, const struct checksum_version *row, struct err *err)
{
	sqlite3_stmt *stmt;
	uint8_t sum[HASH_SIZE];
	int rc = db_prepare(store, save_sql, &stmt, err);

	if (rc < 0)
		return rc;
	checksum_version(row, sum);
	db_bind_int(stmt, 1, row->zone_id);
	db_bind_int(stmt, 2, row->lead);
	db_bind_int(stmt, 3, row->tag);
	db_bind_text(stmt, 4, row->others, -1);
	db_bind_text(stmt, 5, row->origin, -1);
	db_bind_uint(stmt, 6, row->merged);
	db_bind_blob(stmt, 7, sum, sizeof(sum));
	return db_run(store, stmt, err);
}

static int save(struct store *store, const struct store_zone *zone, const struct store_version *version, struct err *err)
{
	struct version others = version->vector;
	struct buf text = { 0 };
	struct checksum_version row = { .zone_id = zone->id, .origin = version->origin, .merged = zone->generation,
		.lead = (int64_t)(zone->generation - version_get(&others, store->id)),
		.tag = version_tag(&others, store->id) };
	int rc = version_set(&others, store->id, 0, 0, err);

	if (rc < 0)
		return rc;
	if (others.count == 0 && row.lead == 0 && row.tag == tag_of(zone))
		return drop(store, zone->id, err);
	buf_puts(&text, "");
	version_print(&others, &text);
	row.others = text.data;
	rc = put(store, &row, err);
	buf_free(&text);
	return rc;
}

int store_version_save(struct store *store, const struct store_zone *zone, const struct store_version *version,
	struct err *err)
{
	bool own;
	int rc = db_scope_open(store, &own, err);

	return rc < 0 ? rc : db_scope_close(store, own, save(store, zone, version, err), err);
}
