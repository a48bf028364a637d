/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How fast pushes reach the disk: a zone and three deliveries each, singly and
 * in groups of 20 per commit. The figures are printed, not asserted: they are
 * those of the disk. What is asserted is that all of it is there afterwards.
 */
#include "test_store_help.h"

#include <time.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { PUSHES = 2000, SINGLES = 200 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
enum { PUSHES = 2000, SINGLES = 200 };
#else
enum { PUSHES = 60000, SINGLES = 3000 };
#endif
#else
enum { PUSHES = 60000, SINGLES = 3000 };
#endif

enum { BACKENDS = 3, ZONES = 2000, TEXT_SIZE = 1200 };

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void push(struct store *store, int number, const int64_t backends[BACKENDS], int64_t ids[ZONES])
{
	static char text[TEXT_SIZE];
	struct store_zone zone = sample_zone(number % ZONES, (uint64_t)(number / ZONES) + 1);

	memset(text, 'a' + number % 26, sizeof(text));
	zone.id = ids[number % ZONES];
	OK(store_zone_put(store, &zone, text, sizeof(text), err));
	ids[number % ZONES] = zone.id;
	for (int i = 0; i < BACKENDS; i++) {
		struct delivery delivery = {
			.state = DELIVERY_DUE,
			.wanted = zone.generation,
			.next_try_us = number,
			.since_us = number + 1,
		};
		OK(store_delivery_save(store, zone.id, backends[i], &delivery, err));
	}
}

static double run(struct store *store, int first, int count, int group, const int64_t backends[BACKENDS],
	int64_t ids[ZONES])
{
	double start = seconds();

	for (int i = 0; i < count; i++) {
		if (i % group == 0)
			OK(store_begin(store, err));
		push(store, first + i, backends, ids);
		if ((i + 1) % group == 0)
			OK(store_commit(store, err));
	}
	return (double)count / (seconds() - start);
}

static void test_pushes(void **state)
{
	struct fixture *fixture = *state;
	static int64_t ids[ZONES];
	int64_t backends[BACKENDS];
	uint64_t count;

	for (int i = 0; i < BACKENDS; i++) {
		char name[8];
		snprintf(name, sizeof(name), "dc%d", i);
		OK(store_backend_register(fixture->store, name, 1, &backends[i], err));
	}
	double fresh = run(fixture->store, 0, ZONES, 20, backends, ids);
	double grouped = run(fixture->store, ZONES, PUSHES, 20, backends, ids);
	double single = run(fixture->store, ZONES + PUSHES, SINGLES, 1, backends, ids);

	print_message("pushes per second: %.0f of new zones and %.0f of known ones in groups of 20, %.0f singly\n", fresh,
		grouped, single);
	OK(store_zone_count(fixture->store, &count, err));
	assert_int_equal(count, ZONES);
	for (int i = 0; i < BACKENDS; i++) {
		struct store_counts counts;
		OK(store_backend_counts(fixture->store, backends[i], &counts, err));
		assert_int_equal(counts.pending, ZONES);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pushes, fixture_open, fixture_remove),
	};

	return cmocka_run_group_tests_name("store speed", tests, NULL, NULL);
}
