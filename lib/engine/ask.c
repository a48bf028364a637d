/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What threads beside the loop have of the engine: they ask and wait, show what they know, and carry out orders. */
#include <stdlib.h>
#include <time.h>

#include "engine/engine_internal.h"
#include "engine/message.h"

enum { ORDERS_MOST = 16, RETRY_MS = 20 };

bool ask_is_order(enum engine_op op)
{
	return engine_queue_of(op) >= ENGINE_QUEUE_PEERS;
}

bool ask_is_query(enum engine_op op)
{
	return engine_queue_of(op) == ENGINE_QUEUE_QUESTIONS;
}

/* ---- asking ---- */

void ask_deliver(struct engine_message *message)
{
	struct engine_mailbox *mailbox = message->mailbox;

	CHECK(pthread_mutex_lock(&mailbox->lock) == 0);
	mailbox->message = message;
	pthread_cond_signal(&mailbox->filled);
	pthread_mutex_unlock(&mailbox->lock);
}

static int submit(struct engine *engine, struct engine_request *request)
{
	static const struct timespec pause = { .tv_nsec = RETRY_MS * 1000000L };
	bool query = ask_is_query(request->op);
	int ret;

	while ((ret = query ? queue_push(engine->queries, request) : engine_pass_on(engine, request, false)) == ERR_BUSY)
		nanosleep(&pause, NULL);
	return ret;
}

int engine_ask(struct engine *engine, struct engine_request *request, struct engine_message **out)
{
	struct engine_mailbox mailbox = { .message = NULL };

	CHECK(pthread_mutex_init(&mailbox.lock, NULL) == 0 && pthread_cond_init(&mailbox.filled, NULL) == 0);
	request->mailbox = &mailbox;
	request->id = UINT64_MAX; /* a reply is wanted; the mailbox says where */
	int ret = submit(engine, request);
	if (ret == ERR_OK) {
		CHECK(pthread_mutex_lock(&mailbox.lock) == 0);
		while (mailbox.message == NULL)
			pthread_cond_wait(&mailbox.filled, &mailbox.lock);
		pthread_mutex_unlock(&mailbox.lock);
		*out = mailbox.message;
	} else {
		engine_request_destroy(request);
	}
	pthread_cond_destroy(&mailbox.filled);
	pthread_mutex_destroy(&mailbox.lock);
	return ret;
}

/* ---- showing ---- */

void engine_publish(struct engine *engine, const char *key, struct doc *doc)
{
	struct doc *old;

	CHECK(pthread_mutex_lock(&engine->board.lock) == 0);
	if (engine->board.shown == NULL)
		engine->board.shown = doc_create();
	old = doc_adopt(engine->board.shown, key, doc);
	pthread_mutex_unlock(&engine->board.lock);
	doc_destroy(old);
}

/* ---- orders ---- */

void ask_make_rooms(struct engine *engine)
{
	for (size_t i = 0; i < ENGINE_ROOMS; i++)
		engine->rooms[i].orders = queue_create(ORDERS_MOST, false);
}

void ask_destroy_rooms(struct engine *engine)
{
	void *order;

	for (size_t i = 0; i < ENGINE_ROOMS; i++) {
		while (queue_take(engine->rooms[i].orders, &order, 1, 0) == 1)
			engine_request_destroy(order);
		queue_destroy(engine->rooms[i].orders);
	}
}

/* Those that nobody took before the room was closed. */
static void refuse_orders(struct engine *engine, enum engine_room room)
{
	struct engine_request *order;
	struct err err;

	err_set(&err, ERR_INVALID, "it was just switched off");
	while ((order = engine_take_order(engine, room, 0)) != NULL)
		engine_answer_order(engine, order, NULL, &err);
}

int ask_pass_order(struct engine *engine, struct engine_request *order)
{
	static const struct {
		enum engine_room room;
		const char *what;
	} carries[] = {
		[ENGINE_QUEUE_PEERS] = { ENGINE_ROOM_PEERS, "peer sync" },
		[ENGINE_QUEUE_MASTERS] = { ENGINE_ROOM_MASTERS, "reconciliation" },
		[ENGINE_QUEUE_RELOAD] = { ENGINE_ROOM_RELOAD, "reloading" },
	};
	enum engine_queue at = engine_queue_of(order->op);
	struct engine_room_door *door = &engine->rooms[carries[at].room];
	struct err err;
	int ret = atomic_load(&door->open) ? queue_push(door->orders, order) : ERR_CLOSED;

	/* It may have been closed in between. */
	if (ret == ERR_OK && !atomic_load(&door->open))
		refuse_orders(engine, carries[at].room);
	if (ret != ERR_CLOSED)
		return ret;
	err_set(&err, ERR_INVALID, "%s is not switched on", carries[at].what);
	engine_answer_order(engine, order, NULL, &err);
	return ERR_OK;
}

void engine_close_room(struct engine *engine, enum engine_room room)
{
	atomic_store(&engine->rooms[room].open, false);
	refuse_orders(engine, room);
}

void engine_open_room(struct engine *engine, enum engine_room room)
{
	atomic_store(&engine->rooms[room].open, true);
}

struct engine_request *engine_take_order(struct engine *engine, enum engine_room room, int64_t wait_ms)
{
	void *order;

	return queue_take(engine->rooms[room].orders, &order, 1, wait_ms) == 1 ? order : NULL;
}

void engine_wake_room(struct engine *engine, enum engine_room room)
{
	queue_wake(engine->rooms[room].orders);
}

int64_t engine_written(struct engine *engine)
{
	return atomic_load(&engine->written);
}

void engine_answer_order(struct engine *engine, struct engine_request *order, struct doc *doc, const struct err *err)
{
	struct engine_message *message = engine_message_reply(order, err);

	message->doc = doc;
	/* Nobody waits for a reply to request 0. */
	if (order->id == 0)
		engine_message_destroy(message);
	else
		engine_tell(engine, message);
	engine_request_destroy(order);
}
