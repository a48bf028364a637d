/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A full disk, a real one: a small tmpfs (needs the right to mount; without it
 * the tests fail). What was acknowledged stays, what was refused is not there
 * in part, the ballast lets the bookkeeping go on, and space makes all well.
 */
#include "test_store_help.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#include "store/db.h"

enum { ZONES_MAX = 20000, BALLAST = 16 << 20 };

static int disk_make(void **state)
{
	struct fixture *fixture;

	fixture_make(state);
	fixture = *state;
	if (mount("tmpfs", fixture->folder, "tmpfs", 0, "size=24m") != 0)
		fail_msg("a tmpfs cannot be mounted (%s): these tests need it", strerror(errno));
	OK(store_open(fixture->path, &fixture->store, NULL, err));
	return 0;
}

static int disk_remove(void **state)
{
	struct fixture *fixture = *state;

	store_close(fixture->store);
	assert_int_equal(umount(fixture->folder), 0);
	assert_int_equal(rmdir(fixture->folder), 0);
	free(fixture);
	return 0;
}

static uint64_t room(const struct fixture *fixture)
{
	struct statvfs fs;

	assert_int_equal(statvfs(fixture->folder, &fs), 0);
	return (uint64_t)fs.f_bfree * fs.f_frsize;
}

static void fill_disk(const struct fixture *fixture)
{
	static const char bytes[4096] = "x";
	char *name = xasprintf("%s/filler", fixture->folder);
	int fd = open(name, O_WRONLY | O_CREAT | O_APPEND, 0600);

	assert_true(fd >= 0);
	while (write(fd, bytes, sizeof(bytes)) > 0)
		continue;
	assert_int_equal(errno, ENOSPC);
	close(fd);
	free(name);
	assert_int_equal(room(fixture), 0);
}

static void grow(const struct fixture *fixture)
{
	assert_int_equal(mount("tmpfs", fixture->folder, "tmpfs", MS_REMOUNT, "size=64m"), 0);
}

/* As store_begin, put, commit; an error rolls back. */
static int push(struct store *store, int i, struct err *err)
{
	struct store_zone zone = sample_zone(i, 1);
	size_t size;
	char *text = sample_text(i, 1, &size);
	int rc = store_begin(store, err);

	if (rc == 0) {
		rc = store_zone_put(store, &zone, text, size, err);
		if (rc == 0)
			rc = store_commit(store, err);
		store_rollback(store);
	}
	free(text);
	return rc;
}

/* Pushes until the disk refuses; how many were accepted. */
static int push_until_full(struct store *store, int first)
{
	struct err err = { 0 };
	int i = first;
	int rc = 0;

	while (i < ZONES_MAX && (rc = push(store, i, &err)) == 0)
		i++;
	if (rc != ERR_NOSPACE)
		fail_msg("%d: %s", rc, err.text);
	return i;
}

static void expect_all(struct store *store, int count)
{
	uint64_t held;

	OK(store_zone_count(store, &held, err));
	assert_int_equal(held, count);
	for (int i = 0; i < count; i++)
		expect_sample(store, i, 1);
	OK(store_quick_check(store, err));
}

static void test_full_and_back(void **state)
{
	struct fixture *fixture = *state;
	int64_t id;

	assert_true(room(fixture) < (24 << 20) - BALLAST);
	OK(store_backend_register(fixture->store, "dc1", 1, &id, err));
	fill_disk(fixture);
	int accepted = push_until_full(fixture->store, 0);
	for (int i = 0; i < 100; i++)
		FAILS(ERR_NOSPACE, push(fixture->store, accepted, err));
	expect_all(fixture->store, accepted);
	grow(fixture);
	OK(store_probe(fixture->store, err));
	OK(push(fixture->store, accepted, err));
	expect_all(fixture->store, accepted + 1);
	store_close(fixture->store);
	fixture->store = NULL;
	OK(store_open(fixture->path, &fixture->store, NULL, err));
	expect_all(fixture->store, accepted + 1);
}

static void test_ballast(void **state)
{
	struct fixture *fixture = *state;
	struct delivery delivery = { .state = DELIVERY_DUE, .since_us = 1 };
	struct store_counts counts;
	int64_t id;

	int accepted = push_until_full(fixture->store, 0);
	assert_true(accepted > 100);
	assert_true(store_ballast_take(fixture->store)); /* is there all the time */
	store_ballast_release(fixture->store);
	assert_in_range(room(fixture), BALLAST, BALLAST + (1 << 20));
	/* The bookkeeping of thousands of deliveries has room. */
	OK(store_backend_register(fixture->store, "dc1", 1, &id, err));
	for (int round = 0; round < 3000; round++) {
		delivery.attempts = (uint32_t)round;
		OK(store_delivery_save(fixture->store, 1 + round % accepted, id, &delivery, err));
	}
	OK(store_backend_counts(fixture->store, id, &counts, err));
	assert_int_equal(counts.pending, accepted);
	fill_disk(fixture);
	assert_false(store_ballast_take(fixture->store));
	char *name = xasprintf("%s.ballast", fixture->path);
	assert_int_equal(access(name, F_OK), -1);
	grow(fixture);
	uint64_t before = room(fixture);
	assert_true(store_ballast_take(fixture->store));
	assert_true(room(fixture) <= before - BALLAST);
	expect_all(fixture->store, accepted);
	free(name);
}

/* A transaction that is too large is gone as a whole, and what SQLite undid by itself is not continued. */
static void test_large_transaction(void **state)
{
	struct fixture *fixture = *state;
	struct err err = { 0 };
	size_t size = 1 << 20;
	char *text = xcalloc(1, size);
	int rc = 0;

	assert_int_equal(store_begin(fixture->store, &err), 0);
	put_sample(fixture->store, 0, 1, 0);
	for (int i = 1; i < 60 && rc == 0; i++) {
		struct store_zone zone = sample_zone(i, 1);
		rc = store_zone_put(fixture->store, &zone, text, size, &err);
	}
	if (rc == 0)
		rc = store_commit(fixture->store, &err);
	else
		assert_int_equal(store_commit(fixture->store, &err), ERR_NOSPACE);
	store_rollback(fixture->store);
	expect_all(fixture->store, 0);
	assert_int_equal(push(fixture->store, 0, &err), 0);
	expect_all(fixture->store, 1);
	free(text);
}

/* Killed on a full disk: it opens, at the price of the ballast, and holds all. */
static void test_open_on_full_disk(void **state)
{
	struct fixture *fixture = *state;
	char *ballast = xasprintf("%s.ballast", fixture->path);
	bool unclean;
	int fds[2];
	int accepted;

	store_close(fixture->store);
	fixture->store = NULL;
	assert_int_equal(pipe(fds), 0);
	pid_t child = start_child();
	if (child == 0) {
		OK(store_open(fixture->path, &fixture->store, NULL, err));
		accepted = push_until_full(fixture->store, 0);
		if (write(fds[1], &accepted, sizeof(accepted)) != sizeof(accepted))
			_exit(1);
		pause();
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &accepted, sizeof(accepted)), sizeof(accepted));
	kill_child(child);
	assert_true(accepted > 100);
	fill_disk(fixture);
	assert_int_equal(access(ballast, F_OK), 0);
	OK(store_open(fixture->path, &fixture->store, &unclean, err));
	assert_true(unclean);
	expect_all(fixture->store, accepted);
	close(fds[0]);
	free(ballast);
}

/* Closed in good order: the log is gone and must be made anew, for which only the ballast has room. */
static void test_open_needs_ballast(void **state)
{
	struct fixture *fixture = *state;
	char *ballast = xasprintf("%s.ballast", fixture->path);

	for (int i = 0; i < 10; i++)
		OK(push(fixture->store, i, err));
	store_close(fixture->store);
	fixture->store = NULL;
	fill_disk(fixture);
	OK(store_open(fixture->path, &fixture->store, NULL, err));
	assert_int_equal(access(ballast, F_OK), -1);
	expect_all(fixture->store, 10);
	OK(push(fixture->store, 10, err));
	free(ballast);
}

/* A burst leaves much to be taken into the file; if the disk is full then, the ballast must suffice all the same. */
static void test_full_after_a_burst(void **state)
{
	enum { GROUP = 64, GROUPS = 170, TEXT = 4000 };
	struct fixture *fixture = *state;
	struct delivery delivery = { .state = DELIVERY_DUE, .since_us = 1 };
	char *text = xmalloc(TEXT);
	int64_t id;

	memset(text, 'x', TEXT);
	assert_int_equal(mount("tmpfs", fixture->folder, "tmpfs", MS_REMOUNT, "size=300m"), 0);
	OK(store_backend_register(fixture->store, "dc1", 1, &id, err));
	for (int i = 0; i < GROUP * GROUPS; i++) {
		struct store_zone zone = sample_zone(i, 1);

		if (i % GROUP == 0)
			OK(store_begin(fixture->store, err));
		OK(store_zone_put(fixture->store, &zone, text, TEXT, err));
		OK(store_delivery_add(fixture->store, zone.id, id, &delivery, err));
		if (i % GROUP == GROUP - 1)
			OK(store_commit(fixture->store, err));
	}
	free(text);
	fill_disk(fixture);
	store_ballast_release(fixture->store);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < GROUP * GROUPS; i++) {
			delivery.attempts++;
			if (i % GROUP == 0)
				OK(store_begin(fixture->store, err));
			OK(store_delivery_save(fixture->store, 1 + i, id, &delivery, err));
			if (i % GROUP == GROUP - 1)
				OK(store_commit(fixture->store, err));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_full_and_back, disk_make, disk_remove),
		cmocka_unit_test_setup_teardown(test_full_after_a_burst, disk_make, disk_remove),
		cmocka_unit_test_setup_teardown(test_ballast, disk_make, disk_remove),
		cmocka_unit_test_setup_teardown(test_large_transaction, disk_make, disk_remove),
		cmocka_unit_test_setup_teardown(test_open_on_full_disk, disk_make, disk_remove),
		cmocka_unit_test_setup_teardown(test_open_needs_ballast, disk_make, disk_remove),
	};

	return cmocka_run_group_tests_name("store full", tests, NULL, NULL);
}
