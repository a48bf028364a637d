/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The intake thread: names and zone text are checked here, so that neither the loop nor the engine thread waits for a parser. */
#include <stdlib.h>
#include <string.h>

#include "engine/engine_internal.h"

static void read_push(const struct engine *engine, struct core_command *command)
{
	const struct engine_request *request = command->request;
	const char *sent = request->zone == NULL ? "" : request->zone;

	if (zone_name_parse(sent, strlen(sent), command->name, &command->err) != ERR_OK) {
		command->name[0] = '\0';
		return;
	}
	if (zone_parse(command->name, request->text, request->text_size, engine->params.max_zone_records,
		    &command->zone, &command->err) != ERR_OK)
		command->zone = NULL;
}

static struct core_command *read_request(const struct engine *engine, struct engine_request *request)
{
	struct core_command *command = xcalloc(1, sizeof(*command));

	command->request = request;
	if (request->op == ENGINE_PUSH)
		read_push(engine, command);
	else if (request->op == ENGINE_RETRY && request->zone != NULL &&
		zone_name_parse(request->zone, strlen(request->zone), command->name, &command->err) != ERR_OK)
		command->name[0] = '\0';
	return command;
}

void *intake_run(void *arg)
{
	enum { AT_ONCE = 16 };
	struct engine *engine = arg;
	void *requests[AT_ONCE];
	size_t count;

	/* In order: the order of acceptance is the order of generations. */
	while ((count = queue_take(engine->requests, requests, AT_ONCE, -1)) > 0) {
		for (size_t i = 0; i < count; i++)
			CHECK(queue_push(engine->commands, read_request(engine, requests[i])) == ERR_OK);
	}
	return NULL;
}
