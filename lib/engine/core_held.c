/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The operator's word about what is held: approve puts it in force, discard
 * drops it. What that means is the business of whoever held it; a new kind is
 * a row of the table.
 */
#include <inttypes.h>
#include <string.h>

#include "engine/core_internal.h"
#include "engine/message.h"
#include "store/held.h"

static const struct held_kind {
	const char *kind;
	/*
	 * Drops the row and puts in force what it holds, inside the transaction, or marks it where that is to come; or says
	 * why not, and writes nothing.
	 */
	int (*approve)(struct core *core, const struct store_held *held, const struct core_cause *cause, struct doc *doc,
		struct err *refused, struct err *err);
} kinds[] = {
	{ "push", core_guard_approve },
	{ "peer_zones", core_peer_approve },
	{ "peer_deletes", core_peer_approve },
	{ "deletes", core_orphans_approve },
};

static int approve(struct core *core, const struct store_held *held, const struct core_cause *cause, struct doc *doc,
	struct err *refused, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(kinds[i].kind, held->kind) == 0)
			return kinds[i].approve(core, held, cause, doc, refused, err);
	}
	err_set(refused, ERR_INVALID, "what is held as %" PRId64 " is of a kind that this release does not know: %s",
		held->id, held->kind);
	return ERR_OK;
}

static void note_order(struct core *core, const struct store_held *held, const struct core_cause *cause, bool approved)
{
	bool push = strcmp(held->kind, "push") == 0;
	char plain[ZONE_NAME_SIZE];

	core_note_by(core, approved ? "held_approved" : "held_discarded",
		push ? zone_name_plain(held->subject, plain) : NULL, NULL, cause, "%" PRId64 ", %s%s%s: %s", held->id,
		held->kind, push ? "" : " of ", push ? "" : held->subject, held->reason);
}

static int carry_out(struct core *core, const struct core_command *command, const struct store_held *held,
	struct engine_message *reply, struct err *err)
{
	bool approved = command->request->op == ENGINE_APPROVE;
	struct core_cause cause = core_cause_of(command->request);
	int ret;

	reply->doc = doc_create();
	doc_int(reply->doc, "id", held->id);
	doc_text(reply->doc, "kind", held->kind);
	doc_bool(reply->doc, "approved", approved);
	if (approved)
		ret = approve(core, held, &cause, reply->doc, &reply->err, err);
	else
		ret = store_held_drop(core->store, held->id, err);
	if (ret == ERR_OK && reply->err.code == ERR_OK)
		note_order(core, held, &cause, approved);
	return ret;
}

/* What can't be read can't be put in force; it can be dropped. */
static int discard_damaged(struct core *core, const struct core_command *command, struct engine_message *reply, struct err *err)
{
	struct core_cause cause = core_cause_of(command->request);
	int ret = store_held_drop(core->store, command->request->number, err);

	if (ret == ERR_OK)
		core_note_by(core, "held_discarded", NULL, NULL, &cause, "%" PRId64 ", which was damaged", command->request->number);
	reply->doc = doc_create();
	doc_int(reply->doc, "id", command->request->number);
	doc_text(reply->doc, "kind", "damaged");
	doc_bool(reply->doc, "approved", false);
	return ret;
}

int core_held_order(struct core *core, struct core_command *command, struct err *err)
{
	struct engine_message *reply = engine_message_reply(command->request, NULL);
	struct store_held held;
	int ret = store_held_get(core->store, command->request->number, &held, err);

	if (ret == ERR_NOTFOUND) {
		reply->err = *err;
		core_stage(core, reply);
		return ERR_OK;
	}
	if (ret == ERR_OK)
		ret = carry_out(core, command, &held, reply, err);
	else if (ret == ERR_CORRUPT && command->request->op == ENGINE_DISCARD)
		ret = discard_damaged(core, command, reply, err);
	if (ret == ERR_OK)
		core_stage(core, reply);
	else
		engine_message_destroy(reply);
	store_held_clear(&held);
	return ret;
}
