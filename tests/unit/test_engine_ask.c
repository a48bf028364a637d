/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Threads beside the loop: they ask and wait, show what they know, carry out orders. */
#include "test_engine_rig.h"

#include "base/thread.h"

enum { PUSHES = 50 };

static void *push_many(void *arg)
{
	const char *zone = arg;

	for (unsigned i = 1; i <= PUSHES; i++) {
		struct engine_request *request = engine_request_create(ENGINE_PUSH, 0);
		struct engine_message *message;

		request->zone = xstrdup(zone);
		request->text = text_of(i);
		request->text_size = strlen(request->text);
		assert_int_equal(engine_ask(rig.engine, request, &message), ERR_OK);
		assert_int_equal(message->err.code, ERR_OK);
		engine_message_destroy(message);
	}
	return NULL;
}

static void askers_and_the_loop_get_each_their_own_replies(void **state)
{
	static const char *const zones[] = { "one.example", "two.example", "three.example" };
	pthread_t threads[ARRAY_SIZE(zones)];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(zones); i++)
		threads[i] = thread_start("asker", push_many, (void *)(uintptr_t)zones[i]);
	for (unsigned i = 1; i <= PUSHES; i++)
		push("loop.example", i);
	for (size_t i = 0; i < ARRAY_SIZE(zones); i++)
		thread_join(threads[i]);
	for (size_t i = 0; i < ARRAY_SIZE(zones); i++) {
		struct engine_message *message = zone_view(zones[i]);

		assert_int_equal(message->zones[0].generation, PUSHES);
		engine_message_destroy(message);
	}
}

static void a_question_is_answered_too(void **state)
{
	struct engine_request *request = engine_request_create(ENGINE_ZONE, 0);
	struct engine_message *message;

	(void)state;
	request->zone = xstrdup("none.example");
	assert_int_equal(engine_ask(rig.engine, request, &message), ERR_OK);
	assert_int_equal(message->err.code, ERR_NOTFOUND);
	engine_message_destroy(message);
}

static void what_is_published_stands_in_the_status(void **state)
{
	(void)state;
	for (int i = 1; i <= 2; i++) {
		struct doc *doc = doc_create();

		doc_int(doc, "total", i);
		engine_publish(rig.engine, "peer_sync", doc);
	}
	struct engine_message *message = ask(engine_request_create(ENGINE_STATUS, ++rig.next_id));
	const struct doc *shown = doc_get(message->status->shown, "peer_sync");
	assert_int_equal(doc_get(shown, "total")->value.number, 2);
	engine_message_destroy(message);
}

static void *carry_out(void *arg)
{
	struct doc *doc = doc_create();
	struct engine_request *order = engine_take_order(rig.engine, ENGINE_ROOM_PEERS, WAIT_MS);

	doc_text(doc, "began", order->source);
	engine_answer_order(rig.engine, order, doc, NULL);
	/* Woken, with nothing to do. */
	assert_null(engine_take_order(rig.engine, ENGINE_ROOM_PEERS, WAIT_MS));
	return arg;
}

static void an_order_is_refused_until_somebody_is_there(void **state)
{
	struct engine_message *message;

	(void)state;
	assert_int_equal(ask_code(engine_request_create(ENGINE_SYNC_PEERS, ++rig.next_id)), ERR_INVALID);
	engine_open_room(rig.engine, ENGINE_ROOM_PEERS);
	pthread_t thread = thread_start("room", carry_out, NULL);
	struct engine_request *order = engine_request_create(ENGINE_SYNC_PEERS, ++rig.next_id);
	order->source = xstrdup("192.0.2.1");
	message = ask(order);
	assert_int_equal(message->err.code, ERR_OK);
	assert_string_equal(doc_get(message->doc, "began")->value.text, "192.0.2.1");
	engine_message_destroy(message);
	engine_wake_room(rig.engine, ENGINE_ROOM_PEERS);
	thread_join(thread);
}

static void an_order_that_nobody_took_goes_with_the_engine(void **state)
{
	(void)state;
	engine_open_room(rig.engine, ENGINE_ROOM_PEERS);
	assert_int_equal(submit_patiently(engine_request_create(ENGINE_SYNC_PEERS, ++rig.next_id)), ERR_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(askers_and_the_loop_get_each_their_own_replies, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_question_is_answered_too, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_published_stands_in_the_status, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_order_is_refused_until_somebody_is_there, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_order_that_nobody_took_goes_with_the_engine, set_up, tear_down),
	};

	log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
