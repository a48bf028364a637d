/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test_store_help.h"

#include "store/db.h"

enum { ROWS_MAX = 1000, BIG = 16 << 20, HUGE_TEXT = (64 << 20) + 10 };

static struct store_rejected sample(const char *name, int64_t at_us, const char *text, size_t size)
{
	return (struct store_rejected){
		.name = name,
		.at_us = at_us,
		.source = "192.0.2.9",
		.hostname = "da1.example.net",
		.username = "bob",
		.error = "line 3: no such type: \"FOO\"",
		.text = text,
		.text_size = size,
	};
}

static int64_t add(struct store *store, const char *name, int64_t at_us, const char *text, size_t size)
{
	struct store_rejected rejected = sample(name, at_us, text, size);

	OK(store_rejected_add(store, &rejected, err));
	return rejected.id;
}

struct seen {
	char names[4096];
	int count;
	int64_t id;
	char *text;
	size_t size;
};

static bool note(void *ctx, const struct store_rejected *rejected)
{
	struct seen *seen = ctx;

	seen->count++;
	if (strlen(seen->names) + strlen(rejected->name) + 2 < sizeof(seen->names)) {
		strcat(seen->names, rejected->name);
		strcat(seen->names, " ");
	}
	seen->id = rejected->id;
	seen->size = rejected->text_size;
	assert_string_equal(rejected->hostname, "da1.example.net");
	assert_string_equal(rejected->username, "bob");
	assert_string_equal(rejected->source, "192.0.2.9");
	assert_string_equal(rejected->error, "line 3: no such type: \"FOO\"");
	assert_true(rejected->at_us > 0);
	if (rejected->text != NULL) {
		free(seen->text);
		seen->text = xmemdup(rejected->text, rejected->text_size);
	}
	return true;
}

static int64_t count_rows(struct store *store, const char *sql)
{
	int64_t rows = -1;

	OK(db_fetch_int(store, sql, &rows, err));
	return rows;
}

static void test_newest_per_zone(void **state)
{
	struct fixture *fixture = *state;
	const char odd[] = "bad\0zone\xff\r\n";
	struct seen seen = { 0 };

	int64_t first = add(fixture->store, "b.test.", 1, "first", 5);
	int64_t second = add(fixture->store, "a.test.", 2, "second", 6);
	int64_t third = add(fixture->store, "b.test.", 3, odd, sizeof(odd));
	assert_true(first < second && second < third);
	OK(store_rejected_list(fixture->store, "", 10, note, &seen, err));
	assert_string_equal(seen.names, "a.test. b.test. ");
	assert_null(seen.text);
	seen = (struct seen){ 0 };
	OK(store_rejected_list(fixture->store, "a.test.", 10, note, &seen, err));
	assert_string_equal(seen.names, "b.test. ");
	assert_int_equal(seen.id, third);
	assert_int_equal(seen.size, sizeof(odd));
	OK(store_rejected_get(fixture->store, "b.test.", note, &seen, err));
	assert_memory_equal(seen.text, odd, sizeof(odd));
	free(seen.text);
	OK(store_rejected_drop(fixture->store, "b.test.", err));
	OK(store_rejected_drop(fixture->store, "never.test.", err));
	FAILS(ERR_NOTFOUND, store_rejected_get(fixture->store, "b.test.", note, &seen, err));
	/* The texts go with their rows, and an id is never given twice. */
	assert_int_equal(count_rows(fixture->store, "SELECT count(*) FROM rejected_text"), 1);
	assert_true(add(fixture->store, "c.test.", 4, "", 0) > third);
	seen = (struct seen){ 0 };
	OK(store_rejected_get(fixture->store, "c.test.", note, &seen, err));
	assert_int_equal(seen.size, 0);
	assert_non_null(seen.text);
	free(seen.text);
}

static void test_row_bound(void **state)
{
	struct fixture *fixture = *state;
	struct seen seen = { 0 };
	char name[32];

	OK(store_begin(fixture->store, err));
	for (int i = 0; i < ROWS_MAX + 50; i++) {
		snprintf(name, sizeof(name), "z%05d.test.", i);
		add(fixture->store, name, i + 1, "x", 1);
	}
	OK(store_commit(fixture->store, err));
	OK(store_rejected_list(fixture->store, "", 10000, note, &seen, err));
	assert_int_equal(seen.count, ROWS_MAX);
	assert_int_equal(strncmp(seen.names, "z00050.test. ", 13), 0);
	assert_int_equal(count_rows(fixture->store, "SELECT count(*) FROM rejected_text"), ROWS_MAX);
}

static void test_size_bound(void **state)
{
	struct fixture *fixture = *state;
	char *text = xcalloc(1, HUGE_TEXT);
	struct seen seen = { 0 };

	add(fixture->store, "a.test.", 1, text, BIG);
	add(fixture->store, "b.test.", 2, text, BIG);
	add(fixture->store, "c.test.", 3, text, BIG);
	add(fixture->store, "d.test.", 4, text, BIG);
	OK(store_rejected_list(fixture->store, "", 10, note, &seen, err));
	assert_string_equal(seen.names, "a.test. b.test. c.test. d.test. ");
	add(fixture->store, "e.test.", 5, text, 1);
	seen = (struct seen){ 0 };
	OK(store_rejected_list(fixture->store, "", 10, note, &seen, err));
	assert_string_equal(seen.names, "b.test. c.test. d.test. e.test. ");
	/* One that is too large for itself is kept as far as it fits. */
	add(fixture->store, "f.test.", 6, text, HUGE_TEXT);
	seen = (struct seen){ 0 };
	OK(store_rejected_get(fixture->store, "f.test.", note, &seen, err));
	assert_int_equal(seen.size, 64 << 20);
	free(seen.text);
	assert_true(count_rows(fixture->store, "SELECT sum(length(text)) FROM rejected_text") <= 64 << 20);
	free(text);
}

static void test_damage(void **state)
{
	struct fixture *fixture = *state;
	struct seen seen = { 0 };

	add(fixture->store, "a.test.", 1, "text", 4);
	OK(db_exec(fixture->store, "UPDATE rejected_text SET text = x'74657875'", err));
	FAILS(ERR_CORRUPT, store_rejected_get(fixture->store, "a.test.", note, &seen, err));
	assert_int_equal(seen.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_newest_per_zone, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_row_bound, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_size_bound, fixture_open, fixture_remove),
		cmocka_unit_test_setup_teardown(test_damage, fixture_open, fixture_remove),
	};

	return cmocka_run_group_tests_name("store rejected", tests, NULL, NULL);
}
