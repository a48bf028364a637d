/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A backup gets its name when it is whole, over nobody else's file, on any file system; nothing of it is left behind. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "store/backup.h"
#include "test_store_help.h"

/* What happens when the file is to get its name: 0, an error of the file system, or death. */
static int fate;
enum { DIES = -1 };
static const char *looked_for; /* a file that is being made: how much of it is there */
static uint64_t seen;
static const char *meanwhile; /* somebody makes a file of that name just before */

int renameat2(int old_folder, const char *from, int new_folder, const char *to, unsigned flags)
{
	if (fate == DIES)
		kill(getpid(), SIGKILL);
	if (looked_for != NULL)
		seen = store_backup_written(looked_for);
	if (meanwhile != NULL) {
		int fd = open(meanwhile, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

		assert_int_equal(write(fd, "theirs", 6), 6);
		close(fd);
	}
	if (fate != 0) {
		errno = fate;
		return -1;
	}
	return (int)syscall(SYS_renameat2, old_folder, from, new_folder, to, flags);
}

static struct store *reader_of(const struct fixture *fixture)
{
	struct store *reader;

	OK(store_open_reader(fixture->path, &reader, err));
	return reader;
}

static char *copy_of(const struct fixture *fixture)
{
	fate = 0;
	meanwhile = NULL;
	looked_for = NULL;
	return xasprintf("%s/copies/copy.db", fixture->folder);
}

static int set_up(void **state)
{
	fixture_open(state);
	const struct fixture *fixture = *state;
	char *folder = xasprintf("%s/copies", fixture->folder);
	int rc = mkdir(folder, 0700);

	put_sample(fixture->store, 1, 1, 0);
	free(folder);
	return rc;
}

/* In the folder of the copies, which are more than "." and "..". */
static size_t files(const struct fixture *fixture)
{
	char *path = xasprintf("%s/copies", fixture->folder);
	DIR *folder = opendir(path);
	size_t count = 0;

	assert_non_null(folder);
	for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder))
		count += entry->d_name[0] != '.';
	closedir(folder);
	free(path);
	return count;
}

/* It is all there is, a store, whole, and for its owner alone. Removes it. */
static void assert_whole(const struct fixture *fixture, const char *copy)
{
	static const char *const tails[] = { "", "-wal", "-shm", ".lock", ".ballast" };
	struct store_zone zone;
	struct store *store;
	struct stat st;

	assert_int_equal(files(fixture), 1);
	assert_int_equal(stat(copy, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_nlink, 1);
	OK(store_open(copy, &store, NULL, err));
	OK(store_quick_check(store, err));
	OK(store_zone_find(store, sample_zone(1, 1).name, &zone, err));
	store_zone_clear(&zone);
	store_close(store);
	for (size_t i = 0; i < ARRAY_SIZE(tails); i++) {
		char *path = xasprintf("%s%s", copy, tails[i]);

		unlink(path);
		free(path);
	}
}

static void assert_holds(const char *path, const char *expected)
{
	char text[64] = "";
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	assert_true(fread(text, 1, sizeof(text) - 1, file) == strlen(expected));
	fclose(file);
	assert_string_equal(text, expected);
}

static void every_file_system_names_it(void **state)
{
	static const int fates[] = { 0, EINVAL, ENOSYS };
	const struct fixture *fixture = *state;
	struct store *reader = reader_of(fixture);
	char *copy = copy_of(fixture);

	for (size_t i = 0; i < ARRAY_SIZE(fates); i++) {
		fate = fates[i];
		OK(store_backup(reader, copy, err));
		assert_whole(fixture, copy);
	}
	store_close(reader);
	free(copy);
}

static void one_that_is_under_way_is_seen(void **state)
{
	const struct fixture *fixture = *state;
	struct store *reader = reader_of(fixture);
	char *copy = copy_of(fixture);
	struct stat st;

	looked_for = copy;
	OK(store_backup(reader, copy, err));
	assert_int_equal(stat(copy, &st), 0);
	assert_int_equal(seen, st.st_size);
	assert_int_equal(store_backup_written(copy), 0);
	assert_int_equal(store_backup_written("/no/such/folder/copy.db"), 0);
	assert_whole(fixture, copy);
	store_close(reader);
	free(copy);
}

static void never_over_what_came_meanwhile(void **state)
{
	static const int fates[] = { 0, EINVAL, ENOSYS };
	const struct fixture *fixture = *state;
	struct store *reader = reader_of(fixture);
	char *copy = copy_of(fixture);

	for (size_t i = 0; i < ARRAY_SIZE(fates); i++) {
		fate = fates[i];
		meanwhile = copy;
		FAILS(ERR_INVALID, store_backup(reader, copy, err));
		assert_holds(copy, "theirs");
		assert_int_equal(files(fixture), 1);
		unlink(copy);
	}
	store_close(reader);
	free(copy);
}

/* Any other error is one: nothing is left. */
static void a_full_folder_is_told(void **state)
{
	const struct fixture *fixture = *state;
	struct store *reader = reader_of(fixture);
	char *copy = copy_of(fixture);

	fate = ENOSPC;
	FAILS(ERR_NOSPACE, store_backup(reader, copy, err));
	fate = EACCES;
	FAILS(ERR_INVALID, store_backup(reader, copy, err));
	assert_int_equal(files(fixture), 0);
	store_close(reader);
	free(copy);
}

static void be_killed(const struct fixture *fixture, const char *copy)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		fate = DIES;
		struct store *reader = reader_of(fixture);
		struct err err;

		_exit(store_backup(reader, copy, &err) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* Killed as often as may be: there is one rest, and the next one takes its place. */
static void what_was_killed_does_not_pile_up(void **state)
{
	const struct fixture *fixture = *state;
	char *copy = copy_of(fixture);

	for (int i = 0; i < 3; i++) {
		be_killed(fixture, copy);
		assert_int_equal(files(fixture), 1);
		assert_int_equal(access(copy, F_OK), -1);
	}
	struct store *reader = reader_of(fixture);
	OK(store_backup(reader, copy, err));
	store_close(reader);
	assert_whole(fixture, copy);
	free(copy);
}

/* Somebody's link where the rest would be: what it points to is not written to. */
static void nobody_elses_file_is_written(void **state)
{
	const struct fixture *fixture = *state;
	struct store *reader = reader_of(fixture);
	char *copy = copy_of(fixture);
	char *partial = xasprintf("%s.%.8s.partial", copy, store_id(reader));
	char *victim = xasprintf("%s/victim", fixture->folder);

	for (int hard = 0; hard < 2; hard++) {
		int fd = open(victim, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

		assert_int_equal(write(fd, "mine", 4), 4);
		close(fd);
		assert_int_equal(hard == 1 ? link(victim, partial) : symlink(victim, partial), 0);
		OK(store_backup(reader, copy, err));
		assert_holds(victim, "mine");
		assert_whole(fixture, copy);
	}
	store_close(reader);
	free(victim);
	free(partial);
	free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_file_system_names_it, set_up, fixture_remove),
		cmocka_unit_test_setup_teardown(one_that_is_under_way_is_seen, set_up, fixture_remove),
		cmocka_unit_test_setup_teardown(never_over_what_came_meanwhile, set_up, fixture_remove),
		cmocka_unit_test_setup_teardown(a_full_folder_is_told, set_up, fixture_remove),
		cmocka_unit_test_setup_teardown(what_was_killed_does_not_pile_up, set_up, fixture_remove),
		cmocka_unit_test_setup_teardown(nobody_elses_file_is_written, set_up, fixture_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
