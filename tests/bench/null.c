/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An engine that does nothing: bench_null is zonefand's own main, configuration
 * and HTTP front with this behind them. It takes each push whole and answers
 * error=0 at once, in the loop thread: nothing is parsed, stored or delivered.
 * What is left is what the front door itself can do.
 */
#include "engine/engine.h"

#include <stdlib.h>

#include "base/queue.h"
#include "beside.h"
#include "engine/message.h"
#include "reload.h"

enum { MESSAGES_MOST = 65536 };

struct engine {
	struct queue *messages;
};

static void tell(struct engine *engine, struct engine_message *message)
{
	CHECK(queue_push(engine->messages, message) == ERR_OK);
}

int engine_start(const struct engine_params *params UNUSED, struct engine **out, struct err *err UNUSED)
{
	struct engine *engine = xcalloc(1, sizeof(*engine));

	engine->messages = queue_create(MESSAGES_MOST, true);
	tell(engine, engine_message_create(ENGINE_NAMES_LOADED));
	*out = engine;
	return ERR_OK;
}

void engine_stop(struct engine *engine, int64_t deadline_ms UNUSED)
{
	queue_close(engine->messages);
}

void engine_destroy(struct engine *engine)
{
	struct engine_message *message;

	while (engine_take(engine, &message, 1) == 1)
		engine_message_destroy(message);
	queue_destroy(engine->messages);
	free(engine);
}

int engine_submit(struct engine *engine, struct engine_request *request)
{
	struct err refused;
	struct err *err = NULL;

	if (request->op != ENGINE_PUSH) {
		err_set(&refused, ERR_INVALID, "only pushes are answered here");
		err = &refused;
	}
	/* Not more are under way than there are connections, so that the queue can't be full. */
	tell(engine, engine_message_reply(request, err));
	engine_request_destroy(request);
	return ERR_OK;
}

int engine_fd(const struct engine *engine)
{
	return queue_fd(engine->messages);
}

size_t engine_take(struct engine *engine, struct engine_message **out, size_t most)
{
	return queue_take(engine->messages, (void **)out, most, 0);
}

const char *engine_stalled(struct engine *engine UNUSED)
{
	return NULL;
}

void engine_publish(UNUSED struct engine *engine, UNUSED const char *key, struct doc *doc)
{
	doc_destroy(doc);
}

/* ---- the threads beside it ---- */

void beside_start(struct beside *beside, struct engine *engine UNUSED, struct setup *setup UNUSED)
{
	*beside = (struct beside){ .engine = NULL };
}

void beside_stop(struct beside *beside UNUSED)
{
}

struct reload *reload_start(const struct reload_params *params UNUSED)
{
	return NULL;
}

void reload_stop(struct reload *reload UNUSED)
{
}

void reload_destroy(struct reload *reload UNUSED)
{
}
