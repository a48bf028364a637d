/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The simulation's watch over generations (memory_target_regressions): what it counts, and what it does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backends/memory/memory.h"

#define OURS "11111111111111111111111111111111"
#define THEIRS "22222222222222222222222222222222"

static const char name[] = "shop.example.";

static struct memory_target *target;
static struct memory_settings settings;
static struct backend *lane; /* of our store */
static struct zone *zone;

static int set_up(void **state)
{
	static const char text[] = "@ 60 IN SOA ns1.example. host.example. ( 1 2 3 4 5 )\n@ 60 IN NS ns1.example.\n";
	struct backend_params params = { .name = "dc1", .store_id = OURS, .settings = &settings };
	struct err err;

	(void)state;
	target = settings.target = memory_target_create(NULL, NULL);
	assert_int_equal(memory_ops.create(&params, &lane, &err), ERR_OK);
	assert_int_equal(zone_parse(name, text, strlen(text), 0, &zone, &err), ERR_OK);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	zone_unref(zone);
	lane->ops->destroy(lane);
	memory_target_destroy(target);
	return 0;
}

/* supersede NULL: none. */
static enum backend_verdict deliver(uint64_t generation, const struct backend_stamp *supersede)
{
	struct backend_item item = { .name = name, .zone = zone, .generation = generation };

	if (supersede != NULL)
		item.supersede = *supersede;
	lane->ops->apply(lane, &item, 1);
	return item.verdict;
}

static struct memory_zone held(void)
{
	struct memory_zone there;

	assert_true(memory_target_get(target, name, &there));
	return there;
}

static void what_the_stamp_keeps_out_is_no_regression(void **state)
{
	(void)state;
	assert_int_equal(deliver(7, NULL), BACKEND_OK);
	assert_int_equal(deliver(7, NULL), BACKEND_OK);
	assert_int_equal(deliver(5, NULL), BACKEND_STALE);
	assert_int_equal(deliver(8, NULL), BACKEND_OK);
	assert_int_equal(memory_target_regressions(target), 0);
}

static void a_supersede_of_our_own_write_is_one(void **state)
{
	struct memory_zone there;

	(void)state;
	assert_int_equal(deliver(7, NULL), BACKEND_OK);
	there = held();
	assert_int_equal(deliver(5, &there.stamp), BACKEND_OK);
	assert_int_equal(held().stamp.generation, 5);
	assert_int_equal(memory_target_regressions(target), 1);
	/* Still less than there was. */
	assert_int_equal(deliver(6, NULL), BACKEND_OK);
	assert_int_equal(memory_target_regressions(target), 2);
	assert_int_equal(deliver(7, NULL), BACKEND_OK);
	assert_int_equal(memory_target_regressions(target), 2);
}

static void other_rows_under_the_same_stamp_excuse_nothing(void **state)
{
	struct memory_zone there;

	(void)state;
	assert_int_equal(deliver(7, NULL), BACKEND_OK);
	there = held();
	there.digest.low++;
	memory_target_put(target, &there);
	assert_int_equal(deliver(5, &there.stamp), BACKEND_OK);
	assert_int_equal(memory_target_regressions(target), 1);
}

static void what_somebody_else_stamped_is_not_ours(void **state)
{
	static const struct backend_stamp theirs = { .store_id = THEIRS, .generation = 9 };
	static const struct backend_stamp planted = { .store_id = OURS, .generation = UINT64_MAX };

	(void)state;
	assert_int_equal(deliver(7, NULL), BACKEND_OK);
	memory_target_stamp(target, name, &theirs);
	assert_int_equal(deliver(5, NULL), BACKEND_STALE);
	assert_int_equal(deliver(5, &theirs), BACKEND_OK);
	memory_target_stamp(target, name, &planted);
	assert_int_equal(deliver(4, &planted), BACKEND_OK);
	assert_int_equal(memory_target_regressions(target), 0);
}

static void what_is_gone_is_forgotten(void **state)
{
	struct memory_zone there;

	(void)state;
	assert_int_equal(deliver(7, NULL), BACKEND_OK);
	there = held();
	there.stamp = (struct backend_stamp){ .generation = 0 };
	memory_target_put(target, &there);
	assert_int_equal(deliver(5, NULL), BACKEND_OK);
	memory_target_wipe(target);
	assert_int_equal(deliver(3, NULL), BACKEND_OK);
	assert_int_equal(memory_target_regressions(target), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_the_stamp_keeps_out_is_no_regression, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_supersede_of_our_own_write_is_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(other_rows_under_the_same_stamp_excuse_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_somebody_else_stamped_is_not_ours, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_gone_is_forgotten, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
