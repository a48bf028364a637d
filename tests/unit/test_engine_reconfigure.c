/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Other settings while the threads of a whole engine run: nothing that is pushed meanwhile is lost. */
#include "test_engine_rig.h"

#include "base/thread.h"

enum { ZONES = 40, CHANGES = 60 };

/* The targets that are configured, with that version each. */
static int reconfigure(const bool configured[TARGETS], uint64_t version, unsigned connections, struct err *err)
{
	static const char *const names[TARGETS] = { "dc1", "dc2", "dc3" };
	static const struct engine_change change = { .actor = "test", .detail = "other connections" };
	struct engine_backend backends[TARGETS];
	struct engine_params params = { .store_path = rig.path, .backends = backends, .backoff_ms = backoff_ms,
		.backoff_count = ARRAY_SIZE(backoff_ms), .max_attempts = 5, .probe_initial_ms = 10, .probe_max_ms = 50,
		.queue_capacity = 1024, .queue_bytes = 1 << 20, .history_versions = 5 };

	for (size_t i = 0; i < TARGETS; i++) {
		if (configured[i])
			backends[params.backend_count++] = (struct engine_backend){ .name = names[i], .ops = rig.ops,
				.settings = &rig.settings[i], .connections = connections, .version = version };
	}
	return engine_reconfigure(rig.engine, &params, &change, err);
}

static atomic_bool pushing;

/* As lib/sync's threads: the loop is the test. */
static void *push_on(void *arg)
{
	unsigned *content = arg;

	while (atomic_load(&pushing)) {
		++*content;
		for (unsigned i = 0; i < ZONES; i++) {
			struct engine_request *request = engine_request_create(ENGINE_PUSH, 0);
			struct engine_message *message;

			request->zone = xasprintf("z%u.example", i);
			request->text = text_of(*content);
			request->text_size = strlen(request->text);
			assert_int_equal(engine_ask(rig.engine, request, &message), ERR_OK);
			assert_int_equal(message->err.code, ERR_OK);
			engine_message_destroy(message);
		}
	}
	return NULL;
}

static void drop_messages(void)
{
	struct engine_message *message;

	while (engine_take(rig.engine, &message, 1) == 1)
		engine_message_destroy(message);
}

static void await_settled(void)
{
	int waited_ms = 0;

	for (; !engine_is_settled(rig.engine, 10); waited_ms += 10) {
		drop_messages();
		assert_true(waited_ms < WAIT_MS);
	}
}

static void pushes_under_changes_are_all_delivered(void **state)
{
	unsigned content = 0;
	struct err err;

	(void)state;
	atomic_store(&pushing, true);
	pthread_t thread = thread_start("pusher", push_on, &content);
	for (unsigned i = 1; i <= CHANGES; i++) {
		bool configured[TARGETS] = { i % 3 != 0, i % 5 != 0, true };

		if (reconfigure(configured, i / 2, i % 4 + 1, &err) != ERR_OK)
			fail_msg("%s", err.text);
		await_settled();
		drop_messages();
		nap_ms(5);
	}
	bool all[TARGETS] = { true, true, true };
	assert_int_equal(reconfigure(all, CHANGES, 2, &err), ERR_OK);
	await_settled();
	atomic_store(&pushing, false);
	thread_join(thread);
	for (unsigned i = 0; i < ZONES; i++) {
		char name[32];

		snprintf(name, sizeof(name), "z%u.example", i);
		await_clean(name);
		struct engine_message *message = zone_view(name);
		assert_int_equal(message->zones[0].generation, content);
		for (size_t k = 0; k < TARGETS; k++)
			assert_int_equal(message->zones[0].deliveries[k].applied, content);
		engine_message_destroy(message);
	}
	for (size_t i = 0; i < TARGETS; i++)
		assert_int_equal(memory_target_regressions(rig.targets[i]), 0);
	assert_int_equal(count_events("reloaded"), CHANGES + 1);
}

/* A job of some fifty zones that takes half a minute ends after about five, and what it did not do is done with the new settings. */
static void what_takes_long_is_cut_short(void **state)
{
	const bool all[TARGETS] = { true, true, true };
	char name[32];
	struct err err;

	(void)state;
	push("first.example", 1);
	await_clean("first.example");
	atomic_store(&rig.slow_ms, 500);
	for (unsigned i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "slow%u.example", i);
		push(name, 1);
	}
	int64_t begun_ms = clock_mono_ms(clock_system());
	assert_int_equal(reconfigure(all, 1, 1, &err), ERR_OK);
	await_settled();
	assert_in_range(clock_mono_ms(clock_system()) - begun_ms, 0, 14000);
	atomic_store(&rig.slow_ms, 0);
	for (unsigned i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "slow%u.example", i);
		await_clean(name);
	}
}

/* Or name servers would be asked for nothing of what waits there. */
static void a_back_end_that_is_in_force_is_known(void **state)
{
	static const bool with[TARGETS] = { true, true, true }, without[TARGETS] = { false, true, true };
	struct err err;

	(void)state;
	for (unsigned i = 0; i < CHANGES; i++) {
		assert_int_equal(reconfigure(without, i, 1, &err), ERR_OK);
		await_settled();
		int code = reconfigure(with, i, 1, &err);
		if (code != ERR_OK)
			fail_msg("%s", err.text);
		struct engine_request *request = engine_request_create(ENGINE_SAMPLE, ++rig.next_id);
		request->backend = xstrdup("dc1");
		assert_int_equal(ask_code(request), ERR_OK);
		await_settled();
	}
}

static int create_badly(const struct backend_params *params UNUSED, struct backend **out UNUSED, struct err *err)
{
	return err_set(err, ERR_INVALID, "host: none is given");
}

static void a_bad_setting_changes_nothing(void **state)
{
	static struct backend_ops bad;
	const struct backend_ops *good = rig.ops;
	const bool all[TARGETS] = { true, true, true };
	struct err err;

	(void)state;
	bad = memory_ops;
	bad.create = create_badly;
	rig.ops = &bad;
	assert_int_equal(reconfigure(all, 1, 1, &err), ERR_INVALID);
	assert_string_equal(err.text, "back end dc1: host: none is given");
	rig.ops = good;
	assert_int_equal(count_events("reloaded"), 0);
	push("after.example", 1);
	await_clean("after.example");
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(pushes_under_changes_are_all_delivered),
		CASE(what_takes_long_is_cut_short),
		CASE(a_back_end_that_is_in_force_is_known),
		CASE(a_bad_setting_changes_nothing),
	};

	log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
