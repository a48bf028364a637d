/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Back to an earlier text: rollback is a new generation with the content of
 * an old version, under a serial that secondaries take for newer; undelete
 * brings a tombstone back.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "engine/core_internal.h"
#include "engine/message.h"
#include "engine/serial.h"
#include "sched/version.h"
#include "store/history.h"
#include "store/override.h"

static const int64_t tombstone_us = INT64_C(30) * 86400 * 1000000;

/* What an operator is told, unless it is refused: then reply->err. */
static void tell(struct engine_message *reply, const struct store_zone *row, uint32_t serial)
{
	reply->doc = doc_create();
	doc_name(reply->doc, "zone", row->name);
	doc_uint(reply->doc, "serial", serial);
}

static int accept(struct core *core, const struct core_command *command, const struct store_zone *row, struct zone *zone,
	const char *text, size_t size, const char *origin, struct err *err)
{
	struct core_content content = { .name = row->name, .zone = zone, .text = text, .text_size = size,
		.origin = origin, .cause = core_cause_of(command->request), .urgent = true, .approved = true };
	struct err held;

	return core_accept(core, &content, &held, err);
}

/* ---- rollback ---- */

struct served {
	uint32_t *serials;
	size_t count;
	uint64_t down_to;
};

static bool add_serial(void *ctx, const struct store_text_version *version)
{
	struct served *served = ctx;

	if (version->version < served->down_to)
		return false;
	served->serials = xrealloc(served->serials, (served->count + 1) * sizeof(*served->serials));
	served->serials[served->count++] = version->serial;
	return true;
}

/* The master's text that is in force no longer; a second rollback knows it from the first. */
static int write_override(struct core *core, const struct store_zone *row, struct err *err)
{
	struct store_override override;
	int ret = store_override_get(core->store, row->id, &override, err);

	if (ret == ERR_NOTFOUND) {
		override.master_serial = row->serial;
		ret = ERR_OK;
	}
	override.at_us = core_wall_us(core);
	return ret == ERR_OK ? store_override_set(core->store, row->id, &override, err) : ret;
}

static int put_in_force(struct core *core, const struct core_command *command, const struct store_zone *row,
	struct zone *zone, const char *text, size_t size, struct engine_message *reply, struct err *err)
{
	struct core_cause cause = core_cause_of(command->request);
	char plain[ZONE_NAME_SIZE];

	core_note_by(core, "rollback", zone_name_plain(row->name, plain), NULL, &cause,
		"back to version %" PRId64 ", under serial %" PRIu32 " after %" PRIu32, command->request->number,
		zone_serial(zone), row->serial);
	int ret = accept(core, command, row, zone, text, size, "rollback", err);
	if (ret == ERR_OK)
		ret = write_override(core, row, err);
	tell(reply, row, zone_serial(zone));
	return ret;
}

/* Under a serial that is above all that were served since. */
static int renumber(struct core *core, const struct core_command *command, const struct store_zone *row,
	struct zone *zone, const char *text, size_t size, struct engine_message *reply, struct err *err)
{
	struct served served = { .down_to = (uint64_t)command->request->number };
	struct buf out = { 0 };
	struct zone *changed;
	int ret = store_history_list(core->store, row, 0, SIZE_MAX, add_serial, &served, err);

	if (ret != ERR_OK || served.count == 0) {
		free(served.serials);
		return ret;
	}
	uint32_t serial = serial_next(served.serials, served.count, core_wall_us(core));
	free(served.serials);
	if (zone_text_set_serial(zone, text, size, serial, &out, &changed, &reply->err) != ERR_OK)
		return ERR_OK;
	ret = put_in_force(core, command, row, changed, out.data, out.size, reply, err);
	zone_unref(changed);
	buf_free(&out);
	return ret;
}

/* An unsigned text of a zone that is signed: where its parent has a DS, resolvers that validate would take it for forged. */
static int renumber_unsigned(struct core *core, const struct core_command *command, const struct store_zone *row,
	struct zone *zone, const char *text, size_t size, struct engine_message *reply, struct err *err)
{
	bool is_signed;
	int ret = core_is_held_signed(core, row, &is_signed, err);

	if (ret != ERR_OK)
		return ret;
	if (!is_signed)
		return renumber(core, command, row, zone, text, size, reply, err);
	err_set(&reply->err, ERR_INVALID, "version %" PRId64 " is not signed, and the zone is now: where its parent has a DS, "
		"it would be bogus. Take the DS away and have the master push it unsigned first", command->request->number);
	return ERR_OK;
}

static int roll_back(struct core *core, const struct core_command *command, const struct store_zone *row,
	struct engine_message *reply, struct err *err)
{
	char *text;
	size_t size;
	struct zone *zone;
	int ret = store_history_text(core->store, row, (uint64_t)command->request->number, &text, &size, err);

	if (ret == ERR_NOTFOUND || ret == ERR_CORRUPT) {
		reply->err = *err;
		return ERR_OK;
	}
	if (ret != ERR_OK)
		return ret;
	if (zone_parse(row->name, text, size, 0, &zone, &reply->err) == ERR_OK) {
		if (!zone_is_signed(zone))
			ret = renumber_unsigned(core, command, row, zone, text, size, reply, err);
		else if (version_serial_greater(zone_serial(zone), row->serial))
			ret = put_in_force(core, command, row, zone, text, size, reply, err);
		else
			err_set(&reply->err, ERR_INVALID, "version %" PRId64 " is signed, and its serial %" PRIu32
				" is not above %" PRIu32 ", which is served: another serial would break the signature. Have the "
				"master sign it again", command->request->number, zone_serial(zone), row->serial);
		zone_unref(zone);
	}
	free(text);
	return ret;
}

/* ---- undelete ---- */

static int undelete(struct core *core, const struct core_command *command, const struct store_zone *row,
	struct engine_message *reply, struct err *err)
{
	struct core_cause cause = core_cause_of(command->request);
	char plain[ZONE_NAME_SIZE];
	struct zone *zone;
	char *text;
	size_t size;
	int ret = store_zone_text(core->store, row->id, &text, &size, err);

	if (ret == ERR_NOTFOUND || ret == ERR_CORRUPT) {
		reply->err = *err;
		return ERR_OK;
	}
	if (ret != ERR_OK)
		return ret;
	if (zone_parse(row->name, text, size, 0, &zone, &reply->err) == ERR_OK) {
		core_note_by(core, "undelete", zone_name_plain(row->name, plain), NULL, &cause, "as it was, serial %" PRIu32,
			zone_serial(zone));
		ret = accept(core, command, row, zone, text, size, "undelete", err);
		tell(reply, row, zone_serial(zone));
		zone_unref(zone);
	}
	free(text);
	return ret;
}

/* ---- the order ---- */

/* What is wrong with the order itself. */
static bool is_refused(const struct core *core, const struct core_command *command, const struct store_zone *row,
	struct err *err)
{
	char plain[ZONE_NAME_SIZE];

	zone_name_plain(row->name, plain);
	if (command->request->op == ENGINE_ROLLBACK && row->deleted)
		err_set(err, ERR_INVALID, "zone %s is deleted: undelete it first", plain);
	else if (command->request->op == ENGINE_ROLLBACK && command->request->number == 0)
		err_set(err, ERR_INVALID, "version is missing");
	else if (command->request->op == ENGINE_UNDELETE && !row->deleted)
		err_set(err, ERR_INVALID, "zone %s is not deleted", plain);
	else if (command->request->op == ENGINE_UNDELETE && core_wall_us(core) - row->updated_at_us > tombstone_us)
		err_set(err, ERR_INVALID, "zone %s was deleted more than 30 days ago", plain);
	return err->code != ERR_OK;
}

int core_history_order(struct core *core, struct core_command *command, struct err *err)
{
	struct engine_message *reply;
	struct store_zone row;
	int ret = core_find_asked(core, command, &row, err);

	if (ret != ERR_OK || row.id == 0)
		return ret;
	reply = engine_message_reply(command->request, NULL);
	if (!is_refused(core, command, &row, &reply->err))
		ret = command->request->op == ENGINE_ROLLBACK ? roll_back(core, command, &row, reply, err) :
								undelete(core, command, &row, reply, err);
	if (ret == ERR_OK)
		core_stage(core, reply);
	else
		engine_message_destroy(reply);
	store_zone_clear(&row);
	return ret;
}
