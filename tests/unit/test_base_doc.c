/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/doc.h"

static void test_tree(void **state UNUSED)
{
	struct doc *root = doc_create();
	struct doc *list = doc_list(root, "zones");

	for (int i = 0; i < 3; i++)
		doc_int(doc_object(list, NULL), "generation", i);
	doc_bytes(root, "text", "a\0b", 3);
	doc_text(root, "none", NULL);
	doc_name(root, "name", "shop.example.");
	doc_name(root, "root", ".");

	assert_int_equal(doc_get(root, "zones")->kind, DOC_LIST);
	const struct doc *child = list->children;
	for (int i = 0; i < 3; i++, child = child->next)
		assert_int_equal(doc_get(child, "generation")->value.number, i);
	assert_null(child);
	assert_int_equal(doc_get(root, "text")->text_size, 3);
	assert_memory_equal(doc_get(root, "text")->value.text, "a\0b", 4);
	assert_int_equal(doc_get(root, "none")->kind, DOC_NULL);
	assert_string_equal(doc_get(root, "name")->value.text, "shop.example");
	assert_string_equal(doc_get(root, "root")->value.text, ".");
	assert_null(doc_get(root, "zone"));
	doc_destroy(root);
	doc_destroy(NULL);
}

static void test_adopt_and_copy(void **state UNUSED)
{
	struct doc *root = doc_create();
	struct doc *first = doc_create();
	struct doc *second = doc_create();

	doc_text(first, "url", "one");
	doc_text(second, "url", "two");
	assert_null(doc_adopt(root, "peers", first));
	doc_int(root, "behind", 1);
	struct doc *old = doc_adopt(root, "peers", second);
	assert_string_equal(doc_get(old, "url")->value.text, "one");
	doc_destroy(old);
	struct doc *copy = doc_copy(root);
	doc_destroy(root);
	assert_string_equal(doc_get(doc_get(copy, "peers"), "url")->value.text, "two");
	assert_int_equal(doc_get(copy, "behind")->value.number, 1);
	assert_string_equal(copy->last->key, "behind");
	doc_destroy(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_tree), cmocka_unit_test(test_adopt_and_copy) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
