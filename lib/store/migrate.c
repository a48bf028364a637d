/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/migrate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/db.h"
#include "store/files.h"
#include "store/meta.h"

#define APPLICATION_ID 0x7a66616e /* "zfan" */
#define TEXT_OF(number) TEXT_OF_(number)
#define TEXT_OF_(number) #number

int migrate_examine(struct store *store, int count, int *version, struct err *err)
{
	int64_t application = 0;
	int64_t number = 0;
	int64_t tables = 0;
	int rc = db_fetch_int(store, "PRAGMA application_id", &application, err);

	if (rc == 0)
		rc = db_fetch_int(store, "PRAGMA user_version", &number, err);
	if (rc == 0)
		rc = db_fetch_int(store, "SELECT count(*) FROM sqlite_schema", &tables, err);
	if (rc < 0)
		return rc;
	*version = 0;
	/* A kill while it was made leaves a file without tables: as good as none. */
	if ((application == 0 || application == APPLICATION_ID) && number == 0 && tables == 0)
		return 0;
	/* Whoever leaves no application id is another program: a predecessor, perhaps. */
	if (application == 0)
		return err_set(err, ERR_FOREIGN, "%s is the SQLite database of another program, not a zonefan store",
			store->path);
	if (application != APPLICATION_ID)
		return err_set(err, ERR_CORRUPT, "%s is not a zonefan store", store->path);
	if (number > count)
		return err_set(err, ERR_VERSION,
			"store %s was made by a newer release: it has version %lld, this release knows %d", store->path,
			(long long)number, count);
	if (number < 1)
		return err_set(err, ERR_CORRUPT, "store %s has the impossible version %lld", store->path,
			(long long)number);
	*version = (int)number;
	return 0;
}

int migrate_mark(struct store *store, struct err *err)
{
	return db_exec(store, "PRAGMA application_id = " TEXT_OF(APPLICATION_ID), err);
}

static int make_copy(struct store *store, int version, struct err *err)
{
	char *final = xasprintf("%s.v%d.bak", store->path, version);
	char *partial = xasprintf("%s.tmp", final);
	int rc = files_make_empty(partial, err);

	if (rc == 0)
		rc = db_copy(store, partial, err);
	if (rc == 0)
		rc = files_replace(partial, final, err);
	if (rc < 0) {
		files_remove(partial);
		if (err != NULL)
			err_prefix(err, "copy before the migration");
	}
	free(partial);
	free(final);
	return rc;
}

static int run_steps(struct store *store, const char *const *steps, int count, int version, struct err *err)
{
	char sql[48];

	for (int i = version; i < count; i++) {
		int rc = db_exec(store, steps[i], err);
		if (rc < 0 && err != NULL)
			err_prefix(err, "migration %d", i + 1);
		if (rc < 0)
			return rc;
	}
	snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", count);
	int rc = db_exec(store, sql, err);
	return rc == 0 && version == 0 ? meta_create(store, err) : rc;
}

int migrate_run(struct store *store, const char *const *steps, int count, int version, struct err *err)
{
	bool own;

	if (version == count)
		return 0;
	if (version > 0) {
		int rc = make_copy(store, version, err);
		if (rc < 0)
			return rc;
	}
	int rc = db_scope_open(store, &own, err);
	if (rc < 0)
		return rc;
	CHECK(own);
	return db_scope_close(store, own, run_steps(store, steps, count, version, err), err);
}
