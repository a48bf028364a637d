/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests and messages: making and freeing what passes between the engine and its callers. */
#include "engine/engine.h"

#include <stdlib.h>

#include "engine/message.h"

struct engine_request *engine_request_create(enum engine_op op, uint64_t id)
{
	struct engine_request *request = xcalloc(1, sizeof(*request));

	request->op = op;
	request->id = id;
	return request;
}

void engine_request_destroy(struct engine_request *request)
{
	if (request == NULL)
		return;
	for (size_t i = 0; i < request->name_count; i++)
		free(request->names[i]);
	free(request->names);
	free(request->zone);
	free(request->hostname);
	free(request->username);
	free(request->source);
	free(request->backend);
	free(request->text);
	free(request->after);
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
	if (err != NULL)
		message->err = *err;
	return message;
}

void engine_message_add_name(struct engine_message *message, const char *name, const char *hostname,
	const char *username)
{
	if ((message->name_count & (message->name_count - 1)) == 0) {
		size_t room = message->name_count == 0 ? 1 : message->name_count * 2;

		message->names = xrealloc(message->names, room * sizeof(*message->names));
	}
	message->names[message->name_count++] = (struct engine_name){
		.name = xstrdup(name), .hostname = xstrdup(hostname), .username = xstrdup(username)
	};
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
	free(status);
}

static void free_zone(struct engine_zone *zone)
{
	for (size_t i = 0; i < zone->delivery_count; i++) {
		free(zone->deliveries[i].backend);
		free(zone->deliveries[i].last_error);
	}
	free(zone->deliveries);
	free(zone->name);
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
}

void engine_message_destroy(struct engine_message *message)
{
	if (message == NULL)
		return;
	for (size_t i = 0; i < message->name_count; i++) {
		free(message->names[i].name);
		free(message->names[i].hostname);
		free(message->names[i].username);
	}
	free(message->names);
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
	free(message);
}
