/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whose a zone is, and whether it is missing: every pair of owner and claimant. And what was fetched in vain. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "sync/mirror.h"
#include "sync/tried.h"

static const struct mirror_master both[] = { { .known = true }, { .known = true } };
static const struct mirror_master first_known[] = { { .known = true }, { .known = false } };
static const struct mirror_master odd[] = { { .known = true, .odd_names = true }, { .known = true } };

static void test_every_pair(void **state UNUSED)
{
	static const struct {
		int owner, claimant;
		enum mirror_verdict both, first_known;
	} cases[] = {
		{ 0, 0, MIRROR_KEPT, MIRROR_KEPT },
		{ 0, 1, MIRROR_MOVED, MIRROR_LEFT },
		{ 0, MIRROR_NOBODY, MIRROR_MISSING, MIRROR_MISSING },
		{ 0, MIRROR_SEVERAL, MIRROR_CONTESTED, MIRROR_CONTESTED },
		{ 1, MIRROR_NOBODY, MIRROR_MISSING, MIRROR_LEFT },
		{ 1, 0, MIRROR_MOVED, MIRROR_LEFT },
		{ MIRROR_NOBODY, MIRROR_NOBODY, MIRROR_LEFT, MIRROR_LEFT },
		{ MIRROR_NOBODY, 0, MIRROR_MOVED, MIRROR_LEFT },
		{ MIRROR_NOBODY, MIRROR_SEVERAL, MIRROR_CONTESTED, MIRROR_CONTESTED },
		{ MIRROR_OTHER, MIRROR_NOBODY, MIRROR_LEFT, MIRROR_LEFT },
		{ MIRROR_OTHER, 0, MIRROR_LEFT, MIRROR_LEFT },
		{ 0, MIRROR_FOREIGN, MIRROR_LEFT, MIRROR_LEFT },
		{ MIRROR_NOBODY, MIRROR_FOREIGN, MIRROR_LEFT, MIRROR_LEFT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int owner = cases[i].owner, claimant = cases[i].claimant;

		if (mirror_judge(owner, claimant, false, both, 2) != cases[i].both ||
			mirror_judge(owner, claimant, false, first_known, 2) != cases[i].first_known)
			fail_msg("owner %d, claimant %d", owner, claimant);
	}
}

/* A name that could not be read may be ours in letters. */
static void test_idn(void **state UNUSED)
{
	assert_int_equal(mirror_judge(0, MIRROR_NOBODY, true, odd, 2), MIRROR_LEFT);
	assert_int_equal(mirror_judge(0, MIRROR_NOBODY, false, odd, 2), MIRROR_MISSING);
	assert_int_equal(mirror_judge(0, MIRROR_NOBODY, true, both, 2), MIRROR_MISSING);
}

static void test_all(void **state UNUSED)
{
	struct mirror mirror = { 0 };
	struct claims claims = { 0 };

	mirror_add(&mirror, "a.example.", &(struct mirror_zone){ .owner = 0, .generation = 7 });
	mirror_add(&mirror, "b.example.", &(struct mirror_zone){ .owner = 0 });
	mirror_add(&mirror, "c.example.", &(struct mirror_zone){ .owner = 0, .deleted = true });
	mirror_add(&mirror, "d.example.", &(struct mirror_zone){ .owner = 1 });
	claims_add(&claims, "a.example.", 0);
	claims_add(&claims, "d.example.", 0);
	claims_add(&claims, "d.example.", 1);
	claims_add(&claims, "e.example.", 1);
	claims_add_foreign(&claims, "e.example.");
	claims_add(&claims, "e.example.", 1);
	claims_add_foreign(&claims, "g.example.");
	claims_add_foreign(&claims, "h.example.");
	claims_add(&claims, "h.example.", 0);
	mirror_judge_all(&mirror, &claims, both, 2);
	assert_int_equal(mirror_find(&mirror, "a.example.")->verdict, MIRROR_KEPT);
	assert_int_equal(mirror_find(&mirror, "a.example.")->generation, 7);
	assert_int_equal(mirror_find(&mirror, "b.example.")->verdict, MIRROR_MISSING);
	assert_int_equal(mirror_find(&mirror, "c.example.")->verdict, MIRROR_LEFT);
	assert_int_equal(mirror_find(&mirror, "d.example.")->verdict, MIRROR_CONTESTED);
	assert_null(mirror_find(&mirror, "e.example."));
	assert_int_equal(claims_of(&claims, "e.example."), 1);
	assert_int_equal(claims_of(&claims, "f.example."), MIRROR_NOBODY);
	assert_int_equal(claims_of(&claims, "g.example."), MIRROR_FOREIGN);
	assert_int_equal(claims_of(&claims, "h.example."), 0);
	assert_string_equal(mirror_name(&mirror, mirror_find(&mirror, "b.example.")), "b.example.");
	mirror_free(&mirror);
	claims_free(&claims);
}

static void test_tried(void **state UNUSED)
{
	const int64_t day_ms = INT64_C(86400000);
	struct tried tried = { 0 };

	assert_false(tried_has_serial(&tried, "a.example.", 1, 0));
	tried_note(&tried, "a.example.", 1, "text", 4, 1000);
	tried_note(&tried, "b.example.", 2, NULL, 0, 1000);
	assert_true(tried_has_serial(&tried, "a.example.", 1, 1000 + day_ms - 1));
	assert_false(tried_has_serial(&tried, "a.example.", 1, 1000 + day_ms));
	assert_false(tried_has_serial(&tried, "a.example.", 2, 1000));
	assert_true(tried_has_text(&tried, "a.example.", "text", 4, 1000));
	assert_false(tried_has_text(&tried, "a.example.", "texts", 5, 1000));
	assert_false(tried_has_text(&tried, "a.example.", "text", 4, 1000 + day_ms));
	tried_note(&tried, "a.example.", 3, "new", 3, 2000);
	assert_false(tried_has_serial(&tried, "a.example.", 1, 2000));
	tried_forget(&tried, "a.example.");
	assert_false(tried_has_serial(&tried, "a.example.", 3, 2000));
	assert_true(tried_has_serial(&tried, "b.example.", 2, 2000));
	tried_free(&tried);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_pair),
		cmocka_unit_test(test_idn),
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_tried),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
