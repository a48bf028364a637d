/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pushes, deletes and retries: what a command does to desired state (decisions.md 6, 11). */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "engine/core_internal.h"
#include "engine/message.h"

static bool is_given(const char *text)
{
	return text != NULL && text[0] != '\0';
}

static int refuse_push(struct core *core, struct core_command *command, struct err *err)
{
	const struct engine_request *request = command->request;
	struct core_cause cause = core_cause_of(request);
	char plain[ZONE_NAME_SIZE];
	struct store_rejected rejected = {
		.name = command->name,
		.at_us = core_wall_us(core),
		.source = request->source,
		.hostname = request->hostname,
		.username = request->username,
		.error = command->err.text,
		.text = request->text,
		.text_size = request->text_size,
	};

	core->counters.refused++;
	core_stage(core, engine_message_reply(request, &command->err));
	/* A name that is none cannot be listed under itself; there is nothing to keep but the event. */
	core_note_by(core, "push_refused", command->name[0] == '\0' ? NULL : zone_name_plain(command->name, plain), NULL,
		&cause, "%s", command->err.text);
	if (command->name[0] == '\0')
		return ERR_OK;
	return store_rejected_add(core->store, &rejected, err);
}

static int push(struct core *core, struct core_command *command, struct err *err)
{
	const struct engine_request *request = command->request;
	const struct core_content content = {
		.name = command->name,
		.zone = command->zone,
		.text = request->text,
		.text_size = request->text_size,
		.hostname = request->hostname,
		.username = request->username,
		.origin = "push",
		.cause = core_cause_of(request),
		.urgent = request->urgent,
		.canary = request->canary,
	};
	struct err held;

	if (command->zone == NULL)
		return refuse_push(core, command, err);
	int ret = core_accept(core, &content, &held, err);
	if (ret == ERR_OK && held.code == ERR_OK)
		core->counters.pushes++;
	else if (ret == ERR_OK)
		core->counters.guarded++;
	if (ret == ERR_OK)
		core_stage(core, engine_message_reply(request, &held));
	return ret;
}

/* Honoured only from the owner; a refusal is no error for the master, which could do nothing about it. */
static bool may_delete(struct core *core, const struct store_zone *row, const struct engine_request *request)
{
	struct core_cause cause = core_cause_of(request);
	char plain[ZONE_NAME_SIZE];

	zone_name_plain(row->name, plain);
	if (!is_given(row->hostname))
		return true;
	if (!is_given(request->hostname)) {
		core_note_by(core, "delete_refused", plain, NULL, &cause,
			"the delete names no hostname, the owner is %s", row->hostname);
		return false;
	}
	if (!core_same_host(row->hostname, request->hostname)) {
		core_note_by(core, "delete_refused", plain, NULL, &cause,
			"the delete is from %s, the owner is %s", request->hostname, row->hostname);
		return false;
	}
	return true;
}

static int delete_one(struct core *core, const struct engine_request *request, const char *sent,
	struct engine_message *gone, struct err *refused, struct err *err)
{
	struct core_cause cause = core_cause_of(request);
	struct store_zone row = { 0 };
	char name[ZONE_NAME_SIZE];
	char plain[ZONE_NAME_SIZE];

	if (zone_name_parse(sent, strlen(sent), name, refused) != ERR_OK)
		return ERR_OK;
	int ret = store_zone_find(core->store, name, &row, err);
	if (ret == ERR_NOTFOUND) {
		core_note_by(core, "delete_unknown", zone_name_plain(name, plain), NULL, &cause,
			"a delete of a zone that was never held");
		return core_delete_unknown(core, name, request->hostname, err);
	}
	if (ret == ERR_CORRUPT) {
		/* Nobody knows whose it is. It stays, and who asked is told; the others of the request go. */
		log_error("a stored zone is damaged, and not deleted", LOG_ERR(err));
		*refused = *err;
		return ERR_OK;
	}
	if (ret != ERR_OK)
		return ret;
	if ((!row.deleted || core->params.peers) && may_delete(core, &row, request))
		ret = row.deleted ? core_delete_again(core, &row, err) : core_bury(core, &row, &cause, gone, err);
	store_zone_clear(&row);
	return ret;
}

static int delete(struct core *core, struct core_command *command, struct err *err)
{
	const struct engine_request *request = command->request;
	struct engine_message *gone = engine_message_create(ENGINE_NAME_GONE);
	struct err refused = { 0 };

	/* One message however many names: what is told is bounded by what is under way. */
	core_stage(core, gone);
	for (size_t i = 0; i < request->name_count; i++) {
		int ret = delete_one(core, request, request->names[i], gone, &refused, err);

		if (ret != ERR_OK)
			return ret;
	}
	core_stage(core, engine_message_reply(request, &refused));
	return ERR_OK;
}

int core_find_asked(struct core *core, struct core_command *command, struct store_zone *row, struct err *err)
{
	const char *sent = command->request->zone == NULL ? "" : command->request->zone;
	struct err refused;
	char plain[ZONE_NAME_SIZE];
	int ret = command->name[0] == '\0' ? ERR_NOTFOUND : store_zone_find(core->store, command->name, row, err);

	if (ret == ERR_OK && core_is_hearsay(row)) {
		store_zone_clear(row);
		ret = ERR_NOTFOUND;
	}
	if (ret != ERR_NOTFOUND)
		return ret;
	*row = (struct store_zone){ 0 };
	err_set(&refused, ERR_NOTFOUND, "zone %.255s is not held",
		command->name[0] == '\0' ? sent : zone_name_plain(command->name, plain));
	core_stage(core, engine_message_reply(command->request, &refused));
	return ERR_OK;
}

static int retry_one(struct core *core, struct core_command *command, struct err *err)
{
	struct engine_message *reply;
	struct store_zone row;
	int ret = core_find_asked(core, command, &row, err);

	if (ret != ERR_OK || row.id == 0)
		return ret;
	ret = core_retry_zone(core, &row, err);
	reply = engine_message_reply(command->request, NULL);
	reply->affected = core->lane_count;
	core_stage(core, reply);
	store_zone_clear(&row);
	return ret;
}

static int retry(struct core *core, struct core_command *command, struct err *err)
{
	if (command->request->zone != NULL)
		return retry_one(core, command, err);
	core_replay_order(core, command->request, 0);
	return ERR_OK;
}

/* For whoever has no state here. */
static void note(struct core *core, const struct engine_request *request)
{
	struct core_cause cause = core_cause_of(request);

	core_note_by(core, request->kind, NULL, NULL, &cause, "%s", request->text == NULL ? "" : request->text);
	core_stage(core, engine_message_reply(request, NULL));
}

int core_carry_out(struct core *core, struct core_command *command, struct err *err)
{
	if (!core_may_act(core, command))
		return ERR_OK;
	switch (command->request->op) {
	case ENGINE_PUSH:
		return push(core, command, err);
	case ENGINE_DELETE:
		return delete (core, command, err);
	case ENGINE_IMPORT:
		return core_import(core, command, err);
	case ENGINE_RETRY:
		return retry(core, command, err);
	case ENGINE_PAUSE:
	case ENGINE_RESUME:
		core_order(core, command);
		return ERR_OK;
	case ENGINE_HEAL:
		core_heal_order(core, command);
		return ERR_OK;
	case ENGINE_HEAL_STOP:
		core_heal_stop_order(core, command);
		return ERR_OK;
	case ENGINE_FREEZE:
	case ENGINE_THAW:
		return core_freeze_order(core, command, err);
	case ENGINE_ROLLBACK:
	case ENGINE_UNDELETE:
		return core_history_order(core, command, err);
	case ENGINE_PULL:
		return core_pull(core, command, err);
	case ENGINE_MASTER_ASKED:
		return core_master_asked(core, command, err);
	case ENGINE_MASTER_LIST:
		return core_master_list(core, command, err);
	case ENGINE_MASTER_CONTESTED:
		return core_master_contested(core, command, err);
	case ENGINE_MASTER_MISSING:
		return core_master_missing(core, command, err);
	case ENGINE_MASTER_OWN:
		return core_master_own(core, command, err);
	case ENGINE_MASTER_JUDGE:
		return core_master_judge(core, command, err);
	case ENGINE_DEAD_REPLAY:
	case ENGINE_DEAD_DROP:
		return core_dead_order(core, command, err);
	case ENGINE_RETIRE:
		return core_retire_order(core, command, err);
	case ENGINE_APPROVE:
	case ENGINE_DISCARD:
		return core_held_order(core, command, err);
	case ENGINE_MERGE:
		return core_merge(core, command, err);
	case ENGINE_ANSWERED:
		return core_answered(core, command, err);
	case ENGINE_VERIFY_NOTE:
		return core_verify_note(core, command, err);
	case ENGINE_NOTE:
		note(core, command->request);
		return ERR_OK;
	case ENGINE_PEER_NOTE:
		return core_peer_note(core, command, err);
	default:
		WRONG("a query among the commands");
	}
}
