/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The masters' thread: when a pass begins, and who asked for it. */
#include "sync/sync.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "sync/internal.h"

enum { MINUTE_MS = 60000, LOOK_MS = 15000 };

static int64_t now_ms(void)
{
	return clock_mono_ms(clock_system());
}

/* It is for the next pass. Two wishes are one pass; the one that does more is it. */
static void take(struct sync *sync, struct engine_request *order)
{
	struct doc *doc = doc_create();

	sync->again_dry = order->dry_run && (!sync->again || sync->again_dry);
	sync->again = true;
	steps_tell_asked(sync, order);
	report_publish(sync); /* whoever asked looks for its pass as soon as it has an answer */
	doc_int(doc, "pass", sync->pass.number + 1);
	doc_bool(doc, "dry_run", order->dry_run || sync->params.dry_run);
	engine_answer_order(sync->engine, order, doc, NULL);
}

bool sync_tick(void *ctx)
{
	struct sync *sync = ctx;
	struct engine_request *order;

	while ((order = engine_take_order(sync->engine, ENGINE_ROOM_MASTERS, 0)) != NULL)
		take(sync, order);
	return !atomic_load(&sync->stopping);
}

bool sync_is_away(const struct master *master)
{
	return master->state == MASTER_UNKNOWN && (master->err.code == ERR_IO || master->err.code == ERR_TIMEOUT);
}

static bool is_anyone_away(const struct sync *sync)
{
	for (size_t i = 0; i < sync->params.master_count; i++) {
		if (sync_is_away(&sync->masters[i]))
			return true;
	}
	return false;
}

static void run_pass(struct sync *sync, bool dry_run)
{
	bool scheduled = !dry_run || sync->params.dry_run;

	reconcile_pass(sync, dry_run || sync->params.dry_run);
	if (scheduled)
		sync->due_ms = now_ms() + (int64_t)sync->params.interval_minutes * MINUTE_MS;
	sync->look_ms = is_anyone_away(sync) ? now_ms() + LOOK_MS : INT64_MAX;
	report_publish(sync);
}

static void wait_for_order(struct sync *sync)
{
	int64_t until_ms = sync->due_ms < sync->look_ms ? sync->due_ms : sync->look_ms;
	int64_t wait_ms = sync->again ? 0 : until_ms - now_ms(); /* asked for during a pass: it follows at once */
	struct engine_request *order =
		engine_take_order(sync->engine, ENGINE_ROOM_MASTERS, wait_ms < 0 ? 0 : wait_ms);

	if (order != NULL)
		take(sync, order);
}

static void *run(void *arg)
{
	struct sync *sync = arg;

	sync->due_ms = now_ms() + (int64_t)sync->params.initial_delay_minutes * MINUTE_MS;
	sync->look_ms = INT64_MAX;
	report_publish(sync);
	while (!atomic_load(&sync->stopping)) {
		wait_for_order(sync);
		if (sync->again) {
			sync->again = false;
			run_pass(sync, sync->again_dry);
		} else if (now_ms() >= sync->due_ms) {
			run_pass(sync, false);
		} else if (now_ms() >= sync->look_ms) {
			sync->look_ms = now_ms() + LOOK_MS;
			if (reconcile_look(sync)) {
				sync->again = true;
				sync->again_dry = false;
			}
		}
	}
	return NULL;
}

/* ---- life ---- */

static void init_master(struct sync *sync, struct master *master, const struct sync_master *conf)
{
	struct da_settings settings = { .hostname = conf->hostname, .port = conf->port, .username = conf->username,
		.password = conf->password, .ssl = conf->ssl, .verify_ssl = sync->params.verify_ssl,
		.ipp = sync->params.ipp, .tick = sync_tick, .ctx = sync };
	size_t size = strlen(conf->identity);

	CHECK(size < sizeof(master->identity));
	for (size_t i = 0; i < size; i++)
		master->identity[i] = (char)tolower((unsigned char)conf->identity[i]);
	if (size > 0 && master->identity[size - 1] == '.')
		master->identity[size - 1] = '\0';
	master->conf = conf;
	master->client = da_client_create(&settings);
}

struct sync *sync_start(const struct sync_params *params, struct engine *engine)
{
	struct sync *sync = xcalloc(1, sizeof(*sync));

	CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
	sync->params = *params;
	sync->engine = engine;
	sync->masters = xcalloc(params->master_count, sizeof(*sync->masters));
	for (size_t i = 0; i < params->master_count; i++)
		init_master(sync, &sync->masters[i], &params->masters[i]);
	engine_open_room(engine, ENGINE_ROOM_MASTERS);
	sync->thread = thread_start("masters", run, sync);
	return sync;
}

void sync_stop(struct sync *sync)
{
	if (sync == NULL)
		return;
	atomic_store(&sync->stopping, true);
	engine_wake_room(sync->engine, ENGINE_ROOM_MASTERS);
	thread_join(sync->thread);
	for (size_t i = 0; i < sync->params.master_count; i++) {
		da_client_destroy(sync->masters[i].client);
		tried_free(&sync->masters[i].tried);
	}
	strmap_free(&sync->contested);
	free(sync->masters);
	free(sync);
	curl_global_cleanup();
}
