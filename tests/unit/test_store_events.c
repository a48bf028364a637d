/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test_store_help.h"

#include "base/buf.h"
#include "store/audit.h"
#include "store/db.h"

static const int64_t day_us = INT64_C(86400) * 1000000;

static void add(struct store *store, int64_t at_us, const char *kind, const char *zone, const char *backend)
{
	struct store_event event = {
		.at_us = at_us,
		.kind = kind,
		.zone = zone,
		.backend = backend,
		.source = zone == NULL ? NULL : "192.0.2.1",
		.detail = backend == NULL ? NULL : "it is so",
	};

	OK(store_event_add(store, &event, err));
}

struct seen {
	char kinds[512];
	int64_t last;
	int stop_after;
	int count;
};

static bool note(void *ctx, const struct store_event *event)
{
	struct seen *seen = ctx;

	assert_true(seen->last == 0 || event->id < seen->last);
	seen->last = event->id;
	if (seen->count < 20) {
		strcat(seen->kinds, event->kind);
		strcat(seen->kinds, " ");
	}
	assert_int_equal(event->zone == NULL, event->source == NULL);
	assert_int_equal(event->backend == NULL, event->detail == NULL);
	return ++seen->count != seen->stop_after;
}

static void expect(struct store *store, int64_t before, size_t limit, const char *zone, const char *backend,
	const char *kinds)
{
	struct seen seen = { 0 };

	OK(store_event_list(store, before, limit, zone, backend, note, &seen, err));
	assert_string_equal(seen.kinds, kinds);
}

static void test_list(void **state)
{
	struct fixture *fixture = *state;
	struct store *store = fixture->store;
	struct seen seen = { .stop_after = 2 };

	add(store, 10, "k1", "a.test.", "dc1");
	add(store, 11, "k2", "b.test.", "dc1");
	add(store, 12, "k3", "a.test.", NULL);
	add(store, 13, "k4", NULL, "dc2");
	add(store, 14, "k5", "a.test.", "dc2");
	expect(store, INT64_MAX, 10, NULL, NULL, "k5 k4 k3 k2 k1 ");
	expect(store, INT64_MAX, 2, NULL, NULL, "k5 k4 ");
	expect(store, 3, 10, NULL, NULL, "k2 k1 ");
	expect(store, INT64_MAX, 10, "a.test.", NULL, "k5 k3 k1 ");
	expect(store, 5, 1, "a.test.", NULL, "k3 ");
	expect(store, INT64_MAX, 10, NULL, "dc1", "k2 k1 ");
	expect(store, INT64_MAX, 10, "a.test.", "dc2", "k5 ");
	expect(store, INT64_MAX, 10, "c.test.", NULL, "");
	OK(store_event_list(store, INT64_MAX, 10, NULL, NULL, note, &seen, err));
	assert_int_equal(seen.count, 2);
}

static bool append(void *ctx, const struct store_event *event)
{
	buf_printf(ctx, "%lld%s ", (long long)event->id, event->kind);
	return true;
}

static void expect_audit(struct store *store, struct store_audit audit, size_t limit, const char *expected)
{
	struct buf seen = { 0 };

	OK(store_audit_list(store, &audit, limit, append, &seen, err));
	assert_string_equal(seen.data == NULL ? "" : seen.data, expected);
	buf_free(&seen);
}

/* Backwards for people, forwards for who follows; each of a zone, of a kind, of both. */
static void test_audit(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	struct store_event full = { .at_us = 9, .kind = "push", .zone = "a.test", .source = "192.0.2.1", .detail = "serial 1",
		.actor = "panel", .push_id = "0a0b0c0d-1" };

	expect_audit(store, (struct store_audit){ 0 }, 10, "");
	OK(store_event_add(store, &full, err));
	add(store, 10, "frozen", "a.test", NULL);
	add(store, 11, "push", "b.test", NULL);
	add(store, 12, "push", "a.test", NULL);
	expect_audit(store, (struct store_audit){ 0 }, 3, "4push 3push 2frozen ");
	expect_audit(store, (struct store_audit){ .before = 3, .kind = "push" }, 3, "1push ");
	expect_audit(store, (struct store_audit){ .zone = "a.test" }, 10, "4push 2frozen 1push ");
	expect_audit(store, (struct store_audit){ .zone = "a.test", .kind = "push" }, 10, "4push 1push ");
	expect_audit(store, (struct store_audit){ .after = 1 }, 2, "2frozen 3push ");
	expect_audit(store, (struct store_audit){ .after = 1, .kind = "push" }, 10, "3push 4push ");
	expect_audit(store, (struct store_audit){ .after = 1, .zone = "a.test" }, 10, "2frozen 4push ");
	expect_audit(store, (struct store_audit){ .after = 4 }, 10, "");
}

static int64_t rows(struct store *store)
{
	int64_t count = -1;

	OK(db_fetch_int(store, "SELECT count(*) FROM event", &count, err));
	return count;
}

static void test_prune_by_age(void **state)
{
	uint64_t pruned;
	struct fixture *fixture = *state;
	struct store *store = fixture->store;
	int64_t now = 1000 * day_us;

	OK(store_begin(store, err));
	/* Written while the clock was ahead: it must not keep the others. */
	add(store, now + 500 * day_us, "future", NULL, NULL);
	for (int i = 0; i < 2500; i++)
		add(store, now - 91 * day_us + i, "old", NULL, NULL);
	add(store, now - 90 * day_us, "just", NULL, NULL);
	add(store, now, "new", NULL, NULL);
	OK(store_commit(store, err));
	OK(store_prune(store, now, &pruned, err));
	assert_int_equal(rows(store), 1503);
	OK(store_prune(store, now, &pruned, err));
	assert_int_equal(rows(store), 503);
	OK(store_prune(store, now, &pruned, err));
	assert_int_not_equal(pruned, 0);
	OK(store_prune(store, now, &pruned, err));
	assert_int_equal(pruned, 0);
	expect(store, INT64_MAX, 10, NULL, NULL, "new just future ");
}

static void test_prune_by_number(void **state)
{
	uint64_t pruned;
	struct fixture *fixture = *state;
	struct store *store = fixture->store;

	OK(db_exec(store,
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1001500)"
		" INSERT INTO event (at, kind) SELECT i, 'k' FROM n", err));
	assert_int_equal(rows(store), 1001500);
	OK(store_prune(store, 1, &pruned, err));
	assert_int_equal(rows(store), 1000500);
	OK(store_prune(store, 1, &pruned, err));
	assert_int_equal(rows(store), 1000000);
	OK(store_prune(store, 1, &pruned, err));
	assert_int_equal(rows(store), 1000000);
	struct seen seen = { 0 };
	OK(store_event_list(store, 1502, 10, NULL, NULL, note, &seen, err));
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.last, 1501);
}

/* A pause has no other record: it must not be forgotten because it is long ago. */
static void test_a_pause_in_force_stays(void **state)
{
	uint64_t pruned;
	struct fixture *fixture = *state;
	struct store *store = fixture->store;
	int64_t now = 1000 * day_us;

	add(store, 1, "lane_paused", NULL, "dc1");
	add(store, 2, "lane_paused", NULL, "dc2");
	add(store, 3, "lane_resumed", NULL, "dc2");
	add(store, 4, "lane_up", NULL, "dc1");
	OK(store_prune(store, now, &pruned, err));
	expect(store, INT64_MAX, 10, NULL, NULL, "lane_paused ");
	OK(store_prune(store, now, &pruned, err));
	assert_int_equal(pruned, 0);
	OK(db_exec(store,
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000500)"
		" INSERT INTO event (at, kind) SELECT 900 * 86400000000, 'k' FROM n", err));
	OK(store_prune(store, 1, &pruned, err));
	OK(store_prune(store, 1, &pruned, err));
	assert_int_equal(pruned, 0);
	expect(store, 3, 10, NULL, "dc1", "lane_paused ");
	add(store, now, "lane_resumed", NULL, "dc1");
	OK(store_prune(store, 1, &pruned, err));
	expect(store, 3, 10, NULL, "dc1", "");
}

static void test_a_pause_ends_with_its_back_end(void **state)
{
	struct fixture *fixture = *state;
	struct store *store = fixture->store;
	uint64_t pruned;

	add(store, 1, "lane_paused", NULL, "dc1");
	add(store, 2, "retired", NULL, "dc1");
	OK(store_prune(store, 1000 * day_us, &pruned, err));
	assert_int_equal(pruned, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_list, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_audit, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_prune_by_age, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_prune_by_number, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_a_pause_in_force_stays, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_a_pause_ends_with_its_back_end, fixture_open, fixture_remove),
	};

	return cmocka_run_group_tests_name("store events", tests, NULL, NULL);
}
