/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/store.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/db.h"
#include "store/files.h"
#include "store/meta.h"
#include "store/migrate.h"
#include "store/open.h"
#include "store/renew.h"

static const char begin_sql[] = "BEGIN IMMEDIATE";
static const char read_sql[] = "BEGIN DEFERRED";
static const char commit_sql[] = "COMMIT";
static const char rollback_sql[] = "ROLLBACK";

/* ---- opening ---- */

static struct store *create(const char *path, bool reader)
{
	struct store *store = xcalloc(1, sizeof(*store));

	store->path = xstrdup(path);
	store->reader = reader;
	store->lock_fd = -1;
	return store;
}

static void destroy(struct store *store)
{
	db_close(store);
	if (store->lock_fd >= 0)
		close(store->lock_fd);
	free(store->path);
	free(store);
}

/* Nothing is written before the file is known to be ours. */
static int start(struct store *store, const char *const *steps, int count, bool *clean, struct err *err)
{
	int version = 0;
	int rc = db_open(store, err);

	if (rc == 0)
		rc = migrate_examine(store, count, &version, err);
	if (rc == 0)
		rc = renew_wal(store, err);
	if (rc == 0 && version == 0)
		rc = migrate_mark(store, err);
	if (rc == 0)
		rc = db_configure(store, err);
	if (rc == 0)
		rc = migrate_run(store, steps, count, version, err);
	if (rc == 0)
		rc = meta_load(store, clean, err);
	if (rc == 0)
		rc = meta_set_clean(store, false, err);
	if (rc < 0)
		db_close(store);
	return rc;
}

int store_open_steps(const char *path, const char *const *steps, int count, struct store **out, bool *unclean,
	struct err *err)
{
	struct store *store = create(path, false);
	bool clean = true;
	int rc = files_check_folder(path, err);

	if (rc == 0)
		rc = files_lock(path, &store->lock_fd, err);
	if (rc == 0)
		rc = files_make_missing(path, err);
	if (rc == 0)
		rc = start(store, steps, count, &clean, err);
	/* What was acknowledged must be delivered even if we are started on a full disk. */
	if (rc == ERR_NOSPACE && files_ballast_release(path)) {
		store->tight = true;
		rc = start(store, steps, count, &clean, err);
	} else if (rc == 0) {
		store_ballast_take(store);
	}
	if (rc < 0) {
		destroy(store);
		return rc;
	}
	store->marked = true;
	struct stat opened;
	if (stat(path, &opened) == 0) {
		store->device = opened.st_dev;
		store->inode = opened.st_ino;
	}
	if (unclean != NULL)
		*unclean = !clean;
	*out = store;
	return 0;
}

int store_open(const char *path, struct store **out, bool *unclean, struct err *err)
{
	return store_open_steps(path, migrate_steps, migrate_step_count, out, unclean, err);
}

int store_open_reader(const char *path, struct store **out, struct err *err)
{
	struct store *store = create(path, true);
	bool clean;
	int version = 0;
	int rc = db_open(store, err);

	if (rc == 0)
		rc = migrate_examine(store, migrate_step_count, &version, err);
	if (rc == 0 && version != migrate_step_count)
		rc = err_set(err, ERR_VERSION, "store %s has version %d, not %d: a writer must open it first", path,
			version, migrate_step_count);
	if (rc == 0)
		rc = db_configure(store, err);
	if (rc == 0)
		rc = meta_load(store, &clean, err);
	if (rc < 0) {
		destroy(store);
		return rc;
	}
	*out = store;
	return 0;
}

int store_examine(const char *path, bool thorough, struct err *err)
{
	struct stat there;
	int version = 0;
	int rc = files_check_folder(path, err);

	if (rc == 0 && stat(path, &there) != 0)
		return err_set(err, ERR_NOTFOUND, "store %s is not there yet", path);
	if (rc < 0)
		return rc;
	struct store *store = create(path, true);
	rc = db_open(store, err);
	if (rc == 0)
		rc = migrate_examine(store, migrate_step_count, &version, err);
	if (rc == 0 && thorough)
		rc = store_quick_check(store, err);
	destroy(store);
	return rc;
}

void store_close(struct store *store)
{
	struct err err;

	if (store == NULL)
		return;
	store_rollback(store);
	store_read_end(store);
	/* If it cannot be written, the next one to open the store looks at it more closely: no harm. */
	if (store->marked && !store->distrusted && meta_set_clean(store, true, &err) < 0)
		store_rollback(store);
	destroy(store);
}

const char *store_id(const struct store *store)
{
	return store->id;
}

int store_quick_check(struct store *store, struct err *err)
{
	/* Not SQLite's quick_check: that one does not see a name that is missing in an index. */
	static const char check_sql[] = "PRAGMA integrity_check(1)";
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, check_sql, &stmt, err);

	if (rc == 0)
		rc = db_step(store, stmt, err);
	if (rc < 0)
		return rc;
	if (rc == 0 || strcmp(db_column_text(stmt, 0), "ok") != 0)
		rc = err_set(err, ERR_CORRUPT, "store %s: %s", store->path,
			rc == 0 ? "no answer" : db_column_text(stmt, 0));
	else
		rc = 0;
	db_reset(stmt);
	return rc;
}

int store_check_place(struct store *store, struct err *err)
{
	struct stat now;

	if (stat(store->path, &now) == 0 && now.st_dev == store->device && now.st_ino == store->inode)
		return 0;
	return err_set(err, ERR_NOTFOUND, "store %s was removed or replaced under us: put the file back, or restart",
		store->path);
}

void store_interrupt(struct store *store)
{
	sqlite3_interrupt(store->db);
}

void store_space(const struct store *store, struct store_space *out)
{
	char *log = xasprintf("%s-wal", store->path);

	*out = (struct store_space){ .file_bytes = files_size(store->path), .log_bytes = files_size(log),
		.free_bytes = files_free(store->path) };
	free(log);
}

/* ---- transactions ---- */

static int run(struct store *store, const char *sql, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, sql, &stmt, err);

	return rc < 0 ? rc : db_run(store, stmt, err);
}

int store_begin(struct store *store, struct err *err)
{
	CHECK(!store->in_transaction);
	if (store->reader)
		return err_set(err, ERR_DENIED, "store %s: this handle only reads", store->path);
	if (store->distrusted)
		return err_set(err, ERR_IO, "store %s: its disk failed before and is not to be trusted", store->path);
	store_read_end(store);
	int rc = db_checkpoint(store, store->tight, err);
	if (rc == 0)
		rc = run(store, begin_sql, err);
	/* Whoever holds a lock longer than one wait is not waited for again until it is free. */
	if (rc == 0 || rc == ERR_BUSY)
		db_wait_for_locks(store, rc == 0);
	if (rc < 0)
		return rc;
	store->in_transaction = true;
	store->failure = 0;
	return 0;
}

int store_commit(struct store *store, struct err *err)
{
	CHECK(store->in_transaction);
	int rc = store->failure;
	if (rc != 0)
		err_set(err, rc, "store %s: a write of this transaction failed before", store->path);
	else if (sqlite3_get_autocommit(store->db) != 0)
		rc = err_set(err, ERR_IO, "store %s: the transaction is gone", store->path);
	else
		rc = run(store, commit_sql, err);
	if (rc < 0)
		store_rollback(store);
	store->in_transaction = false;
	return rc;
}

void store_rollback(struct store *store)
{
	struct err err;

	if (!store->in_transaction)
		return;
	store->in_transaction = false;
	store->failure = 0;
	if (sqlite3_get_autocommit(store->db) == 0 && run(store, rollback_sql, &err) < 0)
		store->distrusted = true;
}

void store_distrust(struct store *store)
{
	store->distrusted = true;
}

int store_rest(struct store *store, struct err *err)
{
	CHECK(!store->in_transaction && !store->reading);
	return db_checkpoint(store, true, err);
}

int store_read_begin(struct store *store, struct err *err)
{
	CHECK(!store->in_transaction);
	if (store->reading)
		return 0;
	int rc = run(store, read_sql, err);
	store->reading = rc == 0;
	return rc;
}

void store_read_end(struct store *store)
{
	struct err err;

	if (!store->reading)
		return;
	store->reading = false;
	/* Some errors make SQLite end it by itself. */
	if (sqlite3_get_autocommit(store->db) == 0 && run(store, rollback_sql, &err) < 0)
		store->distrusted = true;
}

int store_probe(struct store *store, struct err *err)
{
	CHECK(!store->in_transaction);
	db_wait_for_locks(store, false);
	int rc = meta_probe(store, err);
	db_wait_for_locks(store, rc != ERR_BUSY);
	return rc;
}

void store_ballast_release(struct store *store)
{
	store->tight = true;
	files_ballast_release(store->path);
}

bool store_ballast_take(struct store *store)
{
	store->tight = !files_ballast_take(store->path);
	return !store->tight;
}
