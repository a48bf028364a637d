/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test_store_help.h"

#include "base/rng.h"
#include "store/db.h"
#include "store/migrate.h"
#include "store/open.h"

enum { KILLS = 50 };

/* Takes long enough to be killed in. */
static const char slow_step[] = "CREATE TABLE later (id INTEGER PRIMARY KEY, filler TEXT);"
	" WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)"
	" INSERT INTO later SELECT i, printf('%050d', i) FROM n;"
	" ALTER TABLE zone ADD COLUMN note TEXT";
static const char wrong_step[] = "CREATE TABLE later (id INTEGER); INSERT INTO nowhere VALUES (1)";

static int64_t fetch(struct store *store, const char *sql)
{
	int64_t value = -1;

	OK(db_fetch_int(store, sql, &value, err));
	return value;
}

/* The store as the first release made it, which the steps of these tests go on from. */
static void open_first(struct fixture *fixture)
{
	OK(store_open_steps(fixture->path, migrate_steps, 1, &fixture->store, NULL, err));
}

static void put_some(struct fixture *fixture)
{
	open_first(fixture);
	for (int i = 0; i < 10; i++)
		put_sample(fixture->store, i, 1, 0);
	store_close(fixture->store);
	fixture->store = NULL;
}

static void expect_some(struct store *store)
{
	for (int i = 0; i < 10; i++)
		expect_sample(store, i, 1);
	OK(store_quick_check(store, err));
}

/* The doctor's look: it says what a writer would say, and changes no byte. */
static void test_examine(void **state)
{
	struct fixture *fixture = *state;

	FAILS(ERR_NOTFOUND, store_examine(fixture->path, true, err));
	assert_int_not_equal(access(fixture->path, F_OK), 0);
	put_some(fixture);
	OK(store_examine(fixture->path, true, err));
	open_first(fixture);
	OK(store_examine(fixture->path, false, err)); /* beside a writer */
	OK(db_exec(fixture->store, "PRAGMA user_version = 9999", err));
	store_close(fixture->store);
	fixture->store = NULL;
	FAILS(ERR_VERSION, store_examine(fixture->path, true, err));
}

static void test_step(void **state)
{
	struct fixture *fixture = *state;
	const char *const steps[] = { migrate_steps[0], slow_step, "CREATE TABLE third (id INTEGER)" };
	char *copy = xasprintf("%s.v1.bak", fixture->path);
	char id[STORE_ID_SIZE];
	struct stat st;

	put_some(fixture);
	mode_t mask = umask(0);
	OK(store_open_steps(fixture->path, steps, 3, &fixture->store, NULL, err));
	umask(mask);
	assert_int_equal(fetch(fixture->store, "PRAGMA user_version"), 3);
	assert_int_equal(fetch(fixture->store, "SELECT count(*) FROM later"), 30000);
	assert_int_equal(fetch(fixture->store, "SELECT count(*) FROM third"), 0);
	expect_some(fixture->store);
	memcpy(id, store_id(fixture->store), sizeof(id));
	store_close(fixture->store);
	fixture->store = NULL;
	/* The older release refuses it, and can go on with the copy. */
	FAILS(ERR_VERSION, store_open_steps(fixture->path, steps, 1, &fixture->store, NULL, err));
	assert_int_equal(stat(copy, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	OK(store_open_steps(copy, steps, 1, &fixture->store, NULL, err));
	assert_string_equal(store_id(fixture->store), id);
	expect_some(fixture->store);
	free(copy);
}

static void test_no_step(void **state)
{
	struct fixture *fixture = *state;
	char *copy = xasprintf("%s.v1.bak", fixture->path);

	put_some(fixture);
	open_first(fixture);
	assert_int_equal(access(copy, F_OK), -1);
	free(copy);
}

static void test_wrong_step(void **state)
{
	struct fixture *fixture = *state;
	const char *const steps[] = { migrate_steps[0], wrong_step };

	put_some(fixture);
	FAILS(ERR_CORRUPT, store_open_steps(fixture->path, steps, 2, &fixture->store, NULL, err));
	open_first(fixture);
	assert_int_equal(fetch(fixture->store, "PRAGMA user_version"), 1);
	assert_int_equal(fetch(fixture->store, "SELECT count(*) FROM sqlite_schema WHERE name = 'later'"), 0);
	expect_some(fixture->store);
}

/* What was in the WAL only is in the copy too. */
static void test_copy_after_kill(void **state)
{
	struct fixture *fixture = *state;
	const char *const steps[] = { migrate_steps[0], slow_step };
	char *copy = xasprintf("%s.v1.bak", fixture->path);
	int done[2];
	char byte;

	assert_int_equal(pipe(done), 0);
	pid_t child = start_child();
	if (child == 0) {
		open_first(fixture);
		for (int i = 0; i < 10; i++)
			put_sample(fixture->store, i, 1, 0);
		if (write(done[1], "x", 1) != 1)
			_exit(1);
		pause();
	}
	close(done[1]);
	assert_int_equal(read(done[0], &byte, 1), 1);
	kill_child(child);
	OK(store_open_steps(fixture->path, steps, 2, &fixture->store, NULL, err));
	store_close(fixture->store);
	fixture->store = NULL;
	OK(store_open(copy, &fixture->store, NULL, err));
	expect_some(fixture->store);
	close(done[0]);
	free(copy);
}

static void copy_file(const char *from, const char *to)
{
	char *command = xasprintf("cp '%s' '%s' && rm -f '%s-wal' '%s-shm'", from, to, to, to);

	assert_int_equal(system(command), 0);
	free(command);
}

/* A kill at any moment leaves the old version or the new one, whole. */
static void test_kills(void **state)
{
	struct fixture *fixture = *state;
	const char *const steps[] = { migrate_steps[0], slow_step };
	char *base = xasprintf("%s/base.db", fixture->folder);
	struct rng rng = { .state = 12 };
	int old = 0;
	int new = 0;

	put_some(fixture);
	copy_file(fixture->path, base);
	for (int i = 0; i < KILLS; i++) {
		copy_file(base, fixture->path);
		pid_t child = start_child();
		if (child == 0) {
			struct store *store;
			OK(store_open_steps(fixture->path, steps, 2, &store, NULL, err));
			pause();
		}
		usleep((useconds_t)rng_between(&rng, 0, 60000));
		kill_child(child);
		int rc = store_open_steps(fixture->path, steps, 1, &fixture->store, NULL, NULL);
		if (rc == 0) {
			old++;
			assert_int_equal(fetch(fixture->store, "SELECT count(*) FROM sqlite_schema WHERE name = 'later'"), 0);
		} else {
			new++;
			assert_int_equal(rc, ERR_VERSION);
			OK(store_open_steps(fixture->path, steps, 2, &fixture->store, NULL, err));
			assert_int_equal(fetch(fixture->store, "SELECT count(*) FROM later"), 30000);
		}
		expect_some(fixture->store);
		store_close(fixture->store);
		fixture->store = NULL;
	}
	print_message("%d kills: %d left the old version, %d the new one\n", KILLS, old, new);
	assert_true(old > 0);
	free(base);
}

/* The same while the store is made. */
static void test_kills_at_birth(void **state)
{
	struct fixture *fixture = *state;
	struct rng rng = { .state = 13 };

	for (int i = 0; i < KILLS; i++) {
		char *path = xasprintf("%s/%d.db", fixture->folder, i);
		pid_t child = start_child();
		if (child == 0) {
			struct store *store;
			OK(store_open(path, &store, NULL, err));
			pause();
		}
		usleep((useconds_t)rng_between(&rng, 0, 8000));
		kill_child(child);
		OK(store_open(path, &fixture->store, NULL, err));
		put_sample(fixture->store, 1, 1, 0);
		expect_sample(fixture->store, 1, 1);
		store_close(fixture->store);
		fixture->store = NULL;
		free(path);
	}
}

static int64_t mark(struct store *store, const char *sql, enum delivery_state state)
{
	char *text = xasprintf("%s %d", sql, (int)state);
	int64_t value = fetch(store, text);

	free(text);
	return value;
}

/* Step 2 makes the table of deliveries anew: each row is there as it was, and the rule of state still holds. */
static void test_deliveries_stay(void **state)
{
	static const enum delivery_state states[] = { DELIVERY_CLEAN, DELIVERY_DUE, DELIVERY_WAIT, DELIVERY_REJECTED,
		DELIVERY_DEAD };
	struct fixture *fixture = *state;
	struct delivery delivery;
	int64_t other, backend;

	put_some(fixture);
	open_first(fixture);
	OK(store_backend_register(fixture->store, "dc2", 5, &other, err));
	OK(store_backend_register(fixture->store, "dc1", 7, &backend, err));
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		struct delivery made = { .state = states[i], .applied = 1, .attempts = 3, .next_try_us = 100 + (int64_t)i,
			.since_us = 50, .applied_at_us = 60, .suspect = i == 2, .check = i == 3, .last_error = (char *)"why" };

		OK(store_delivery_save(fixture->store, (int64_t)i + 1, backend, &made, err));
	}
	store_close(fixture->store);
	OK(store_open(fixture->path, &fixture->store, NULL, err));
	assert_int_equal(fetch(fixture->store, "SELECT count(*) FROM delivery"), 2 * 10);
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		OK(store_delivery_load(fixture->store, (int64_t)i + 1, backend, &delivery, err));
		assert_int_equal(delivery.state, states[i]);
		assert_int_equal(delivery.applied, 1);
		assert_int_equal(delivery.attempts, 3);
		assert_int_equal(delivery.next_try_us, 100 + (int64_t)i);
		assert_int_equal(delivery.since_us, 50);
		assert_int_equal(delivery.applied_at_us, 60);
		assert_int_equal(delivery.suspect, i == 2);
		assert_int_equal(delivery.check, i == 3);
		assert_string_equal(delivery.last_error, "why");
		delivery_clear(&delivery);
		assert_int_equal(mark(fixture->store, "SELECT count(*) FROM delivery WHERE state =", states[i]),
			states[i] == DELIVERY_DUE ? 6 + 10 : 1);
	}
	for (int64_t zone = 1; zone <= 10; zone++) {
		OK(store_delivery_load(fixture->store, zone, other, &delivery, err));
		assert_int_equal(delivery.next_try_us, 5);
		delivery_clear(&delivery);
	}
	assert_int_equal(fetch(fixture->store, "SELECT count(*) FROM sqlite_schema WHERE name = 'delivery_due'"), 1);
	FAILS(ERR_CORRUPT, db_exec(fixture->store, "UPDATE delivery SET state = 2", err));
	FAILS(ERR_CORRUPT, db_exec(fixture->store, "UPDATE delivery SET state = 7", err));
	OK(store_quick_check(fixture->store, err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_examine, fixture_make, fixture_remove),
		cmocka_unit_test_setup_teardown(test_step, fixture_make, fixture_remove),
		cmocka_unit_test_setup_teardown(test_no_step, fixture_make, fixture_remove),
		cmocka_unit_test_setup_teardown(test_wrong_step, fixture_make, fixture_remove),
		cmocka_unit_test_setup_teardown(test_copy_after_kill, fixture_make, fixture_remove),
		cmocka_unit_test_setup_teardown(test_deliveries_stay, fixture_make, fixture_remove),
		cmocka_unit_test_setup_teardown(test_kills, fixture_make, fixture_remove),
		cmocka_unit_test_setup_teardown(test_kills_at_birth, fixture_make, fixture_remove),
	};

	return cmocka_run_group_tests_name("store migrate", tests, NULL, NULL);
}
