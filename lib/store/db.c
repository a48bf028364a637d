/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/db.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/testing.h"

#define TEXT_OF(number) TEXT_OF_(number)
#define TEXT_OF_(number) #number
#define JOURNAL_SIZE_LIMIT 67108864

enum {
	BUSY_TIMEOUT_MS = 5000,
	/*
	 * A checkpoint waits for the disk twice: in a burst, at SQLite's 1,000 pages, that is half the time. So it waits for
	 * a quiet moment, or for 64 MB where there is room.
	 */
	EARLY_PAGES = 2000, /* half the ballast */
	CHECKPOINT_PAGES = 16000,
	RESTART_PAGES = 32000, /* 128 MB: readers kept the WAL from starting over */
	/* Of pages in memory, KiB; the share of the file that they hold in between. More makes no push cheaper. */
	CACHE_MIN_KIB = 2048,
	CACHE_MAX_KIB = 16384,
	CACHE_SHARE = 64,
};

/* ---- errors ---- */

static bool is_full(int errnum)
{
	return errnum == ENOSPC || errnum == EDQUOT;
}

static enum err_code classify(const struct store *store, int rc)
{
	switch (rc & 0xff) {
	case SQLITE_FULL:
		return ERR_NOSPACE;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return ERR_BUSY;
	case SQLITE_IOERR:
		/* The WAL's index grows by writes too. A full disk seen by fsync has lost pages: not the same. */
		if (rc != SQLITE_IOERR_FSYNC && rc != SQLITE_IOERR_DIR_FSYNC && store->db != NULL &&
			is_full(sqlite3_system_errno(store->db)))
			return ERR_NOSPACE;
		return ERR_IO;
	case SQLITE_CANTOPEN:
		return ERR_IO;
	case SQLITE_READONLY:
		return store->reader ? ERR_DENIED : ERR_IO;
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return ERR_DENIED;
	case SQLITE_NOMEM:
		WRONG("out of memory");
	case SQLITE_MISUSE:
		WRONG("SQLite misused");
	default:
		/* Our statements are right: if SQLite finds them wrong, tables or indexes are not what we made. */
		return ERR_CORRUPT;
	}
}

int db_fail(struct store *store, int rc, struct err *err)
{
	enum err_code code = classify(store, rc);
	int errnum = store->db == NULL ? 0 : sqlite3_system_errno(store->db);

	if (code == ERR_IO)
		store->distrusted = true;
	if ((code == ERR_IO || code == ERR_NOSPACE) && errnum != 0)
		return err_set(err, code, "store %s: %s (SQLite %d, %s)", store->path, sqlite3_errstr(rc), rc,
			strerror(errnum));
	/* The connection knows more of its own last error, and nothing of what its files said when they were asked without it. */
	bool known = store->db != NULL && sqlite3_extended_errcode(store->db) == rc;
	return err_set(err, code, "store %s: %s (SQLite %d)", store->path,
		known ? sqlite3_errmsg(store->db) : sqlite3_errstr(rc), rc);
}

/* ---- connection ---- */

static int note_commit(void *ctx, UNUSED sqlite3 *db, UNUSED const char *schema, int pages)
{
	struct store *store = ctx;

	store->wal_pages = pages;
	return SQLITE_OK;
}

void db_wait_for_locks(struct store *store, bool wait)
{
	CHECK(sqlite3_busy_timeout(store->db, wait ? BUSY_TIMEOUT_MS : 0) == SQLITE_OK);
}

static int secure(struct store *store)
{
	static const struct {
		int option;
		int value;
	} options[] = {
		{ SQLITE_DBCONFIG_DEFENSIVE, 1 },
		{ SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
		{ SQLITE_DBCONFIG_ENABLE_FKEY, 1 },
		{ SQLITE_DBCONFIG_ENABLE_TRIGGER, 0 },
		{ SQLITE_DBCONFIG_ENABLE_VIEW, 0 },
		{ SQLITE_DBCONFIG_DQS_DML, 0 },
		{ SQLITE_DBCONFIG_DQS_DDL, 0 },
		/* Lifted for a writer that found the file good. */
		{ SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		int now = -1;
		int rc = sqlite3_db_config(store->db, options[i].option, options[i].value, &now);
		if (rc != SQLITE_OK || now != options[i].value)
			return rc != SQLITE_OK ? rc : SQLITE_ERROR;
	}
	db_wait_for_locks(store, true);
	return SQLITE_OK;
}

/* SQLite's own memory statistics, which nobody reads, take a lock shared by all handles at each allocation. */
static void leave_out_statistics(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

int db_open(struct store *store, struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	CHECK(pthread_once(&once, leave_out_statistics) == 0);
	/* One thread owns the handle: no mutexes. No mmap: a truncated file would be a signal, not an error. */
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
		(store->reader ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
	int rc = sqlite3_open_v2(store->path, &store->db, flags, NULL);

	if (rc != SQLITE_OK)
		return db_fail(store, rc, err);
	rc = secure(store);
	if (rc != SQLITE_OK)
		return db_fail(store, rc, err);
	if (!store->reader && sqlite3_db_readonly(store->db, "main") != 0)
		return err_set(err, ERR_DENIED, "store %s: the file is read-only for us", store->path);
	return 0;
}

struct setting {
	const char *set;
	const char *get; /* NULL: set answers */
	const char *name;
	const char *text; /* NULL: number counts */
	int64_t number;
};

static const struct setting writer_settings[] = {
	{ "PRAGMA journal_mode = WAL", NULL, "journal_mode", "wal", 0 },
	{ "PRAGMA synchronous = FULL", "PRAGMA synchronous", "synchronous", NULL, 2 },
	{ "PRAGMA journal_size_limit = " TEXT_OF(JOURNAL_SIZE_LIMIT), "PRAGMA journal_size_limit", "journal_size_limit",
		NULL, JOURNAL_SIZE_LIMIT },
	/* We call the checkpoints: SQLite's own swallow their errors (see db_checkpoint). */
	{ "PRAGMA wal_autocheckpoint = 0", "PRAGMA wal_autocheckpoint", "wal_autocheckpoint", NULL, 0 },
	{ "PRAGMA mmap_size = 0", "PRAGMA mmap_size", "mmap_size", NULL, 0 },
	{ "PRAGMA foreign_keys = ON", "PRAGMA foreign_keys", "foreign_keys", NULL, 1 },
	{ "PRAGMA trusted_schema = OFF", "PRAGMA trusted_schema", "trusted_schema", NULL, 0 },
	{ "PRAGMA secure_delete = OFF", NULL, "secure_delete", NULL, 0 },
	{ "PRAGMA temp_store = MEMORY", "PRAGMA temp_store", "temp_store", NULL, 2 },
};

static const struct setting reader_settings[] = {
	{ "PRAGMA journal_mode", NULL, "journal_mode", "wal", 0 },
	{ "PRAGMA query_only = ON", "PRAGMA query_only", "query_only", NULL, 1 },
	{ "PRAGMA wal_autocheckpoint = 0", "PRAGMA wal_autocheckpoint", "wal_autocheckpoint", NULL, 0 },
	{ "PRAGMA mmap_size = 0", "PRAGMA mmap_size", "mmap_size", NULL, 0 },
	{ "PRAGMA trusted_schema = OFF", "PRAGMA trusted_schema", "trusted_schema", NULL, 0 },
	{ "PRAGMA temp_store = MEMORY", "PRAGMA temp_store", "temp_store", NULL, 2 },
};

static int apply(struct store *store, const struct setting *setting, struct err *err)
{
	sqlite3_stmt *stmt = NULL;

	if (setting->get != NULL) {
		int rc = db_exec(store, setting->set, err);
		if (rc < 0)
			return rc;
	}
	int rc = sqlite3_prepare_v2(
		store->db, setting->get != NULL ? setting->get : setting->set, -1, &stmt, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	/* An mmap_size that is not compiled in gives no row. */
	bool good = rc == SQLITE_DONE && setting->number == 0 && setting->text == NULL;
	if (rc == SQLITE_ROW)
		good = setting->text != NULL ? strcmp(db_column_text(stmt, 0), setting->text) == 0
					     : sqlite3_column_int64(stmt, 0) == setting->number;
	if (rc == SQLITE_ROW || rc == SQLITE_DONE)
		rc = good ? 0
			  : err_set(err, ERR_IO, "store %s: the setting %s is not in force", store->path, setting->name);
	else
		rc = db_fail(store, rc, err);
	/* The WAL is entered when the statement ends: until then the answer is only what is meant to be. */
	int end = sqlite3_finalize(stmt);
	return rc == 0 && end != SQLITE_OK ? db_fail(store, end, err) : rc;
}

/* A large store has more pages that are wanted again and again: those of its indexes. Called again as it grows. */
static int size_cache(struct store *store, struct err *err)
{
	char sql[48];
	int64_t bytes = 0;
	int rc = db_fetch_int(store, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size", &bytes, err);

	if (rc < 0)
		return rc;
	int64_t kib = bytes / 1024 / CACHE_SHARE;
	kib = kib < CACHE_MIN_KIB ? CACHE_MIN_KIB : kib > CACHE_MAX_KIB ? CACHE_MAX_KIB : kib;
	if (kib == store->cache_kib)
		return 0;
	store->cache_kib = kib;
	snprintf(sql, sizeof(sql), "PRAGMA cache_size = -%lld", (long long)kib);
	return db_exec(store, sql, err);
}

int db_configure(struct store *store, struct err *err)
{
	const struct setting *settings = store->reader ? reader_settings : writer_settings;
	size_t count = store->reader ? ARRAY_SIZE(reader_settings) : ARRAY_SIZE(writer_settings);

	/* The permissions were good (db_open), so it is the format number in the header, which was read since. */
	if (!store->reader && sqlite3_db_readonly(store->db, "main") != 0)
		return err_set(err, ERR_CORRUPT, "store %s: its header is damaged, or of a newer SQLite", store->path);
	for (size_t i = 0; i < count; i++) {
		int rc = apply(store, &settings[i], err);
		if (rc < 0)
			return rc;
	}
	if (!store->reader) {
		int rc = size_cache(store, err);
		if (rc < 0)
			return rc;
		if (PLANTED(synchronous_normal))
			CHECK(db_exec(store, "PRAGMA synchronous = NORMAL", err) == 0);
		if (PLANTED(synchronous_off))
			CHECK(db_exec(store, "PRAGMA synchronous = OFF", err) == 0);
		store->restart_at = RESTART_PAGES;
		sqlite3_wal_hook(store->db, note_commit, store);
		CHECK(sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL) == SQLITE_OK);
	}
	return 0;
}

void db_close(struct store *store)
{
	squeeze_free(&store->squeeze);
	for (size_t i = 0; i < store->statement_count; i++)
		sqlite3_finalize(store->statements[i].stmt);
	store->statement_count = 0;
	if (store->db == NULL)
		return;
	if (store->distrusted)
		sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	CHECK(sqlite3_close(store->db) == SQLITE_OK);
	store->db = NULL;
}

int db_exec(struct store *store, const char *sql, struct err *err)
{
	int rc = sqlite3_exec(store->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : db_fail(store, rc, err);
}

int db_fetch_int(struct store *store, const char *sql, int64_t *out, struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(stmt, 0);
	rc = rc == SQLITE_ROW ? 0 : db_fail(store, rc == SQLITE_DONE ? SQLITE_CORRUPT : rc, err);
	sqlite3_finalize(stmt);
	return rc;
}

/* Not by copying bytes: the newest pages are in the WAL (reliability.md 10.5 Q8). */
int db_copy(struct store *store, const char *target, struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(store->db, "VACUUM INTO ?", -1, &stmt, NULL);

	if (rc != SQLITE_OK)
		return db_fail(store, rc, err);
	db_bind_text(stmt, 1, target, -1);
	rc = sqlite3_step(stmt);
	rc = rc == SQLITE_DONE ? 0 : db_fail(store, rc, err);
	sqlite3_finalize(stmt);
	return rc;
}

/* ---- prepared statements ---- */

int db_prepare(struct store *store, const char *sql, sqlite3_stmt **out, struct err *err)
{
	for (size_t i = 0; i < store->statement_count; i++) {
		if (store->statements[i].sql == sql) {
			*out = store->statements[i].stmt;
			return 0;
		}
	}
	CHECK(store->statement_count < DB_STATEMENTS_MAX);
	int rc = sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
	if (rc != SQLITE_OK)
		return db_fail(store, rc, err);
	store->statements[store->statement_count++] = (struct db_statement){ .sql = sql, .stmt = *out };
	return 0;
}

int db_step(struct store *store, sqlite3_stmt *stmt, struct err *err)
{
	int rc = sqlite3_step(stmt);

	if (rc == SQLITE_ROW)
		return 1;
	rc = rc == SQLITE_DONE ? 0 : db_fail(store, rc, err);
	sqlite3_reset(stmt);
	return rc;
}

void db_reset(sqlite3_stmt *stmt)
{
	sqlite3_reset(stmt);
}

int db_run(struct store *store, sqlite3_stmt *stmt, struct err *err)
{
	int rc = db_step(store, stmt, err);

	CHECK(rc <= 0);
	return rc;
}

void db_bind_int(sqlite3_stmt *stmt, int index, int64_t value)
{
	CHECK(sqlite3_bind_int64(stmt, index, value) == SQLITE_OK);
}

void db_bind_uint(sqlite3_stmt *stmt, int index, uint64_t value)
{
	int64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	db_bind_int(stmt, index, bits);
}

void db_bind_text(sqlite3_stmt *stmt, int index, const char *text, int most)
{
	int size = text == NULL ? 0 : most < 0 ? -1 : (int)strnlen(text, (size_t)most);

	CHECK(sqlite3_bind_text(stmt, index, text, size, SQLITE_STATIC) == SQLITE_OK);
}

void db_bind_blob(sqlite3_stmt *stmt, int index, const void *data, size_t size)
{
	/* A NULL pointer would be the SQL NULL. */
	CHECK(sqlite3_bind_blob64(stmt, index, size == 0 ? "" : data, size, SQLITE_STATIC) == SQLITE_OK);
}

uint64_t db_column_uint(sqlite3_stmt *stmt, int column)
{
	int64_t bits = sqlite3_column_int64(stmt, column);
	uint64_t value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

const char *db_column_text(sqlite3_stmt *stmt, int column)
{
	const unsigned char *text = sqlite3_column_text(stmt, column);

	return text == NULL ? "" : (const char *)text;
}

int64_t db_limit(size_t limit)
{
	return limit > INT_MAX ? INT_MAX : (int64_t)limit;
}

/* ---- transactions ---- */

/*
 * SQLite's own checkpoint ignores its errors. A failed fsync of the file must not be tried again: the kernel may have
 * dropped the pages and then says all is well (reliability.md 10.5 Q7), and the WAL that still has them would be
 * overwritten. So it is called here, before a transaction, and its failure ends the writing. A full disk or a reader in
 * the way only puts it off: what was committed is safe in the WAL.
 */
/* Of the file and what waits in the WAL; -1: it can't be told. */
static int64_t count_pages(struct store *store)
{
	static const char count_sql[] = "PRAGMA page_count";
	sqlite3_stmt *stmt;
	int64_t pages = -1;
	struct err err;

	if (db_prepare(store, count_sql, &stmt, &err) == 0 && db_step(store, stmt, &err) > 0) {
		pages = sqlite3_column_int64(stmt, 0);
		db_reset(stmt);
	}
	return pages;
}

/* What a full disk leaves us is the ballast: a checkpoint must never make the file longer by more than half of it. */
static bool is_checkpoint_due(struct store *store, bool early)
{
	if (store->wal_pages < EARLY_PAGES)
		return false;
	if (early || store->wal_pages >= CHECKPOINT_PAGES)
		return true;
	int64_t pages = count_pages(store);
	return pages < 0 || pages - store->file_pages >= EARLY_PAGES;
}

int db_checkpoint(struct store *store, bool early, struct err *err)
{
	if (!is_checkpoint_due(store, early))
		return 0;
	int mode = SQLITE_CHECKPOINT_PASSIVE;
	if (store->wal_pages >= store->restart_at) {
		mode = SQLITE_CHECKPOINT_RESTART;
		store->restart_at = store->wal_pages + RESTART_PAGES;
	}
	int pages = 0;
	int moved = 0;
	int rc = sqlite3_wal_checkpoint_v2(store->db, "main", mode, &pages, &moved);
	if (rc == SQLITE_OK && moved == pages) {
		store->file_pages = count_pages(store);
		store->wal_pages = 0;
		store->restart_at = RESTART_PAGES;
		return size_cache(store, err);
	}
	if (rc == SQLITE_OK || classify(store, rc) == ERR_BUSY || classify(store, rc) == ERR_NOSPACE)
		return 0;
	return db_fail(store, rc, err);
}

int db_scope_open(struct store *store, bool *own, struct err *err)
{
	*own = !store->in_transaction;
	if (*own)
		return store_begin(store, err);
	if (store->failure != 0)
		return err_set(err, store->failure, "store %s: a write of this transaction failed before", store->path);
	/* Some errors make SQLite roll back by itself; a further write would then be a transaction of its own. */
	if (sqlite3_get_autocommit(store->db) != 0)
		return err_set(err, ERR_IO, "store %s: the transaction is gone", store->path);
	return 0;
}

int db_scope_close(struct store *store, bool own, int rc, struct err *err)
{
	if (own && rc == 0)
		return store_commit(store, err);
	if (own)
		store_rollback(store);
	else if (rc != 0)
		store->failure = rc;
	return rc;
}
