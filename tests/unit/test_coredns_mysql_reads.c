/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a delivery reads depends on its zones, not on how many others the database holds. */
#include "test_coredns_mysql_util.h"

enum { HELD = 400, RECORDS = 10 };

static uint64_t rows_read(void)
{
	return strtoull(ask("SELECT SUM(variable_value) FROM information_schema.global_status WHERE variable_name IN "
			    "('HANDLER_READ_FIRST', 'HANDLER_READ_NEXT', 'HANDLER_READ_RND_NEXT', 'HANDLER_READ_LAST', "
			    "'HANDLER_READ_PREV')"),
		NULL, 10);
}

/* What asking reads itself: the tables of the server's variables. */
static uint64_t rows_read_by_asking(void)
{
	uint64_t first = rows_read();

	return rows_read() - first;
}

static void fill(struct fixture *fixture)
{
	struct backend_item items[HELD];
	char names[HELD][32];

	for (unsigned i = 0; i < HELD; i++) {
		snprintf(names[i], sizeof(names[i]), "h%u.test.", i);
		items[i] = (struct backend_item){ .name = names[i], .generation = 1,
			.zone = make_big_zone(names[i], RECORDS, 1) };
	}
	fixture->backend->ops->apply(fixture->backend, items, HELD);
	for (size_t i = 0; i < HELD; i++) {
		assert_ok(items[i]);
		zone_unref(items[i].zone);
	}
	sql("ANALYZE TABLE zones, records, zonefan_state");
}

static void apply_and_count(struct fixture *fixture, struct backend_item *items, size_t count, const char *what)
{
	uint64_t own = rows_read_by_asking();
	uint64_t before = rows_read();

	fixture->backend->ops->apply(fixture->backend, items, count);
	uint64_t read = rows_read() - before - own;
	for (size_t i = 0; i < count; i++) {
		assert_ok(items[i]);
		zone_unref(items[i].zone);
	}
	/* One look at all records would be more. */
	if (read >= HELD * RECORDS)
		fail_msg("%s: %d rows read", what, (int)read);
}

static struct backend_item item_of(const char *name, uint64_t generation, unsigned content)
{
	return (struct backend_item){ .name = name, .generation = generation,
		.zone = content == 0 ? NULL : make_big_zone(name, RECORDS, content) };
}

static void test_reads(void **state)
{
	struct fixture *fixture = *state;
	struct backend_item items[5];

	fill(fixture);
	items[0] = item_of("new1.test.", 1, 1);
	items[1] = item_of("new2.test.", 1, 1);
	apply_and_count(fixture, items, 2, "new zones");
	items[0] = item_of("h1.test.", 2, 2);
	items[1] = item_of("h300.test.", 2, 2);
	apply_and_count(fixture, items, 2, "changes");
	items[0] = item_of("h2.test.", 1, 1);
	items[0].check = true;
	apply_and_count(fixture, items, 1, "a check");
	items[0] = item_of("h3.test.", 2, 0);
	apply_and_count(fixture, items, 1, "a delete");
	items[0] = item_of("new3.test.", 1, 1);
	items[1] = item_of("h4.test.", 2, 2);
	items[2] = item_of("h5.test.", 2, 0);
	items[3] = item_of("h6.test.", 1, 1);
	items[3].check = true;
	items[4] = item_of("new4.test.", 1, 1);
	apply_and_count(fixture, items, 5, "all of them");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_reads, setup, teardown),
	};

	return cmocka_run_group_tests_name("coredns_mysql reads", tests, group_setup, group_teardown);
}
