/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/meta.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "store/db.h"

enum { ID_BYTES = 16 };

static const char put_sql[] =
	"INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
static const char get_sql[] = "SELECT value FROM meta WHERE key = ?1";
static const char probe_sql[] = "INSERT INTO meta (key, value) VALUES ('probe', '1')"
	" ON CONFLICT (key) DO UPDATE SET value = CAST(value + 1 AS TEXT)";

static int put(struct store *store, const char *key, const char *value, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, put_sql, &stmt, err);

	if (rc < 0)
		return rc;
	db_bind_text(stmt, 1, key, -1);
	db_bind_text(stmt, 2, value, -1);
	return db_run(store, stmt, err);
}

/* *value is the caller's; "" if there is none. */
static int get(struct store *store, const char *key, char **value, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(store, get_sql, &stmt, err);

	*value = NULL;
	if (rc < 0)
		return rc;
	db_bind_text(stmt, 1, key, -1);
	rc = db_step(store, stmt, err);
	if (rc < 0)
		return rc;
	*value = xstrdup(rc > 0 ? db_column_text(stmt, 0) : "");
	db_reset(stmt);
	return 0;
}

/* A damaged id would look like another store at every back end. */
static char *id_sum(const char *id)
{
	uint8_t hash[HASH_SIZE];
	struct buf text = { 0 };

	hash_sha256(id, strlen(id), hash);
	buf_hex(&text, hash, ID_BYTES);
	return buf_take(&text);
}

int meta_create(struct store *store, struct err *err)
{
	uint8_t random[ID_BYTES];
	struct buf id = { 0 };

	hash_random(random, sizeof(random));
	buf_hex(&id, random, sizeof(random));
	char *sum = id_sum(id.data);
	int rc = put(store, "store_id", id.data, err);
	if (rc == 0)
		rc = put(store, "store_id_sum", sum, err);
	if (rc == 0)
		rc = put(store, "clean", "1", err);
	free(sum);
	buf_free(&id);
	return rc;
}

static int load_id(struct store *store, struct err *err)
{
	char *id;
	char *sum = NULL;
	int rc = get(store, "store_id", &id, err);

	if (rc == 0)
		rc = get(store, "store_id_sum", &sum, err);
	if (rc == 0) {
		char *expected = id_sum(id);
		if (strlen(id) == STORE_ID_SIZE - 1 && strcmp(expected, sum) == 0)
			memcpy(store->id, id, STORE_ID_SIZE);
		else
			rc = err_set(err, ERR_CORRUPT, "store %s: its id is damaged", store->path);
		free(expected);
	}
	free(id);
	free(sum);
	return rc;
}

int meta_load(struct store *store, bool *clean, struct err *err)
{
	char *value;
	int rc = load_id(store, err);

	if (rc < 0)
		return rc;
	rc = get(store, "clean", &value, err);
	if (rc == 0)
		*clean = strcmp(value, "1") == 0;
	free(value);
	return rc;
}

int meta_set_clean(struct store *store, bool clean, struct err *err)
{
	bool own;
	int rc = db_scope_open(store, &own, err);

	if (rc < 0)
		return rc;
	return db_scope_close(store, own, put(store, "clean", clean ? "1" : "0", err), err);
}

int meta_probe(struct store *store, struct err *err)
{
	sqlite3_stmt *stmt;
	bool own;
	int rc = db_scope_open(store, &own, err);

	if (rc < 0)
		return rc;
	rc = db_prepare(store, probe_sql, &stmt, err);
	if (rc == 0)
		rc = db_run(store, stmt, err);
	return db_scope_close(store, own, rc, err);
}
