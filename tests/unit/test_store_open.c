/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opening, locking, transactions, readers, durability across a kill, files of others. */
#include "test_store_help.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "store/db.h"
#include "store/migrate.h"

enum { KILL_ROUNDS = 20 };

static void make_file(const char *path, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void expect_mode(const char *path, const char *suffix, mode_t expected)
{
	char *name = xasprintf("%s%s", path, suffix);
	struct stat st;

	assert_int_equal(stat(name, &st), 0);
	assert_int_equal(st.st_mode & 07777, expected);
	free(name);
}

static void test_reopen(void **state)
{
	struct fixture *fixture = *state;
	char id[STORE_ID_SIZE];
	bool unclean = true;
	mode_t mask = umask(0);

	OK(store_open(fixture->path, &fixture->store, &unclean, err));
	umask(mask);
	assert_false(unclean);
	memcpy(id, store_id(fixture->store), sizeof(id));
	assert_int_equal(strspn(id, "0123456789abcdef"), STORE_ID_SIZE - 1);
	expect_mode(fixture->path, "", 0600);
	expect_mode(fixture->path, "-wal", 0600);
	expect_mode(fixture->path, "-shm", 0600);
	expect_mode(fixture->path, ".lock", 0600);
	expect_mode(fixture->path, ".ballast", 0600);
	put_sample(fixture->store, 7, 3, 0);
	store_close(fixture->store);
	fixture->store = NULL;
	OK(store_open(fixture->path, &fixture->store, &unclean, err));
	assert_false(unclean);
	assert_string_equal(store_id(fixture->store), id);
	expect_sample(fixture->store, 7, 3);
	OK(store_quick_check(fixture->store, err));
}

/* Before anything was taken from the WAL into the file: whoever reads only the file knows whose it is. */
static void test_first_page(void **state)
{
	struct fixture *fixture = *state;
	char header[100];
	FILE *file = fopen(fixture->path, "rb");

	assert_non_null(file);
	assert_int_equal(fread(header, 1, sizeof(header), file), sizeof(header));
	fclose(file);
	assert_memory_equal(header, "SQLite format 3", 16);
	assert_memory_equal(header + 68, "zfan", 4);
}

static void test_ids_differ(void **state)
{
	struct fixture *fixture = *state;
	char *other_path = xasprintf("%s/other.db", fixture->folder);
	struct store *other;

	OK(store_open(other_path, &other, NULL, err));
	assert_string_not_equal(store_id(other), store_id(fixture->store));
	store_close(other);
	free(other_path);
}

static void expect_pragma(struct store *store, const char *sql, int64_t expected)
{
	int64_t value = -99;

	OK(db_fetch_int(store, sql, &value, err));
	if (value != expected)
		fail_msg("%s: %lld, not %lld", sql, (long long)value, (long long)expected);
}

static int option(struct store *store, int number)
{
	int value = -1;

	assert_int_equal(sqlite3_db_config(store->db, number, -1, &value), SQLITE_OK);
	return value;
}

static void test_settings(void **state)
{
	struct fixture *fixture = *state;
	struct store *reader;

	expect_pragma(fixture->store, "PRAGMA synchronous", 2);
	expect_pragma(fixture->store, "PRAGMA foreign_keys", 1);
	expect_pragma(fixture->store, "PRAGMA trusted_schema", 0);
	expect_pragma(fixture->store, "PRAGMA busy_timeout", 5000);
	expect_pragma(fixture->store, "PRAGMA journal_size_limit", 64 << 20);
	expect_pragma(fixture->store, "SELECT journal_mode = 'wal' FROM pragma_journal_mode", 1);
	assert_int_equal(option(fixture->store, SQLITE_DBCONFIG_DEFENSIVE), 1);
	assert_int_equal(option(fixture->store, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE), 0);
	OK(store_open_reader(fixture->path, &reader, err));
	expect_pragma(reader, "PRAGMA query_only", 1);
	expect_pragma(reader, "PRAGMA wal_autocheckpoint", 0);
	expect_pragma(reader, "PRAGMA busy_timeout", 5000);
	assert_int_equal(option(reader, SQLITE_DBCONFIG_DEFENSIVE), 1);
	assert_int_equal(option(reader, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE), 1);
	store_close(reader);
}

/* ---- transactions ---- */

static void test_rollback(void **state)
{
	struct fixture *fixture = *state;
	struct store_zone zone;
	uint64_t count;

	put_sample(fixture->store, 1, 1, 0);
	OK(store_begin(fixture->store, err));
	put_sample(fixture->store, 2, 1, 0);
	store_rollback(fixture->store);
	store_rollback(fixture->store);
	FAILS(ERR_NOTFOUND, store_zone_find(fixture->store, "z000002.test.", &zone, err));
	OK(store_zone_count(fixture->store, &count, err));
	assert_int_equal(count, 1);
}

/* After a failed write the transaction cannot be committed, not even by a caller that overlooks the error. */
static void test_failed_write(void **state)
{
	struct fixture *fixture = *state;
	struct store_zone zone = sample_zone(9, 1);
	struct store_event event = { .at_us = 1, .kind = "x" };
	uint64_t count;

	OK(store_begin(fixture->store, err));
	put_sample(fixture->store, 1, 1, 0);
	zone.id = 77;
	FAILS(ERR_CORRUPT, store_zone_put(fixture->store, &zone, "text", 4, err));
	FAILS(ERR_CORRUPT, store_event_add(fixture->store, &event, err));
	FAILS(ERR_CORRUPT, store_commit(fixture->store, err));
	OK(store_zone_count(fixture->store, &count, err));
	assert_int_equal(count, 0);
	OK(store_begin(fixture->store, err));
	put_sample(fixture->store, 1, 1, 0);
	OK(store_commit(fixture->store, err));
	expect_sample(fixture->store, 1, 1);
}

static void test_probe(void **state)
{
	struct fixture *fixture = *state;
	int before = fixture->store->wal_pages;

	OK(store_probe(fixture->store, err));
	OK(store_probe(fixture->store, err));
	assert_true(fixture->store->wal_pages > before);
}

/* ---- readers ---- */

static bool count_zone(void *ctx, UNUSED const struct store_zone *zone)
{
	(*(int *)ctx)++;
	return true;
}

static void test_reader_view(void **state)
{
	struct fixture *fixture = *state;
	struct store *reader;
	int zones = 0;

	put_sample(fixture->store, 1, 1, 0);
	OK(store_open_reader(fixture->path, &reader, err));
	assert_string_equal(store_id(reader), store_id(fixture->store));
	OK(store_begin(fixture->store, err));
	put_sample(fixture->store, 1, 2, 1);
	put_sample(fixture->store, 2, 1, 0);
	expect_sample(reader, 1, 1);
	OK(store_zone_list(reader, "", 10, true, count_zone, &zones, err));
	assert_int_equal(zones, 1);
	OK(store_commit(fixture->store, err));
	expect_sample(reader, 1, 2);
	expect_sample(reader, 2, 1);
	OK(store_quick_check(reader, err));
	store_close(reader);
}

static bool stop_at_once(void *ctx, UNUSED const struct store_zone *zone)
{
	(*(int *)ctx)++;
	return false;
}

/* Nothing a reader did, even a list left early, keeps the WAL from being taken in and started over. */
static void test_reader_holds_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct store *reader;
	int seen = 0;
	int pages;
	int moved;

	for (int i = 0; i < 50; i++)
		put_sample(fixture->store, i, 1, 0);
	OK(store_open_reader(fixture->path, &reader, err));
	OK(store_zone_list(reader, "", 50, true, stop_at_once, &seen, err));
	assert_int_equal(seen, 1);
	expect_sample(reader, 3, 1);
	assert_int_equal(sqlite3_txn_state(reader->db, NULL), SQLITE_TXN_NONE);
	assert_int_equal(sqlite3_wal_checkpoint_v2(fixture->store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, &pages, &moved),
		SQLITE_OK);
	store_close(reader);
}

static void test_reader_refuses(void **state)
{
	uint64_t pruned;
	struct fixture *fixture = *state;
	struct store_zone zone = sample_zone(5, 2);
	struct delivery delivery = { .state = DELIVERY_DUE };
	struct store_event event = { .kind = "x" };
	struct store *reader;
	int64_t id;

	put_sample(fixture->store, 5, 1, 0);
	OK(store_backend_register(fixture->store, "dc1", 1, &id, err));
	OK(store_open_reader(fixture->path, &reader, err));
	zone.id = 1;
	FAILS(ERR_DENIED, store_begin(reader, err));
	FAILS(ERR_DENIED, store_zone_put(reader, &zone, "", 0, err));
	FAILS(ERR_DENIED, store_delivery_save(reader, 1, id, &delivery, err));
	FAILS(ERR_DENIED, store_backend_register(reader, "dc2", 1, &id, err));
	FAILS(ERR_DENIED, store_event_add(reader, &event, err));
	FAILS(ERR_DENIED, store_prune(reader, 1, &pruned, err));
	FAILS(ERR_DENIED, store_probe(reader, err));
	/* Not only by our own look at the handle. */
	FAILS(ERR_DENIED, db_exec(reader, "DELETE FROM zone_text", err));
	expect_sample(reader, 5, 1);
	store_close(reader);
}

/* Readers leave the checkpoints to the writer, at their end too. */
static void test_reader_never_checkpoints(void **state)
{
	struct fixture *fixture = *state;
	char *wal = xasprintf("%s-wal", fixture->path);
	struct stat before;
	struct stat after;
	struct store *reader;

	for (int i = 0; i < 20; i++)
		put_sample(fixture->store, i, 1, 0);
	assert_int_equal(stat(fixture->path, &before), 0);
	OK(store_open_reader(fixture->path, &reader, err));
	expect_sample(reader, 19, 1);
	store_close(reader);
	assert_int_equal(stat(fixture->path, &after), 0);
	assert_int_equal(after.st_size, before.st_size);
	assert_int_equal(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
	assert_int_equal(stat(wal, &after), 0);
	assert_true(after.st_size > 0);
	free(wal);
}

static void test_wal_is_bounded(void **state)
{
	struct fixture *fixture = *state;
	char *wal = xasprintf("%s-wal", fixture->path);
	struct stat st;
	int64_t id = 0;
	int i = 1;

	/* With rests in between: 2,000 pages, what one transaction adds, and frame headers. */
	for (; i <= 3000; i++) {
		id = put_sample(fixture->store, 1, (uint64_t)i, id);
		OK(store_rest(fixture->store, err));
	}
	assert_int_equal(stat(wal, &st), 0);
	assert_in_range(st.st_size, 1, 2100 * 4200);
	/* Without: 16,000 pages, and never more than 64 MiB (reliability.md S09). */
	for (; i <= 12000; i++)
		id = put_sample(fixture->store, 1, (uint64_t)i, id);
	assert_int_equal(stat(wal, &st), 0);
	assert_in_range(st.st_size, 2100 * 4200, 64 << 20);
	expect_sample(fixture->store, 1, 12000);
	free(wal);
}

/* ---- other processes ---- */

static void test_lock(void **state)
{
	struct fixture *fixture = *state;
	char pid[32];
	pid_t child = start_child();
	int status;

	if (child == 0) {
		struct store *second;
		struct err err = { 0 };
		int rc = store_open(fixture->path, &second, NULL, &err);
		snprintf(pid, sizeof(pid), "process %ld", (long)getppid());
		_exit(rc == ERR_BUSY && strstr(err.text, pid) != NULL ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	struct store *again;
	FAILS(ERR_BUSY, store_open(fixture->path, &again, NULL, err));
	put_sample(fixture->store, 1, 1, 0);
	expect_sample(fixture->store, 1, 1);
}

/* Another process (a shell, a backup) holds the write lock: wait, then say so; afterwards all is well. */
static void test_locked_by_shell(void **state)
{
	struct fixture *fixture = *state;
	sqlite3 *shell;

	assert_int_equal(sqlite3_open(fixture->path, &shell), SQLITE_OK);
	assert_int_equal(sqlite3_exec(shell, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_busy_timeout(fixture->store->db, 50), SQLITE_OK);
	FAILS(ERR_BUSY, store_begin(fixture->store, err));
	assert_int_equal(sqlite3_exec(shell, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	put_sample(fixture->store, 1, 1, 0);
	expect_sample(fixture->store, 1, 1);
	assert_int_equal(sqlite3_close(shell), SQLITE_OK);
}

/* In ms: how long the connection waits for somebody else's lock. */
static int lock_wait_ms(struct store *store)
{
	sqlite3_stmt *stmt;

	assert_int_equal(sqlite3_prepare_v2(store->db, "PRAGMA busy_timeout", -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	int wait_ms = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	return wait_ms;
}

/* Who holds the lock for longer than one wait keeps nobody else waiting until it was free once. */
static void test_a_long_lock_is_waited_for_once(void **state)
{
	struct fixture *fixture = *state;
	int usual_ms = lock_wait_ms(fixture->store);
	sqlite3 *shell;

	assert_true(usual_ms > 1000);
	assert_int_equal(sqlite3_open(fixture->path, &shell), SQLITE_OK);
	assert_int_equal(sqlite3_exec(shell, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_busy_timeout(fixture->store->db, 50), SQLITE_OK);
	FAILS(ERR_BUSY, store_begin(fixture->store, err));
	assert_int_equal(lock_wait_ms(fixture->store), 0);
	FAILS(ERR_BUSY, store_probe(fixture->store, err));
	FAILS(ERR_BUSY, store_begin(fixture->store, err));
	assert_int_equal(lock_wait_ms(fixture->store), 0);
	assert_int_equal(sqlite3_exec(shell, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	put_sample(fixture->store, 1, 1, 0);
	assert_int_equal(lock_wait_ms(fixture->store), usual_ms);
	assert_int_equal(sqlite3_close(shell), SQLITE_OK);
}

struct shared {
	volatile int committed;
};

static void commit_for_ever(const char *path, struct shared *shared)
{
	struct store *store;

	if (store_open(path, &store, NULL, NULL) != 0)
		_exit(1);
	for (int i = shared->committed + 1;; i++) {
		OK(store_begin(store, err));
		put_sample(store, i, 1, 0);
		OK(store_commit(store, err));
		shared->committed = i;
	}
}

/* What store_commit said is there after a kill at any moment; at most the one behind it may be there as well. */
static void test_kill(void **state)
{
	struct fixture *fixture = *state;
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t count;
	bool unclean;

	assert_true(shared != MAP_FAILED);
	for (int round = 0; round < KILL_ROUNDS; round++) {
		int until = shared->committed + 5 + round * 7;
		pid_t child = start_child();
		if (child == 0)
			commit_for_ever(fixture->path, shared);
		while (shared->committed < until)
			assert_int_equal(waitpid(child, NULL, WNOHANG), 0);
		kill_child(child);
		OK(store_open(fixture->path, &fixture->store, &unclean, err));
		assert_true(unclean);
		OK(store_zone_count(fixture->store, &count, err));
		assert_in_range(count, (uintmax_t)shared->committed, (uintmax_t)shared->committed + 1);
		for (int i = 1; i <= shared->committed; i++)
			expect_sample(fixture->store, i, 1);
		OK(store_quick_check(fixture->store, err));
		store_close(fixture->store);
		fixture->store = NULL;
		shared->committed = (int)count;
	}
	munmap(shared, sizeof(*shared));
}

/* ---- files that are not ours ---- */

static char *contents(const char *path, size_t *size)
{
	char *bytes = xmalloc(1 << 20);
	FILE *file = fopen(path, "rb");

	assert_non_null(file);
	*size = fread(bytes, 1, 1 << 20, file);
	fclose(file);
	return bytes;
}

/* Refused with the code, text in the message, and not one byte of it changed. */
static void expect_refusal(const char *path, int code, const char *text)
{
	struct err err = { 0 };
	struct store *store;
	size_t size_before;
	size_t size_after;
	char *before = contents(path, &size_before);

	assert_int_equal(store_open(path, &store, NULL, &err), code);
	if (strstr(err.text, text) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.text, text);
	char *after = contents(path, &size_after);
	assert_int_equal(size_after, size_before);
	assert_memory_equal(after, before, size_after);
	free(before);
	free(after);
}

static void test_newer(void **state)
{
	struct fixture *fixture = *state;
	struct store *reader;

	store_close(fixture->store);
	fixture->store = NULL;
	make_file(fixture->path, "PRAGMA user_version = 4711");
	char *text = xasprintf("it has version 4711, this release knows %d", migrate_step_count);
	expect_refusal(fixture->path, ERR_VERSION, text);
	free(text);
	FAILS(ERR_VERSION, store_open_reader(fixture->path, &reader, err));
}

static void test_foreign(void **state)
{
	struct fixture *fixture = *state;
	struct store *store;

	make_file(fixture->path, "CREATE TABLE domains (id INTEGER)");
	expect_refusal(fixture->path, ERR_FOREIGN, "not a zonefan store");
	make_file(fixture->path, "PRAGMA application_id = 99");
	expect_refusal(fixture->path, ERR_CORRUPT, "is not a zonefan store");
	FILE *file = fopen(fixture->path, "wb");
	assert_non_null(file);
	for (int i = 0; i < 1000; i++)
		fprintf(file, "this is a text, no database\n");
	fclose(file);
	expect_refusal(fixture->path, ERR_CORRUPT, "not a database");
	char *nowhere = xasprintf("%s/no/such/folder", fixture->folder);
	FAILS(ERR_IO, store_open(nowhere, &store, NULL, err));
	FAILS(ERR_IO, store_open_reader(nowhere, &store, err));
	free(nowhere);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_reopen, fixture_make, fixture_remove),
		cmocka_unit_test_setup_teardown(test_first_page, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_ids_differ, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_settings, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_rollback, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_failed_write, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_probe, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_reader_view, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_reader_holds_nothing, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_reader_refuses, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_reader_never_checkpoints, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_wal_is_bounded, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_lock, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_locked_by_shell, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_a_long_lock_is_waited_for_once, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_kill, fixture_make, fixture_remove),
		cmocka_unit_test_setup_teardown(test_newer, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_foreign, fixture_make, fixture_remove),
	};

	return cmocka_run_group_tests_name("store open", tests, NULL, NULL);
}
