/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Zones that stood elsewhere before: in directdnsonly's own database, or in
 * the databases of back ends. An import only adds what we lack: a zone that
 * is held, or was deleted, since is kept as it is (decisions.md 11); an owner
 * is filled in where none is known.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/core_internal.h"
#include "engine/message.h"

struct import {
	const struct engine_request *request;
	const struct core_command *command;
	struct core_cause cause;
	const char *result;             /* the word in the answer */
	char reason[ERR_TEXT_SIZE];     /* "": none */
};

static bool is_given(const char *text)
{
	return text != NULL && text[0] != '\0';
}

static const char *judge_text(const struct import *import)
{
	if (import->command->zone != NULL)
		return "imported";
	return import->request->text_size == 0 ? "no_text" : "refused";
}

/* What becomes of it, given what is held under that name (row->id 0: nothing). */
static const char *judge(const struct import *import, const struct store_zone *row)
{
	const struct zone *zone = import->command->zone;
	bool newer = import->request->at_us > row->updated_at_us && import->request->text_size > 0;

	if (row->id == 0 || newer)
		return zone != NULL && row->id != 0 && !row->deleted && zone_digest_equal(zone_digest(zone), &row->digest) ?
			"same" : judge_text(import);
	if (row->deleted)
		return "deleted";
	return zone != NULL && zone_digest_equal(zone_digest(zone), &row->digest) ? "same" : "kept";
}

/* ---- writing ---- */

static int refuse(struct core *core, struct import *import, struct err *err)
{
	const struct engine_request *request = import->request;
	const struct core_command *command = import->command;
	char plain[ZONE_NAME_SIZE];
	struct store_rejected rejected = { .name = command->name, .at_us = core_wall_us(core), .source = request->source,
		.hostname = request->hostname, .username = request->username, .error = command->err.text,
		.text = request->text, .text_size = request->text_size };

	core_note_by(core, "import_refused", zone_name_plain(command->name, plain), NULL, &import->cause, "%s",
		command->err.text);
	return store_rejected_add(core->store, &rejected, err);
}

static int take(struct core *core, struct import *import, struct err *err)
{
	const struct engine_request *request = import->request;
	int64_t now_us = core_wall_us(core);
	const struct core_content content = {
		.name = import->command->name,
		.zone = import->command->zone,
		.text = request->text,
		.text_size = request->text_size,
		.hostname = request->hostname,
		.username = request->username,
		.origin = "import",
		.cause = import->cause,
		.at_us = request->at_us > now_us ? now_us : request->at_us,
	};
	struct err held;
	int ret = core_accept(core, &content, &held, err);

	if (ret == ERR_OK && held.code != ERR_OK) {
		import->result = "quarantined";
		memcpy(import->reason, held.text, sizeof(import->reason));
	}
	return ret;
}

static bool lacks_owner(const struct import *import, const struct store_zone *row)
{
	return row->id != 0 && !row->deleted && !is_given(row->hostname) && is_given(import->request->hostname);
}

static int give_owner(struct core *core, const struct import *import, struct store_zone *row, struct err *err)
{
	const struct engine_request *request = import->request;
	char plain[ZONE_NAME_SIZE];

	free(row->hostname);
	free(row->username);
	row->hostname = xstrdup(request->hostname);
	row->username = xstrdup(request->username == NULL ? "" : request->username);
	core_note_by(core, "owner_imported", zone_name_plain(row->name, plain), NULL, &import->cause, "the owner is %s",
		row->hostname);
	core_tell_name(core, row);
	int ret = store_zone_put(core->store, row, NULL, 0, err);
	return ret == ERR_OK ? core_count_change(core, row, err) : ret;
}

static int carry_out(struct core *core, struct import *import, struct store_zone *row, struct err *err)
{
	bool owner = lacks_owner(import, row);

	import->result = judge(import, row);
	if (strcmp(import->result, "refused") == 0)
		memcpy(import->reason, import->command->err.text, sizeof(import->reason));
	if (owner && (strcmp(import->result, "kept") == 0 || strcmp(import->result, "same") == 0))
		import->result = "owner";
	if (import->request->dry_run)
		return ERR_OK;
	if (strcmp(import->result, "refused") == 0)
		return refuse(core, import, err);
	if (strcmp(import->result, "imported") == 0)
		return take(core, import, err);
	return strcmp(import->result, "owner") == 0 ? give_owner(core, import, row, err) : ERR_OK;
}

static int look_up(struct core *core, struct import *import, struct err *err)
{
	struct store_zone row = { 0 };
	int ret = store_zone_find(core->store, import->command->name, &row, err);

	if (ret == ERR_CORRUPT) {
		import->result = "kept";
		memcpy(import->reason, err->text, sizeof(import->reason));
		return ERR_OK;
	}
	if (ret == ERR_OK || ret == ERR_NOTFOUND)
		ret = carry_out(core, import, &row, err);
	store_zone_clear(&row);
	return ret;
}

int core_import(struct core *core, struct core_command *command, struct err *err)
{
	struct import import = { .request = command->request, .command = command, .result = "refused",
		.cause = core_cause_of(command->request) };
	int ret = ERR_OK;

	if (command->name[0] == '\0')
		memcpy(import.reason, command->err.text, sizeof(import.reason));
	else
		ret = look_up(core, &import, err);
	if (ret != ERR_OK)
		return ret;
	struct engine_message *reply = engine_message_reply(command->request, NULL);
	reply->doc = doc_create();
	doc_text(reply->doc, "zone", command->request->zone);
	doc_text(reply->doc, "result", import.result);
	doc_text(reply->doc, "reason", import.reason[0] == '\0' ? NULL : import.reason);
	core_stage(core, reply);
	return ERR_OK;
}
