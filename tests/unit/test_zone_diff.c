/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test_zone_util.h"

#include "base/rng.h"
#include "zone/diff.h"

enum { MOST = 12, ROUNDS = 100000 };

/* Few values, so that rows collide in every way. NULL is what a database may hold and nobody wants. */
static const char *const owners[] = { "@", "www", "WWW", NULL };
static const char *const types[] = { "A", "TXT", "a", NULL };
static const char *const datas[] = { "192.0.2.1", "192.0.2.2", "192.0.2.1 ", NULL };
static const char *const ttls[] = { "300", "3600", "0300", "-1", NULL };
static const char *const onlines[] = { "1", "0", NULL };

struct sets {
	struct diff_row have[MOST];
	size_t have_count;
	struct zone_record want[MOST];
	size_t want_count;
};

static size_t draw(struct rng *rng, size_t count)
{
	return (size_t)rng_between(rng, 0, (int64_t)count - 1);
}

static void fill(struct sets *sets, struct rng *rng)
{
	sets->have_count = draw(rng, MOST + 1);
	sets->want_count = draw(rng, MOST + 1);
	for (size_t i = 0; i < sets->have_count; i++) {
		bool odd = draw(rng, 4) == 0;

		sets->have[i] = (struct diff_row){
			.owner = owners[draw(rng, odd ? ARRAY_SIZE(owners) : 2)],
			.type = types[draw(rng, odd ? ARRAY_SIZE(types) : 2)],
			.data = datas[draw(rng, odd ? ARRAY_SIZE(datas) : 2)],
			.ttl = ttls[draw(rng, odd ? ARRAY_SIZE(ttls) : 2)],
			.online = onlines[draw(rng, odd ? ARRAY_SIZE(onlines) : 1)],
		};
	}
	for (size_t i = 0; i < sets->want_count; i++)
		sets->want[i] = (struct zone_record){
			.owner = owners[draw(rng, 2)],
			.type = types[draw(rng, 2)],
			.data = datas[draw(rng, 3)],
			.ttl = draw(rng, 2) == 0 ? 300 : 3600,
		};
}

static struct diff_row wanted_row(const struct zone_record *record)
{
	const char *ttl = record->ttl == 300 ? "300" : record->ttl == 3600 ? "3600" : NULL;

	assert_non_null(ttl);
	return (struct diff_row){ record->owner, record->type, record->data, ttl, "1" };
}

static bool same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_rrset(const struct diff_row *a, const struct diff_row *b)
{
	return same_text(a->owner, b->owner) && same_text(a->type, b->type);
}

static bool same_row(const struct diff_row *a, const struct diff_row *b)
{
	return same_rrset(a, b) && same_text(a->data, b->data) && same_text(a->ttl, b->ttl) &&
		same_text(a->online, b->online);
}

static size_t count_rows(const struct diff_row *rows, size_t count, const struct diff_row *row,
	bool (*same)(const struct diff_row *, const struct diff_row *))
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++)
		found += same(&rows[i], row);
	return found;
}

static bool is_first(const struct diff_row *rows, size_t i,
	bool (*same)(const struct diff_row *, const struct diff_row *))
{
	return count_rows(rows, i, &rows[i], same) == 0;
}

/*
 * The oracle, by counting alone: in an RRset, rows that are right can stay; each write mends at most one row that
 * is not right and at most one record that is missing, so the larger of the two numbers is what it takes.
 */
static size_t fewest_writes(const struct sets *sets, const struct diff_row *want, size_t *kept)
{
	struct diff_row all[2 * MOST];
	size_t count = sets->have_count + sets->want_count;
	size_t writes = 0;

	memcpy(all, sets->have, sets->have_count * sizeof(*all));
	memcpy(all + sets->have_count, want, sets->want_count * sizeof(*all));
	*kept = 0;
	for (size_t i = 0; i < count; i++) {
		size_t right = 0;

		if (!is_first(all, i, same_rrset))
			continue;
		for (size_t k = 0; k < count; k++) {
			if (!same_rrset(&all[k], &all[i]) || !is_first(all, k, same_row))
				continue;
			size_t a = count_rows(sets->have, sets->have_count, &all[k], same_row);
			size_t b = count_rows(want, sets->want_count, &all[k], same_row);
			right += a < b ? a : b;
		}
		size_t wrong = count_rows(sets->have, sets->have_count, &all[i], same_rrset) - right;
		size_t missing = count_rows(want, sets->want_count, &all[i], same_rrset) - right;
		writes += wrong > missing ? wrong : missing;
		*kept += right;
	}
	return writes;
}

/* Does what the operations say, as a database would, and checks that each row is touched once at most. */
static size_t apply(const struct sets *sets, const struct diff_row *want, const struct diff *diff, struct diff_row *out)
{
	bool touched[MOST] = { false };
	bool gone[MOST] = { false };
	bool used[MOST] = { false };
	struct diff_row rows[MOST];
	size_t count = 0;

	memcpy(rows, sets->have, sizeof(rows));
	for (size_t i = 0; i < diff->count; i++) {
		const struct diff_op *op = &diff->ops[i];

		if (op->kind != DIFF_INSERT) {
			assert_true(op->have < sets->have_count && !touched[op->have]);
			touched[op->have] = true;
		}
		if (op->kind != DIFF_DELETE) {
			assert_true(op->want < sets->want_count && !used[op->want]);
			used[op->want] = true;
		}
		if (op->kind == DIFF_UPDATE) {
			assert_true(same_rrset(&rows[op->have], &want[op->want]));
			assert_false(same_row(&rows[op->have], &want[op->want]));
			rows[op->have] = want[op->want];
		} else if (op->kind == DIFF_DELETE) {
			gone[op->have] = true;
		} else {
			out[count++] = want[op->want];
		}
	}
	for (size_t i = 0; i < sets->have_count; i++)
		if (!gone[i])
			out[count++] = rows[i];
	return count;
}

static void check_round(const struct sets *sets)
{
	struct diff_row want[MOST];
	struct diff_row result[2 * MOST];
	struct diff diff;
	size_t kept;

	for (size_t i = 0; i < sets->want_count; i++)
		want[i] = wanted_row(&sets->want[i]);
	diff_make(sets->have, sets->have_count, sets->want, sets->want_count, &diff);
	size_t count = apply(sets, want, &diff, result);
	assert_int_equal(count, sets->want_count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(count_rows(result, count, &want[i], same_row),
			count_rows(want, count, &want[i], same_row));
	assert_int_equal(diff.count, fewest_writes(sets, want, &kept));
	assert_int_equal(diff.kept, kept);
	for (size_t i = 1; i < diff.count; i++)
		assert_true(diff.ops[i - 1].kind <= diff.ops[i].kind);
	diff_free(&diff);
}

static void random_sets_become_what_is_wanted(void **state)
{
	struct rng rng = { 20260304 };
	struct sets sets = { 0 };

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		fill(&sets, &rng);
		check_round(&sets);
	}
}

static void nothing_to_do(void **state)
{
	struct diff diff;

	(void)state;
	diff_make(NULL, 0, NULL, 0, &diff);
	assert_int_equal(diff.count, 0);
	assert_int_equal(diff.kept, 0);
	diff_free(&diff);
}

static void an_unlike_ttl_or_online_is_mended_in_place(void **state)
{
	const struct diff_row have[] = {
		{ "www", "A", "192.0.2.2", "300", "1" },
		{ "www", "A", "192.0.2.1", "60", "1" },
		{ "www", "A", "192.0.2.3", "300", "0" },
	};
	const struct zone_record want[] = {
		{ "www", "A", "192.0.2.1", 300, 1 },
		{ "www", "A", "192.0.2.2", 300, 1 },
		{ "www", "A", "192.0.2.3", 300, 1 },
	};
	struct diff diff;

	(void)state;
	diff_make(have, 3, want, 3, &diff);
	assert_int_equal(diff.kept, 1);
	assert_int_equal(diff.count, 2);
	/* Each row keeps its data: the pairing prefers the same record. */
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(diff.ops[i].kind, DIFF_UPDATE);
		assert_string_equal(have[diff.ops[i].have].data, want[diff.ops[i].want].data);
	}
	diff_free(&diff);
}

static void of_doubled_rows_the_first_stays(void **state)
{
	const struct diff_row have[] = {
		{ "www", "A", "192.0.2.1", "300", "1" },
		{ "www", "A", "192.0.2.1", "300", "1" },
	};
	const struct zone_record want[] = { { "www", "A", "192.0.2.1", 300, 1 } };
	struct diff diff;

	(void)state;
	diff_make(have, 2, want, 1, &diff);
	assert_int_equal(diff.kept, 1);
	assert_int_equal(diff.count, 1);
	assert_int_equal(diff.ops[0].kind, DIFF_DELETE);
	assert_int_equal(diff.ops[0].have, 1);
	diff_free(&diff);
}

static void the_largest_ttl_fits(void **state)
{
	const struct diff_row have[] = { { "@", "A", "192.0.2.1", "4294967295", "1" } };
	const struct zone_record want[] = { { "@", "A", "192.0.2.1", UINT32_MAX, 1 } };
	struct diff diff;

	(void)state;
	diff_make(have, 1, want, 1, &diff);
	assert_int_equal(diff.kept, 1);
	assert_int_equal(diff.count, 0);
	diff_free(&diff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_to_do),
		cmocka_unit_test(an_unlike_ttl_or_online_is_mended_in_place),
		cmocka_unit_test(of_doubled_rows_the_first_stays),
		cmocka_unit_test(the_largest_ttl_fits),
		cmocka_unit_test(random_sets_become_what_is_wanted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
