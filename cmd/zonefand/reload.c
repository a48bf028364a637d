/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "reload.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/supervisor.h"
#include "base/thread.h"
#include "stamp.h"

enum { LOOK_MS = 30000, SETTLE_MS = 100, CALM_MS = 1000 };

struct reload {
	struct reload_params params;
	struct setup *started;  /* what can't change is as it says */
	struct setup *current;
	uint64_t stamp;         /* of the files that current names, before they were last read */
	int64_t look_ms;
	atomic_bool stopping;
	pthread_t thread;
};

static int64_t now_ms(void)
{
	return clock_mono_ms(clock_system());
}

static uint64_t stamp_now(const struct reload *reload)
{
	return stamp_of(reload->current->conf->files, reload->current->conf->file_count);
}

/* ---- what came of it ---- */

/* The lines, each as an element, and joined behind what is there. */
static void tell_lines(struct doc *doc, const char *key, struct buf *lines, const char *head, struct buf *detail)
{
	struct doc *list = doc_list(doc, key);
	char *rest = lines->size == 0 ? NULL : lines->data;
	char *line;

	while ((line = strsep(&rest, "\n")) != NULL) {
		if (*line == '\0')
			continue;
		doc_text(list, NULL, line);
		buf_printf(detail, "%s%s%s", detail->size == 0 ? "" : "; ", head, line);
	}
}

static void describe(const struct reload *reload, const struct setup *setup, struct doc *doc, struct buf *detail)
{
	struct buf live = { 0 };
	struct buf restart = { 0 };

	conf_diff(reload->current->conf, setup->conf, &live);
	conf_diff_restart(reload->started->conf, setup->conf, &restart);
	tell_lines(doc, "changed", &live, "", detail);
	tell_lines(doc, "needs_restart", &restart, "needs a restart: ", detail);
	if (detail->size == 0)
		buf_puts(detail, "no setting differs");
	buf_free(&live);
	buf_free(&restart);
}

static void log_lines(struct buf *lines)
{
	char *rest = lines->size == 0 ? NULL : lines->data;
	char *line;

	while ((line = strsep(&rest, "\n")) != NULL) {
		if (*line != '\0')
			log_warn("configuration notice", LOG_STR("notice", line));
	}
}

static void tell_failed(struct reload *reload, const struct engine_request *order, const struct err *why)
{
	struct engine_request *note = engine_request_create(ENGINE_NOTE, 0);
	struct engine_message *message;

	log_error("the configuration is not reloaded, the old one stays", LOG_STR("actor", order->actor), LOG_ERR(why));
	note->kind = xstrdup("reload_failed");
	note->text = xstrdup(why->text);
	note->text_size = strlen(why->text);
	note->actor = xstrdup(order->actor);
	note->source = xstrdup(order->source);
	if (engine_ask(reload->params.engine, note, &message) == ERR_OK)
		engine_message_destroy(message);
}

/* ---- putting in force ---- */

/* The front's part can be taken back, for it was good before; the engine's is one transaction. */
static int put_in_force(struct reload *reload, struct setup *setup, const struct engine_change *change, struct err *err)
{
	struct http *http = reload->params.http;
	struct err again;
	int ret = http_have_reloaded(http, &setup->wire.http, err);

	if (ret != ERR_OK)
		return ret;
	ret = engine_reconfigure(reload->params.engine, &setup->wire.engine.params, change, err);
	if (ret != ERR_OK && http_have_reloaded(http, &reload->current->wire.http, &again) != ERR_OK)
		log_error("logins and limits of the new configuration stay in force", LOG_ERR(&again));
	return ret;
}

static void take_over(struct reload *reload, struct setup *setup)
{
	log_change(setup->conf->log_level, setup->conf->timezone);
	beside_change(reload->params.beside, setup);
	setup_unref(reload->current);
	reload->current = setup;
	reload->stamp = setup->stamp;
}

static int attempt(struct reload *reload, const struct engine_request *order, struct doc *doc, struct err *err)
{
	struct buf notices = { 0 };
	struct buf detail = { 0 };
	struct setup *setup = NULL;
	int ret = setup_load(reload->params.path, &setup, &notices, err);

	/* The rights are those of now: what root could read at the start may be closed by now. */
	if (ret == ERR_DENIED && geteuid() != 0)
		err_prefix(err, "as user %u", (unsigned)geteuid());
	log_lines(&notices);
	buf_free(&notices);
	if (ret == ERR_OK)
		ret = conf_check_host(setup->conf, err);
	if (ret == ERR_OK) {
		describe(reload, setup, doc, &detail);
		const struct engine_change change = { .actor = order->actor, .source = order->source,
			.detail = detail.data };
		ret = put_in_force(reload, setup, &change, err);
	}
	if (ret == ERR_OK)
		take_over(reload, setup);
	else
		setup_unref(setup);
	buf_free(&detail);
	return ret;
}

/* Until lanes of before have drained no further change is taken. */
static void settle(struct reload *reload)
{
	while (!engine_is_settled(reload->params.engine, SETTLE_MS) && !atomic_load(&reload->stopping))
		continue;
}

/* order: the engine's own, or one of ours with id 0. */
static void carry_out(struct reload *reload, struct engine_request *order)
{
	struct doc *doc = doc_create();
	struct err err = { 0 };

	/* What is wrong now is read again when it has changed, be it while it is read. */
	reload->stamp = stamp_now(reload);
	supervisor_reloading();
	int ret = attempt(reload, order, doc, &err);
	supervisor_reloaded("serves");
	if (ret != ERR_OK) {
		tell_failed(reload, order, &err);
		doc_destroy(doc);
		/* A file that is missing is no path that is unknown. */
		if (err.code == ERR_NOTFOUND || err.code == ERR_DENIED)
			err.code = ERR_INVALID;
	}
	engine_answer_order(reload->params.engine, order, ret == ERR_OK ? doc : NULL, ret == ERR_OK ? NULL : &err);
	settle(reload);
}

/* ---- the thread ---- */

/* Something changed; whoever writes several files is given a moment to write them all. */
static void look(struct reload *reload)
{
	reload->look_ms = now_ms() + LOOK_MS;
	if (!reload->current->conf->watch_secrets || stamp_now(reload) == reload->stamp)
		return;
	struct engine_request *order = engine_take_order(reload->params.engine, ENGINE_ROOM_RELOAD, CALM_MS);
	if (order == NULL) {
		order = engine_request_create(ENGINE_RELOAD, 0);
		order->actor = xstrdup("app.watch_secrets");
	}
	carry_out(reload, order);
}

static void *run(void *arg)
{
	struct reload *reload = arg;

	while (!atomic_load(&reload->stopping)) {
		int64_t wait_ms = reload->look_ms - now_ms();
		struct engine_request *order =
			engine_take_order(reload->params.engine, ENGINE_ROOM_RELOAD, wait_ms < 0 ? 0 : wait_ms);

		if (order != NULL)
			carry_out(reload, order);
		else if (now_ms() >= reload->look_ms)
			look(reload);
	}
	return NULL;
}

struct reload *reload_start(const struct reload_params *params)
{
	struct reload *reload = xcalloc(1, sizeof(*reload));

	reload->params = *params;
	reload->started = setup_ref(params->setup);
	reload->current = setup_ref(params->setup);
	reload->stamp = params->setup->stamp;
	reload->look_ms = now_ms() + LOOK_MS;
	engine_open_room(params->engine, ENGINE_ROOM_RELOAD);
	reload->thread = thread_start("reload", run, reload);
	return reload;
}

void reload_stop(struct reload *reload)
{
	atomic_store(&reload->stopping, true);
	engine_wake_room(reload->params.engine, ENGINE_ROOM_RELOAD);
	thread_join(reload->thread);
	engine_close_room(reload->params.engine, ENGINE_ROOM_RELOAD);
}

void reload_destroy(struct reload *reload)
{
	setup_unref(reload->current);
	setup_unref(reload->started);
	free(reload);
}
