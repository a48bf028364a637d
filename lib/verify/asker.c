/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "verify/asker.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/queue.h"
#include "base/resolve.h"
#include "base/thread.h"

enum { RESOLVE_MS = 2000 };

struct asker {
	char *host;
	uint16_t port;
	struct queue *questions; /* one at most, these two */
	struct queue *answers;
	void (*ready)(void *ctx);
	void *ctx;
	atomic_bool stopping;
	pthread_t thread;
};

void ask_destroy(struct ask *ask)
{
	free((char *)(uintptr_t)ask->question.name);
	dns_answer_clear(&ask->answer);
	free(ask);
}

static bool goes_on(void *ctx)
{
	const struct asker *asker = ctx;

	return !atomic_load(&asker->stopping);
}

static void run_question(struct asker *asker, struct ask *ask)
{
	char addresses[RESOLVE_MOST][NI_MAXHOST];
	size_t count = 0;

	ask->ret = resolve_host(asker->host, clock_mono_ms(clock_system()) + RESOLVE_MS, -1, addresses, &count, &ask->err);
	/* A name stands for one server: its first address that says anything. */
	for (size_t i = 0; i < count; i++) {
		const struct dns_server server = { .address = addresses[i], .port = asker->port, .tick = goes_on, .ctx = asker };

		ask->ret = dns_ask(&server, &ask->question, &ask->answer, &ask->err);
		if (ask->ret != ERR_TIMEOUT)
			return;
		/* The text stands beside the server as it is configured. */
		if (strcmp(addresses[i], asker->host) != 0)
			err_prefix(&ask->err, "%s", addresses[i]);
	}
}

static void *run(void *arg)
{
	struct asker *asker = arg;
	void *ask;

	while (queue_take(asker->questions, &ask, 1, -1) == 1) {
		run_question(asker, ask);
		CHECK(queue_push(asker->answers, ask) == ERR_OK);
		asker->ready(asker->ctx);
	}
	return NULL;
}

/* "HOST:PORT" or "[IPV6]:PORT". */
static void split(struct asker *asker, const char *server)
{
	const char *colon = strrchr(server, ':');
	bool bracketed = server[0] == '[';

	CHECK(colon != NULL);
	asker->host = xmemdup(server + bracketed, (size_t)(colon - server) - (bracketed ? 2 : 0));
	asker->port = (uint16_t)strtoul(colon + 1, NULL, 10);
}

struct asker *asker_create(const char *server, const char *thread_name, void (*ready)(void *ctx), void *ctx)
{
	struct asker *asker = xcalloc(1, sizeof(*asker));

	split(asker, server);
	asker->questions = queue_create(1, false);
	asker->answers = queue_create(1, false);
	asker->ready = ready;
	asker->ctx = ctx;
	asker->thread = thread_start(thread_name, run, asker);
	return asker;
}

void asker_stop(struct asker *asker)
{
	atomic_store(&asker->stopping, true);
	queue_close(asker->questions);
}

void asker_destroy(struct asker *asker)
{
	void *left;

	if (asker == NULL)
		return;
	asker_stop(asker);
	thread_join(asker->thread);
	while (queue_take(asker->questions, &left, 1, 0) == 1 || queue_take(asker->answers, &left, 1, 0) == 1)
		ask_destroy(left);
	queue_destroy(asker->questions);
	queue_destroy(asker->answers);
	free(asker->host);
	free(asker);
}

void asker_ask(struct asker *asker, struct ask *ask)
{
	CHECK(queue_push(asker->questions, ask) == ERR_OK);
}

struct ask *asker_take(struct asker *asker)
{
	void *ask;

	return queue_take(asker->answers, &ask, 1, 0) == 1 ? ask : NULL;
}
