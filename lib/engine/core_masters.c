/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What lib/sync found out about the masters becomes state: which lists were
 * complete, whose zone is whose, which zones are missing, and texts that were
 * fetched. Each is checked against the store of now: what changed since sync
 * looked is left alone (decisions.md 20).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/core_internal.h"
#include "engine/message.h"
#include "engine/orphan.h"
#include "store/masters.h"
#include "store/override.h"

int core_master_find(struct core *core, const char *identity, struct store_master *out, struct err *err)
{
	int ret = store_master_load(core->store, identity, out, err);

	if (ret == ERR_OK)
		return ERR_OK;
	*out = (struct store_master){ 0 };
	if (ret != ERR_NOTFOUND)
		return ret;
	snprintf(out->identity, sizeof(out->identity), "%s", identity);
	return ERR_OK;
}

int core_master_asked(struct core *core, struct core_command *command, UNUSED struct err *err)
{
	const struct core_cause cause = core_cause_of(command->request);

	core_note_by(core, "reconcile", NULL, NULL, &cause, "a pass over the masters was asked for%s",
		command->request->dry_run ? ", as a dry run" : "");
	core_stage(core, engine_message_reply(command->request, NULL));
	return ERR_OK;
}

/* ---- lists ---- */

/* Told when it changes, not with each pass. */
static void note_state(struct core *core, const struct store_master *master, const struct engine_request *request)
{
	const char *error = request->text, *source = request->source;
	bool first = master->tried_at_us == 0;

	if (error != NULL && (first || master->error == NULL))
		core_note(core, "master_unknown", NULL, NULL, source, "%s: %s; none of its zones is touched", master->identity,
			error);
	if (error == NULL && (first || master->error != NULL))
		core_note(core, "master_known", NULL, NULL, source, "%s gave a complete list: %" PRId64 " zones, %zu names that are none",
			master->identity, request->number, request->limit);
}

int core_master_list(struct core *core, struct core_command *command, struct err *err)
{
	const struct engine_request *request = command->request;
	int64_t now_us = core_wall_us(core);
	struct store_master master;
	int ret = core_master_find(core, request->hostname, &master, err);

	if (ret != ERR_OK)
		return ret;
	note_state(core, &master, request);
	if (master.tried_at_us == 0 || (master.error == NULL) != (request->text == NULL))
		master.since_us = now_us;
	master.tried_at_us = now_us;
	free(master.error);
	master.error = xstrdup(request->text);
	if (request->text == NULL) {
		master.pass++;
		master.complete_at_us = now_us;
		master.zones = (uint64_t)request->number;
	}
	core->orphan_events = (struct orphan_events){ 0 };
	ret = store_master_save(core->store, &master, err);
	struct engine_message *reply = engine_message_reply(request, NULL);
	reply->doc = doc_create();
	doc_int(reply->doc, "pass", master.pass);
	doc_time(reply->doc, "since", master.since_us);
	doc_time(reply->doc, "complete_at", master.complete_at_us);
	core_stage(core, reply);
	store_master_clear(&master);
	return ret;
}

/* ---- zones as sync saw them ---- */

/* *same: it is in service and nothing happened to it since. A damaged row is left alone until a push mends it. */
static int find_as_seen(struct core *core, const struct engine_request *request, size_t at, struct store_zone *row,
	bool *same, struct err *err)
{
	const struct engine_seen *seen = &request->seen[at];
	int ret = store_zone_find(core->store, request->names[at], row, err);

	*same = ret == ERR_OK && !row->deleted && row->generation == seen->generation &&
		row->updated_at_us == seen->updated_at_us;
	return ret == ERR_NOTFOUND || ret == ERR_CORRUPT ? ERR_OK : ret;
}

/* The same absence as before, or the first time of a new one. */
static int load_missing(struct core *core, const struct store_zone *row, const char *master, struct store_missing *out,
	struct err *err)
{
	int ret = store_missing_load(core->store, row->id, out, err);

	if (ret != ERR_OK && ret != ERR_NOTFOUND)
		return ret;
	if (ret == ERR_NOTFOUND || !core_same_host(out->master, master) || out->generation != row->generation ||
		out->updated_at_us != row->updated_at_us) {
		*out = (struct store_missing){ .zone_id = row->id, .generation = row->generation,
			.updated_at_us = row->updated_at_us };
		snprintf(out->master, sizeof(out->master), "%s", master);
	}
	return ERR_OK;
}

static int count_missing(struct core *core, const struct engine_request *request, const struct store_master *master,
	const struct store_zone *row, struct err *err)
{
	struct store_missing missing;
	char plain[ZONE_NAME_SIZE];
	int ret = load_missing(core, row, master->identity, &missing, err);

	if (ret != ERR_OK || missing.last_pass == master->pass)
		return ret;
	struct orphan_record record = { .first_at_us = missing.first_at_us, .passes = missing.passes };
	if (record.first_at_us == 0 && core->orphan_events.missing++ < CORE_ORPHANS_TOLD)
		core_note(core, "orphan", zone_name_plain(row->name, plain), NULL, request->source,
			"%s owns it and does not list it any more", master->identity);
	orphan_count(&record, !request->dry_run, core_wall_us(core));
	missing.first_at_us = record.first_at_us;
	missing.passes = record.passes;
	missing.last_pass = master->pass;
	return store_missing_save(core->store, &missing, err);
}

int core_master_missing(struct core *core, struct core_command *command, struct err *err)
{
	const struct engine_request *request = command->request;
	struct store_master master;
	int ret = core_master_find(core, request->hostname, &master, err);

	for (size_t i = 0; ret == ERR_OK && i < request->name_count; i++) {
		struct store_zone row = { 0 };
		bool same;

		ret = find_as_seen(core, request, i, &row, &same, err);
		if (ret == ERR_OK && same && core_same_host(row.hostname, master.identity))
			ret = count_missing(core, request, &master, &row, err);
		store_zone_clear(&row);
	}
	store_master_clear(&master);
	if (ret == ERR_OK)
		core_stage(core, engine_message_reply(request, NULL));
	return ret;
}

static int give_owner(struct core *core, const struct engine_request *request, struct store_zone *row, struct err *err)
{
	char plain[ZONE_NAME_SIZE];

	if (row->hostname[0] == '\0')
		core_note(core, "owner_found", zone_name_plain(row->name, plain), NULL, request->source,
			"it had no owner, %s alone lists it", request->hostname);
	else
		core_note(core, "owner_moved", zone_name_plain(row->name, plain), NULL, request->source,
			"owner was %s, which does not list it any more; %s does", row->hostname, request->hostname);
	free(row->hostname);
	row->hostname = xstrdup(request->hostname);
	int ret = store_zone_put(core->store, row, NULL, 0, err);
	if (ret == ERR_OK)
		ret = core_count_change(core, row, err);
	if (ret == ERR_OK)
		ret = store_missing_drop(core->store, row->id, err);
	core_tell_name(core, row);
	return ret;
}

int core_master_own(struct core *core, struct core_command *command, struct err *err)
{
	const struct engine_request *request = command->request;
	int ret = ERR_OK;

	for (size_t i = 0; ret == ERR_OK && i < request->name_count; i++) {
		struct store_zone row = { 0 };
		bool same;

		ret = find_as_seen(core, request, i, &row, &same, err);
		if (ret == ERR_OK && same && !core_same_host(row.hostname, request->hostname))
			ret = give_owner(core, request, &row, err);
		store_zone_clear(&row);
	}
	if (ret == ERR_OK)
		core_stage(core, engine_message_reply(request, NULL));
	return ret;
}

int core_master_contested(struct core *core, struct core_command *command, UNUSED struct err *err)
{
	const struct engine_request *request = command->request;
	char plain[ZONE_NAME_SIZE];

	for (size_t i = 0; i < request->name_count; i++)
		core_note(core, "owner_contested", zone_name_plain(request->names[i], plain), NULL, NULL,
			"more than one master lists it: owner and content stay as they are");
	core_stage(core, engine_message_reply(request, NULL));
	return ERR_OK;
}

/* ---- texts that were fetched ---- */

int core_is_held_signed(struct core *core, const struct store_zone *row, bool *is_signed, struct err *err)
{
	struct zone *zone;
	char *text;
	size_t size;
	int ret = store_zone_text(core->store, row->id, &text, &size, err);

	*is_signed = false;
	if (ret != ERR_OK)
		return ret == ERR_CORRUPT || ret == ERR_NOTFOUND ? ERR_OK : ret;
	if (zone_parse(row->name, text, size, 0, &zone, err) == ERR_OK) {
		*is_signed = zone_is_signed(zone);
		zone_unref(zone);
	}
	free(text);
	return ERR_OK;
}

/* Of a zone that is held and was not touched since: is there a reason not to store the text? Then *no says which. */
static int judge_pull(struct core *core, const struct core_command *command, const struct store_zone *row, bool *store,
	struct err *no, struct err *err)
{
	struct store_override override;
	bool is_signed = false;
	char plain[ZONE_NAME_SIZE];

	*store = !zone_digest_equal(&row->digest, zone_digest(command->zone));
	int ret = store_override_get(core->store, row->id, &override, err);
	/* A rollback is in force until the master has something newer. */
	if (ret == ERR_OK && override.master_serial == zone_serial(command->zone))
		*store = false;
	if (ret != ERR_OK && ret != ERR_NOTFOUND)
		return ret;
	ret = *store && !zone_is_signed(command->zone) ? core_is_held_signed(core, row, &is_signed, err) : ERR_OK;
	if (ret == ERR_OK && is_signed) {
		err_set(no, ERR_DENIED, "the zone is signed here, and what %s gives is not", command->request->hostname);
		core_note(core, "pull_unsigned", zone_name_plain(row->name, plain), NULL, command->request->source,
			"%s: rewrite the zone there (action=rewrite&value=named)", no->text);
	}
	return ret;
}

/* *username: the zone's, which a master does not tell; the caller frees it. */
static int check_pull(struct core *core, const struct core_command *command, bool *store, char **username, struct err *no,
	struct err *err)
{
	const struct engine_request *request = command->request;
	struct store_zone row = { 0 };
	int ret = store_zone_find(core->store, command->name, &row, err);
	bool held = ret == ERR_OK;

	*store = true;
	/* One that is damaged was not seen; the text mends it. */
	if (ret == ERR_CORRUPT || ret == ERR_NOTFOUND)
		ret = ERR_OK;
	if (ret == ERR_OK && (row.generation != request->seen[0].generation ||
			(held && row.updated_at_us != request->seen[0].updated_at_us)))
		err_set(no, ERR_BUSY, "the zone changed while it was fetched");
	else if (held && !row.deleted)
		ret = judge_pull(core, command, &row, store, no, err);
	*username = xstrdup(row.username);
	store_zone_clear(&row);
	return ret;
}

static int store_pull(struct core *core, const struct core_command *command, const char *username, struct err *no,
	struct err *err)
{
	const struct engine_request *request = command->request;
	struct core_content content = { .name = command->name, .zone = command->zone, .text = request->text,
		.text_size = request->text_size, .hostname = request->hostname, .username = username,
		.origin = "pull", .cause = core_cause_of(request) };
	char plain[ZONE_NAME_SIZE];
	int ret = core_accept(core, &content, no, err);

	if (ret == ERR_OK && no->code == ERR_OK)
		core_note(core, "pulled", zone_name_plain(command->name, plain), NULL, request->source,
			"serial %u, from %s", zone_serial(command->zone), request->hostname);
	return ret;
}

int core_pull(struct core *core, struct core_command *command, struct err *err)
{
	char plain[ZONE_NAME_SIZE];
	struct err no = command->err;
	char *username = NULL;
	bool store = false;
	int ret = ERR_OK;

	if (command->zone == NULL)
		core_note(core, "pull_refused", command->name[0] == '\0' ? NULL : zone_name_plain(command->name, plain), NULL,
			command->request->source, "%s", no.text);
	else
		ret = check_pull(core, command, &store, &username, &no, err);
	if (ret == ERR_OK && store && no.code == ERR_OK)
		ret = store_pull(core, command, username, &no, err);
	free(username);
	struct engine_message *reply = engine_message_reply(command->request, &no);
	reply->affected = store && no.code == ERR_OK ? 1 : 0;
	core_stage(core, reply);
	return ret;
}
