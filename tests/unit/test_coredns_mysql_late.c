/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A zonefand that goes while the server is busy with its last packet, which ends with COMMIT: the server carries on with
 * that, and the next one must not be undone by it.
 */
#include "test_coredns_mysql_util.h"

struct packet {
	struct backend *backend;
	struct backend_item item;
};

static void *apply_packet(void *arg)
{
	struct packet *packet = arg;

	packet->backend->ops->apply(packet->backend, &packet->item, 1);
	return NULL;
}

/* Generation 5 is late; generation 6 comes by another connection meanwhile, and is the one that stands in the end. */
static void run_late(struct fixture *fixture, const char *table, struct zone *late, struct zone *newer)
{
	struct packet packet = { .backend = make_backend(fixture, OUR_STORE),
		.item = { .name = "late.test.", .generation = 5, .zone = late } };
	struct err err = { 0 };
	pthread_t thread;

	assert_int_equal(fixture->backend->ops->ping(fixture->backend, &err), BACKEND_OK);
	assert_int_equal(packet.backend->ops->ping(packet.backend, &err), BACKEND_OK);
	/* Slow for the first one alone. */
	sql("CREATE TRIGGER slow BEFORE INSERT ON %s FOR EACH ROW BEGIN DECLARE x INT; "
	    "IF @@pseudo_thread_id = %lu THEN SET x = SLEEP(3); END IF; END",
		table, ((struct target *)packet.backend)->link.thread_id);
	assert_int_equal(pthread_create(&thread, NULL, apply_packet, &packet), 0);
	wait_for("SELECT COUNT(*) FROM information_schema.processlist WHERE state = 'User sleep'");
	packet.backend->ops->cancel(packet.backend);
	assert_int_equal(pthread_join(thread, NULL), 0);
	packet.backend->ops->destroy(packet.backend);
	assert_int_equal(packet.item.verdict, BACKEND_DOWN);
	assert_ok(save(fixture, "late.test.", newer, 6));
	wait_for("SELECT COUNT(*) = 0 FROM information_schema.processlist WHERE state = 'User sleep'");
	wait_for("SELECT COUNT(*) = 0 FROM information_schema.innodb_trx");
	assert_int_equal(count("SELECT generation FROM zonefan_state WHERE zone_name = 'late.test.'"), 6);
	assert_int_equal(count("SELECT deleted FROM zonefan_state WHERE zone_name = 'late.test.'"), newer == NULL);
	assert_int_equal(count("SELECT COUNT(*) FROM zones WHERE zone_name = 'late.test.'"), newer != NULL);
	if (newer != NULL)
		assert_rows("late.test.", newer);
	else
		assert_int_equal(count("SELECT COUNT(*) FROM records"), 0);
	sql("DROP TRIGGER slow");
}

static void test_late_save(void **state)
{
	struct zone *zone = make_zone("late.test.", "www 60 IN A 192.0.2.1\n");

	run_late(*state, "zones", zone, NULL);
	zone_unref(zone);
}

static void test_late_delete(void **state)
{
	struct zone *zone = make_zone("late.test.", "www 60 IN A 192.0.2.1\n");

	run_late(*state, "zonefan_state", NULL, zone);
	zone_unref(zone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_late_save, setup, teardown),
		cmocka_unit_test_setup_teardown(test_late_delete, setup, teardown),
	};

	return cmocka_run_group_tests_name("coredns_mysql late", tests, group_setup, group_teardown);
}
