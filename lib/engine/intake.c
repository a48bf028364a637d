/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The intake thread: names and zone text are checked here, so that neither the loop nor the engine thread waits for a
 * parser. A lone request of little text skips it (engine_submit): one thread less to wake up.
 */
#include <stdlib.h>
#include <string.h>

#include "base/testing.h"
#include "engine/engine_internal.h"

static void read_push(const struct engine *engine, struct core_command *command)
{
	const struct engine_request *request = command->request;
	const char *sent = request->zone == NULL ? "" : request->zone;

	if (zone_name_parse(sent, strlen(sent), command->name, &command->err) != ERR_OK) {
		command->name[0] = '\0';
		return;
	}
	if (zone_parse(command->name, request->text, request->text_size, atomic_load(&engine->max_zone_records),
		    &command->zone, &command->err) != ERR_OK)
		command->zone = NULL;
	FAULT_POINT(push_parsed);
}

/* An import without a text is of an owner, a merge without one of a delete. */
static bool brings_text(const struct engine_request *request)
{
	switch (request->op) {
	case ENGINE_PUSH:
	case ENGINE_PULL:
		return true;
	case ENGINE_MERGE:
		return request->text != NULL;
	case ENGINE_IMPORT:
		return request->text_size > 0;
	default:
		return false;
	}
}

void intake_read(const struct engine *engine, struct core_command *command)
{
	const struct engine_request *request = command->request;

	command->unread = false;
	if (brings_text(request))
		read_push(engine, command);
	else if (request->zone != NULL &&
		zone_name_parse(request->zone, strlen(request->zone), command->name, &command->err) != ERR_OK)
		command->name[0] = '\0';
}

void *intake_run(void *arg)
{
	enum { AT_ONCE = 16 };
	struct engine *engine = arg;
	void *commands[AT_ONCE];

	/* In order: the order of acceptance is the order of generations. */
	while (!queue_is_over(engine->requests)) {
		size_t count = queue_take(engine->requests, commands, AT_ONCE, PULSE_MS);

		pulse_beat(&engine->intake_pulse);
		for (size_t i = 0; i < count; i++) {
			intake_read(engine, commands[i]);
			pulse_beat(&engine->intake_pulse);
			CHECK(queue_push(engine->commands, commands[i]) == ERR_OK);
			atomic_fetch_sub(&engine->in_intake, 1);
		}
	}
	return NULL;
}
