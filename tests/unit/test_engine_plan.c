/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What would be written, asked of a back end that is up, paused, away or busy. */
#include "test_engine_heal_util.h"

static struct engine_message *plan(const char *backend, const char *zone, const char *after)
{
	struct engine_request *request = engine_request_create(ENGINE_PLAN, ++rig.next_id);

	request->backend = xstrdup(backend);
	request->zone = xstrdup(zone);
	request->after = xstrdup(after);
	return ask(request);
}

static struct engine_message *plan_well(const char *backend, const char *zone, const char *after)
{
	struct engine_message *message = plan(backend, zone, after);

	if (message->err.code != ERR_OK)
		fail_msg("%s", message->err.text);
	return message;
}

static const char *text_at(const struct doc *object, const char *key)
{
	const struct doc *found = doc_get(object, key);

	assert_non_null(found);
	return found->kind == DOC_NULL ? NULL : found->value.text;
}

static uint64_t count_at(const struct doc *object, const char *key)
{
	assert_non_null(doc_get(object, key));
	return doc_get(object, key)->value.count;
}

static size_t zones_in(const struct engine_message *message)
{
	size_t count = 0;

	for (const struct doc *zone = doc_get(message->doc, "zones")->children; zone != NULL; zone = zone->next)
		count++;
	return count;
}

/* Asserts one planned zone: its change, and the records to add, change, remove. */
static void assert_zone(const struct engine_message *message, const char *name, const char *change, uint64_t added,
	uint64_t changed, uint64_t removed)
{
	for (const struct doc *zone = doc_get(message->doc, "zones")->children; zone != NULL; zone = zone->next) {
		if (strcmp(text_at(zone, "zone"), name) != 0)
			continue;
		assert_string_equal(text_at(zone, "change"), change);
		assert_int_equal(count_at(zone, "added"), added);
		assert_int_equal(count_at(zone, "changed"), changed);
		assert_int_equal(count_at(zone, "removed"), removed);
		return;
	}
	fail_msg("%s is not in the plan", name);
}

static const struct diff_row other[] = { { "@", "SOA", "ns1.dns.example. host.dns.example. 1 2 3 4 5", "3600", "1" },
	{ "www", "A", "203.0.113.66", "60", "1" }, { "evil", "TXT", "\"x\"", "60", "1" } };

static void every_difference(void **state)
{
	static const char *const names[] = { "back.example", "changed.example", "fine.example", "gone.example", "made.example",
		"stamp.example", "wiped.example" };
	struct memory_zone zone;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		push_clean(names[i], 1);
	struct memory_zone back = held(0, "back.example."), made = held(0, "made.example.");
	delete_from("back.example", "da1.example");
	delete_from("gone.example", "da1.example");
	delete_from("made.example", "da1.example");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		await_clean(names[i]);
	struct engine_message *message = plan_well("dc1", NULL, NULL);
	assert_int_equal(zones_in(message), 0);
	assert_int_equal(count_at(message->doc, "compared"), 4);
	assert_string_equal(text_at(message->doc, "state"), "up");
	assert_null(text_at(message->doc, "next"));
	assert_null(text_at(message->doc, "error"));
	engine_message_destroy(message);

	memory_target_edit(rig.targets[0], "changed.example.", other, 3);
	zone = held(0, "wiped.example.");
	zone.exists = false;
	memory_target_put(rig.targets[0], &zone);
	zone = held(0, "stamp.example."); /* of stamps alone nothing is planned */
	zone.stamp.generation = 99;
	memory_target_put(rig.targets[0], &zone);
	back.name = "back.example.";
	memory_target_put(rig.targets[0], &back);
	memory_target_edit(rig.targets[0], "back.example.", other, 3);
	zone = made; /* somebody's own */
	zone.name = "made.example.";
	zone.stamp = (struct backend_stamp){ 0 };
	memory_target_put(rig.targets[0], &zone);
	uint64_t writes = writes_of(0, "changed.example.");
	message = plan_well("dc1", NULL, NULL);
	assert_int_equal(zones_in(message), 3);
	assert_zone(message, "changed.example", "change", 1, 1, 1);
	assert_zone(message, "wiped.example", "add", 3, 0, 0);
	assert_zone(message, "back.example", "remove", 0, 0, 3);
	engine_message_destroy(message);
	message = plan_well("dc2", NULL, NULL);
	assert_int_equal(zones_in(message), 0);
	engine_message_destroy(message);
	message = plan_well("dc1", "Changed.Example", NULL);
	assert_int_equal(zones_in(message), 1);
	assert_zone(message, "changed.example", "change", 1, 1, 1);
	engine_message_destroy(message);
	assert_int_equal(writes_of(0, "changed.example."), writes);
	assert_int_equal(events_about("drift", NULL), 0);
}

static void page_by_page(void **state)
{
	char after[ZONE_NAME_SIZE] = "";
	size_t zones = 0, pages = 0;
	uint64_t compared = 0;

	(void)state;
	push_many(450);
	memory_target_wipe(rig.targets[0]);
	atomic_store(&rig.fates[0], MEMORY_RETRY); /* it answers a part of what it is asked */
	do {
		struct engine_message *message = plan_well("dc1", NULL, after);
		const char *next = text_at(message->doc, "next");

		zones += zones_in(message);
		compared += count_at(message->doc, "compared");
		assert_true(next == NULL || strcmp(next, after) > 0);
		snprintf(after, sizeof(after), "%s", next == NULL ? "" : next);
		engine_message_destroy(message);
		assert_true(++pages < 20);
	} while (after[0] != '\0');
	assert_int_equal(zones, 450);
	assert_int_equal(compared, 450);
	assert_int_equal(pages, 3);
	atomic_store(&rig.fates[0], MEMORY_OK);
}

static void order(enum engine_op op, const char *backend)
{
	struct engine_request *request = engine_request_create(op, ++rig.next_id);

	request->backend = xstrdup(backend);
	assert_int_equal(ask_code(request), ERR_OK);
}

/* What waits there because nothing is sent is what would be written. */
static void of_a_paused_back_end(void **state)
{
	(void)state;
	push_clean("old.example", 1);
	order(ENGINE_PAUSE, "dc1");
	push("old.example", 2);
	push("new.example", 1);
	await_state("new.example", 1, "clean");
	struct engine_message *message = plan_well("dc1", NULL, NULL);
	assert_string_equal(text_at(message->doc, "state"), "paused");
	assert_int_equal(zones_in(message), 2);
	assert_zone(message, "old.example", "change", 0, 1, 0);
	assert_zone(message, "new.example", "add", 3, 0, 0);
	engine_message_destroy(message);
	assert_false(held(0, "new.example.").exists);
	order(ENGINE_RESUME, "dc1");
	await_clean("new.example");
	await_clean("old.example");
	message = plan_well("dc1", NULL, NULL);
	assert_int_equal(zones_in(message), 0);
	engine_message_destroy(message);
}

static void assert_refused(struct engine_message *message, enum err_code code, const char *part)
{
	assert_int_equal(message->err.code, code);
	if (strstr(message->err.text, part) == NULL)
		fail_msg("%s", message->err.text);
	engine_message_destroy(message);
}

static void of_one_that_can_not_be_asked(void **state)
{
	(void)state;
	push_clean("away.example", 1);
	assert_refused(plan("dc9", NULL, NULL), ERR_NOTFOUND, "there is no back end dc9");
	assert_refused(plan(NULL, NULL, NULL), ERR_INVALID, "backend is missing");
	assert_refused(plan("dc1", "none.example", NULL), ERR_NOTFOUND, "zone none.example is not held");
	assert_refused(plan("dc1", "no name", NULL), ERR_NOTFOUND, "zone no name is not held");
	assert_refused(plan("dc1", NULL, "no name"), ERR_INVALID, "after");
	atomic_store(&rig.fates[0], MEMORY_DOWN);
	push("away.example", 2);
	await_lane(0, "down");
	struct engine_message *message = plan_well("dc1", NULL, NULL);
	/* Asked at the moment of a probe it is the target itself that says so. */
	assert_non_null(strstr(text_at(message->doc, "error"), "the target is away"));
	assert_int_equal(zones_in(message), 0);
	assert_null(text_at(message->doc, "next"));
	engine_message_destroy(message);
	atomic_store(&rig.fates[0], MEMORY_OK);
	await_clean("away.example");
	message = plan_well("dc1", NULL, NULL);
	assert_null(text_at(message->doc, "error"));
	assert_int_equal(count_at(message->doc, "compared"), 1);
	engine_message_destroy(message);
}

/* Deliveries go first, but a plan gets its turn between the pages of a pass. */
static void beside_a_pass(void **state)
{
	(void)state;
	push_many(MANY);
	memory_target_wipe(rig.targets[0]);
	int64_t pass = begin("dc1", false, 1);
	struct engine_message *message = plan_well("dc1", "m01999.example", NULL);
	assert_null(text_at(message->doc, "error"));
	engine_message_destroy(message);
	assert_string_equal(await_end(pass, 0).state, "done");
	message = plan_well("dc1", "m01999.example", NULL);
	assert_int_equal(zones_in(message), 0);
	engine_message_destroy(message);
}

/* Nobody is left without an answer, neither those whose turn has not come nor those that are too many. */
static void at_the_end(void **state)
{
	struct engine_message *message;
	size_t answered = 0, refused = 0;

	(void)state;
	push_many(20);
	atomic_store(&rig.slow_ms, 1500); /* meanwhile all of them come */
	push("m00001.example", 200);
	for (size_t i = 0; i < 12; i++) {
		struct engine_request *request = engine_request_create(ENGINE_PLAN, ++rig.next_id);

		request->backend = xstrdup("dc1");
		assert_int_equal(submit_patiently(request), ERR_OK);
	}
	engine_stop(rig.engine, 5000);
	while (engine_take(rig.engine, &message, 1) == 1) {
		answered += message->kind == ENGINE_REPLY && message->op == ENGINE_PLAN;
		refused += message->op == ENGINE_PLAN && message->err.code != ERR_OK;
		engine_message_destroy(message);
	}
	engine_destroy(rig.engine);
	assert_int_equal(answered, 12);
	assert_true(refused >= 3);
	atomic_store(&rig.slow_ms, 0);
	start();
	push_clean("m00001.example", 201);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_difference, set_up, tear_down),
		cmocka_unit_test_setup_teardown(page_by_page, set_up, tear_down),
		cmocka_unit_test_setup_teardown(of_a_paused_back_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(of_one_that_can_not_be_asked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(beside_a_pass, set_up, tear_down),
		cmocka_unit_test_setup_teardown(at_the_end, set_up, tear_down),
	};

	log_setup((enum log_level)(LOG_LEVEL_ERROR), LOG_FORMAT_LOGFMT, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
