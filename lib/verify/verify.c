/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The thread: what is new, who is to be asked, what came back. */
#include "verify/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "verify/internal.h"

enum {
	PAGE = 100,             /* writings read at once */
	FOLLOW_MOST = 20000,    /* the rest is read when there is room */
	LOOK_MS = 1000,
	AGAIN_MS = 10000        /* until it is read (anew), when the store could not be read or written */
};

int64_t verify_now_ms(void)
{
	return clock_mono_ms(clock_system());
}

int64_t verify_wall_us(void)
{
	return clock_wall_us(clock_system());
}

bool verify_ask(struct verify *verify, struct engine_request *request, const char *what, struct engine_message **out)
{
	if (engine_ask(verify->engine, request, out) != ERR_OK)
		return false;
	if ((*out)->err.code == ERR_OK)
		return true;
	log_warn(what, LOG_ERR(&(*out)->err));
	engine_message_destroy(*out);
	return false;
}

/* ---- what was written ---- */

bool verify_is_behind(const struct verify *verify, const struct centre *centre)
{
	return engine_written(verify->engine) > centre->seen;
}

static void follow_all(struct centre *centre, const struct doc *written)
{
	for (const struct doc *entry = written->children; entry != NULL; entry = entry->next) {
		const struct follow *follow = follow_add(&centre->follows, entry, verify_now_ms());
		/* Of before a restart: it is no news. */
		if (follow->told)
			centre->late_told[tell_lateness(centre, follow)] = true;
	}
}

/* Each has its share of the room: where nothing is answered for days, the others' must not wait. */
static bool has_news(const struct verify *verify, const struct centre *centre)
{
	return verify_is_behind(verify, centre) && centre->follows.count < verify->follow_most / verify->centre_count;
}

static bool is_news(const struct verify *verify)
{
	for (size_t i = 0; i < verify->centre_count && verify_now_ms() >= verify->read_ms; i++) {
		if (has_news(verify, &verify->centres[i]))
			return true;
	}
	return false;
}

static void read_page(struct verify *verify, struct centre *centre)
{
	int64_t newest = engine_written(verify->engine);
	struct engine_request *request = engine_request_create(ENGINE_UNANSWERED, 0);
	struct engine_message *reply;

	request->backend = xstrdup(centre->conf->name);
	request->number = centre->seen;
	request->limit = PAGE;
	if (!verify_ask(verify, request, "what was written can't be read", &reply)) {
		verify->read_ms = verify_now_ms() + AGAIN_MS;
		return;
	}
	int64_t last = doc_get(reply->doc, "next")->value.number;
	follow_all(centre, doc_get(reply->doc, "written"));
	/* All numbers that are missing are answered, or were written anew. */
	centre->seen = last == centre->seen ? newest : last;
	engine_message_destroy(reply);
}

static void read_news(struct verify *verify)
{
	for (size_t i = 0; i < verify->centre_count && verify_now_ms() >= verify->read_ms; i++) {
		if (has_news(verify, &verify->centres[i]))
			read_page(verify, &verify->centres[i]);
	}
}

/* What was found out could not be kept: it is found out again. */
static void forget_all(struct verify *verify)
{
	for (size_t i = 0; i < verify->centre_count; i++) {
		follow_clear(&verify->centres[i].follows);
		verify->centres[i].seen = 0;
	}
	verify->read_ms = verify_now_ms() + AGAIN_MS;
}

/* ---- the loop ---- */

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Returns when there is something to do again. */
static int64_t serve_all(struct verify *verify)
{
	int64_t next_ms = INT64_MAX;

	for (size_t i = 0; i < verify->centre_count; i++) {
		struct centre *centre = &verify->centres[i];

		for (unsigned k = 0; k < centre->conf->server_count; k++) {
			server_land(verify, centre, k);
			next_ms = earlier(next_ms, server_go_on(verify, centre, k));
		}
	}
	return next_ms;
}

static void look(struct verify *verify)
{
	if (verify_now_ms() < verify->look_ms)
		return;
	verify->look_ms = verify_now_ms() + LOOK_MS;
	tell_late(verify);
	tell_status(verify);
}

/* Nothing is ordered of this room: what comes is that it was woken. */
static void wait_until(struct verify *verify, int64_t until_ms)
{
	int64_t now_ms = verify_now_ms();

	until_ms = earlier(until_ms, verify->look_ms);
	if (verify->answer_count > 0)
		until_ms = earlier(until_ms, verify->post_ms);
	if (until_ms > now_ms)
		engine_request_destroy(engine_take_order(verify->engine, ENGINE_ROOM_VERIFY, until_ms - now_ms));
}

static void *run(void *arg)
{
	struct verify *verify = arg;

	while (!atomic_load(&verify->stopping)) {
		canary_go_on(verify);
		read_news(verify);
		int64_t next_ms = serve_all(verify);
		/* Before anybody is told that all is answered, it is kept that it is. */
		if (verify->answer_count > 0 && verify_now_ms() >= earlier(verify->post_ms, verify->look_ms) && !tell_post(verify))
			forget_all(verify);
		look(verify);
		wait_until(verify, is_news(verify) ? 0 : next_ms);
	}
	return NULL;
}

/* ---- life ---- */

/* By an asker's thread. */
static void wake(void *ctx)
{
	const struct verify *verify = ctx;

	engine_wake_room(verify->engine, ENGINE_ROOM_VERIFY);
}

static void init_centre(struct verify *verify, struct centre *centre, const struct verify_backend *conf)
{
	char thread_name[32];

	CHECK(conf->server_count <= FOLLOW_SERVERS_MOST);
	centre->conf = conf;
	centre->follows.server_count = conf->server_count;
	centre->servers = xcalloc(conf->server_count, sizeof(*centre->servers));
	for (unsigned i = 0; i < conf->server_count; i++) {
		struct server *server = &centre->servers[i];

		snprintf(thread_name, sizeof(thread_name), "dns/%.9s/%u", conf->name, i);
		server->address = conf->servers[i];
		server->since_us = verify_wall_us();
		server->asker = asker_create(conf->servers[i], thread_name, wake, verify);
		sweep_begin(&server->sweep, conf);
	}
}

struct verify *verify_start(const struct verify_params *params, struct engine *engine)
{
	struct verify *verify = xcalloc(1, sizeof(*verify));

	verify->params = *params;
	verify->engine = engine;
	verify->follow_most = params->follow_most == 0 ? FOLLOW_MOST : params->follow_most;
	verify->centres = xcalloc(params->backend_count, sizeof(*verify->centres));
	for (size_t i = 0; i < params->backend_count; i++) {
		if (params->backends[i].server_count > 0)
			init_centre(verify, &verify->centres[verify->centre_count++], &params->backends[i]);
	}
	canary_begin(verify);
	engine_open_room(engine, ENGINE_ROOM_VERIFY);
	verify->thread = thread_start("verify", run, verify);
	return verify;
}

static void clear_centre(struct centre *centre)
{
	for (unsigned i = 0; i < centre->conf->server_count; i++) {
		asker_destroy(centre->servers[i].asker);
		doc_destroy(centre->servers[i].sweep.page);
	}
	free(centre->servers);
	follow_clear(&centre->follows);
}

void verify_stop(struct verify *verify)
{
	if (verify == NULL)
		return;
	atomic_store(&verify->stopping, true);
	engine_wake_room(verify->engine, ENGINE_ROOM_VERIFY);
	thread_join(verify->thread);
	for (size_t i = 0; i < verify->centre_count; i++) {
		for (unsigned k = 0; k < verify->centres[i].conf->server_count; k++)
			asker_stop(verify->centres[i].servers[k].asker);
	}
	for (size_t i = 0; i < verify->centre_count; i++)
		clear_centre(&verify->centres[i]);
	for (size_t i = 0; i < verify->answer_count; i++)
		engine_answer_clear(&verify->answers[i]);
	free(verify->answers);
	free(verify->centres);
	free(verify);
}
