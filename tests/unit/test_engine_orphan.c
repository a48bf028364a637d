/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which missing zones may go, and when an operator is asked (reliability.md 4.6, decisions.md 20). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/orphan.h"

static const struct engine_orphan_policy policy = { .decide = true, .passes = 2, .grace_us = 1800, .min_delete_zones = 5,
	.max_delete_percent = 2, .max_delete_zones = 50 };

static void test_limit(void **state UNUSED)
{
	static const struct {
		uint64_t owned, limit;
	} cases[] = { { 0, 0 }, { 1, 0 }, { 2, 1 }, { 6, 3 }, { 9, 4 }, { 10, 5 }, { 11, 5 }, { 250, 5 }, { 300, 6 }, { 1000, 20 },
		{ 2500, 50 }, { 2600, 50 }, { 1000000, 50 }, { UINT64_MAX, 50 } };
	struct engine_orphan_policy wide = { .min_delete_zones = 1000, .max_delete_percent = 100, .max_delete_zones = 1000 };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(orphan_limit(&policy, cases[i].owned), cases[i].limit);
	assert_int_equal(orphan_limit(&wide, 100), 50);
	wide.max_delete_zones = 0;
	assert_int_equal(orphan_limit(&wide, 100), 0);
}

static void test_verdict(void **state UNUSED)
{
	struct engine_orphan_policy counting = policy;

	counting.decide = false;
	assert_int_equal(orphan_judge(&policy, 1000, 0, 0), ORPHANS_WAIT);
	assert_int_equal(orphan_judge(&policy, 1000, 300, 0), ORPHANS_WAIT);
	assert_int_equal(orphan_judge(&policy, 1000, 20, 20), ORPHANS_DELETE);
	assert_int_equal(orphan_judge(&policy, 1000, 21, 21), ORPHANS_HOLD);
	/* What is not ripe yet makes the loss as large as it is. */
	assert_int_equal(orphan_judge(&policy, 1000, 300, 1), ORPHANS_HOLD);
	assert_int_equal(orphan_judge(&policy, 6, 5, 5), ORPHANS_HOLD);
	assert_int_equal(orphan_judge(&policy, 6, 3, 3), ORPHANS_DELETE);
	assert_int_equal(orphan_judge(&policy, 1, 1, 1), ORPHANS_HOLD);
	assert_int_equal(orphan_judge(&counting, 1000, 3, 3), ORPHANS_WAIT);
}

static void test_ripeness(void **state UNUSED)
{
	struct orphan_record record = { 0 };

	orphan_count(&record, true, 1000);
	assert_int_equal(record.first_at_us, 1000);
	assert_false(orphan_is_ripe(&policy, &record, 1000000));
	orphan_count(&record, false, 1500); /* a dry run: seen, not counted */
	assert_int_equal(record.passes, 1);
	orphan_count(&record, true, 2000);
	assert_int_equal(record.first_at_us, 1000);
	assert_false(orphan_is_ripe(&policy, &record, 2799));
	assert_true(orphan_is_ripe(&policy, &record, 2800));
	/* The clock went back: neither ripe now, nor waited for until that future. */
	assert_false(orphan_is_ripe(&policy, &record, 10));
	orphan_count(&record, true, 10);
	assert_int_equal(record.first_at_us, 10);
	assert_false(orphan_is_ripe(&policy, &record, 1000));
	assert_true(orphan_is_ripe(&policy, &record, 1810));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_verdict),
		cmocka_unit_test(test_ripeness),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
