/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Version vectors: order, merge, text, bounds; and what decides where they do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "sched/version.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "cccccccccccccccccccccccccccccccc"

static struct version of(uint64_t a, uint64_t b, uint64_t c)
{
	struct version version = { 0 };
	struct err err;

	assert_int_equal(version_set(&version, C, c, 7, &err), ERR_OK);
	assert_int_equal(version_set(&version, A, a, 7, &err), ERR_OK);
	assert_int_equal(version_set(&version, B, b, 7, &err), ERR_OK);
	return version;
}

static void assert_order(struct version a, struct version b, enum version_order expected)
{
	static const enum version_order turned[] = { [VERSION_EQUAL] = VERSION_EQUAL, [VERSION_OLDER] = VERSION_NEWER,
		[VERSION_NEWER] = VERSION_OLDER, [VERSION_CONCURRENT] = VERSION_CONCURRENT };

	assert_int_equal(version_compare(&a, &b), expected);
	assert_int_equal(version_compare(&b, &a), turned[expected]);
}

static void who_knows_more_is_newer(void **state)
{
	(void)state;
	assert_order(of(0, 0, 0), of(0, 0, 0), VERSION_EQUAL);
	assert_order(of(1, 2, 3), of(1, 2, 3), VERSION_EQUAL);
	assert_order(of(1, 0, 0), of(0, 0, 0), VERSION_NEWER);
	assert_order(of(1, 2, 3), of(1, 2, 4), VERSION_OLDER);
	assert_order(of(2, 2, 0), of(2, 1, 0), VERSION_NEWER);
	assert_order(of(1, 0, 0), of(0, 1, 0), VERSION_CONCURRENT);
	assert_order(of(2, 1, 7), of(1, 2, 7), VERSION_CONCURRENT);
}

static void a_merge_knows_what_both_know(void **state)
{
	struct rng rng = { .state = 19 };
	struct err err;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		struct version a = of((uint64_t)rng_between(&rng, 0, 3), (uint64_t)rng_between(&rng, 0, 3), (uint64_t)rng_between(&rng, 0, 3));
		struct version b = of((uint64_t)rng_between(&rng, 0, 3), (uint64_t)rng_between(&rng, 0, 3), (uint64_t)rng_between(&rng, 0, 3));
		struct version ab = a, ba = b;

		assert_int_equal(version_merge(&ab, &b, &err), ERR_OK);
		assert_int_equal(version_merge(&ba, &a, &err), ERR_OK);
		assert_order(ab, ba, VERSION_EQUAL);
		assert_true(version_compare(&ab, &a) == VERSION_EQUAL || version_compare(&ab, &a) == VERSION_NEWER);
		assert_true(version_get(&ab, A) == version_get(&a, A) || version_get(&ab, A) == version_get(&b, A));
	}
}

static void a_number_that_was_given_twice_is_seen(void **state)
{
	struct version first = of(3, 1, 0), again = of(3, 0, 0), ours, theirs;
	struct err err;

	(void)state;
	assert_order(first, again, VERSION_NEWER);
	assert_int_equal(version_set(&again, A, 3, 9, &err), ERR_OK);
	assert_order(first, again, VERSION_CONCURRENT);
	ours = first;
	theirs = again;
	assert_int_equal(version_merge(&ours, &again, &err), ERR_OK);
	assert_int_equal(version_merge(&theirs, &first, &err), ERR_OK);
	assert_order(ours, theirs, VERSION_EQUAL);
	/* What was counted since is newer than both. */
	assert_int_equal(version_set(&again, A, 4, 1, &err), ERR_OK);
	assert_int_equal(version_tag(&again, A), 1);
	assert_order(of(3, 0, 0), again, VERSION_OLDER);
}

static void a_full_vector_takes_no_more_stores(void **state)
{
	struct version full = { 0 }, more = { 0 };
	struct err err;
	char id[VERSION_ID_SIZE];

	(void)state;
	for (int i = 0; i < VERSION_MOST; i++) {
		snprintf(id, sizeof(id), "%032x", i);
		assert_int_equal(version_set(&full, id, 1, 0, &err), ERR_OK);
	}
	assert_int_equal(version_set(&full, A, 1, 0, &err), ERR_LIMIT);
	assert_int_equal(version_set(&full, id, 2, 0, &err), ERR_OK);
	assert_int_equal(version_set(&more, A, 1, 0, &err), ERR_OK);
	assert_int_equal(version_set(&more, "00000000000000000000000000000000", 9, 0, &err), ERR_OK);
	assert_int_equal(version_merge(&full, &more, &err), ERR_LIMIT);
	assert_int_equal(version_get(&full, "00000000000000000000000000000000"), 1);
	assert_int_equal(version_set(&full, id, VERSION_COUNTER_MAX + 1, 0, &err), ERR_LIMIT);
}

static void its_text_can_be_read_again(void **state)
{
	struct version version = of(1, 0, VERSION_COUNTER_MAX), read;
	struct buf text = { 0 };
	struct err err;

	(void)state;
	version_print(&version, &text);
	assert_string_equal(text.data, A ":1:00000007," C ":4611686018427387904:00000007");
	assert_int_equal(version_parse(text.data, text.size, &read, &err), ERR_OK);
	assert_order(version, read, VERSION_EQUAL);
	assert_int_equal(version_parse("", 0, &read, &err), ERR_OK);
	assert_int_equal(read.count, 0);
	buf_free(&text);
}

static void a_hostile_text_is_refused(void **state)
{
	static const char *const bad[] = { ",", A, A ":", A ":1", A ":1:", A ":1:0000000", A ":1:000000000", A ":1:0000000G",
		A ":0:00000000", A ":01:00000000", A ":-1:00000000", A ":+1:00000000", A ":1 :00000000", " " A ":1:00000000",
		A ":1:00000000,", A ":1:00000000,,", A ":1:00000000" B ":1:00000000", B ":1:00000000," A ":1:00000000",
		A ":1:00000000," A ":2:00000000", A ":4611686018427387905:00000000", A ":99999999999999999999:00000000",
		A ":18446744073709551617:00000000", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA:1:00000000", "aaaa:1:00000000",
		A "a:1:00000000", "g" A ":1:00000000", A ":1:00000000;" B ":1:00000000" };
	struct buf many = { 0 };
	struct version read;
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (version_parse(bad[i], strlen(bad[i]), &read, &err) != ERR_INVALID)
			fail_msg("taken: %s", bad[i]);
	}
	assert_int_equal(version_parse(A ":1:00000000\0", sizeof(A ":1:00000000"), &read, &err), ERR_INVALID);
	for (int i = 0; i <= VERSION_MOST; i++)
		buf_printf(&many, "%s%032x:1:00000000", i == 0 ? "" : ",", i);
	assert_int_equal(version_parse(many.data, many.size, &read, &err), ERR_LIMIT);
	buf_free(&many);
}

static struct version_claim claim(int64_t seconds, uint32_t serial, bool deleted, uint64_t digest)
{
	return (struct version_claim){ .accepted_us = seconds * 1000000, .serial = serial, .deleted = deleted,
		.digest = { .count = 3, .high = digest, .low = 1 } };
}

static void assert_beats(struct version_claim winner, struct version_claim loser)
{
	assert_true(version_wins(&winner, &loser));
	assert_false(version_wins(&loser, &winner));
}

static void the_clock_decides_then_the_serial_then_the_content(void **state)
{
	(void)state;
	assert_beats(claim(106, 1, false, 1), claim(100, 9, false, 9));
	assert_beats(claim(106, 1, true, 1), claim(100, 9, false, 9));
	assert_beats(claim(106, 1, false, 1), claim(100, 9, true, 9));
	assert_beats(claim(100, 9, false, 1), claim(105, 1, false, 9));
	assert_beats(claim(100, 1, false, 1), claim(100, UINT32_MAX, false, 9)); /* the serial went round */
	assert_beats(claim(100, 5, true, 1), claim(105, 5, false, 9));
	assert_beats(claim(100, 5, false, 9), claim(105, 5, false, 1));
	/* Half the circle apart no serial is greater (RFC 1982 3.2): the content decides. */
	assert_beats(claim(100, 0, false, 9), claim(100, UINT32_C(0x80000000), false, 1));
}

static struct version_claim any_claim(struct rng *rng)
{
	int64_t seconds = rng_between(rng, 0, 12);
	uint32_t serial = (uint32_t)rng_between(rng, 0, 3) << 30;
	bool deleted = rng_between(rng, 0, 1) == 1;

	return claim(seconds, serial, deleted, (uint64_t)rng_between(rng, 0, 2));
}

static void both_sides_choose_alike(void **state)
{
	struct rng rng = { .state = 82 };

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct version_claim a = any_claim(&rng);
		struct version_claim b = any_claim(&rng);

		if (version_wins(&a, &b) && version_wins(&b, &a))
			fail_msg("both win");
		if (!version_wins(&a, &b) && !version_wins(&b, &a))
			assert_true(a.deleted == b.deleted && zone_digest_equal(&a.digest, &b.digest));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_knows_more_is_newer),
		cmocka_unit_test(a_merge_knows_what_both_know),
		cmocka_unit_test(a_number_that_was_given_twice_is_seen),
		cmocka_unit_test(a_full_vector_takes_no_more_stores),
		cmocka_unit_test(its_text_can_be_read_again),
		cmocka_unit_test(a_hostile_text_is_refused),
		cmocka_unit_test(the_clock_decides_then_the_serial_then_the_content),
		cmocka_unit_test(both_sides_choose_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
