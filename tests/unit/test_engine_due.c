/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What becomes due is never slept over, even if it does so in the middle of a
 * turn: the clock goes on between any two looks at it.
 */
#include "test_engine_core.h"

enum { BACKOFF_MOST_MS = 40 };

static int set_up(void **state)
{
	(void)state;
	make_folder();
	rig.look_ms = 1;
	start(false);
	come_up();
	return 0;
}

static int64_t give_back(enum backend_verdict verdict)
{
	struct core_job *job = take_job(CORE_JOB_APPLY);

	assert_int_equal(job->zone_count, 1);
	job->zones[0].item->verdict = verdict;
	return core_turn(rig.core, NULL, 0, &job, 1);
}

static bool is_sent(void)
{
	for (size_t i = 0; i < rig.job_count; i++) {
		if (strcmp(rig.jobs[i]->lane->name, "dc1") == 0 && rig.jobs[i]->kind == CORE_JOB_APPLY)
			return true;
	}
	return false;
}

/* dc1 fails at the zone once: whatever it then waits for, its turn comes. */
static void a_retry_that_is_due_within_a_turn_is_not_slept_over(void **state)
{
	(void)state;
	for (unsigned backoff_ms = 1; backoff_ms <= BACKOFF_MOST_MS; backoff_ms++) {
		rig.core->backoff_ms[0] = backoff_ms;
		turn(push(backoff_ms));
		int64_t wait_ms = give_back(BACKEND_RETRY);
		for (unsigned turns = 0; !is_sent() && turns < 10; turns++) {
			if (wait_ms > 2 * backoff_ms)
				fail_msg("due after %u ms, and looked for after %d ms", backoff_ms, (int)wait_ms);
			rig.mono_ms += wait_ms;
			wait_ms = turn(NULL);
		}
		assert_true(is_sent());
		give_back(BACKEND_OK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_retry_that_is_due_within_a_turn_is_not_slept_over, set_up, tear_down),
	};

	log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
