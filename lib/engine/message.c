/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests and messages: making and freeing what passes between the engine and its callers. */
#include "engine/engine.h"

#include <stdlib.h>
#include <string.h>

#include "engine/message.h"

enum engine_queue engine_queue_of(enum engine_op op)
{
	if (op >= ENGINE_SYNC_PEERS)
		return (enum engine_queue)(ENGINE_QUEUE_PEERS + (op - ENGINE_SYNC_PEERS));
	return op >= ENGINE_STATUS ? ENGINE_QUEUE_QUESTIONS : ENGINE_QUEUE_CHANGES;
}

struct engine_request *engine_request_create(enum engine_op op, uint64_t id)
{
	struct engine_request *request = xcalloc(1, sizeof(*request));

	request->op = op;
	request->id = id;
	return request;
}

void engine_peer_zone_clear(struct engine_peer_zone *zone)
{
	free(zone->name);
	free(zone->vector);
	free(zone->origin);
	free(zone->digest);
	free(zone->hostname);
	free(zone->username);
	*zone = (struct engine_peer_zone){ .name = NULL };
}

void engine_answer_clear(struct engine_answer *answer)
{
	free(answer->backend);
	free(answer->server);
	free(answer->zone);
	free(answer->error);
	*answer = (struct engine_answer){ .backend = NULL };
}

void engine_request_destroy(struct engine_request *request)
{
	if (request == NULL)
		return;
	for (size_t i = 0; i < request->name_count; i++)
		free(request->names[i]);
	free(request->names);
	free(request->seen);
	free(request->zone);
	free(request->hostname);
	free(request->username);
	free(request->source);
	free(request->actor);
	free(request->identities);
	free(request->push_id);
	free(request->file);
	free(request->backend);
	free(request->text);
	free(request->after);
	free(request->peer);
	free(request->kind);
	for (size_t i = 0; i < request->peer_zone_count; i++)
		engine_peer_zone_clear(&request->peer_zones[i]);
	free(request->peer_zones);
	for (size_t i = 0; i < request->answer_count; i++)
		engine_answer_clear(&request->answers[i]);
	free(request->answers);
	free(request);
}

struct engine_message *engine_message_create(enum engine_message_kind kind)
{
	struct engine_message *message = xcalloc(1, sizeof(*message));

	message->kind = kind;
	return message;
}

struct engine_message *engine_message_reply(const struct engine_request *request, const struct err *err)
{
	struct engine_message *message = engine_message_create(ENGINE_REPLY);

	message->id = request->id;
	message->op = request->op;
	message->mailbox = request->mailbox;
	if (err != NULL)
		message->err = *err;
	return message;
}

/* Three texts behind each other, each with its NUL: one block for a page of names. */
void engine_message_add_name(struct engine_message *message, const char *name, const char *hostname,
	const char *username)
{
	buf_append(&message->names, name, strlen(name) + 1);
	buf_append(&message->names, hostname, strlen(hostname) + 1);
	buf_append(&message->names, username, strlen(username) + 1);
	message->name_count++;
}

static const char *next_text(const struct engine_message *message, size_t *at)
{
	const char *text = message->names.data + *at;

	*at += strlen(text) + 1;
	return text;
}

bool engine_message_next_name(const struct engine_message *message, size_t *at, struct engine_name *out)
{
	if (*at == message->names.size)
		return false;
	out->name = next_text(message, at);
	out->hostname = next_text(message, at);
	out->username = next_text(message, at);
	return true;
}

static void free_status(struct engine_status *status)
{
	if (status == NULL)
		return;
	for (size_t i = 0; i < status->lane_count; i++) {
		free(status->lanes[i].backend);
		free(status->lanes[i].type);
		free(status->lanes[i].last_error);
	}
	free(status->lanes);
	free(status->store_error);
	doc_destroy(status->shown);
	free(status);
}

static void free_receipt(struct engine_receipt *receipt)
{
	for (size_t i = 0; i < receipt->said_count; i++) {
		free(receipt->said[i].server);
		free(receipt->said[i].error);
	}
	free(receipt->said);
}

static void free_zone(struct engine_zone *zone)
{
	for (size_t i = 0; i < zone->delivery_count; i++) {
		free_receipt(&zone->deliveries[i].receipt);
		free(zone->deliveries[i].backend);
		free(zone->deliveries[i].last_error);
	}
	free(zone->deliveries);
	free(zone->name);
	free(zone->frozen_by);
	free(zone->hostname);
	free(zone->username);
}

static void free_refused(struct engine_refused *refused)
{
	free(refused->zone);
	free(refused->source);
	free(refused->hostname);
	free(refused->username);
	free(refused->error);
	free(refused->text);
}

static void free_event(struct engine_event *event)
{
	free(event->kind);
	free(event->zone);
	free(event->backend);
	free(event->source);
	free(event->detail);
	free(event->actor);
	free(event->push_id);
}

void engine_message_destroy(struct engine_message *message)
{
	if (message == NULL)
		return;
	buf_free(&message->names);
	free_status(message->status);
	for (size_t i = 0; i < message->zone_count; i++)
		free_zone(&message->zones[i]);
	free(message->zones);
	for (size_t i = 0; i < message->refused_count; i++)
		free_refused(&message->refused[i]);
	free(message->refused);
	for (size_t i = 0; i < message->event_count; i++)
		free_event(&message->events[i]);
	free(message->events);
	doc_destroy(message->doc);
	free(message);
}
