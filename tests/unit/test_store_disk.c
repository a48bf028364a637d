/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A disk that fails at the n-th call (reliability.md S03, S04): each call of a
 * run of pushes in turn. Nothing acknowledged is ever lost; after EIO nothing
 * is acknowledged any more. And no acknowledgement without a flush before it.
 */
#include "test_store_help.h"

#include <errno.h>
#include <sys/syscall.h>

#include "store/db.h"

enum { PUSHES = 90, TEXT_SIZE = 60000, WRITE_STEP = 61 };

static int syncs;         /* calls since the last disarm */
static int fail_sync_at;  /* 0: never */
static int writes;
static int fail_write_at;
static int write_errno;
static ssize_t (*real_pwrite)(int fd, const void *data, size_t size, off_t at);

int fdatasync(int fd)
{
	syncs++;
	if (syncs == fail_sync_at) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}

static ssize_t failing_pwrite(int fd, const void *data, size_t size, off_t at)
{
	writes++;
	if (writes == fail_write_at) {
		errno = write_errno;
		return -1;
	}
	return real_pwrite(fd, data, size, at);
}

static void disarm(void)
{
	syncs = 0;
	writes = 0;
	fail_sync_at = 0;
	fail_write_at = 0;
}

static void hook_writes(void)
{
	static const char *const names[] = { "pwrite64", "pwrite" };
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

	assert_non_null(vfs);
	for (size_t i = 0; i < ARRAY_SIZE(names) && real_pwrite == NULL; i++) {
		sqlite3_syscall_ptr found = vfs->xGetSystemCall(vfs, names[i]);
		if (found == NULL)
			continue;
		memcpy(&real_pwrite, &found, sizeof(found));
		assert_int_equal(
			vfs->xSetSystemCall(vfs, names[i], (sqlite3_syscall_ptr)(void (*)(void))failing_pwrite), SQLITE_OK);
	}
	assert_non_null(real_pwrite);
}

/* Zone i with a text that fills pages. */
static int push(struct store *store, int i, struct err *err)
{
	static char text[TEXT_SIZE];
	struct store_zone zone = sample_zone(i, 1);
	int rc = store_begin(store, err);

	if (rc < 0)
		return rc;
	memset(text, 'a' + i % 26, sizeof(text));
	rc = store_zone_put(store, &zone, text, sizeof(text), err);
	if (rc == 0)
		rc = store_commit(store, err);
	store_rollback(store);
	return rc;
}

static bool is_there(struct store *store, int i)
{
	struct store_zone expected = sample_zone(i, 1);
	struct store_zone zone;
	struct err err;
	char *text;
	size_t size;
	int rc = store_zone_find(store, expected.name, &zone, &err);

	if (rc == ERR_NOTFOUND)
		return false;
	assert_int_equal(rc, 0);
	assert_int_equal(store_zone_text(store, zone.id, &text, &size, &err), 0);
	assert_int_equal(size, TEXT_SIZE);
	assert_int_equal(text[size / 2], 'a' + i % 26);
	free(text);
	store_zone_clear(&zone);
	return true;
}

struct outcome {
	bool acknowledged[PUSHES];
	int refused;
	int worst;
};

/* A fresh store, then all the pushes, then the store as the next process finds it. */
static struct outcome run(const char *path, int sync_at, int write_at, int errnum)
{
	struct outcome outcome = { 0 };
	struct store *store;

	disarm();
	OK(store_open(path, &store, NULL, err));
	disarm();
	fail_sync_at = sync_at;
	fail_write_at = write_at;
	write_errno = errnum;
	for (int i = 0; i < PUSHES; i++) {
		struct err why = { 0 };
		int rc = push(store, i, &why);
		outcome.acknowledged[i] = rc == 0;
		if (rc < 0)
			outcome.refused++;
		/* Once it said ERR_IO it never takes anything again. */
		if (outcome.worst == ERR_IO)
			assert_int_equal(rc, ERR_IO);
		if (rc < 0 && outcome.worst != ERR_IO)
			outcome.worst = rc;
	}
	store_close(store);
	int used_syncs = syncs;
	int used_writes = writes;
	disarm();
	OK(store_open(path, &store, NULL, err));
	for (int i = 0; i < PUSHES; i++) {
		if (outcome.acknowledged[i] && !is_there(store, i))
			fail_msg("push %d was acknowledged and is lost", i);
	}
	OK(store_quick_check(store, err));
	store_close(store);
	syncs = used_syncs;
	writes = used_writes;
	return outcome;
}

static struct outcome run_fresh(const struct fixture *fixture, int sync_at, int write_at, int errnum)
{
	static int number;
	char *path = xasprintf("%s/%d.db", fixture->folder, number++);
	struct outcome outcome = run(path, sync_at, write_at, errnum);
	char *command = xasprintf("rm -f '%s'*", path);

	assert_int_equal(system(command), 0);
	free(command);
	free(path);
	return outcome;
}

static void test_each_commit_flushes(void **state)
{
	struct fixture *fixture = *state;

	OK(store_open(fixture->path, &fixture->store, NULL, err));
	for (int i = 0; i < 20; i++) {
		disarm();
		OK(push(fixture->store, i, err));
		assert_true(syncs >= 1);
		assert_true(writes >= 1);
	}
	disarm();
	is_there(fixture->store, 1);
	assert_int_equal(syncs, 0);
}

static void test_sync_sweep(void **state)
{
	struct fixture *fixture = *state;
	struct outcome outcome = run_fresh(fixture, 0, 0, 0);
	int total = syncs;

	assert_int_equal(outcome.refused, 0);
	/* One per push, and those of a checkpoint. */
	assert_true(total > PUSHES);
	for (int n = 1; n <= total; n++) {
		outcome = run_fresh(fixture, n, 0, 0);
		/* The last ones belong to the closing. */
		if (n <= PUSHES)
			assert_int_equal(outcome.worst, ERR_IO);
	}
	print_message("%d flushes, each failed once\n", total);
}

static void sweep_writes(void **state, int errnum, int expected)
{
	struct fixture *fixture = *state;
	struct outcome outcome = run_fresh(fixture, 0, 0, 0);
	int total = writes;
	int seen = 0;

	assert_int_equal(outcome.refused, 0);
	for (int n = 1; n <= total; n += WRITE_STEP) {
		outcome = run_fresh(fixture, 0, n, errnum);
		if (outcome.worst != 0) {
			assert_int_equal(outcome.worst, expected);
			seen++;
		}
		/* A full disk costs the push that met it; the next one is tried, and there is room again. */
		if (errnum == ENOSPC)
			assert_true(outcome.refused <= 1);
	}
	assert_true(seen > 10);
	print_message("%d writes, one in %d failed once with %s: %d runs refused a push\n", total, WRITE_STEP,
		strerror(errnum), seen);
}

static void test_write_sweep_io(void **state)
{
	sweep_writes(state, EIO, ERR_IO);
}

static void test_write_sweep_full(void **state)
{
	sweep_writes(state, ENOSPC, ERR_NOSPACE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_each_commit_flushes, fixture_make, fixture_remove),
		cmocka_unit_test_setup_teardown(test_sync_sweep, fixture_make, fixture_remove),
		cmocka_unit_test_setup_teardown(test_write_sweep_io, fixture_make, fixture_remove),
		cmocka_unit_test_setup_teardown(test_write_sweep_full, fixture_make, fixture_remove),
	};

	hook_writes();
	return cmocka_run_group_tests_name("store disk", tests, NULL, NULL);
}
