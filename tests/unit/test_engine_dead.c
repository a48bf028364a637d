/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dead letters: listed, shown, replayed, dropped. */
#include "test_engine_rig.h"

static struct engine_request *request_of(enum engine_op op, const char *zone, const char *backend)
{
	struct engine_request *request = engine_request_create(op, ++rig.next_id);

	request->zone = xstrdup(zone);
	request->backend = xstrdup(backend);
	request->actor = xstrdup("control socket");
	return request;
}

static void expect_answer(enum engine_op op, const char *zone, const char *backend, const char *key, uint64_t count)
{
	struct engine_message *message = ask(request_of(op, zone, backend));

	if (message->err.code != ERR_OK)
		fail_msg("%s", message->err.text);
	assert_int_equal(doc_get(message->doc, key)->value.count, count);
	engine_message_destroy(message);
}

static void expect_refused(enum engine_op op, const char *zone, const char *backend, const char *why)
{
	struct engine_message *message = ask(request_of(op, zone, backend));

	if (message->err.code == ERR_OK || strstr(message->err.text, why) == NULL)
		fail_msg("%d %s", message->err.code, message->err.text);
	engine_message_destroy(message);
}

/* How many are listed; state of the first. */
static size_t listed(const char *backend, bool all, char state[16])
{
	struct engine_request *request = request_of(ENGINE_DEAD, NULL, backend);
	size_t count = 0;

	request->all = all;
	struct engine_message *message = ask(request);
	assert_int_equal(message->err.code, ERR_OK);
	const struct doc *first = doc_get(message->doc, "dead")->children;
	for (const struct doc *item = first; item != NULL; item = item->next)
		count++;
	snprintf(state, 16, "%s", first == NULL ? "" : doc_get(first, "state")->value.text);
	engine_message_destroy(message);
	return count;
}

static void what_is_dead_or_rejected_is_listed_with_its_content(void **state)
{
	char first[16];

	(void)state;
	assert_int_equal(listed(NULL, true, first), 0);
	atomic_store(&rig.fates[0], MEMORY_REJECT);
	atomic_store(&rig.fates[1], MEMORY_RETRY);
	push("a.example", 1);
	push("b.example", 2);
	await_state("a.example", 0, "rejected");
	await_state("b.example", 0, "rejected");
	await_state("a.example", 1, "dead");
	await_state("b.example", 1, "dead");
	assert_int_equal(listed(NULL, false, first), 4);
	assert_int_equal(listed("dc2", false, first), 2);
	assert_string_equal(first, "dead");
	struct engine_message *message = ask(request_of(ENGINE_DEAD_ZONE, "b.example", "dc1"));
	assert_int_equal(message->err.code, ERR_OK);
	char *text = text_of(2);
	assert_string_equal(doc_get(message->doc, "text")->value.text, text);
	free(text);
	const struct doc *dead = doc_get(message->doc, "dead")->children;
	assert_null(dead->next);
	assert_string_equal(doc_get(dead, "state")->value.text, "rejected");
	assert_true(doc_get(dead, "error")->text_size > 0);
	engine_message_destroy(message);
	expect_refused(ENGINE_DEAD_ZONE, "c.example", NULL, "zone c.example is not held");
	expect_refused(ENGINE_DEAD_ZONE, "a.example", "dc3", "has no dead letter");
	expect_refused(ENGINE_DEAD, NULL, "dc9", "there is no back end dc9");
}

/* One row a page: each is seen once, and a zone's stay together. */
static void they_are_listed_page_by_page(void **state)
{
	static const size_t expected[] = { 2, 2, 1 };
	int64_t after = 0;

	(void)state;
	atomic_store(&rig.fates[0], MEMORY_REJECT);
	atomic_store(&rig.fates[1], MEMORY_REJECT);
	push("c.example", 1);
	push("a.example", 1);
	push("b.example", 1);
	for (size_t target = 0; target < 2; target++) {
		await_state("a.example", target, "rejected");
		await_state("b.example", target, "rejected");
		await_state("c.example", target, "rejected");
	}
	expect_answer(ENGINE_DEAD_DROP, "b.example", "dc2", "dropped", 1);
	for (size_t page = 0; page < ARRAY_SIZE(expected); page++) {
		struct engine_request *request = request_of(ENGINE_DEAD, NULL, NULL);
		size_t count = 0;

		request->limit = 1;
		request->number = after;
		struct engine_message *message = ask(request);
		assert_int_equal(message->err.code, ERR_OK);
		for (const struct doc *item = doc_get(message->doc, "dead")->children; item != NULL; item = item->next)
			count++;
		assert_int_equal(count, expected[page]);
		const struct doc *next = doc_get(message->doc, "next");
		assert_int_equal(next->kind == DOC_NULL, page == ARRAY_SIZE(expected) - 1);
		after = next->value.number;
		engine_message_destroy(message);
	}
}

static void replay_tries_them_now(void **state)
{
	char first[16];

	(void)state;
	atomic_store(&rig.fates[0], MEMORY_REJECT);
	push("a.example", 1);
	push("b.example", 2);
	await_state("a.example", 0, "rejected");
	await_state("b.example", 0, "rejected");
	atomic_store(&rig.fates[0], MEMORY_OK);
	expect_answer(ENGINE_DEAD_REPLAY, "a.example", NULL, "replayed", 1);
	await_clean("a.example");
	assert_int_equal(listed(NULL, false, first), 1);
	expect_answer(ENGINE_DEAD_REPLAY, NULL, "dc2", "replayed", 0);
	expect_answer(ENGINE_DEAD_REPLAY, NULL, NULL, "replayed", 1);
	await_clean("b.example");
	expect_refused(ENGINE_DEAD_REPLAY, "a.example", NULL, "zone a.example has no dead letter");
	expect_refused(ENGINE_DEAD_REPLAY, NULL, "dc9", "there is no back end dc9");
	assert_int_equal(count_events("dead_replayed"), 2);
}

static void what_is_dropped_waits_for_a_word(void **state)
{
	char first[16];

	(void)state;
	atomic_store(&rig.fates[0], MEMORY_REJECT);
	push("a.example", 1);
	await_state("a.example", 0, "rejected");
	await_state("a.example", 1, "clean");
	expect_answer(ENGINE_DEAD_DROP, "a.example", NULL, "dropped", 1);
	await_state("a.example", 0, "parked");
	assert_int_equal(listed(NULL, false, first), 0);
	assert_int_equal(listed(NULL, true, first), 1);
	assert_string_equal(first, "dropped");
	expect_refused(ENGINE_DEAD_DROP, "a.example", NULL, "has no dead letter");
	expect_refused(ENGINE_DEAD_DROP, NULL, NULL, "zone is missing");
	/* Neither "try all" nor a restart is that word. */
	atomic_store(&rig.fates[0], MEMORY_OK);
	assert_int_equal(ask_code(engine_request_create(ENGINE_RETRY, ++rig.next_id)), ERR_OK);
	stop();
	start();
	await_lane(0, "up");
	await_state("a.example", 0, "parked");
	expect_answer(ENGINE_DEAD_REPLAY, NULL, NULL, "replayed", 0);
	expect_answer(ENGINE_DEAD_REPLAY, "a.example", NULL, "replayed", 1);
	await_clean("a.example");
	assert_int_equal(count_events("dead_dropped"), 1);
	/* A push is. */
	atomic_store(&rig.fates[0], MEMORY_REJECT);
	push("a.example", 2);
	await_state("a.example", 0, "rejected");
	expect_answer(ENGINE_DEAD_DROP, "a.example", "dc1", "dropped", 1);
	atomic_store(&rig.fates[0], MEMORY_OK);
	push("a.example", 3);
	await_clean("a.example");
}

static void start_with(size_t count)
{
	stop();
	rig.count = count;
	start();
}

/* What was dropped there stays dropped, unless something newer came meanwhile. */
static void a_back_end_is_away_with_what_was_dropped(void **state)
{
	(void)state;
	atomic_store(&rig.fates[2], MEMORY_REJECT);
	push("a.example", 1);
	push("b.example", 1);
	await_state("a.example", 2, "rejected");
	await_state("b.example", 2, "rejected");
	expect_answer(ENGINE_DEAD_DROP, "a.example", "dc3", "dropped", 1);
	expect_answer(ENGINE_DEAD_DROP, "b.example", "dc3", "dropped", 1);
	atomic_store(&rig.fates[2], MEMORY_OK);
	start_with(2);
	push("b.example", 2);
	start_with(3);
	await_clean("b.example");
	await_state("a.example", 2, "parked");
}

/* What is parked because its zone is frozen was not dropped. */
static void a_frozen_zone_is_no_dead_letter(void **state)
{
	char first[16];

	(void)state;
	push("a.example", 1);
	await_clean("a.example");
	assert_int_equal(ask_code(request_of(ENGINE_FREEZE, "a.example", NULL)), ERR_OK);
	push("a.example", 2);
	await_state("a.example", 0, "parked");
	assert_int_equal(listed(NULL, true, first), 0);
	expect_refused(ENGINE_DEAD_REPLAY, "a.example", NULL, "has no dead letter");
	assert_int_equal(ask_code(request_of(ENGINE_THAW, "a.example", NULL)), ERR_OK);
	await_clean("a.example");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_dead_or_rejected_is_listed_with_its_content, set_up, tear_down),
		cmocka_unit_test_setup_teardown(they_are_listed_page_by_page, set_up, tear_down),
		cmocka_unit_test_setup_teardown(replay_tries_them_now, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_dropped_waits_for_a_word, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_back_end_is_away_with_what_was_dropped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_frozen_zone_is_no_dead_letter, set_up, tear_down),
	};

	log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
