/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Peers' answers: both forms, and whatever else may come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "sync/peer_form.h"

#define ID "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const char plain[] = " [ {\"domain\": \"a.example\", \"zone_updated_at\": \"2026-11-27T14:42:09.5\", \"hostname\": \"da1\","
	" \"username\": null}, {\"domain\": \"B.Example.\", \"zone_updated_at\": null}, {\"domain\": \"no name\","
	" \"zone_updated_at\": null, \"more\": [1, {}]} ]\n";
static const char versioned[] = "{\"store_id\": \"" ID "\", \"now\": 1790000000000000, \"next\": \"b.example\", \"zones\": [{"
	"\"domain\": \"a.example\", \"zone_updated_at\": \"2026-11-27T14:42:09.000001\", \"hostname\": \"da1\", \"username\": \"fred\","
	"\"deleted\": true, \"vector\": \"" ID ":7:0000000a\", \"origin\": \"" ID "\", \"digest\": \"" ID "\", \"records\": 3,"
	"\"serial\": 4294967295, \"generation\": 7}]}";

static int read_list(const char *text, size_t size, struct peer_form *form, struct err *err)
{
	struct buf body = { 0 };

	buf_append(&body, text, size);
	int ret = peer_form_list(&body, form, err);
	buf_free(&body);
	return ret;
}

static void both_forms_are_read(void **state)
{
	struct peer_form form;
	struct err err;

	(void)state;
	assert_int_equal(read_list(plain, strlen(plain), &form, &err), ERR_OK);
	assert_false(form.versioned);
	assert_int_equal(form.count, 2);
	assert_int_equal(form.skipped, 1);
	assert_string_equal(form.zones[0].hostname, "da1");
	assert_null(form.zones[0].username);
	assert_int_equal(form.zones[0].accepted_us, INT64_C(1795790529500000));
	assert_int_equal(form.zones[1].accepted_us, 0);
	assert_null(form.next);
	peer_form_clear(&form);
	assert_int_equal(read_list(versioned, strlen(versioned), &form, &err), ERR_OK);
	assert_true(form.versioned);
	assert_string_equal(form.store_id, ID);
	assert_string_equal(form.next, "b.example");
	assert_true(form.zones[0].deleted);
	assert_int_equal(form.zones[0].serial, UINT32_MAX);
	assert_int_equal(form.zones[0].accepted_us % 1000000, 1);
	peer_form_clear(&form);
	assert_int_equal(read_list("[]", 2, &form, &err), ERR_OK);
	assert_int_equal(form.count, 0);
	peer_form_clear(&form);
}

/* At whatever byte it ends, it is not taken for the whole. */
static void a_cut_answer_is_refused(void **state)
{
	static const char *const answers[] = { plain, versioned };
	struct peer_form form;
	struct err err;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		size_t whole = strlen(answers[i]) - (i == 0 ? 1 : 0); /* a line's end more or less is nothing */

		for (size_t size = 0; size < whole; size++) {
			if (read_list(answers[i], size, &form, &err) == ERR_OK)
				fail_msg("taken: %.*s", (int)size, answers[i]);
			peer_form_clear(&form);
		}
	}
}

static void any_bytes_do_no_harm(void **state)
{
	struct rng rng = { .state = 47 };
	char text[sizeof(versioned)];
	struct peer_form form;
	struct err err;
	struct buf body = { 0 };

	(void)state;
	for (int i = 0; i < 20000; i++) {
		const char *from = i % 2 == 0 ? plain : versioned;
		size_t size = strlen(from);

		memcpy(text, from, size);
		for (int64_t k = rng_between(&rng, 1, 4); k > 0; k--)
			text[rng_between(&rng, 0, (int64_t)size - 1)] = i % 3 == 0 ? (char)rng_between(&rng, 0, 255) :
				from[rng_between(&rng, 0, (int64_t)size - 1)];
		buf_clear(&body);
		buf_append(&body, text, size);
		(void)!peer_form_list(&body, &form, &err);
		peer_form_clear(&form);
		(void)!peer_form_zone(&body, &form, &err);
		peer_form_clear(&form);
	}
	buf_free(&body);
}

static void a_stamp_is_a_time_in_utc_since_1970(void **state)
{
	static const char *const bad[] = { "", "yesterday", "2026-11-27", "2026-11-27T14:42:09.", "2026-11-27T14:42:09.0000000000",
		"2026-11-27T14:42:09+13:00", "2026-11-27T14:42:09 x", "1969-12-31T23:59:59", "2026-13-01T00:00:00", "-0001-01-01T00:00:00" };
	int64_t at_us;
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (peer_form_stamp(bad[i], &at_us, &err) != ERR_INVALID)
			fail_msg("taken: %s", bad[i]);
	}
	assert_int_equal(peer_form_stamp("1970-01-01T00:00:00.000001", &at_us, &err), ERR_OK);
	assert_int_equal(at_us, 1);
	assert_int_equal(peer_form_stamp("2106-02-07 06:28:16+00:00", &at_us, &err), ERR_OK);
	assert_int_equal(at_us, INT64_C(4294967296000000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_forms_are_read),
		cmocka_unit_test(a_cut_answer_is_refused),
		cmocka_unit_test(any_bytes_do_no_harm),
		cmocka_unit_test(a_stamp_is_a_time_in_utc_since_1970),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
