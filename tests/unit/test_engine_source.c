/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One parse for many lanes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/thread.h"
#include "engine/source.h"

enum { LANES = 4, SOURCES = 500 };

static const char good[] = "$TTL 60\n@ SOA ns1 root 1 2 3 4 5\n@ NS ns1.example.\n";
static const char bad[] = "$TTL 60\n@ SOA ns1 root 1 2 3 4 5\nwww A not-an-address\n";

static struct source *make(const char *text)
{
	return source_create(strdup(text), strlen(text));
}

static struct source *sources[SOURCES];
static struct zone *seen[LANES][SOURCES];

static void *lane(void *arg)
{
	struct zone **mine = arg;
	struct err err;

	for (size_t i = 0; i < SOURCES; i++)
		source_prepare(sources[i], "shop.example.", 0);
	for (size_t i = 0; i < SOURCES; i++)
		mine[i] = source_zone(sources[i], "shop.example.", 0, &err);
	return NULL;
}

static void all_lanes_get_the_same_zone(void **state)
{
	pthread_t threads[LANES];

	(void)state;
	for (size_t i = 0; i < SOURCES; i++)
		sources[i] = make(i % 10 == 3 ? bad : good);
	for (size_t k = 0; k < LANES; k++)
		threads[k] = thread_start("lane", lane, seen[k]);
	for (size_t k = 0; k < LANES; k++)
		thread_join(threads[k]);
	for (size_t i = 0; i < SOURCES; i++) {
		assert_true((seen[0][i] == NULL) == (i % 10 == 3));
		for (size_t k = 1; k < LANES; k++)
			assert_ptr_equal(seen[k][i], seen[0][i]);
		source_unref(sources[i]);
	}
}

static void each_lane_is_told_why_it_is_refused(void **state)
{
	struct source *source = make(bad);

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct err err = { 0 };

		assert_null(source_zone(source, "shop.example.", 0, &err));
		assert_int_equal(err.code, ERR_INVALID);
		assert_non_null(strstr(err.text, "line 3"));
	}
	source_unref(source);
}

static void what_is_parsed_stays(void **state)
{
	struct err err;
	struct zone *zone;

	(void)state;
	assert_int_equal(zone_parse("shop.example.", good, strlen(good), 0, &zone, &err), ERR_OK);
	struct source *source = source_parsed(zone, "0a0b0c0d-7");
	assert_string_equal(source_push_id(source), "0a0b0c0d-7");
	struct source *other = source_ref(source);
	assert_true(source_memory(source) > zone_memory(zone));
	source_unref(source);
	source_prepare(other, "shop.example.", 0);
	assert_ptr_equal(source_zone(other, "shop.example.", 0, &err), zone);
	source_unref(other);
	source_unref(NULL);
	zone_unref(zone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_lanes_get_the_same_zone),
		cmocka_unit_test(each_lane_is_told_why_it_is_refused),
		cmocka_unit_test(what_is_parsed_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
