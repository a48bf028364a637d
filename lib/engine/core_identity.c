/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whom a login may speak for: several DA masters with credentials of their own
 * must not be able to push and delete in each other's name. Who owns a zone is
 * another question (core_command.c).
 */
#include <stdlib.h>
#include <string.h>

#include "engine/core_internal.h"
#include "engine/message.h"

static bool is_listed(const char *list, const char *hostname)
{
	char host[256];

	for (const char *at = list; at != NULL; at = strchr(at, ',')) {
		at += *at == ',';
		size_t size = strcspn(at, ",");
		if (size >= sizeof(host))
			continue;
		memcpy(host, at, size);
		host[size] = '\0';
		if (core_same_host(host, hostname))
			return true;
	}
	return false;
}

bool core_may_act(struct core *core, struct core_command *command)
{
	struct engine_request *request = command->request;
	const char *hostname = request->hostname == NULL ? "" : request->hostname;
	const char *actor = request->actor == NULL ? "" : request->actor;
	struct err err;

	if (request->identities == NULL)
		return true;
	/* A login of one master alone speaks for that one. */
	if (hostname[0] == '\0' && strchr(request->identities, ',') == NULL) {
		free(request->hostname);
		request->hostname = xstrdup(request->identities);
		return true;
	}
	if (hostname[0] != '\0' && is_listed(request->identities, hostname))
		return true;
	if (hostname[0] == '\0')
		err_set(&err, ERR_DENIED, "login %s acts for several masters: hostname is missing", actor);
	else
		err_set(&err, ERR_DENIED, "login %s may not act for %.255s", actor, hostname);
	core_note(core, "identity_refused", request->op == ENGINE_PUSH ? request->zone : request->names[0], NULL,
		request->source, "%s", err.text);
	core_stage(core, engine_message_reply(request, &err));
	return false;
}
