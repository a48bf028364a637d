/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/store.h"

#include "base/testing.h"
#include "store/audit.h"
#include "store/db.h"

enum {
	FIELD_MAX = 1024,
	KEPT_MAX = 1000000,
	PRUNE_STEP = 1000, /* per call: a commit that others wait for stays short */
};

static const int64_t KEPT_US = INT64_C(90) * 86400 * 1000000;

#define ROWS "SELECT id, at, kind, zone, backend, source, detail, actor, push_id FROM event"
#define SELECT ROWS " WHERE id < ?1"
#define NEWEST " ORDER BY id DESC LIMIT ?2"

static const char insert_sql[] =
	"INSERT INTO event (at, kind, zone, backend, source, detail, actor, push_id)"
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
static const char list_sql[] = SELECT NEWEST;
static const char list_zone_sql[] = SELECT " AND zone = ?3 AND (?4 IS NULL OR backend = ?4)" NEWEST;
static const char list_backend_sql[] = SELECT " AND ?3 IS NULL AND backend = ?4" NEWEST;
#define OF_KIND " AND (?3 IS NULL OR kind = ?3)"
#define OLDEST " ORDER BY id LIMIT ?2"
static const char audit_sql[] = SELECT OF_KIND NEWEST;
static const char audit_zone_sql[] = SELECT OF_KIND " AND zone = ?4" NEWEST;
static const char follow_sql[] = ROWS " WHERE id > ?1" OF_KIND OLDEST;
static const char follow_zone_sql[] = ROWS " WHERE id > ?1" OF_KIND " AND zone = ?4" OLDEST;
/* A back end that is paused has no other record of it: its event stays until it is resumed or retired. */
#define IN_FORCE                                                                                             \
	" AND NOT (kind = 'lane_paused' AND NOT EXISTS (SELECT 1 FROM event AS later WHERE later.backend = event.backend" \
	" AND later.id > event.id AND later.kind IN ('lane_resumed', 'retired')))"
static const char prune_old_sql[] =
	"DELETE FROM event WHERE id IN (SELECT id FROM event WHERE at < ?1" IN_FORCE " ORDER BY at LIMIT ?2)";
/* The newest KEPT_MAX ids: rows out of their order in time may leave gaps, so it is never more rows than that. */
static const char prune_many_sql[] = "DELETE FROM event WHERE id IN (SELECT id FROM event"
	" WHERE id <= (SELECT max(id) FROM event) - ?1" IN_FORCE " ORDER BY id LIMIT ?2)";

static int insert(struct store *store, const struct store_event *event, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, insert_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, event->at_us);
	db_bind_text(stmt, 2, event->kind, FIELD_MAX);
	db_bind_text(stmt, 3, event->zone, FIELD_MAX);
	db_bind_text(stmt, 4, event->backend, FIELD_MAX);
	db_bind_text(stmt, 5, event->source, FIELD_MAX);
	db_bind_text(stmt, 6, event->detail, FIELD_MAX);
	db_bind_text(stmt, 7, event->actor, FIELD_MAX);
	db_bind_text(stmt, 8, event->push_id, FIELD_MAX);
	return db_run(store, stmt, err);
}

int store_event_add(struct store *store, const struct store_event *event, struct err *err)
{
	bool own;
	int rc = db_scope_open(store, &own, err);

	if (rc < 0)
		return rc;
	return db_scope_close(store, own, insert(store, event, err), err);
}

static const char *or_null(sqlite3_stmt *stmt, int column)
{
	return (const char *)sqlite3_column_text(stmt, column);
}

static int give(struct store *store, sqlite3_stmt *stmt, bool (*each)(void *ctx, const struct store_event *event),
	void *ctx, struct err *err)
{
	int rc;

	while ((rc = db_step(store, stmt, err)) > 0) {
		struct store_event event = {
			.id = sqlite3_column_int64(stmt, 0),
			.at_us = sqlite3_column_int64(stmt, 1),
			.kind = db_column_text(stmt, 2),
			.zone = or_null(stmt, 3),
			.backend = or_null(stmt, 4),
			.source = or_null(stmt, 5),
			.detail = or_null(stmt, 6),
			.actor = or_null(stmt, 7),
			.push_id = or_null(stmt, 8),
		};
		if (!each(ctx, &event)) {
			db_reset(stmt);
			return 0;
		}
	}
	return rc;
}

int store_event_list(struct store *store, int64_t before, size_t limit, const char *zone, const char *backend,
	bool (*each)(void *ctx, const struct store_event *event), void *ctx, struct err *err)
{
	const char *sql = zone != NULL ? list_zone_sql : backend != NULL ? list_backend_sql : list_sql;
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, before);
	db_bind_int(stmt, 2, db_limit(limit));
	if (sql != list_sql) {
		db_bind_text(stmt, 3, zone, -1);
		db_bind_text(stmt, 4, backend, -1);
	}
	return give(store, stmt, each, ctx, err);
}

int store_audit_list(struct store *store, const struct store_audit *audit, size_t limit,
	bool (*each)(void *ctx, const struct store_event *event), void *ctx, struct err *err)
{
	bool on = audit->after != 0;
	const char *sql = on ? audit->zone != NULL ? follow_zone_sql : follow_sql :
			  audit->zone != NULL ? audit_zone_sql : audit_sql;
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, on ? audit->after : audit->before == 0 ? INT64_MAX : audit->before);
	db_bind_int(stmt, 2, db_limit(limit));
	db_bind_text(stmt, 3, audit->kind, -1);
	if (audit->zone != NULL)
		db_bind_text(stmt, 4, audit->zone, -1);
	return give(store, stmt, each, ctx, err);
}

static int prune(struct store *store, const char *sql, int64_t bound, uint64_t *count, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, bound);
	db_bind_int(stmt, 2, PRUNE_STEP);
	rc = db_run(store, stmt, err);
	if (rc == 0)
		*count += (uint64_t)sqlite3_changes64(store->db);
	return rc;
}

int store_prune(struct store *store, int64_t wall_us, uint64_t *count, struct err *err)
{
	bool own;
	int rc = db_scope_open(store, &own, err);

	if (rc < 0)
		return rc;
	*count = 0;
	rc = prune(store, prune_old_sql, wall_us - KEPT_US, count, err);
	if (rc == 0)
		rc = prune(store, prune_many_sql, KEPT_MAX, count, err);
	if (rc == 0 && PLANTED(tombstone_forgotten))
		rc = db_exec(store,
			"DELETE FROM delivery WHERE zone_id IN (SELECT id FROM zone WHERE deleted = 1);"
			"DELETE FROM zone_text WHERE zone_id IN (SELECT id FROM zone WHERE deleted = 1);"
			"DELETE FROM zone_version WHERE zone_id IN (SELECT id FROM zone WHERE deleted = 1);"
			"DELETE FROM zone WHERE deleted = 1",
			err);
	return db_scope_close(store, own, rc, err);
}
