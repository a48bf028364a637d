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

/* What becomes of a zone; the words are the API's. */
enum result { IMPORTED, SAME, KEPT, OWNER, DELETED, QUARANTINED, REFUSED, NO_TEXT };

static const char *const words[] = { [IMPORTED] = "imported", [SAME] = "same", [KEPT] = "kept", [OWNER] = "owner",
	[DELETED] = "deleted", [QUARANTINED] = "quarantined", [REFUSED] = "refused", [NO_TEXT] = "no_text" };

struct import {
	const struct engine_request *request;
	const struct core_command *command;
	struct core_cause cause;
	int64_t at_us;                  /* when it was accepted; 0: nobody knows */
	enum result result;
	char reason[ERR_TEXT_SIZE];     /* "": none */
};

static bool is_given(const char *text)
{
	return text != NULL && text[0] != '\0';
}

static bool is_held(const struct store_zone *row)
{
	return row->id != 0 && !row->deleted;
}

static bool is_same(const struct import *import, const struct store_zone *row)
{
	const struct zone *zone = import->command->zone;

	return zone != NULL && is_held(row) && zone_digest_equal(zone_digest(zone), &row->digest);
}

static bool lacks_owner(const struct import *import, const struct store_zone *row)
{
	return is_held(row) && !is_given(row->hostname) && is_given(import->request->hostname);
}

/* Given what is held under that name (row->id 0: nothing). */
static enum result judge(const struct import *import, const struct store_zone *row)
{
	bool text = import->request->text_size > 0;
	bool newer = row->id == 0 || (text && import->at_us > row->updated_at_us);

	if (is_same(import, row))
		return lacks_owner(import, row) ? OWNER : SAME;
	if (newer)
		return import->command->zone != NULL ? IMPORTED : text ? REFUSED : NO_TEXT;
	if (row->deleted)
		return DELETED;
	return lacks_owner(import, row) ? OWNER : KEPT;
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
	const struct core_content content = {
		.name = import->command->name,
		.zone = import->command->zone,
		.text = request->text,
		.text_size = request->text_size,
		.hostname = request->hostname,
		.username = request->username,
		.origin = "import",
		.cause = import->cause,
		.at_us = import->at_us,
	};
	struct err held;
	int ret = core_accept(core, &content, &held, err);

	if (ret == ERR_OK && held.code != ERR_OK) {
		import->result = QUARANTINED;
		memcpy(import->reason, held.text, sizeof(import->reason));
	}
	return ret;
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
	import->result = judge(import, row);
	if (import->result == REFUSED)
		memcpy(import->reason, import->command->err.text, sizeof(import->reason));
	if (import->request->dry_run)
		return ERR_OK;
	switch (import->result) {
	case REFUSED:
		return refuse(core, import, err);
	case IMPORTED:
		return take(core, import, err);
	case OWNER:
		return give_owner(core, import, row, err);
	default:
		return ERR_OK;
	}
}

static int look_up(struct core *core, struct import *import, struct err *err)
{
	struct store_zone row = { 0 };
	int ret = store_zone_find(core->store, import->command->name, &row, err);

	if (ret == ERR_CORRUPT) {
		import->result = KEPT; /* nobody can tell what it is: a push mends it */
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
	struct import import = { .request = command->request, .command = command, .result = REFUSED,
		.cause = core_cause_of(command->request), .at_us = command->request->at_us };
	int ret = ERR_OK;

	/* A clock that was wrong must not beat what was pushed since. */
	if (import.at_us > core_wall_us(core))
		import.at_us = 0;
	if (command->name[0] == '\0')
		memcpy(import.reason, command->err.text, sizeof(import.reason));
	else
		ret = look_up(core, &import, err);
	if (ret != ERR_OK)
		return ret;
	struct engine_message *reply = engine_message_reply(command->request, NULL);
	reply->doc = doc_create();
	doc_text(reply->doc, "zone", command->request->zone);
	doc_text(reply->doc, "result", words[import.result]);
	doc_text(reply->doc, "reason", import.reason[0] == '\0' ? NULL : import.reason);
	core_stage(core, reply);
	return ERR_OK;
}
