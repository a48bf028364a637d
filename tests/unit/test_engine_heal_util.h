/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Asking for healing passes and waiting for them, and what was told of them. For test_engine_heal*.c. */
#pragma once

#include "test_engine_rig.h"

enum { MANY = 2000 };

/* ---- asking ---- */

UNUSED static struct engine_request *heal_request(const char *backend, bool dry_run)
{
	struct engine_request *request = engine_request_create(ENGINE_HEAL, ++rig.next_id);

	request->backend = xstrdup(backend);
	request->dry_run = dry_run;
	request->source = xstrdup("control");
	return request;
}

/* Its number. */
UNUSED static int64_t begin(const char *backend, bool dry_run, size_t back_ends)
{
	struct engine_message *message = ask(heal_request(backend, dry_run));
	int64_t pass = message->pass;

	if (message->err.code != ERR_OK)
		fail_msg("%s", message->err.text);
	assert_int_equal(message->affected, back_ends);
	assert_true(pass > 0);
	engine_message_destroy(message);
	return pass;
}

UNUSED static struct engine_heal view(size_t target)
{
	struct engine_message *message = ask(engine_request_create(ENGINE_HEALS, ++rig.next_id));
	struct engine_heal heal = message->status->lanes[target].heal;

	assert_int_equal(message->status->lane_count, TARGETS);
	engine_message_destroy(message);
	return heal;
}

UNUSED static struct engine_heal await_end(int64_t pass, size_t target)
{
	struct engine_heal heal = { 0 };

	for (int waited_ms = 0; waited_ms < WAIT_MS; waited_ms += 2) {
		heal = view(target);
		if (heal.pass == pass && heal.ended_at_us != 0) {
			assert_true(heal.started_at_us > 0 && heal.took_us >= 0);
			return heal;
		}
		nap();
	}
	fail_msg("the pass at %zu does not end: %s, %d of %d", target, heal.state, (int)heal.compared, (int)heal.zones);
	return heal;
}

/* What is shown may be a moment behind what was answered. With fewer than 10 zones, which are one page at any time. */
UNUSED static void await_repairing(int64_t pass, size_t target)
{
	for (int waited_ms = 0; waited_ms < WAIT_MS; waited_ms += 2) {
		struct engine_heal heal = view(target);

		if (heal.pass == pass && strcmp(heal.state, "repairing") == 0)
			return;
		nap();
	}
	fail_msg("the pass at %zu does not get to its repairs", target);
}

/* One pass over all back ends, waited for; what came of it at one. */
UNUSED static struct engine_heal heal_all(size_t target)
{
	int64_t pass = begin(NULL, false, TARGETS);
	struct engine_heal heal = { 0 };

	for (size_t i = 0; i < TARGETS; i++) {
		struct engine_heal part = await_end(pass, i);

		assert_string_equal(part.state, "done");
		if (i == target)
			heal = part;
	}
	return heal;
}

UNUSED static uint64_t differing(const struct engine_heal *heal)
{
	return heal->missing + heal->changed + heal->stamp + heal->undeleted + heal->stray;
}

/* ---- targets ---- */

UNUSED static struct memory_zone held(size_t target, const char *name)
{
	struct memory_zone zone = { .name = name };

	(void)memory_target_get(rig.targets[target], name, &zone);
	return zone;
}

UNUSED static void assert_like_others(const char *name)
{
	struct memory_zone first = held(1, name);

	for (size_t i = 0; i < TARGETS; i++) {
		struct memory_zone zone = held(i, name);

		assert_int_equal(zone.exists, first.exists);
		assert_int_equal(zone.deleted, first.deleted);
		assert_int_equal(zone.stamp.generation, first.stamp.generation);
		assert_string_equal(zone.stamp.store_id, first.stamp.store_id);
		assert_true(zone_digest_equal(&zone.digest, &first.digest));
		assert_true(zone_digest_equal(&zone.stamped, &first.digest));
	}
}

UNUSED static void push_clean(const char *name, unsigned content)
{
	push(name, content);
	await_clean(name);
}

/* Without waiting for each. */
UNUSED static void push_many(size_t count)
{
	char name[32];

	for (size_t i = 0; i < count; i++) {
		struct engine_request *request;

		snprintf(name, sizeof(name), "m%05zu.example", i);
		request = push_request(name, text_of((unsigned)i % 250), "da1.example");
		request->id = 0;
		assert_int_equal(submit_patiently(request), ERR_OK);
	}
	for (size_t i = 0; i < TARGETS; i++) {
		for (int waited_ms = 0;; waited_ms += 2) {
			struct engine_message *message = ask(engine_request_create(ENGINE_STATUS, ++rig.next_id));
			bool done = message->status->zones_total >= count && message->status->lanes[i].pending == 0;

			engine_message_destroy(message);
			if (done)
				break;
			assert_true(waited_ms < WAIT_MS);
			nap();
		}
	}
}

static char last_detail[1024];

/* How many events of that kind, and the detail of the newest one. */
UNUSED static size_t events_about(const char *kind, const char *zone)
{
	struct engine_message *message = ask(engine_request_create(ENGINE_EVENTS, ++rig.next_id));
	size_t count = 0;

	last_detail[0] = '\0';
	for (size_t i = 0; i < message->event_count; i++) {
		const struct engine_event *event = &message->events[i];

		if (strcmp(event->kind, kind) != 0 || (zone != NULL && strcmp(event->zone, zone) != 0))
			continue;
		if (count++ == 0)
			snprintf(last_detail, sizeof(last_detail), "%s", event->detail);
	}
	engine_message_destroy(message);
	return count;
}

UNUSED static void assert_told(const char *zone, const char *text)
{
	assert_int_equal(events_about("drift", zone), 1);
	if (strstr(last_detail, text) == NULL)
		fail_msg("%s: \"%s\" is not in \"%s\"", zone, text, last_detail);
}
