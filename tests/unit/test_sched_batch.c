/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How large a job may be: near, far, and after losses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "sched/batch.h"

/* A back end behind so long a way, that takes so long for each zone: the mean size of so many full jobs. */
static size_t run(struct batch *batch, unsigned jobs, int64_t way_us, int64_t zone_us)
{
	size_t zones = 0;

	for (unsigned i = 0; i < jobs; i++) {
		size_t size = batch_zones(batch);

		zones += size;
		batch_landed(batch, size, way_us + (int64_t)size * zone_us);
	}
	return zones / jobs;
}

static void a_near_back_end_gets_jobs_that_are_over_soon(void **state)
{
	struct batch batch;

	(void)state;
	batch_init(&batch);
	assert_int_equal(batch_zones(&batch), BATCH_FIRST);
	assert_true(run(&batch, 1000, 1000, 500) <= BATCH_FIRST * 5 / 4);
}

static void a_far_one_is_not_bound_by_its_round_trips(void **state)
{
	static const int64_t ways_us[] = { 50000, 100000, 300000 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct batch batch;

		batch_init(&batch);
		run(&batch, 10, ways_us[i], 500);
		/* At least half the time goes into zones, not into the way. */
		assert_true((int64_t)run(&batch, 1000, ways_us[i], 500) * 500 >= ways_us[i]);
	}
}

static void a_slow_one_is_not_given_more(void **state)
{
	struct batch batch;

	(void)state;
	batch_init(&batch);
	assert_int_equal(run(&batch, 1000, 1000, 100000), BATCH_FIRST);
}

static void jobs_that_were_not_full_tell_nothing(void **state)
{
	struct batch batch;

	(void)state;
	batch_init(&batch);
	for (int i = 0; i < 1000; i++)
		batch_landed(&batch, BATCH_FIRST - 1, 100000);
	assert_int_equal(batch_zones(&batch), BATCH_FIRST);
}

static void it_follows_a_way_that_changes(void **state)
{
	struct batch batch;

	(void)state;
	batch_init(&batch);
	run(&batch, 500, 1000, 500);
	run(&batch, 500, 300000, 500);
	assert_true(run(&batch, 500, 300000, 500) >= 512);
	run(&batch, 500, 1000, 500);
	assert_true(run(&batch, 500, 1000, 500) <= BATCH_FIRST * 5 / 4);
}

static void losses_make_it_small_soon(void **state)
{
	struct batch batch;
	int losses = 0;

	(void)state;
	batch_init(&batch);
	run(&batch, 10, 300000, 1);
	assert_int_equal(batch_zones(&batch), BATCH_MOST);
	for (; batch_is_crowd(batch_zones(&batch)); losses++)
		batch_lost(&batch, batch_zones(&batch));
	assert_int_equal(losses, 2);
	assert_int_equal(batch_zones(&batch), BATCH_FIRST);
	batch_lost(&batch, 1);
	assert_int_equal(batch_zones(&batch), BATCH_FIRST);
	assert_false(batch_is_crowd(BATCH_FIRST));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_near_back_end_gets_jobs_that_are_over_soon),
		cmocka_unit_test(a_far_one_is_not_bound_by_its_round_trips),
		cmocka_unit_test(a_slow_one_is_not_given_more),
		cmocka_unit_test(jobs_that_were_not_full_tell_nothing),
		cmocka_unit_test(it_follows_a_way_that_changes),
		cmocka_unit_test(losses_make_it_small_soon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
