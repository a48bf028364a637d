/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Back ends, and what their deliveries lack when they are registered. */
#include "store/store.h"

#include "base/buf.h"
#include "store/db.h"
#include "store/keyed.h"

enum { FILL_STEP = 10000 };

static const char find_sql[] = "SELECT id FROM backend WHERE name = ?1";
static const char insert_sql[] = "INSERT INTO backend (name) VALUES (?1) RETURNING id";
/* There is one row at most for a zone at a back end, so the numbers tell whether any is missing, and which lacks one. */
static const char any_lacks_sql[] = "SELECT (SELECT count(*) FROM zone) * (SELECT count(*) FROM backend)"
	" <> (SELECT count(*) FROM delivery)";
static const char lacks_sql[] = "SELECT (SELECT count(*) FROM zone)"
	" <> (SELECT count(*) FROM delivery WHERE backend_id = ?1)";
/* Along the ids, as both tables lie on the disk; some at a time, for SQLite holds them all before it inserts the first. */
static const char step_sql[] = "SELECT coalesce(max(id), 0) FROM"
	" (SELECT id FROM zone WHERE id > ?1 ORDER BY id LIMIT ?2)";
/*
 * What was deleted may stand there still: it was a back end of ours before, or is a copy of one. Such a delete is checked, for a
 * zone of that name may be somebody else's. What we only heard of a peer, without a text, never was a zone of ours: clean.
 */
static const char fill_sql[] = "INSERT INTO delivery (backend_id, zone_id, applied, state, check_rows, suspect,"
	" attempts, next_try, since, applied_at)"
	" SELECT ?1, z.id, iif(z.hearsay, z.generation, 0), iif(z.hearsay, 0, 1), z.deleted AND NOT z.hearsay, 0, 0,"
	" iif(z.hearsay, 0, ?2), iif(z.hearsay, 0, ?2), 0"
	" FROM (SELECT id, generation, deleted, deleted AND text_size = 0 AS hearsay FROM zone) AS z"
	" WHERE z.id > ?3 AND z.id <= ?4 AND NOT EXISTS (SELECT 1 FROM delivery AS d WHERE d.backend_id = ?1 AND d.zone_id = z.id)";
/* All back ends in one pass; a delete of what was there is checked, as above. */
static const char wake_sql[] = "UPDATE delivery SET state = 1, next_try = ?2, since = ?2, attempts = 0,"
	" check_rows = max(check_rows, z.deleted)"
	" FROM zone AS z WHERE delivery.state = 0 AND z.id = delivery.zone_id AND delivery.applied <> z.generation"
	" AND delivery.backend_id IN (SELECT value FROM json_each(?1))";

static const char wake_some_sql[] = "UPDATE delivery SET state = 1, next_try = ?2, since = ?2, attempts = 0,"
	" check_rows = max(check_rows, z.deleted)"
	" FROM zone AS z WHERE z.id > ?3 AND z.id <= ?4 AND delivery.zone_id = z.id AND delivery.backend_id = ?1"
	" AND delivery.state = 0 AND delivery.applied <> z.generation";

static const char parked_sql[] = "SELECT count(*) FROM delivery WHERE zone_id = ?1 AND state = 6";
static const char unpark_sql[] = "UPDATE delivery SET state = 0, next_try = 0, since = 0, attempts = 0"
	" WHERE zone_id = ?1 AND state = 6 AND backend_id NOT IN (SELECT value FROM json_each(?2))";

static int find_backend(struct store *store, const char *name, int64_t *id, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, find_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_text(stmt, 1, name, -1);
	rc = db_step(store, stmt, err);
	if (rc == 0) {
		rc = db_prepare(store, insert_sql, &stmt, err);
		if (rc < 0)
			return rc;
		db_bind_text(stmt, 1, name, -1);
		rc = db_step(store, stmt, err);
	}
	if (rc < 0)
		return rc;
	*id = sqlite3_column_int64(stmt, 0);
	db_reset(stmt);
	return 0;
}

/* The last of the next zones behind after; after: there are none. */
static int find_step(struct store *store, uint64_t after, size_t most, uint64_t *last, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, step_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_uint(stmt, 1, after);
	db_bind_int(stmt, 2, (int64_t)most);
	rc = db_step(store, stmt, err);
	if (rc < 0)
		return rc;
	*last = rc > 0 && db_column_uint(stmt, 0) > after ? db_column_uint(stmt, 0) : after;
	db_reset(stmt);
	return 0;
}

static int fill_some(struct store *store, int64_t id, int64_t now_us, uint64_t after, uint64_t last, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, fill_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, id);
	db_bind_int(stmt, 2, now_us);
	db_bind_uint(stmt, 3, after);
	db_bind_uint(stmt, 4, last);
	return db_run(store, stmt, err);
}

static int fill(struct store *store, int64_t id, int64_t now_us, struct err *err)
{
	uint64_t lacks, last;
	uint64_t after = 0;
	int rc = keyed_ask(store, lacks_sql, id, &lacks, err);

	if (rc < 0 || lacks == 0)
		return rc;
	while ((rc = find_step(store, after, FILL_STEP, &last, err)) == 0 && last > after) {
		rc = fill_some(store, id, now_us, after, last, err);
		if (rc < 0)
			return rc;
		after = last;
	}
	return rc;
}

/* One back end, a range of zones. */
static int wake_some(struct store *store, int64_t id, int64_t now_us, uint64_t after, uint64_t last, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, wake_some_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_int(stmt, 1, id);
	db_bind_int(stmt, 2, now_us);
	db_bind_uint(stmt, 3, after);
	db_bind_uint(stmt, 4, last);
	return db_run(store, stmt, err);
}

/* In JSON, for want of a parameter that is a list. */
static struct buf list_of(const int64_t *ids, size_t count)
{
	struct buf list = { 0 };

	buf_puts(&list, "[");
	for (size_t i = 0; i < count; i++)
		buf_printf(&list, "%s%lld", i == 0 ? "" : ",", (long long)ids[i]);
	buf_puts(&list, "]");
	return list;
}

static int wake(struct store *store, const int64_t *ids, size_t count, int64_t now_us, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, wake_sql, &stmt, err);

	if (rc < 0)
		return rc;
	struct buf list = list_of(ids, count);
	db_bind_text(stmt, 1, list.data, -1);
	db_bind_int(stmt, 2, now_us);
	rc = db_run(store, stmt, err);
	buf_free(&list);
	return rc;
}

static int register_all(struct store *store, const char *const *names, size_t count, int64_t now_us, int64_t *ids,
	struct err *err)
{
	uint64_t lacks = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = find_backend(store, names[i], &ids[i], err);
	if (rc == 0)
		rc = keyed_ask(store, any_lacks_sql, 0, &lacks, err);
	for (size_t i = 0; rc == 0 && lacks != 0 && i < count; i++)
		rc = fill(store, ids[i], now_us, err);
	return rc == 0 && count > 0 ? wake(store, ids, count, now_us, err) : rc;
}

int store_backends_register(struct store *store, const char *const *names, size_t count, int64_t now_us, int64_t *ids,
	struct err *err)
{
	bool own;
	int rc = db_scope_open(store, &own, err);

	if (rc < 0)
		return rc;
	return db_scope_close(store, own, register_all(store, names, count, now_us, ids, err), err);
}

int store_backend_register(struct store *store, const char *name, int64_t now_us, int64_t *id, struct err *err)
{
	return store_backends_register(store, &name, 1, now_us, id, err);
}

int store_backend_add(struct store *store, const char *name, int64_t *id, struct err *err)
{
	bool own;
	int rc = db_scope_open(store, &own, err);

	if (rc < 0)
		return rc;
	return db_scope_close(store, own, find_backend(store, name, id, err), err);
}

static int fill_step(struct store *store, int64_t id, int64_t now_us, size_t most, int64_t *after, struct err *err)
{
	uint64_t first = (uint64_t)*after;
	uint64_t last;
	int rc = find_step(store, first, most, &last, err);

	if (rc == 0 && last > first)
		rc = fill_some(store, id, now_us, first, last, err);
	if (rc == 0 && last > first)
		rc = wake_some(store, id, now_us, first, last, err);
	if (rc == 0)
		*after = last > first ? (int64_t)last : INT64_MAX;
	return rc;
}

int store_backend_fill(struct store *store, int64_t id, int64_t now_us, size_t most, int64_t *after, struct err *err)
{
	bool own;
	int rc = db_scope_open(store, &own, err);

	if (rc < 0)
		return rc;
	return db_scope_close(store, own, fill_step(store, id, now_us, most, after, err), err);
}

static int unpark_others(struct store *store, int64_t zone_id, const int64_t *ids, size_t count, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, unpark_sql, &stmt, err);

	if (rc < 0)
		return rc;
	struct buf list = list_of(ids, count);
	db_bind_int(stmt, 1, zone_id);
	db_bind_text(stmt, 2, list.data, -1);
	rc = db_run(store, stmt, err);
	buf_free(&list);
	return rc;
}

int store_backends_unpark(struct store *store, int64_t zone_id, const int64_t *ids, size_t count, struct err *err)
{
	uint64_t parked;
	int rc = keyed_ask(store, parked_sql, zone_id, &parked, err);

	return rc == 0 && parked > 0 ? unpark_others(store, zone_id, ids, count, err) : rc;
}
