/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A master's list: what is taken for complete, and all that is not (reliability.md 4.6). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "sync/da_list.h"

static const char json[] = "application/json";

static int add(struct da_list *list, const char *body)
{
	struct err err = { 0 };
	int ret = da_list_add(list, json, body, strlen(body), &err);

	assert_true(ret == ERR_OK || (ret == (int)err.code && err.text[0] != '\0'));
	return ret;
}

/* The verdict on a list of one page. */
static int judge(const char *body)
{
	struct da_list list = { 0 };
	struct err err;
	int ret = add(&list, body);

	if (ret == ERR_OK)
		ret = da_list_finish(&list, &err);
	da_list_free(&list);
	return ret;
}

static void test_a_complete_list(void **state UNUSED)
{
	struct da_list list = { 0 };
	struct err err;
	size_t at = 0;

	assert_int_equal(add(&list, "{\"0\":{\"domain\":\"Shop.example.\",\"local_data\":\"yes\"},"
		"\"1\":{\"domain\":\"b.example\",\"local_data\":\"no\"},\"2\":{\"domain\":\"it's.example\"},"
		"\"info\":{\"current_page\":\"1\",\"ipp\":\"3\",\"rows\":\"4\",\"total_pages\":\"2\"}}"), ERR_OK);
	assert_false(da_list_has_all_pages(&list));
	assert_int_equal(da_list_finish(&list, &err), ERR_INVALID);
	assert_int_equal(add(&list, "{\"3\":{\"domain\":\"c.example\"},\"info\":{\"rows\":4,\"total_pages\":2}}"), ERR_OK);
	assert_true(da_list_has_all_pages(&list));
	assert_int_equal(da_list_finish(&list, &err), ERR_OK);
	assert_int_equal(list.count, 2);
	assert_int_equal(list.foreign, 1);
	assert_int_equal(list.ignored, 1);
	assert_string_equal(da_list_next(&list.names, &at), "shop.example.");
	assert_string_equal(da_list_next(&list.names, &at), "c.example.");
	assert_null(da_list_next(&list.names, &at));
	at = 0;
	assert_string_equal(da_list_next(&list.foreign_names, &at), "b.example.");
	assert_null(da_list_next(&list.foreign_names, &at));
	da_list_free(&list);
}

static void test_what_is_odd(void **state UNUSED)
{
	static const char *const bodies[] = {
		"", "{}", "[]", "null", "7", "{\"info\":{}}", "{\"info\":{\"total_pages\":\"1\"}}",
		"{\"info\":{\"total_pages\":\"1\",\"rows\":\"0\"}}", "{\"0\":{\"domain\":\"a.example\"}}",
		"{\"0\":{\"domain\":\"a.example\"},\"info\":7}", "{\"0\":{\"domain\":\"a.example\"},\"info\":{\"total_pages\":\"0\"}}",
		"{\"0\":{\"domain\":\"a.example\"},\"info\":{\"total_pages\":\"x\"}}",
		"{\"0\":{\"domain\":\"a.example\"},\"info\":{\"total_pages\":\"-1\"}}",
		"{\"0\":{\"domain\":\"a.example\"},\"info\":{\"total_pages\":\"99999999999999999999\"}}",
		"{\"0\":{\"domain\":\"a.example\"},\"info\":{\"total_pages\":\"2\"}}",
		"{\"0\":{\"domain\":\"a.example\"},\"info\":{\"total_pages\":\"1\",\"rows\":\"2\"}}",
		"{\"0\":{\"domain\":\"a.example\"},\"info\":{\"total_pages\":\"1\",\"rows\":\"many\"}}",
		"{\"0\":{\"domain\":\"a.example\"},\"info\":{\"total_pages\":\"1\",\"current_page\":\"2\"}}",
		"{\"0\":{\"domain\":\"a.example\"},\"2\":{\"domain\":\"b.example\"},\"info\":{\"total_pages\":\"1\"}}",
		"{\"0\":{\"domain\":\"a.example\"},\"1\":{\"domain\":\"A.example.\"},\"info\":{\"total_pages\":\"1\"}}",
		"{\"0\":{\"domain\":\"a.example\"},\"0\":{\"domain\":\"b.example\"},\"info\":{\"total_pages\":\"1\"}}",
		"{\"0\":{\"domain\":7},\"info\":{\"total_pages\":\"1\"}}", "{\"0\":7,\"info\":{\"total_pages\":\"1\"}}",
		"{\"0\":{\"domain\":\"a.example\",\"local_data\":\"no\"},\"info\":{\"total_pages\":\"1\"}}",
		"{\"0\":{\"domain\":\"a b\"},\"info\":{\"total_pages\":\"1\"}}",
		"{\"error\":\"1\",\"0\":{\"domain\":\"a.example\"},\"info\":{\"total_pages\":\"1\"}}",
		"{\"0\":{\"domain\":\"a.example\"},\"info\":{\"total_pages\":\"1\"}} x", "list[]=a.example", "error=1&text=no",
	};

	assert_int_equal(judge("{\"0\":{\"domain\":\"a.example\"},\"info\":{\"total_pages\":\"1\"}}"), ERR_OK);
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		if (judge(bodies[i]) != ERR_INVALID)
			fail_msg("taken for complete: %s", bodies[i]);
	}
}

static void test_pages_that_do_not_fit_together(void **state UNUSED)
{
	static const char first[] = "{\"0\":{\"domain\":\"a.example\"},\"1\":{\"domain\":\"b.example\"},"
		"\"info\":{\"total_pages\":\"3\",\"rows\":\"5\"}}";
	static const char *const seconds[] = {
		first, "{\"info\":{\"total_pages\":\"3\",\"rows\":\"5\"}}",
		"{\"2\":{\"domain\":\"c.example\"},\"3\":{\"domain\":\"d.example\"},\"info\":{\"total_pages\":\"2\",\"rows\":\"5\"}}",
		"{\"2\":{\"domain\":\"c.example\"},\"3\":{\"domain\":\"d.example\"},\"info\":{\"total_pages\":\"3\",\"rows\":\"4\"}}",
		"{\"2\":{\"domain\":\"c.example\"},\"3\":{\"domain\":\"d.example\"},\"info\":{\"total_pages\":\"3\"}}",
		"{\"2\":{\"domain\":\"c.example\"},\"info\":{\"total_pages\":\"3\",\"rows\":\"5\"}}",
		"{\"2\":{\"domain\":\"c.example\"},\"3\":{\"domain\":\"d.example\"},\"4\":{\"domain\":\"e.example\"},"
		"\"info\":{\"total_pages\":\"3\",\"rows\":\"5\"}}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(seconds); i++) {
		struct da_list list = { 0 };

		assert_int_equal(add(&list, first), ERR_OK);
		if (add(&list, seconds[i]) != ERR_INVALID)
			fail_msg("taken as page 2: %s", seconds[i]);
		da_list_free(&list);
	}
}

static void test_web_pages(void **state UNUSED)
{
	static const char body[] = "{\"0\":{\"domain\":\"a.example\"},\"info\":{\"total_pages\":\"1\"}}";
	struct da_list list = { 0 };
	struct err err;

	assert_int_equal(da_list_add(&list, json, "\n <html>", 8, &err), ERR_DENIED);
	assert_int_equal(da_list_add(&list, "text/html", "log in", 6, &err), ERR_DENIED);
	assert_int_equal(da_list_add(&list, "text/html", "", 0, &err), ERR_DENIED);
	assert_int_equal(da_list_add(&list, "image/png", body, strlen(body), &err), ERR_INVALID);
	assert_int_equal(da_list_add(&list, NULL, body, strlen(body), &err), ERR_OK);
	da_list_free(&list);
}

/* However it is cut or bent: an error or a list, never anything else. */
static void test_damage(void **state UNUSED)
{
	static const char body[] = "{\"0\":{\"domain\":\"a.example\",\"local_data\":\"yes\"},\"1\":{\"domain\":\"b.example\"},"
		"\"info\":{\"current_page\":\"1\",\"ipp\":\"1000\",\"rows\":\"2\",\"total_pages\":\"1\"}}";
	struct rng rng = { .state = 11 };
	char bent[sizeof(body)];

	for (size_t size = 0; size < strlen(body); size++) {
		memcpy(bent, body, size);
		bent[size] = '\0';
		assert_int_equal(judge(bent), ERR_INVALID);
	}
	for (int i = 0; i < 20000; i++) {
		memcpy(bent, body, sizeof(body));
		for (int k = 0; k < 3; k++)
			bent[rng_next(&rng) % strlen(body)] = (char)(rng_next(&rng) % 255 + 1);
		int ret = judge(bent);
		assert_true(ret == ERR_OK || ret == ERR_INVALID || ret == ERR_DENIED);
	}
}

static void test_texts(void **state UNUSED)
{
	struct err err;

	assert_int_equal(da_judge_text("text/plain", "\n\n$TTL 1\n@ IN SOA", 17, &err), ERR_OK);
	assert_int_equal(da_judge_text(NULL, "@ SOA", 5, &err), ERR_OK);
	assert_int_equal(da_judge_text("text/plain", "", 0, &err), ERR_INVALID);
	assert_int_equal(da_judge_text("text/plain", "\n\n$TTL 1\n@ IN NS", 16, &err), ERR_INVALID);
	assert_int_equal(da_judge_text("text/plain", "\nerror=1&text=no SOA", 20, &err), ERR_INVALID);
	assert_int_equal(da_judge_text("text/html", "<html>SOA", 9, &err), ERR_DENIED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_complete_list),
		cmocka_unit_test(test_what_is_odd),
		cmocka_unit_test(test_pages_that_do_not_fit_together),
		cmocka_unit_test(test_web_pages),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
