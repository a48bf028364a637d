/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "http/form.h"

static struct form parse(const char *text)
{
	struct form form = { 0 };
	struct err err;

	assert_int_equal(form_parse(&form, text, strlen(text), &err), 0);
	return form;
}

/* NULL: absent; "!": an error. */
static const char *value_of(const struct form *form, const char *key)
{
	const struct form_field *field;
	struct err err;

	if (form_get(form, key, &field, &err) != 0)
		return "!";
	return field != NULL ? field->value : NULL;
}

static void test_decodes(void **state UNUSED)
{
	struct form form = parse("a=1&&b=x+y%2Bz%26%3d&c&=e&f==g&%61b=h&i=%e4%C3");

	assert_int_equal(form.count, 7);
	assert_string_equal(value_of(&form, "a"), "1");
	assert_string_equal(value_of(&form, "b"), "x y+z&=");
	assert_string_equal(value_of(&form, "c"), "");
	assert_string_equal(value_of(&form, ""), "e");
	assert_string_equal(value_of(&form, "f"), "=g");
	assert_string_equal(value_of(&form, "ab"), "h");
	assert_string_equal(value_of(&form, "i"), "\xe4\xc3");
	assert_null(value_of(&form, "A"));
	form_free(&form);
}

static void test_bad_escapes_spoil_their_field_only(void **state UNUSED)
{
	static const char *const bad[] = { "x=%", "x=%4", "x=%zz", "x=%4g", "x=a%0", "x=%00", "x=a%00b", "x=%%41" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char *text = xasprintf("a=1&%s&b=2", bad[i]);
		struct form form = parse(text);

		assert_string_equal(value_of(&form, "x"), "!");
		assert_string_equal(value_of(&form, "a"), "1");
		assert_string_equal(value_of(&form, "b"), "2");
		form_free(&form);
		free(text);
	}
}

static void test_nul_byte(void **state UNUSED)
{
	struct form form = { 0 };
	struct err err;

	assert_int_equal(form_parse(&form, "a=x\0y&b=1", 9, &err), 0);
	assert_string_equal(value_of(&form, "a"), "!");
	assert_string_equal(value_of(&form, "b"), "1");
	form_free(&form);
}

static void test_repeated_keys(void **state UNUSED)
{
	struct form form = parse("a=1&b=2&a=1&b=3&c=1&c=%");

	assert_string_equal(value_of(&form, "a"), "1");
	assert_string_equal(value_of(&form, "b"), "!");
	assert_string_equal(value_of(&form, "c"), "!");
	form_free(&form);
}

static void test_too_many_fields(void **state UNUSED)
{
	struct buf text = { 0 };
	struct form form = { 0 };
	struct err err;

	for (int i = 0; i < FORM_FIELDS_MAX; i++)
		buf_puts(&text, "a&");
	assert_int_equal(form_parse(&form, text.data, text.size, &err), 0);
	assert_int_equal(form.count, FORM_FIELDS_MAX);
	form_free(&form);
	buf_puts(&text, "a");
	assert_int_equal(form_parse(&form, text.data, text.size, &err), ERR_LIMIT);
	form_free(&form);
	buf_free(&text);
}

/* What form_encode writes, form_parse reads. */
static void test_round_trip(void **state UNUSED)
{
	struct rng rng = { .state = 3 };

	for (int round = 0; round < 2000; round++) {
		char value[40] = { 0 };
		int64_t size = rng_between(&rng, 0, 39);
		struct buf text = { 0 };
		struct form form;

		for (int64_t i = 0; i < size; i++)
			value[i] = (char)rng_between(&rng, 1, 255);
		buf_puts(&text, "v=");
		form_encode(&text, value);
		assert_int_equal(strspn(text.data, "v=ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+%"),
			text.size);
		form = parse(text.data);
		assert_string_equal(value_of(&form, "v"), value);
		form_free(&form);
		buf_free(&text);
	}
}

static void test_path(void **state UNUSED)
{
	char *text = form_decode_path("a%2Fb+c", 7);

	assert_string_equal(text, "a/b+c");
	free(text);
	assert_null(form_decode_path("a%2", 3));
	assert_null(form_decode_path("%00", 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decodes),
		cmocka_unit_test(test_bad_escapes_spoil_their_field_only),
		cmocka_unit_test(test_nul_byte),
		cmocka_unit_test(test_repeated_keys),
		cmocka_unit_test(test_too_many_fields),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_path),
	};

	return cmocka_run_group_tests_name("http_form", tests, NULL, NULL);
}
