/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is counted for those who watch: each answer of a back end by its
 * verdict, how long newer content took to be committed there, pushes that were
 * held. The engine's core alone, with a clock that the test moves.
 */
#include <errno.h>
#include <sys/syscall.h>

#include "test_engine_core.h"

/* The disk under the store: SQLite's writes come by here. */
static bool disk_is_full;

ssize_t pwrite64(int fd, const void *data, size_t size, off_t at);

ssize_t pwrite64(int fd, const void *data, size_t size, off_t at)
{
	if (disk_is_full) {
		errno = ENOSPC;
		return -1;
	}
	return syscall(SYS_pwrite64, fd, data, size, at);
}

static int set_up(void **state)
{
	(void)state;
	make_folder();
	start(false);
	come_up();
	return 0;
}

static struct engine_tally tally(void)
{
	static struct core_board board;

	core_show(rig.core, &board);
	return board.lanes[0].tally;
}

static struct core_counters counters(void)
{
	static struct core_board board;

	core_show(rig.core, &board);
	return board.counters;
}

/* dc1 answers what it was sent. */
static void answer(enum backend_verdict verdict)
{
	struct core_job *job = take_job(CORE_JOB_APPLY);

	for (size_t i = 0; i < job->zone_count; i++) {
		job->items[i].verdict = verdict;
		err_set(&job->items[i].err, ERR_IO, "so said");
	}
	core_turn(rig.core, NULL, 0, &job, 1);
}

static void assert_took(const struct histogram_copy *commit, uint64_t count, int64_t sum_ms)
{
	assert_int_equal(commit->count, count);
	assert_int_equal(commit->sum_us, sum_ms * 1000);
}

static void a_push_is_timed_from_its_acceptance_to_its_commit(void **state)
{
	(void)state;
	turn(push(1));
	rig.mono_ms += 40;
	answer(BACKEND_OK);
	assert_int_equal(tally().ok, 1);
	struct histogram_copy commit = tally().commit;
	assert_took(&commit, 1, 40);
	assert_int_equal(commit.counts[5], 1); /* 25 to 50 ms */
}

/* What failed goes on being late: the time is of the content, not of the try. */
static void a_retry_does_not_begin_anew(void **state)
{
	(void)state;
	turn(push(1));
	rig.mono_ms += 10;
	answer(BACKEND_RETRY);
	rig.mono_ms += 2000;
	turn(NULL);
	answer(BACKEND_OK);
	assert_int_equal(tally().retry, 1);
	struct histogram_copy commit = tally().commit;
	assert_took(&commit, 1, 2010);
}

/* Content that came while the older was on its way is late since it came, not since the older one landed. */
static void newer_content_is_timed_from_its_own_push(void **state)
{
	struct core_command *newer = push(1);

	(void)state;
	turn(push(1));
	rig.mono_ms += 100;
	free(newer->request->text);
	newer->request->text = xstrdup("@ 60 IN SOA ns1.example. host.example. ( 9 2 3 4 5 )\n@ 60 IN NS ns1.example.\n");
	newer->request->text_size = strlen(newer->request->text);
	zone_unref(newer->zone);
	assert_int_equal(zone_parse(newer->name, newer->request->text, newer->request->text_size, 0, &newer->zone,
		&newer->err), ERR_OK);
	turn(newer);
	rig.mono_ms += 30;
	answer(BACKEND_OK); /* the first: 130 ms */
	rig.mono_ms += 20;
	answer(BACKEND_OK); /* the second: 30 + 20 ms */
	struct histogram_copy commit = tally().commit;
	assert_took(&commit, 2, 130 + 50);
}

static void an_equal_push_is_no_change_that_was_late(void **state)
{
	(void)state;
	turn(push(1));
	answer(BACKEND_OK);
	turn(push(1));
	rig.mono_ms += 500;
	answer(BACKEND_OK); /* rows compared, nothing newer */
	assert_int_equal(tally().ok, 2);
	assert_int_equal(tally().commit.count, 1);
}

static void each_verdict_is_counted_once(void **state)
{
	(void)state;
	turn(push(1));
	answer(BACKEND_REJECT);
	turn(push(2));
	answer(BACKEND_DOWN);
	struct engine_tally counted = tally();
	assert_int_equal(counted.reject, 1);
	assert_int_equal(counted.down, 1);
	assert_int_equal(counted.ok + counted.retry + counted.stale, 0);
	assert_int_equal(counted.commit.count, 0);
}

/* Refused for a full disk, a delete was none. */
static void what_is_not_committed_is_not_counted(void **state)
{
	struct core_command *command = order(ENGINE_DELETE, NULL);

	(void)state;
	turn(push(1));
	command->request->names = xcalloc(1, sizeof(char *));
	command->request->names[0] = xstrdup("live1.example");
	command->request->name_count = 1;
	disk_is_full = true;
	turn(command);
	disk_is_full = false;
	assert_int_equal(rig.answer->err.code, ERR_NOSPACE);
	assert_int_equal(counters().pushes, 1);
	assert_int_equal(counters().deletes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_push_is_timed_from_its_acceptance_to_its_commit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_retry_does_not_begin_anew, set_up, tear_down),
		cmocka_unit_test_setup_teardown(newer_content_is_timed_from_its_own_push, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_equal_push_is_no_change_that_was_late, set_up, tear_down),
		cmocka_unit_test_setup_teardown(each_verdict_is_counted_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_not_committed_is_not_counted, set_up, tear_down),
	};

	log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, false);
	return cmocka_run_group_tests_name("engine tally", tests, NULL, NULL);
}
