/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/renew.h"

#include <stdlib.h>

enum { STEP = 64 * 1024 }; /* SQLite writes less than 128 KiB at once */

/* NULL: there is none. */
static sqlite3_file *find_wal(struct store *store)
{
	sqlite3_file *wal = NULL;

	if (sqlite3_file_control(store->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal) != SQLITE_OK)
		return NULL;
	return wal == NULL || wal->pMethods == NULL ? NULL : wal;
}

static int rewrite(sqlite3_file *wal, void *bytes, sqlite3_int64 size)
{
	int rc = SQLITE_OK;

	for (sqlite3_int64 at = 0; rc == SQLITE_OK && at < size; at += STEP) {
		int step = size - at < STEP ? (int)(size - at) : STEP;

		rc = wal->pMethods->xRead(wal, bytes, step, at);
		if (rc == SQLITE_OK)
			rc = wal->pMethods->xWrite(wal, bytes, step, at);
	}
	return rc == SQLITE_OK ? wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL) : rc;
}

int renew_wal(struct store *store, struct err *err)
{
	sqlite3_file *wal = find_wal(store);
	sqlite3_int64 size = 0;

	int rc = wal == NULL ? SQLITE_OK : wal->pMethods->xFileSize(wal, &size);
	if (rc == SQLITE_OK && size > 0) {
		void *bytes = xmalloc(STEP);

		rc = rewrite(wal, bytes, size);
		free(bytes);
	}
	return rc == SQLITE_OK ? 0 : db_fail(store, rc, err);
}
