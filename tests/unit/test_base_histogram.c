/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A histogram counts each time once, in the bucket whose bound it does not exceed, and can be read while it counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/histogram.h"
#include "base/thread.h"

static void bounds_rise_from_a_millisecond_to_an_hour(void **state)
{
	(void)state;
	assert_int_equal(histogram_bounds_us[0], 1000);
	for (size_t i = 1; i < HISTOGRAM_BOUNDS; i++)
		assert_true(histogram_bounds_us[i - 1] < histogram_bounds_us[i]);
	assert_int_equal(histogram_bounds_us[HISTOGRAM_BOUNDS - 1], INT64_C(3600000000));
}

static void a_bound_belongs_to_its_bucket(void **state)
{
	struct histogram histogram = { 0 };
	struct histogram_copy copy;

	(void)state;
	for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++)
		histogram_observe(&histogram, histogram_bounds_us[i]);
	histogram_observe(&histogram, histogram_bounds_us[HISTOGRAM_BOUNDS - 1] + 1);
	histogram_read(&histogram, &copy);
	for (size_t i = 0; i <= HISTOGRAM_BOUNDS; i++)
		assert_int_equal(copy.counts[i], 1);
	assert_int_equal(copy.count, HISTOGRAM_BOUNDS + 1);
}

static void what_is_longer_than_a_bound_is_in_the_next_bucket(void **state)
{
	struct histogram histogram = { 0 };
	struct histogram_copy copy;

	(void)state;
	histogram_observe(&histogram, histogram_bounds_us[3] + 1);
	histogram_read(&histogram, &copy);
	assert_int_equal(copy.counts[3], 0);
	assert_int_equal(copy.counts[4], 1);
	assert_int_equal(copy.sum_us, histogram_bounds_us[3] + 1);
}

static void a_negative_time_is_none(void **state)
{
	struct histogram histogram = { 0 };
	struct histogram_copy copy;

	(void)state;
	histogram_observe(&histogram, -5);
	histogram_observe(&histogram, 7);
	histogram_read(&histogram, &copy);
	assert_int_equal(copy.counts[0], 2);
	assert_int_equal(copy.sum_us, 7);
}

enum { ROUNDS = 200000 };

static void *observe_many(void *arg)
{
	for (int i = 0; i < ROUNDS; i++)
		histogram_observe(arg, i % 2 ? 1 : histogram_bounds_us[5]);
	return NULL;
}

static void a_reader_never_sees_it_shrink(void **state)
{
	struct histogram histogram = { 0 };
	struct histogram_copy copy = { 0 }, before;
	pthread_t writer = thread_start("observe", observe_many, &histogram);

	(void)state;
	while (copy.count < ROUNDS) {
		before = copy;
		histogram_read(&histogram, &copy);
		assert_true(copy.count >= before.count && copy.sum_us >= before.sum_us);
	}
	thread_join(writer);
	assert_int_equal(copy.counts[0], ROUNDS / 2);
	assert_int_equal(copy.counts[5], ROUNDS / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounds_rise_from_a_millisecond_to_an_hour),
		cmocka_unit_test(a_bound_belongs_to_its_bucket),
		cmocka_unit_test(what_is_longer_than_a_bound_is_in_the_next_bucket),
		cmocka_unit_test(a_negative_time_is_none),
		cmocka_unit_test(a_reader_never_sees_it_shrink),
	};

	return cmocka_run_group_tests_name("base histogram", tests, NULL, NULL);
}
