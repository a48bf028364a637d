/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is written into the status page is harmless, whatever it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/hash.h"
#include "http/html.h"

static void assert_text(const char *text, const char *wanted)
{
	struct buf out = { 0 };

	buf_puts(&out, "");
	html_text(&out, text);
	if (strcmp(out.data, wanted) != 0)
		fail_msg("%s instead of %s", out.data, wanted);
	buf_free(&out);
}

#define MARK "\xef\xbf\xbd"

static void test_text(void **state UNUSED)
{
	assert_text(NULL, "");
	assert_text("shop.example", "shop.example");
	assert_text("<script>alert(\"1\" & '2')</script>",
		"&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;");
	assert_text("a\tb\nc", "a\tb\nc");
	assert_text("a\x1b[31mb\x7f\r", "a" MARK "[31mb" MARK MARK);
	assert_text("M\xc3\xbcller \xe2\x82\xac \xf0\x9f\x8c\x90", "M\xc3\xbcller \xe2\x82\xac \xf0\x9f\x8c\x90");
	assert_text("\xc2\x85", MARK);                        /* C1 */
	assert_text("\xe2\x80\xae" "elpmaxe", MARK "elpmaxe"); /* right-to-left override */
	assert_text("\xe2\x81\xa6x\xe2\x81\xa9", MARK "x" MARK);
	assert_text("\xe2\x80\x93", "\xe2\x80\x93");
}

static void test_no_utf8(void **state UNUSED)
{
	assert_text("\xff<", MARK "&lt;");
	assert_text("\xc3", MARK);
	assert_text("\xc3<b>", MARK "&lt;b&gt;"); /* a lead byte swallows no markup */
	assert_text("\xc0\xbc", MARK MARK);       /* overlong "<" */
	assert_text("\xe0\x80\xbc", MARK MARK MARK);
	assert_text("\xf0\x80\x80\xbc", MARK MARK MARK MARK);
	assert_text("\xed\xa0\x80", MARK MARK MARK); /* a surrogate */
	assert_text("\xf4\x90\x80\x80", MARK MARK MARK MARK);
	assert_text("\xf0\x9f\x8c", MARK MARK MARK);
	assert_text("\x80\xbf", MARK MARK);
}

/* Any bytes: what comes out is UTF-8, and no byte of it is markup. */
static void test_any_bytes(void **state UNUSED)
{
	for (int round = 0; round < 2000; round++) {
		char text[65] = "";
		struct buf out = { 0 };
		json_t *json;

		hash_random(text, sizeof(text) - 1);
		buf_puts(&out, "");
		html_text(&out, text);
		json = json_stringn(out.data, out.size);
		assert_non_null(json); /* jansson checks that it is UTF-8 */
		json_decref(json);
		assert_null(strpbrk(out.data, "<>\"'"));
		for (const char *mark = strchr(out.data, '&'); mark != NULL; mark = strchr(mark + 1, '&'))
			assert_non_null(memchr(mark, ';', 7));
		buf_free(&out);
	}
}

static void test_put(void **state UNUSED)
{
	struct buf out = { 0 };

	html_put(&out, "<a href=\"%s\">%s</a>", "/?zone=\"><b>", "a & b");
	assert_string_equal(out.data, "<a href=\"/?zone=&quot;&gt;&lt;b&gt;\">a &amp; b</a>");
	buf_clear(&out);
	html_put(&out, "%s", "100 %s");
	assert_string_equal(out.data, "100 %s");
	buf_free(&out);
}

static void test_count(void **state UNUSED)
{
	static const struct {
		uint64_t count;
		const char *wanted;
	} cases[] = { { 0, "0" }, { 7, "7" }, { 999, "999" }, { 1000, "1,000" }, { 12345, "12,345" }, { 123456, "123,456" },
		{ 1234567, "1,234,567" }, { UINT64_MAX, "18,446,744,073,709,551,615" } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct buf out = { 0 };

		html_count(&out, cases[i].count);
		assert_string_equal(out.data, cases[i].wanted);
		buf_free(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_no_utf8),
		cmocka_unit_test(test_any_bytes),
		cmocka_unit_test(test_put),
		cmocka_unit_test(test_count),
	};

	return cmocka_run_group_tests_name("http_html", tests, NULL, NULL);
}
