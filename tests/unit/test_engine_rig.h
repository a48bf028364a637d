/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A whole engine on a real store, with three targets in memory, and what a
 * test of it needs: pushing, asking, waiting for a state. For test_engine_*.c.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "backends/memory/memory.h"
#include "base/log.h"
#include "engine/engine.h"
#include "zone/zone.h"

enum { TARGETS = 3, WAIT_MS = 20000 };

static const int64_t backoff_ms[] = { 1, 1, 1, 1, 1 };
static const int64_t patient_ms[] = { 60000 };

struct rig {
	char folder[64];
	char path[128];
	struct memory_target *targets[TARGETS];
	struct memory_settings settings[TARGETS];
	struct engine *engine;
	atomic_int fates[TARGETS];  /* enum memory_fate for every zone; ping is DOWN only with MEMORY_DOWN, a look stops half-way with MEMORY_RETRY */
	_Atomic(const char *) poison;       /* this zone loses the connection everywhere */
	_Atomic(const char *) down_zone;      /* this zone is answered DOWN everywhere, without a lost connection */
	_Atomic(const char *) unlucky;      /* this zone loses the connection of target 0, once */
	atomic_int losses;          /* of the unlucky one */
	_Atomic(const char *) untried;      /* target 0 says that it had no time for this zone */
	_Atomic(const char *) watched;
	atomic_int asked;           /* zones written at target 0 so far */
	atomic_int watched_at;      /* which of them the watched one was, the first time; 0: not yet */
	atomic_int slow_ms;         /* each zone's write at target 0, at most until it is 0 again */
	atomic_llong skew_us;       /* of the wall clock */
	atomic_llong ahead_ms;      /* so much more time has passed than did */
	int64_t healing_interval_ms; /* 0: no passes by themselves */
	enum engine_healing healing[TARGETS];
	bool verified;              /* receipts are kept */
	bool peers;                 /* changes are counted for them */
	bool dry_run;               /* nothing is sent */
	bool patient;               /* what failed is tried again after a minute, not at once */
	size_t count;               /* of back ends that are configured, from the first */
	unsigned connections;
	const struct backend_ops *ops;
	enum engine_guard guard;
	uint64_t next_id;
};

static struct rig rig;

static void nap_ms(long ms)
{
	struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&time, NULL);
}

static int64_t rig_mono_ms(void *ctx)
{
	(void)ctx;
	return clock_mono_ms(clock_system()) + atomic_load(&rig.ahead_ms);
}

static int64_t rig_wall_us(void *ctx)
{
	(void)ctx;
	return clock_wall_us(clock_system()) + atomic_load(&rig.skew_us) + atomic_load(&rig.ahead_ms) * 1000;
}

static const struct clock rig_clock = { .mono_ms = rig_mono_ms, .wall_us = rig_wall_us };

static int index_of(void *ctx)
{
	return (int)((atomic_int *)ctx - rig.fates);
}

static bool is_zone(_Atomic(const char *) *chosen, const char *zone)
{
	const char *name = atomic_load(chosen);

	return name != NULL && strcmp(name, zone) == 0;
}

static enum memory_fate fate_of(void *ctx, const char *zone)
{
	enum memory_fate fate = (enum memory_fate)atomic_load(&rig.fates[index_of(ctx)]);

	if (zone == NULL)
		return fate == MEMORY_DOWN || fate == MEMORY_RETRY ? fate : MEMORY_OK;
	if ((fate == MEMORY_OK || fate == MEMORY_RETRY) && index_of(ctx) == 0) {
		int at = atomic_fetch_add(&rig.asked, 1) + 1;
		int never = 0;

		if (is_zone(&rig.watched, zone))
			atomic_compare_exchange_strong(&rig.watched_at, &never, at);
	}
	for (int slept_ms = 0; index_of(ctx) == 0 && slept_ms < atomic_load(&rig.slow_ms); slept_ms += 10)
		nap_ms(10);
	if (is_zone(&rig.poison, zone))
		return MEMORY_LOST_BEFORE;
	if (is_zone(&rig.down_zone, zone))
		return MEMORY_DOWN;
	if (index_of(ctx) == 0 && is_zone(&rig.unlucky, zone) &&
		atomic_fetch_add(&rig.losses, 1) == 0)
		return MEMORY_LOST_BEFORE;
	if (index_of(ctx) == 0 && is_zone(&rig.untried, zone))
		return MEMORY_UNTRIED;
	return fate;
}

static void start(void)
{
	static const char *const names[TARGETS] = { "dc1", "dc2", "dc3" };
	struct engine_backend backends[TARGETS];
	struct engine_params params = { .store_path = rig.path, .backends = backends, .backend_count = rig.count,
		.backoff_ms = rig.patient ? patient_ms : backoff_ms,
		.backoff_count = rig.patient ? ARRAY_SIZE(patient_ms) : ARRAY_SIZE(backoff_ms), .max_attempts = 5,
		.probe_initial_ms = 10, .probe_max_ms = 50, .queue_capacity = 1024, .queue_bytes = 1 << 20, .guard_mode = rig.guard, .guard_max_shrink_percent = 80,
		.history_versions = 5, .peers = rig.peers, .dry_run = rig.dry_run,
		.clock = &rig_clock };
	struct err err;

	for (size_t i = 0; i < rig.count; i++)
		backends[i] = (struct engine_backend){ .name = names[i], .ops = rig.ops,
			.settings = &rig.settings[i], .connections = rig.connections, .healing = rig.healing[i],
			.verified = rig.verified };
	params.healing_enabled = rig.healing_interval_ms > 0;
	params.healing_interval_ms = rig.healing_interval_ms;
	if (engine_start(&params, &rig.engine, &err) != ERR_OK)
		fail_msg("%s", err.text);
}

static void stop(void)
{
	engine_stop(rig.engine, 1000);
	engine_destroy(rig.engine);
}

static int set_up_with(size_t count)
{
	rig = (struct rig){ .count = count, .connections = 2, .ops = &memory_ops };
	snprintf(rig.folder, sizeof(rig.folder), "/tmp/zonefan-engine-XXXXXX");
	assert_non_null(mkdtemp(rig.folder));
	snprintf(rig.path, sizeof(rig.path), "%s/store.db", rig.folder);
	for (size_t i = 0; i < TARGETS; i++) {
		atomic_store(&rig.fates[i], MEMORY_OK);
		rig.targets[i] = memory_target_create(fate_of, &rig.fates[i]);
		rig.settings[i].target = rig.targets[i];
	}
	start();
	return 0;
}

UNUSED static int set_up(void **state)
{
	(void)state;
	return set_up_with(TARGETS);
}

static int tear_down(void **state)
{
	static const char *const tails[] = { "", "-wal", "-shm", ".lock", ".ballast" };
	char path[160];

	(void)state;
	stop();
	for (size_t i = 0; i < TARGETS; i++)
		memory_target_destroy(rig.targets[i]);
	for (size_t i = 0; i < ARRAY_SIZE(tails); i++) {
		snprintf(path, sizeof(path), "%s%s", rig.path, tails[i]);
		unlink(path);
	}
	return rmdir(rig.folder);
}

static void nap(void)
{
	nap_ms(2);
}

static struct engine_message *await(uint64_t id)
{
	for (int waited_ms = 0; waited_ms < WAIT_MS; waited_ms += 2) {
		struct engine_message *message;

		if (engine_take(rig.engine, &message, 1) == 0) {
			nap();
			continue;
		}
		if (message->kind == ENGINE_REPLY && message->id == id)
			return message;
		engine_message_destroy(message);
	}
	fail_msg("no reply to request %d", (int)id);
	return NULL;
}

/* A reply may be told a moment before what it frees at the entrance is counted. */
static int submit_patiently(struct engine_request *request)
{
	int ret = engine_submit(rig.engine, request);

	for (int waited_ms = 0; ret == ERR_BUSY && waited_ms < WAIT_MS; waited_ms += 2) {
		nap();
		ret = engine_submit(rig.engine, request);
	}
	return ret;
}

static struct engine_message *ask(struct engine_request *request)
{
	uint64_t id = request->id; /* the request is the engine's once it is submitted */

	assert_int_equal(submit_patiently(request), ERR_OK);
	return await(id);
}

static int ask_code(struct engine_request *request)
{
	struct engine_message *message = ask(request);
	int code = message->err.code;

	engine_message_destroy(message);
	return code;
}

static char *text_of(unsigned content)
{
	return xasprintf("$TTL 3600\n@ IN SOA ns1.dns.example. host.dns.example. ( 1 2 3 4 5 )\n"
			 "@\t60\tIN\tNS\tns1.dns.example.\nwww\t60\tIN\tA\t192.0.2.%u\n",
		content);
}

static struct engine_request *push_request(const char *zone, char *text, const char *master)
{
	struct engine_request *request = engine_request_create(ENGINE_PUSH, ++rig.next_id);

	request->zone = xstrdup(zone);
	request->hostname = xstrdup(master);
	request->username = xstrdup("fred");
	request->source = xstrdup("127.0.0.1");
	request->text = text;
	request->text_size = strlen(text);
	return request;
}

UNUSED static void push(const char *zone, unsigned content)
{
	assert_int_equal(ask_code(push_request(zone, text_of(content), "da1.example")), ERR_OK);
}

UNUSED static void delete_from(const char *zone, const char *master)
{
	struct engine_request *request = engine_request_create(ENGINE_DELETE, ++rig.next_id);

	request->names = xcalloc(1, sizeof(char *));
	request->names[0] = xstrdup(zone);
	request->name_count = 1;
	request->hostname = xstrdup(master);
	assert_int_equal(ask_code(request), ERR_OK);
}

UNUSED static struct engine_message *zone_view(const char *zone)
{
	struct engine_request *request = engine_request_create(ENGINE_ZONE, ++rig.next_id);

	request->zone = xstrdup(zone);
	struct engine_message *message = ask(request);
	assert_int_equal(message->err.code, ERR_OK);
	assert_int_equal(message->zone_count, 1);
	return message;
}

/* Waits until that zone's delivery at that target is in that state. */
UNUSED static void await_state(const char *zone, size_t target, const char *wanted)
{
	char seen[32] = "";

	for (int waited_ms = 0; waited_ms < WAIT_MS; waited_ms += 2) {
		struct engine_message *message = zone_view(zone);
		const struct engine_zone *view = &message->zones[0];

		assert_int_equal(view->delivery_count, rig.count);
		snprintf(seen, sizeof(seen), "%s", view->deliveries[target].state);
		engine_message_destroy(message);
		if (strcmp(seen, wanted) == 0)
			return;
		nap();
	}
	fail_msg("%s at %zu is %s, not %s", zone, target, seen, wanted);
}

UNUSED static void await_clean(const char *zone)
{
	for (size_t i = 0; i < rig.count; i++)
		await_state(zone, i, "clean");
}

UNUSED static uint64_t writes_of(size_t target, const char *name)
{
	struct memory_zone held;

	return memory_target_get(rig.targets[target], name, &held) ? held.writes : 0;
}

UNUSED static size_t count_events(const char *kind)
{
	struct engine_request *request = engine_request_create(ENGINE_EVENTS, ++rig.next_id);

	request->kind = xstrdup(kind); /* of others there may be more than one answer holds */
	struct engine_message *message = ask(request);
	size_t count = message->event_count;
	engine_message_destroy(message);
	return count;
}

UNUSED static void await_lane(size_t target, const char *wanted)
{
	for (int waited_ms = 0; waited_ms < WAIT_MS; waited_ms += 2) {
		struct engine_message *message = ask(engine_request_create(ENGINE_STATUS, ++rig.next_id));
		bool there = strcmp(message->status->lanes[target].state, wanted) == 0;

		engine_message_destroy(message);
		if (there)
			return;
		nap();
	}
	fail_msg("lane %zu is never %s", target, wanted);
}
