/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside lib/store only: one SQLite connection, its settings (reliability.md
 * 3.1), its prepared statements, its errors. One thread per handle; every call
 * may block on the disk.
 */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>
#include <sys/types.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "store/squeeze.h"
#include "store/store.h"

enum { DB_STATEMENTS_MAX = 160 };

struct db_statement {
	const char *sql;           /* compared as a pointer: each text is one static array */
	sqlite3_stmt *stmt;
};

struct store {
	sqlite3 *db;
	char *path;
	dev_t device;    /* where the file was when it was opened */
	ino_t inode;
	int lock_fd;               /* -1: a reader */
	bool reader;
	bool marked;               /* "not closed" is in the file */
	bool distrusted;           /* an ERR_IO happened, or it is damaged: nothing is written any more */
	bool in_transaction;
	bool reading;              /* store_read_begin: a read transaction is open */
	int failure;               /* ERR_* of a write in this transaction: it can only be rolled back */
	int wal_pages;             /* in the WAL after the last commit */
	int64_t file_pages;        /* of the file, as the last whole checkpoint left it */
	bool tight;                /* the disk is full, or was a moment ago: the WAL is kept short */
	int64_t cache_kib;         /* of pages in memory, at most */
	int restart_at;            /* wait for readers and restart the WAL when it has so many pages */
	struct squeeze squeeze;
	char id[STORE_ID_SIZE];
	size_t statement_count;
	struct db_statement statements[DB_STATEMENTS_MAX];
};

/* ---- connection ---- */

/* Opens the file, which must exist, and secures the handle; changes nothing in it. */
MUST_CHECK int db_open(struct store *store, struct err *err);
/* Puts the settings in force and reads each one back; after a first read. A writer turns an empty file to WAL here. */
MUST_CHECK int db_configure(struct store *store, struct err *err);
/* The last handle of a configured writer leaves no WAL behind; any other leaves all files as they are. */
void db_close(struct store *store);
/* For another process that has the file locked: up to 5 s, as at first, or not at all. */
void db_wait_for_locks(struct store *store, bool wait);

/* Fills err for what SQLite returned; notes a disk that is not to be trusted. Returns an ERR_*. */
int db_fail(struct store *store, int rc, struct err *err);
/* One or more statements without values and results, not kept. */
MUST_CHECK int db_exec(struct store *store, const char *sql, struct err *err);
/* The first column of the first row of a statement that is not kept. */
MUST_CHECK int db_fetch_int(struct store *store, const char *sql, int64_t *out, struct err *err);
/* All of it as of one moment, into target, which is missing or empty. */
MUST_CHECK int db_copy(struct store *store, const char *target, struct err *err);

/* ---- prepared statements ---- */

/* sql must be a static array: it is prepared once per handle. The statement is the store's. */
MUST_CHECK int db_prepare(struct store *store, const char *sql, sqlite3_stmt **out, struct err *err);
/* 1: a row; 0: done (and reset); else an error (and reset). */
MUST_CHECK int db_step(struct store *store, sqlite3_stmt *stmt, struct err *err);
/* To be called when a statement is left before its end. */
void db_reset(sqlite3_stmt *stmt);
/* Steps a statement that gives no rows. */
MUST_CHECK int db_run(struct store *store, sqlite3_stmt *stmt, struct err *err);

/* What is bound must live until the statement was stepped. */
void db_bind_int(sqlite3_stmt *stmt, int index, int64_t value);
void db_bind_uint(sqlite3_stmt *stmt, int index, uint64_t value);
/* NULL: the SQL NULL. Longer text is cut to most bytes (-1: never). */
void db_bind_text(sqlite3_stmt *stmt, int index, const char *text, int most);
void db_bind_blob(sqlite3_stmt *stmt, int index, const void *data, size_t size);
uint64_t db_column_uint(sqlite3_stmt *stmt, int column);
/* Never NULL; lives until the next step. */
const char *db_column_text(sqlite3_stmt *stmt, int column);
/* A list's limit as SQL wants it. */
int64_t db_limit(size_t limit);

/* ---- transactions ---- */

/* Takes the WAL into the file when it is long enough; that is sooner where nobody waits, or room is scarce (early). */
MUST_CHECK int db_checkpoint(struct store *store, bool early, struct err *err);
/*
 * Each writing function opens a scope: within the caller's transaction it joins it (*own is false), else it makes one.
 * db_scope_close commits an own one if rc is 0 and rolls it back otherwise; the caller's can only be rolled back after
 * an error. Returns the outcome.
 */
MUST_CHECK int db_scope_open(struct store *store, bool *own, struct err *err);
MUST_CHECK int db_scope_close(struct store *store, bool own, int rc, struct err *err);
