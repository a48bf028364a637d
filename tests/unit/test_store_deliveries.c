/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test_store_help.h"

#include <time.h>

#include "store/db.h"
#include "store/dead.h"
#include "store/frozen.h"

enum { ZONES = 40, MANY = 100000 };

struct delivery_fixture {
	int64_t zones[ZONES];
	int64_t dc1;
	int64_t dc2;
};

/* Zones 0..ZONES-1 in generation 1, all clean at two back ends. */
static struct delivery_fixture make_clean(struct store *store)
{
	struct delivery_fixture made;
	struct delivery clean = { .state = DELIVERY_CLEAN, .applied = 1 };

	OK(store_begin(store, err));
	OK(store_backend_register(store, "dc1", 1, &made.dc1, err));
	OK(store_backend_register(store, "dc2", 1, &made.dc2, err));
	for (int i = 0; i < ZONES; i++) {
		made.zones[i] = put_sample(store, i, 1, 0);
		OK(store_delivery_save(store, made.zones[i], made.dc1, &clean, err));
		OK(store_delivery_save(store, made.zones[i], made.dc2, &clean, err));
	}
	OK(store_commit(store, err));
	return made;
}

static void set_delivery(struct store *store, int64_t zone, int64_t backend, enum delivery_state state, int64_t next_try,
	bool suspect)
{
	struct delivery delivery = {
		.state = state,
		.next_try_us = next_try,
		.since_us = next_try == INT64_MAX ? 1 : next_try + 1,
		.suspect = suspect,
	};

	OK(store_delivery_save(store, zone, backend, &delivery, err));
}

static void test_save_and_load(void **state)
{
	struct fixture *fixture = *state;
	struct delivery_fixture made = make_clean(fixture->store);
	static char error[] = "Deadlock found";
	struct delivery saved = {
		.state = DELIVERY_WAIT,
		.applied = 1,
		.wanted = 99,
		.check = true,
		.suspect = true,
		.attempts = 3,
		.next_try_us = 123456789012345,
		.since_us = 77,
		.applied_at_us = 66,
		.last_error = error,
	};
	struct delivery loaded;

	OK(store_delivery_save(fixture->store, made.zones[4], made.dc2, &saved, err));
	OK(store_delivery_load(fixture->store, made.zones[4], made.dc2, &loaded, err));
	assert_int_equal(loaded.state, DELIVERY_WAIT);
	assert_int_equal(loaded.resting, DELIVERY_WAIT);
	assert_int_equal(loaded.applied, 1);
	/* wanted is the zone's generation, whatever was in the struct. */
	assert_int_equal(loaded.wanted, 1);
	assert_true(loaded.check && loaded.suspect);
	assert_int_equal(loaded.attempts, 3);
	assert_int_equal(loaded.next_try_us, 123456789012345);
	assert_int_equal(loaded.since_us, 77);
	assert_int_equal(loaded.applied_at_us, 66);
	assert_string_equal(loaded.last_error, error);
	delivery_clear(&loaded);
	OK(store_delivery_load(fixture->store, made.zones[4], made.dc1, &loaded, err));
	assert_int_equal(loaded.state, DELIVERY_CLEAN);
	assert_null(loaded.last_error);
	delivery_clear(&loaded);
	FAILS(ERR_NOTFOUND, store_delivery_load(fixture->store, 4711, made.dc1, &loaded, err));
	FAILS(ERR_NOTFOUND, store_delivery_load(fixture->store, made.zones[4], 4711, &loaded, err));
	/* A delivery of nothing, or to nowhere. */
	FAILS(ERR_CORRUPT, store_delivery_save(fixture->store, 4711, made.dc1, &saved, err));
	FAILS(ERR_CORRUPT, store_delivery_save(fixture->store, made.zones[4], 4711, &saved, err));
}

static void test_add(void **state)
{
	struct fixture *fixture = *state;
	struct delivery_fixture made = make_clean(fixture->store);
	struct delivery due = { .state = DELIVERY_DUE, .next_try_us = 5, .since_us = 4 };
	struct delivery loaded;
	int64_t zone = put_sample(fixture->store, 4711, 1, 0);

	OK(store_delivery_add(fixture->store, zone, made.dc2, &due, err));
	OK(store_delivery_load(fixture->store, zone, made.dc2, &loaded, err));
	assert_int_equal(loaded.state, DELIVERY_DUE);
	assert_int_equal(loaded.next_try_us, 5);
	assert_int_equal(loaded.since_us, 4);
	delivery_clear(&loaded);
	FAILS(ERR_CORRUPT, store_delivery_add(fixture->store, zone, made.dc2, &due, err));
	FAILS(ERR_CORRUPT, store_delivery_add(fixture->store, 4711, made.dc1, &due, err));
}

/* What is in flight is stored as it rested: a restart has nothing to undo. */
static void test_inflight_rests(void **state)
{
	struct fixture *fixture = *state;
	struct delivery_fixture made = make_clean(fixture->store);
	struct delivery flying = { .state = DELIVERY_INFLIGHT, .resting = DELIVERY_DEAD, .inflight = 1, .since_us = 5 };
	struct delivery loaded;

	OK(store_delivery_save(fixture->store, made.zones[0], made.dc1, &flying, err));
	OK(store_delivery_load(fixture->store, made.zones[0], made.dc1, &loaded, err));
	assert_int_equal(loaded.state, DELIVERY_DEAD);
	assert_int_equal(loaded.inflight, 0);
	delivery_clear(&loaded);
}

/* A row that cannot be right is delivered again, not believed. */
static void test_impossible_row(void **state)
{
	struct fixture *fixture = *state;
	struct delivery_fixture made = make_clean(fixture->store);
	struct delivery loaded;

	OK(db_exec(fixture->store, "UPDATE delivery SET applied = 2 WHERE backend_id = 1", err));
	OK(store_delivery_load(fixture->store, made.zones[0], made.dc1, &loaded, err));
	assert_int_equal(loaded.state, DELIVERY_DUE);
	assert_int_equal(loaded.applied, 0);
	assert_true(loaded.check);
	delivery_clear(&loaded);
	OK(db_exec(fixture->store, "PRAGMA ignore_check_constraints = ON; UPDATE delivery SET state = 2, applied = 1", err));
	OK(store_delivery_load(fixture->store, made.zones[1], made.dc2, &loaded, err));
	assert_int_equal(loaded.state, DELIVERY_DUE);
	assert_true(loaded.check);
	delivery_clear(&loaded);
}

/* ---- due ---- */

static void expect_due(struct store *store, int64_t backend, bool suspect, int64_t now, size_t page, const int64_t *ids,
	size_t count)
{
	struct store_due due[8];
	int64_t before_us = INT64_MAX;
	int64_t before_id = INT64_MAX;
	size_t seen = 0;
	size_t got;

	assert_true(page <= ARRAY_SIZE(due));
	do {
		OK(store_due_list(store, backend, suspect, now, before_us, before_id, page, due, &got, err));
		assert_true(got <= page);
		for (size_t i = 0; i < got; i++) {
			assert_true(seen < count);
			assert_int_equal(due[i].zone_id, ids[seen++]);
			assert_true(due[i].next_try_us <= now);
			assert_int_equal(due[i].suspect, suspect);
			before_us = due[i].next_try_us;
			before_id = due[i].zone_id;
		}
	} while (got > 0);
	assert_int_equal(seen, count);
}

static void test_due_order(void **state)
{
	struct fixture *fixture = *state;
	struct delivery_fixture made = make_clean(fixture->store);
	const int64_t *zones = made.zones;

	set_delivery(fixture->store, zones[1], made.dc1, DELIVERY_DUE, 100, false);
	set_delivery(fixture->store, zones[2], made.dc1, DELIVERY_WAIT, 300, false);
	set_delivery(fixture->store, zones[3], made.dc1, DELIVERY_DEAD, 100, false);
	set_delivery(fixture->store, zones[4], made.dc1, DELIVERY_REJECTED, 200, false);
	set_delivery(fixture->store, zones[5], made.dc1, DELIVERY_WAIT, 301, false);
	set_delivery(fixture->store, zones[6], made.dc1, DELIVERY_DUE, 100, true);
	set_delivery(fixture->store, zones[7], made.dc1, DELIVERY_DUE, 400, true);
	set_delivery(fixture->store, zones[8], made.dc1, DELIVERY_DUE, 100, false);
	set_delivery(fixture->store, zones[9], made.dc2, DELIVERY_DUE, 50, false);

	const int64_t at_300[] = { zones[2], zones[4], zones[8], zones[3], zones[1] };
	for (size_t page = 1; page <= 8; page++)
		expect_due(fixture->store, made.dc1, false, 300, page, at_300, ARRAY_SIZE(at_300));
	const int64_t later[] = { zones[5], zones[2], zones[4], zones[8], zones[3], zones[1] };
	expect_due(fixture->store, made.dc1, false, INT64_MAX, 4, later, ARRAY_SIZE(later));
	expect_due(fixture->store, made.dc1, false, 99, 8, NULL, 0);
	expect_due(fixture->store, made.dc1, true, 300, 8, &zones[6], 1);
	expect_due(fixture->store, made.dc2, false, 50, 8, &zones[9], 1);
	/* Delivered: gone from the list. */
	set_delivery(fixture->store, zones[2], made.dc1, DELIVERY_CLEAN, 0, false);
	expect_due(fixture->store, made.dc1, false, 300, 3, at_300 + 1, ARRAY_SIZE(at_300) - 1);
}

static void test_due_next(void **state)
{
	struct fixture *fixture = *state;
	struct delivery_fixture made = make_clean(fixture->store);
	int64_t next;

	OK(store_due_next(fixture->store, made.dc1, 0, &next, err));
	assert_true(next == INT64_MAX);
	set_delivery(fixture->store, made.zones[1], made.dc1, DELIVERY_WAIT, 500, false);
	set_delivery(fixture->store, made.zones[2], made.dc1, DELIVERY_WAIT, 700, false);
	set_delivery(fixture->store, made.zones[3], made.dc1, DELIVERY_WAIT, 600, true);
	set_delivery(fixture->store, made.zones[4], made.dc2, DELIVERY_WAIT, 450, false);
	OK(store_due_next(fixture->store, made.dc1, 499, &next, err));
	assert_int_equal(next, 500);
	OK(store_due_next(fixture->store, made.dc1, 500, &next, err));
	assert_int_equal(next, 600);
	OK(store_due_next(fixture->store, made.dc1, 600, &next, err));
	assert_int_equal(next, 700);
	OK(store_due_next(fixture->store, made.dc1, 700, &next, err));
	assert_true(next == INT64_MAX);
}

/* Parked rows are nobody's business but the counts': never due, revived or clamped, and no new start wakes them. */
static void test_parked(void **state)
{
	static const char *const names[] = { "dc1", "dc2" };
	struct fixture *fixture = *state;
	struct delivery_fixture made = make_clean(fixture->store);
	struct store_counts counts;
	struct delivery loaded;
	int64_t next, ids[2], after = 0;
	uint64_t revived;

	set_delivery(fixture->store, made.zones[3], made.dc1, DELIVERY_PARKED, INT64_MAX, false);
	set_delivery(fixture->store, made.zones[4], made.dc1, DELIVERY_PARKED, INT64_MAX, true);
	expect_due(fixture->store, made.dc1, false, INT64_MAX - 1, 8, NULL, 0);
	expect_due(fixture->store, made.dc1, true, INT64_MAX - 1, 8, NULL, 0);
	OK(store_due_next(fixture->store, made.dc1, 1, &next, err));
	assert_int_equal(next, INT64_MAX);
	OK(store_dead_revive(fixture->store, made.dc1, 5, &after, &revived, err));
	assert_int_equal(revived, 0);
	OK(store_due_clamp(fixture->store, 5, 6, 7, err));
	OK(store_backends_register(fixture->store, names, 2, 5, ids, err));
	OK(store_delivery_load(fixture->store, made.zones[3], made.dc1, &loaded, err));
	assert_int_equal(loaded.state, DELIVERY_PARKED);
	assert_int_equal(loaded.next_try_us, INT64_MAX);
	delivery_clear(&loaded);
	OK(store_backend_counts(fixture->store, made.dc1, &counts, err));
	assert_int_equal(counts.parked, 2);
	assert_int_equal(counts.pending + counts.dead + counts.rejected + counts.suspect, 0);
	assert_int_equal(counts.oldest_since_us, 0);
	/* Beside others. */
	set_delivery(fixture->store, made.zones[5], made.dc1, DELIVERY_DEAD, 100, false);
	OK(store_backend_counts(fixture->store, made.dc1, &counts, err));
	assert_int_equal(counts.parked, 2);
	assert_int_equal(counts.pending, 1);
	assert_int_equal(counts.oldest_since_us, 101);
}

static void test_counts(void **state)
{
	struct fixture *fixture = *state;
	struct delivery_fixture made = make_clean(fixture->store);
	struct store_counts counts;

	OK(store_backend_counts(fixture->store, made.dc1, &counts, err));
	assert_int_equal(counts.pending, 0);
	assert_int_equal(counts.oldest_since_us, 0);
	set_delivery(fixture->store, made.zones[1], made.dc1, DELIVERY_WAIT, 500, false);
	set_delivery(fixture->store, made.zones[2], made.dc1, DELIVERY_DEAD, 300, false);
	set_delivery(fixture->store, made.zones[3], made.dc1, DELIVERY_DEAD, 400, true);
	set_delivery(fixture->store, made.zones[4], made.dc1, DELIVERY_REJECTED, 600, false);
	set_delivery(fixture->store, made.zones[5], made.dc2, DELIVERY_DUE, 1, false);
	OK(store_backend_counts(fixture->store, made.dc1, &counts, err));
	assert_int_equal(counts.pending, 4);
	assert_int_equal(counts.oldest_since_us, 301);
	assert_int_equal(counts.dead, 2);
	assert_int_equal(counts.rejected, 1);
	assert_int_equal(counts.suspect, 1);
}

static void test_revive(void **state)
{
	struct fixture *fixture = *state;
	struct delivery_fixture made = make_clean(fixture->store);
	struct delivery loaded;
	int64_t after = 0;
	uint64_t count;

	set_delivery(fixture->store, made.zones[1], made.dc1, DELIVERY_DEAD, 5000, false);
	set_delivery(fixture->store, made.zones[2], made.dc1, DELIVERY_DEAD, 5000, true);
	set_delivery(fixture->store, made.zones[3], made.dc1, DELIVERY_WAIT, 5000, false);
	set_delivery(fixture->store, made.zones[4], made.dc1, DELIVERY_REJECTED, 5000, false);
	set_delivery(fixture->store, made.zones[5], made.dc2, DELIVERY_DEAD, 5000, false);
	OK(store_dead_revive(fixture->store, made.dc1, 1000, &after, &count, err));
	assert_int_equal(count, 2);
	assert_int_equal(after, INT64_MAX);
	expect_due(fixture->store, made.dc1, false, 1000, 8, &made.zones[1], 1);
	expect_due(fixture->store, made.dc1, true, 1000, 8, &made.zones[2], 1);
	expect_due(fixture->store, made.dc2, false, 1000, 8, NULL, 0);
	/* Still listed as dead until it worked. */
	OK(store_delivery_load(fixture->store, made.zones[1], made.dc1, &loaded, err));
	assert_int_equal(loaded.state, DELIVERY_DEAD);
	delivery_clear(&loaded);
	/* A lane that flaps writes nothing more. */
	after = 0;
	OK(store_dead_revive(fixture->store, made.dc1, 1001, &after, &count, err));
	assert_int_equal(count, 0);
	/* Behind a zone. */
	after = made.zones[4];
	OK(store_dead_revive(fixture->store, made.dc2, 1000, &after, &count, err));
	assert_int_equal(count, 1);
}

static void test_clamp(void **state)
{
	struct fixture *fixture = *state;
	struct delivery_fixture made = make_clean(fixture->store);
	int64_t next;

	set_delivery(fixture->store, made.zones[1], made.dc1, DELIVERY_WAIT, INT64_MAX - 1, false);
	set_delivery(fixture->store, made.zones[2], made.dc2, DELIVERY_WAIT, 900, true);
	set_delivery(fixture->store, made.zones[3], made.dc2, DELIVERY_WAIT, 200, false);
	set_delivery(fixture->store, made.zones[3], made.dc1, DELIVERY_DUE, 5000, false);
	OK(store_due_clamp(fixture->store, 100, 600, 700, err));
	/* What is due was due when it was written: a clock that went back since must not hold it up. */
	expect_due(fixture->store, made.dc1, false, 100, 8, &made.zones[3], 1);
	OK(store_due_next(fixture->store, made.dc1, 100, &next, err));
	assert_int_equal(next, 600);
	OK(store_due_next(fixture->store, made.dc2, 200, &next, err));
	assert_int_equal(next, 600);
	set_delivery(fixture->store, made.zones[2], made.dc2, DELIVERY_DEAD, 900, true);
	OK(store_due_clamp(fixture->store, 100, 600, 700, err));
	OK(store_due_next(fixture->store, made.dc2, 200, &next, err));
	assert_int_equal(next, 700);
	OK(store_due_next(fixture->store, made.dc2, 0, &next, err));
	assert_int_equal(next, 200);
}

/* ---- register ---- */

static int64_t put_tombstone(struct store *store, int number)
{
	struct store_zone zone = sample_zone(number, 1);

	zone.deleted = true;
	zone.text_size = 0;
	zone.digest = (struct zone_digest){ 0 };
	OK(store_zone_put(store, &zone, NULL, 0, err));
	return zone.id;
}

static void test_register(void **state)
{
	struct fixture *fixture = *state;
	struct delivery_fixture made = make_clean(fixture->store);
	struct store_zone dead = sample_zone(1, 2);
	struct delivery loaded;
	struct store_counts counts;
	int64_t id;

	OK(store_backend_register(fixture->store, "dc2", 10, &id, err));
	assert_int_equal(id, made.dc2);
	OK(store_backend_counts(fixture->store, made.dc2, &counts, err));
	assert_int_equal(counts.pending, 0);
	/* A zone deleted since, and delivered so; and one that was never held, of whose delete a peer told. */
	dead.id = made.zones[1];
	dead.deleted = true;
	OK(store_zone_put(fixture->store, &dead, NULL, 0, err));
	int64_t hearsay = put_tombstone(fixture->store, ZONES);
	OK(store_backend_register(fixture->store, "dc3", 20, &id, err));
	assert_int_not_equal(id, made.dc2);
	OK(store_backend_counts(fixture->store, id, &counts, err));
	assert_int_equal(counts.pending, ZONES);
	assert_int_equal(counts.oldest_since_us, 20);
	/* It may stand there still, and somebody else's may as well. */
	OK(store_delivery_load(fixture->store, made.zones[1], id, &loaded, err));
	assert_int_equal(loaded.state, DELIVERY_DUE);
	assert_true(loaded.check);
	assert_int_equal(loaded.applied, 0);
	assert_int_equal(loaded.next_try_us, 20);
	OK(store_delivery_load(fixture->store, hearsay, id, &loaded, err));
	assert_int_equal(loaded.state, DELIVERY_CLEAN);
	assert_int_equal(loaded.applied, 1);
	assert_int_equal(loaded.since_us, 0);
	OK(store_delivery_load(fixture->store, made.zones[2], id, &loaded, err));
	assert_int_equal(loaded.state, DELIVERY_DUE);
	assert_false(loaded.check);
	assert_int_equal(loaded.applied, 0);
	assert_int_equal(loaded.next_try_us, 20);
	/* dc2 lags behind the tombstone and says it is clean: woken. What waits there is left alone. */
	set_delivery(fixture->store, made.zones[3], made.dc2, DELIVERY_WAIT, 5000, false);
	OK(store_backend_register(fixture->store, "dc2", 30, &id, err));
	expect_due(fixture->store, made.dc2, false, 30, 8, &made.zones[1], 1);
	OK(store_delivery_load(fixture->store, made.zones[1], made.dc2, &loaded, err));
	assert_true(loaded.check); /* what stands there now may be somebody else's */
	OK(store_delivery_load(fixture->store, made.zones[3], made.dc2, &loaded, err));
	assert_int_equal(loaded.state, DELIVERY_WAIT);
	assert_int_equal(loaded.next_try_us, 5000);
}

/* Several at once, of which one is new, one has missed zones and pushes while it was not configured, and one still is not. */
static void test_register_all(void **state)
{
	static const char *const before[] = { "dc1", "gone" };
	static const char *const names[] = { "dc4", "dc1", "dc2" };
	struct fixture *fixture = *state;
	struct delivery_fixture made = make_clean(fixture->store);
	struct store_counts counts;
	struct delivery loaded;
	int64_t gone[2];
	int64_t ids[3];

	OK(store_backends_register(fixture->store, before, ARRAY_SIZE(before), 5, gone, err));
	assert_int_equal(gone[0], made.dc1);
	for (int i = 0; i < ZONES; i++)
		OK(store_delivery_save(fixture->store, made.zones[i], gone[1],
			&(struct delivery){ .state = DELIVERY_CLEAN, .applied = 1 }, err));
	/* A new zone, and a push of a known one, that only dc1 has got. */
	int64_t fresh = put_sample(fixture->store, ZONES, 1, 0);
	put_sample(fixture->store, 7, 2, made.zones[7]);
	OK(store_delivery_save(fixture->store, fresh, made.dc1,
		&(struct delivery){ .state = DELIVERY_CLEAN, .applied = 1 }, err));
	OK(store_delivery_save(fixture->store, made.zones[7], made.dc1,
		&(struct delivery){ .state = DELIVERY_CLEAN, .applied = 2 }, err));
	OK(store_backends_register(fixture->store, names, ARRAY_SIZE(names), 20, ids, err));
	assert_int_equal(ids[1], made.dc1);
	assert_int_equal(ids[2], made.dc2);
	OK(store_backend_counts(fixture->store, ids[0], &counts, err));
	assert_int_equal(counts.pending, ZONES + 1);
	OK(store_backend_counts(fixture->store, made.dc1, &counts, err));
	assert_int_equal(counts.pending, 0);
	expect_due(fixture->store, made.dc2, false, 20, 8, (int64_t[]){ fresh, made.zones[7] }, 2);
	/* What is not configured is left as it was. */
	OK(store_backend_counts(fixture->store, gone[1], &counts, err));
	assert_int_equal(counts.pending, 0);
	FAILS(ERR_NOTFOUND, store_delivery_load(fixture->store, fresh, gone[1], &loaded, err));
	/* Nothing is left to do. */
	OK(store_backends_register(fixture->store, names, ARRAY_SIZE(names), 30, ids, err));
	expect_due(fixture->store, made.dc2, false, 20, 8, (int64_t[]){ fresh, made.zones[7] }, 2);
	OK(store_backends_register(fixture->store, NULL, 0, 30, NULL, err));
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool count_pending(void *ctx, UNUSED int64_t zone_id, UNUSED int64_t backend_id, UNUSED const struct delivery *delivery)
{
	(*(int *)ctx)++;
	return true;
}

/* All that are pending, step by step; how many steps it took. */
static int walk_pending(struct store *store, int *pending)
{
	int64_t after = 0;
	int steps = 0;

	for (; after < INT64_MAX; steps++)
		OK(store_pending_step(store, &after, count_pending, pending, err));
	return steps;
}

static void test_register_many(void **state)
{
	struct fixture *fixture = *state;
	struct store_counts counts;
	struct store_due due[1000];
	size_t got;
	int64_t id;
	int pending = 0;

	OK(store_begin(fixture->store, err));
	for (int i = 0; i < MANY; i++)
		put_sample(fixture->store, i, 1, 0);
	OK(store_commit(fixture->store, err));
	double start = seconds();
	OK(store_backend_register(fixture->store, "dc1", 5, &id, err));
	double filled = seconds();
	OK(store_backend_register(fixture->store, "dc1", 6, &id, err));
	double again = seconds();
	OK(store_backend_counts(fixture->store, id, &counts, err));
	assert_int_equal(counts.pending, MANY);
	double counted = seconds();
	OK(store_due_list(fixture->store, id, false, 5, INT64_MAX, INT64_MAX, ARRAY_SIZE(due), due, &got, err));
	assert_int_equal(got, ARRAY_SIZE(due));
	double listed = seconds();
	int steps = walk_pending(fixture->store, &pending);
	assert_int_equal(pending, MANY);
	assert_true(steps >= 10 && steps <= MANY / 1000);
	double pended = seconds();
	OK(store_quick_check(fixture->store, err));
	double checked = seconds();
	print_message("%d zones: register %.3f s, again %.3f s, counts %.4f s, due page %.4f s, %d pending steps %.4f s,"
		      " check %.2f s\n",
		MANY, filled - start, again - filled, counted - again, listed - counted, steps, pended - listed,
		checked - pended);
}

/* ---- pending ---- */

struct pending {
	char seen[1024];
	size_t count;
	size_t stop_after;
};

static bool note_pending(void *ctx, int64_t zone_id, int64_t backend_id, const struct delivery *delivery)
{
	struct pending *pending = ctx;
	size_t used = strlen(pending->seen);

	if (pending->count == pending->stop_after && pending->stop_after > 0)
		return false;
	snprintf(pending->seen + used, sizeof(pending->seen) - used, "%lld@%lld:%s:%llu:%s ", (long long)zone_id,
		(long long)backend_id, delivery_state_name(delivery->state), (unsigned long long)delivery->wanted,
		delivery->last_error == NULL ? "-" : delivery->last_error);
	pending->count++;
	return true;
}

static void expect_pending(struct store *store, int64_t from, size_t stop_after, const char *expected, int64_t then)
{
	struct pending pending = { .stop_after = stop_after };
	int64_t after = from;

	OK(store_pending_step(store, &after, note_pending, &pending, err));
	assert_string_equal(pending.seen, expected);
	assert_int_equal(after, then);
}

static void test_pending(void **state)
{
	struct fixture *fixture = *state;
	struct delivery_fixture made = make_clean(fixture->store);
	static char error[] = "too wide";
	struct delivery rejected = { .state = DELIVERY_REJECTED, .last_error = error };

	/* The ids of the zones are 1 to 40, those of the back ends 1 and 2. */
	set_delivery(fixture->store, 9, made.dc1, DELIVERY_WAIT, 5, false);
	set_delivery(fixture->store, 3, made.dc1, DELIVERY_DEAD, 6, true);
	OK(store_delivery_save(fixture->store, 7, made.dc1, &rejected, err));
	set_delivery(fixture->store, 7, made.dc2, DELIVERY_DUE, 7, false);
	set_delivery(fixture->store, 8, made.dc1, DELIVERY_PARKED, INT64_MAX, false);
	put_sample(fixture->store, 8, 4, 9);
	expect_pending(fixture->store, 0, 0, "3@1:dead:1:- 7@1:rejected:1:too wide 7@2:due:1:- 9@1:wait:4:- ", INT64_MAX);
	expect_pending(fixture->store, 3, 0, "7@1:rejected:1:too wide 7@2:due:1:- 9@1:wait:4:- ", INT64_MAX);
	expect_pending(fixture->store, 0, 1, "3@1:dead:1:- ", 6);
	expect_pending(fixture->store, 6, 2, "7@1:rejected:1:too wide 7@2:due:1:- ", 8);
	expect_pending(fixture->store, 9, 0, "", INT64_MAX);
}

/* ---- dead letters ---- */

struct dead {
	char seen[1024];
	size_t count;
	size_t stop_after;
	int64_t last;
};

static bool note_dead(void *ctx, const struct store_dead *row)
{
	struct dead *dead = ctx;
	size_t used = strlen(dead->seen);

	snprintf(dead->seen + used, sizeof(dead->seen) - used, "%.7s@%lld:%s ", row->zone, (long long)row->backend_id,
		delivery_state_name(row->delivery->state));
	dead->last = row->zone_id;
	return ++dead->count != dead->stop_after;
}

static void expect_dead(struct store *store, const struct store_dead_filter *filter, size_t limit, const char *expected)
{
	struct dead dead = { 0 };

	OK(store_dead_list(store, filter, limit, note_dead, &dead, err));
	assert_string_equal(dead.seen, expected);
}

static void test_dead(void **state)
{
	struct fixture *fixture = *state;
	struct delivery_fixture made = make_clean(fixture->store);
	struct store_frozen frozen = { .zone_id = made.zones[5] };
	struct dead dead = { .stop_after = 2 };

	set_delivery(fixture->store, made.zones[1], made.dc1, DELIVERY_DUE, 5, false);
	set_delivery(fixture->store, made.zones[2], made.dc1, DELIVERY_WAIT, 5, false);
	/* Neither due times nor suspicion are the order, but zones. */
	set_delivery(fixture->store, made.zones[3], made.dc2, DELIVERY_DEAD, 9, true);
	set_delivery(fixture->store, made.zones[3], made.dc1, DELIVERY_REJECTED, 8, false);
	set_delivery(fixture->store, made.zones[4], made.dc1, DELIVERY_DEAD, 7, false);
	set_delivery(fixture->store, made.zones[5], made.dc1, DELIVERY_PARKED, INT64_MAX, false);
	set_delivery(fixture->store, made.zones[6], made.dc2, DELIVERY_PARKED, INT64_MAX, false);
	set_delivery(fixture->store, made.zones[7], made.dc1, DELIVERY_DEAD, 6, false);
	OK(store_frozen_set(fixture->store, &frozen, err));
	expect_dead(fixture->store, &(struct store_dead_filter){ 0 }, 10,
		"z000003@1:rejected z000003@2:dead z000004@1:dead z000007@1:dead ");
	expect_dead(fixture->store, &(struct store_dead_filter){ .dropped = true }, 10,
		"z000003@1:rejected z000003@2:dead z000004@1:dead z000006@2:parked z000007@1:dead ");
	expect_dead(fixture->store, &(struct store_dead_filter){ .backend_id = made.dc2 }, 10, "z000003@2:dead ");
	expect_dead(fixture->store, &(struct store_dead_filter){ .zone_id = made.zones[3] }, 10,
		"z000003@1:rejected z000003@2:dead ");
	expect_dead(fixture->store, &(struct store_dead_filter){ .zone_id = made.zones[3], .backend_id = made.dc1 }, 10,
		"z000003@1:rejected ");
	expect_dead(fixture->store, &(struct store_dead_filter){ .zone_id = made.zones[1] }, 10, "");
	/* Page by page. */
	OK(store_dead_list(fixture->store, &(struct store_dead_filter){ 0 }, 10, note_dead, &dead, err));
	assert_int_equal(dead.last, made.zones[3]);
	expect_dead(fixture->store, &(struct store_dead_filter){ .after = dead.last }, 1, "z000004@1:dead ");
	expect_dead(fixture->store, &(struct store_dead_filter){ .after = made.zones[4] }, 10, "z000007@1:dead ");
	expect_dead(fixture->store, &(struct store_dead_filter){ .after = made.zones[7] }, 10, "");
}

/* ---- plans ---- */

/*
 * Fails if the plan of the statement that was prepared for sql walks a table or an index from end to end, or sorts. How often
 * it searches that index.
 */
static int check_plan(struct store *store, const char *sql, const char *index)
{
	char *explain = xasprintf("EXPLAIN QUERY PLAN %s", sql);
	sqlite3_stmt *stmt = NULL;
	int searches = 0;

	assert_int_equal(sqlite3_prepare_v2(store->db, explain, -1, &stmt, NULL), SQLITE_OK);
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		const char *step = (const char *)sqlite3_column_text(stmt, 3);
		/* The names of sub-queries stand in round brackets, and are walked once filled. */
		if (strncmp(step, "SCAN (", 6) != 0 && strncmp(step, "SCAN ", 5) == 0 && strstr(step, "SCAN backend") == NULL)
			fail_msg("%s\nscans: %s", sql, step);
		if (strstr(step, "TEMP B-TREE") != NULL)
			fail_msg("%s\nsorts: %s", sql, step);
		if (strstr(step, index) != NULL)
			searches++;
	}
	sqlite3_finalize(stmt);
	free(explain);
	return searches;
}

static void test_plans(void **state)
{
	struct fixture *fixture = *state;
	struct delivery_fixture made = make_clean(fixture->store);
	struct store_counts counts;
	struct store_due due;
	int64_t next;
	size_t got;
	int searched = 0;
	size_t before = fixture->store->statement_count;

	OK(store_due_list(fixture->store, made.dc1, false, 1, 1, 1, 1, &due, &got, err));
	OK(store_due_next(fixture->store, made.dc1, 1, &next, err));
	OK(store_backend_counts(fixture->store, made.dc1, &counts, err));
	OK(store_due_clamp(fixture->store, 1, 1, 1, err));
	size_t after = fixture->store->statement_count;
	/* Each of them was prepared just now; all use the index, the next one twice. */
	assert_int_equal(after - before, 4);
	for (size_t i = before; i < after; i++) {
		int found = check_plan(fixture->store, fixture->store->statements[i].sql, "delivery_due");
		assert_true(found > 0);
		searched += found;
	}
	assert_int_equal(searched, 5);
}

/* A page of dead letters costs what it passes: no sort of all of them before the first. */
static void test_dead_plan(void **state)
{
	struct fixture *fixture = *state;
	struct delivery_fixture made = make_clean(fixture->store);
	struct dead dead = { 0 };
	struct pending pending = { 0 };
	int64_t after = 0, behind = 0;
	size_t before = fixture->store->statement_count;

	OK(store_dead_list(fixture->store, &(struct store_dead_filter){ .dropped = true }, 1, note_dead, &dead, err));
	OK(store_dead_revive(fixture->store, made.dc1, 1, &after, NULL, err));
	assert_int_equal(fixture->store->statement_count - before, 2);
	for (size_t i = before; i < before + 2; i++)
		assert_int_equal(check_plan(fixture->store, fixture->store->statements[i].sql, "delivery_dead"), 1);
	/* Nor do the steps through all that is pending: they walk along the rows. */
	OK(store_pending_step(fixture->store, &behind, note_pending, &pending, err));
	assert_int_equal(fixture->store->statement_count - before, 4);
	assert_int_equal(check_plan(fixture->store, fixture->store->statements[before + 3].sql, "PRIMARY KEY (zone_id>"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_save_and_load, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_add, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_inflight_rests, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_impossible_row, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_due_order, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_due_next, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_parked, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_counts, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_revive, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_clamp, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_register, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_register_all, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_register_many, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_pending, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_dead, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_plans, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_dead_plan, fixture_open, fixture_remove),
	};

	return cmocka_run_group_tests_name("store deliveries", tests, NULL, NULL);
}
