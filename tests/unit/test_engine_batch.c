/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What goes with what to a lane that is behind: urgent zones first, a bad one in a great many. */
#include "test_engine_rig.h"

enum { MANY = 700 };

static void push_many(unsigned version)
{
	for (unsigned i = 0; i < MANY; i++) {
		char name[32];

		snprintf(name, sizeof(name), "many%u.example", i);
		push(name, version);
	}
}

static void await_many(void)
{
	for (unsigned i = 0; i < MANY; i++) {
		char name[32];

		snprintf(name, sizeof(name), "many%u.example", i);
		await_clean(name);
	}
}

static void all_go_down(void)
{
	for (size_t i = 0; i < TARGETS; i++)
		atomic_store(&rig.fates[i], MEMORY_DOWN);
	/* Each lane learns it from this one. */
	push("first.example", 2);
	for (size_t i = 0; i < TARGETS; i++)
		await_state("first.example", i, "held");
}

static void all_come_back(void)
{
	for (size_t i = 0; i < TARGETS; i++)
		atomic_store(&rig.fates[i], MEMORY_OK);
}

static void an_urgent_zone_goes_before_all_others(void **state)
{
	struct engine_request *urgent;

	(void)state;
	push("first.example", 1);
	await_clean("first.example");
	all_go_down();
	urgent = push_request("cert.example", text_of(1), "da1.example");
	urgent->urgent = true;
	assert_int_equal(ask_code(urgent), ERR_OK);
	push_many(1);
	await_state("cert.example", 0, "held");
	atomic_store(&rig.watched, "cert.example.");
	atomic_store(&rig.asked, 0);
	all_come_back();
	await_many();
	await_clean("cert.example");
	/* All others are newer, and the newest would go first. */
	assert_int_equal(atomic_load(&rig.watched_at), 1);
}

static void without_urgency_the_newest_goes_first(void **state)
{
	(void)state;
	/* Of two jobs at a time the later one may be the first to be carried out. */
	stop();
	rig.connections = 1;
	start();
	push("first.example", 1);
	await_clean("first.example");
	all_go_down();
	push("old.example", 1);
	push_many(1);
	await_state("old.example", 0, "held");
	atomic_store(&rig.watched, "old.example.");
	atomic_store(&rig.asked, 0);
	all_come_back();
	await_many();
	await_clean("old.example");
	assert_true(atomic_load(&rig.watched_at) > MANY);
}

/* However many urgent ones come: the others get their turns. */
static void urgent_zones_do_not_starve_the_others(void **state)
{
	bool clean = false;

	(void)state;
	stop();
	rig.connections = 1;
	start();
	push("first.example", 1);
	await_clean("first.example");
	atomic_store(&rig.slow_ms, 20);
	/* Something to be busy with while the first of them come. */
	push("busy.example", 1);
	push("plain.example", 1);
	/* Each is urgent again before it was delivered. */
	for (unsigned i = 0; i < 1500 && !clean; i++) {
		char name[32];

		snprintf(name, sizeof(name), "cert%u.example", i % 8);
		struct engine_request *urgent = push_request(name, text_of(1 + i), "da1.example");
		urgent->urgent = true;
		assert_int_equal(ask_code(urgent), ERR_OK);
		struct engine_message *message = zone_view("plain.example");
		clean = strcmp(message->zones[0].deliveries[0].state, "clean") == 0;
		engine_message_destroy(message);
	}
	atomic_store(&rig.slow_ms, 0);
	assert_true(clean);
}

/* Jobs of a great many zones are lost with one of them; all others are delivered, and it is found. */
static void one_bad_zone_in_a_great_many(void **state)
{
	(void)state;
	push("first.example", 1);
	await_clean("first.example");
	all_go_down();
	push_many(1);
	await_state("many1.example", 0, "held");
	rig.poison = "many350.example.";
	all_come_back();
	await_state("many350.example", 0, "dead");
	for (unsigned i = 0; i < MANY; i++) {
		char name[32];

		snprintf(name, sizeof(name), "many%u.example", i);
		if (i != 350)
			await_clean(name);
	}
	struct engine_message *message = zone_view("many350.example");
	assert_true(message->zones[0].deliveries[0].suspect);
	engine_message_destroy(message);
	rig.poison = NULL;
	push("many350.example", 2);
	await_clean("many350.example");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_urgent_zone_goes_before_all_others, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_urgency_the_newest_goes_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(urgent_zones_do_not_starve_the_others, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_bad_zone_in_a_great_many, set_up, tear_down),
	};

	log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
