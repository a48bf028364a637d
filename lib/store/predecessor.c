/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/predecessor.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { BUSY_TIMEOUT_MS = 5000 };

struct predecessor {
	sqlite3 *db;
	sqlite3_stmt *rows;
	char *path;
};

static int fail(const struct predecessor *predecessor, int rc, struct err *err)
{
	const char *what = predecessor->db == NULL ? sqlite3_errstr(rc) : sqlite3_errmsg(predecessor->db);

	switch (rc & 0xff) {
	case SQLITE_NOTADB:
		return err_set(err, ERR_FOREIGN, "%s is no SQLite database", predecessor->path);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(err, ERR_BUSY, "%s is in use: %s", predecessor->path, what);
	case SQLITE_READONLY:
		return err_set(err, ERR_DENIED,
			"%s was not closed in order and cannot be mended by reading: start and stop directdnsonly once, or copy the "
			"folder and import the copy after `sqlite3 FILE .tables` (%s)",
			predecessor->path, what);
	case SQLITE_CORRUPT:
		return err_set(err, ERR_CORRUPT, "%s is damaged: %s", predecessor->path, what);
	default:
		return err_set(err, ERR_IO, "%s: %s (SQLite %d)", predecessor->path, what, rc);
	}
}

static int open_file(struct predecessor *predecessor, struct err *err)
{
	struct stat st;

	if (stat(predecessor->path, &st) != 0)
		return err_set(err, errno == ENOENT ? ERR_NOTFOUND : ERR_IO, "%s: %s", predecessor->path, strerror(errno));
	int rc = sqlite3_open_v2(predecessor->path, &predecessor->db,
		SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_db_config(predecessor->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_busy_timeout(predecessor->db, BUSY_TIMEOUT_MS);
	return rc == SQLITE_OK ? ERR_OK : fail(predecessor, rc, err);
}

/* What such a statement counts; a damaged or foreign file shows here first. */
static int count(struct predecessor *predecessor, const char *sql, int *out, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = sqlite3_prepare_v2(predecessor->db, sql, -1, &stmt, NULL);

	if (rc == SQLITE_OK) {
		rc = sqlite3_step(stmt);
		*out = rc == SQLITE_ROW ? sqlite3_column_int(stmt, 0) : 0;
		rc = rc == SQLITE_ROW ? SQLITE_OK : rc;
		sqlite3_finalize(stmt);
	}
	return rc == SQLITE_OK ? ERR_OK : fail(predecessor, rc, err);
}

static int begin_rows(struct predecessor *predecessor, struct err *err)
{
	static const char owners_sql[] =
		"SELECT COUNT(*) FROM pragma_table_info('domains') WHERE name IN ('id','domain','hostname','username')";
	static const char texts_sql[] =
		"SELECT COUNT(*) FROM pragma_table_info('domains') WHERE name IN ('zone_data','zone_updated_at')";
	static const char rows_sql[] =
		"SELECT domain,hostname,username,zone_data,zone_updated_at FROM domains ORDER BY id";
	static const char bare_sql[] = "SELECT domain,hostname,username,NULL,NULL FROM domains ORDER BY id";
	int owners = 0, texts = 0;
	int ret = count(predecessor, owners_sql, &owners, err);

	if (ret == ERR_OK)
		ret = count(predecessor, texts_sql, &texts, err);
	if (ret != ERR_OK)
		return ret;
	if (owners != 4)
		return err_set(err, ERR_FOREIGN, "%s is not directdnsonly's: it has no table domains (id, domain, hostname, username)",
			predecessor->path);
	int rc = sqlite3_prepare_v2(predecessor->db, texts == 2 ? rows_sql : bare_sql, -1, &predecessor->rows, NULL);
	return rc == SQLITE_OK ? ERR_OK : fail(predecessor, rc, err);
}

int predecessor_open(const char *path, struct predecessor **out, struct err *err)
{
	struct predecessor *predecessor = xcalloc(1, sizeof(*predecessor));

	predecessor->path = xstrdup(path);
	int ret = open_file(predecessor, err);
	if (ret == ERR_OK)
		ret = begin_rows(predecessor, err);
	if (ret != ERR_OK) {
		predecessor_close(predecessor);
		return ret;
	}
	*out = predecessor;
	return ERR_OK;
}

uint64_t predecessor_count(struct predecessor *predecessor)
{
	struct err ignored;
	int rows = 0;

	return count(predecessor, "SELECT COUNT(*) FROM domains", &rows, &ignored) == ERR_OK ? (uint64_t)rows : 0;
}

static const char *text_at(sqlite3_stmt *rows, int column)
{
	const unsigned char *text = sqlite3_column_text(rows, column);

	return text == NULL ? "" : (const char *)text;
}

int predecessor_next(struct predecessor *predecessor, struct predecessor_zone *out, bool *more, struct err *err)
{
	sqlite3_stmt *rows = predecessor->rows;
	int rc = sqlite3_step(rows);

	*more = rc == SQLITE_ROW;
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? ERR_OK : fail(predecessor, rc, err);
	*out = (struct predecessor_zone){
		.domain = text_at(rows, 0),
		.hostname = text_at(rows, 1),
		.username = text_at(rows, 2),
		.text = sqlite3_column_blob(rows, 3),
		.updated_at = text_at(rows, 4),
	};
	out->text_size = out->text == NULL ? 0 : (size_t)sqlite3_column_bytes(rows, 3);
	return ERR_OK;
}

void predecessor_close(struct predecessor *predecessor)
{
	if (predecessor == NULL)
		return;
	sqlite3_finalize(predecessor->rows);
	sqlite3_close(predecessor->db);
	free(predecessor->path);
	free(predecessor);
}
