/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The thread: looks, queues what is news, posts the oldest. */
#include "notify/notify.h"

#include <curl/curl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/queue.h"
#include "base/thread.h"
#include "notify/facts.h"
#include "notify/message.h"
#include "notify/post.h"

enum { LOOK_MS = 2000, PAUSE_LEAST_MS = 2000, PAUSE_MOST_MS = 300000, HOST_SIZE = 256 };

struct notify {
	struct notify_params params;
	struct engine *engine;
	pthread_t thread;
	atomic_bool stopping;
	struct queue *bell;        /* rung to stop; nothing is ever in it */
	struct watch *watch;
	struct post *post;
	char host[HOST_SIZE];
	unsigned boot;             /* with sent and queued: ids that no other message has */
	uint64_t made;
	char *waiting[NOTIFY_QUEUE]; /* messages, the oldest first */
	size_t waiting_count;
	int64_t next_ms;           /* the oldest is not tried before */
	int64_t pause_ms;          /* of failures in a row; 0: it did not fail */
	uint64_t sent;
	uint64_t lost;             /* there were too many */
	int64_t sent_at_us;
	struct err err;            /* of the last try */
};

static int64_t now_ms(void)
{
	return clock_mono_ms(clock_system());
}

static int64_t now_us(void)
{
	return clock_wall_us(clock_system());
}

/* ---- what is shown of it ---- */

static void publish(struct notify *notify)
{
	struct doc *doc = doc_create();

	doc_bool(doc, "enabled", true);
	doc_uint(doc, "sent", notify->sent);
	doc_time(doc, "sent_at", notify->sent_at_us);
	doc_uint(doc, "waiting", notify->waiting_count);
	doc_uint(doc, "lost", notify->lost);
	doc_text(doc, "error", notify->err.code == ERR_OK ? NULL : notify->err.text);
	engine_publish(notify->engine, "notify", doc);
}

/* ---- news ---- */

static void drop_oldest(struct notify *notify)
{
	free(notify->waiting[0]);
	notify->waiting_count--;
	memmove(notify->waiting, notify->waiting + 1, notify->waiting_count * sizeof(*notify->waiting));
}

static void take_news(void *ctx, const struct watch_news *news)
{
	struct notify *notify = ctx;
	char *id = xasprintf("%08x-%llu", notify->boot, (unsigned long long)++notify->made);

	if (notify->waiting_count == NOTIFY_QUEUE) {
		log_warn("a notification is lost: too many wait", LOG_UINT("waiting", notify->waiting_count));
		notify->lost++;
		drop_oldest(notify);
	}
	notify->waiting[notify->waiting_count++] = message_write(news, notify->host, id, now_us());
	free(id);
}

/* Without an answer of the engine nothing is known, and nothing is news. */
static void look(struct notify *notify)
{
	struct engine_message *message;
	struct facts facts;

	if (engine_ask(notify->engine, engine_request_create(ENGINE_STATUS, 0), &message) != ERR_OK)
		return;
	if (message->err.code == ERR_OK) {
		facts_gather(message->status, (int64_t)notify->params.unanswered_seconds * 1000000, now_us(), &facts);
		watch_look(notify->watch, facts.list, facts.count, now_ms(), now_us(), take_news, notify);
		facts_clear(&facts);
	}
	engine_message_destroy(message);
}

/* ---- posting ---- */

static void note_failure(struct notify *notify, const struct err *err)
{
	/* Said once, not at each try. */
	if (notify->pause_ms == 0)
		log_warn("a notification can't be posted, it is tried again", LOG_ERR(err));
	notify->pause_ms = notify->pause_ms == 0 ? PAUSE_LEAST_MS : notify->pause_ms * 2;
	if (notify->pause_ms > PAUSE_MOST_MS)
		notify->pause_ms = PAUSE_MOST_MS;
	notify->next_ms = now_ms() + notify->pause_ms;
}

static void note_success(struct notify *notify)
{
	if (notify->pause_ms != 0)
		log_info("notifications are posted again");
	notify->pause_ms = 0;
	notify->sent++;
	notify->sent_at_us = now_us();
	drop_oldest(notify);
}

static void post_waiting(struct notify *notify)
{
	while (notify->waiting_count > 0 && now_ms() >= notify->next_ms && !atomic_load(&notify->stopping)) {
		notify->err = (struct err){ 0 };
		if (post_send(notify->post, notify->waiting[0], &notify->err) == ERR_OK)
			note_success(notify);
		else
			note_failure(notify, &notify->err);
	}
}

static void *run(void *arg)
{
	struct notify *notify = arg;
	void *none;

	publish(notify);
	while (!atomic_load(&notify->stopping)) {
		look(notify);
		post_waiting(notify);
		publish(notify);
		queue_take(notify->bell, &none, 1, LOOK_MS);
	}
	return NULL;
}

/* ---- life ---- */

struct notify *notify_start(const struct notify_params *params, struct engine *engine)
{
	struct notify *notify = xcalloc(1, sizeof(*notify));

	CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
	notify->params = *params;
	notify->engine = engine;
	notify->bell = queue_create(1, false);
	notify->watch = watch_create((int64_t)params->min_seconds * 1000);
	notify->post = post_create(params, &notify->stopping);
	hash_random(&notify->boot, sizeof(notify->boot));
	if (gethostname(notify->host, sizeof(notify->host) - 1) != 0)
		notify->host[0] = '\0';
	notify->thread = thread_start("notify", run, notify);
	return notify;
}

void notify_stop(struct notify *notify)
{
	if (notify == NULL)
		return;
	atomic_store(&notify->stopping, true);
	queue_wake(notify->bell);
	thread_join(notify->thread);
	while (notify->waiting_count > 0)
		drop_oldest(notify);
	watch_destroy(notify->watch);
	post_destroy(notify->post);
	queue_destroy(notify->bell);
	free(notify);
	curl_global_cleanup();
}
