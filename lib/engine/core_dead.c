/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an operator does with the dead letters of a zone: replay tries them at
 * once, drop parks them, so that nothing but a push, a thaw or a replay tries
 * them again. All that there are at once: core_replay.c.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/core_internal.h"
#include "engine/message.h"
#include "store/dead.h"

/* Copied, for the rows are changed while they would be read. */
struct letters {
	struct letter {
		int64_t zone_id;
		int64_t backend_id;
		uint64_t wanted;
		char *error;
	} *items;
	size_t count;
};

static bool add_letter(void *ctx, const struct store_dead *dead)
{
	struct letters *letters = ctx;

	if ((letters->count & (letters->count - 1)) == 0)
		letters->items = xrealloc(letters->items,
			(letters->count == 0 ? 1 : letters->count * 2) * sizeof(*letters->items));
	letters->items[letters->count++] = (struct letter){ .zone_id = dead->zone_id, .backend_id = dead->backend_id,
		.wanted = dead->delivery->wanted, .error = xstrdup(dead->delivery->last_error) };
	return true;
}

static void free_letters(struct letters *letters)
{
	for (size_t i = 0; i < letters->count; i++)
		free(letters->items[i].error);
	free(letters->items);
}

/* ---- replay ---- */

static int replay(struct core *core, const struct core_command *command, const struct letters *letters,
	const char *plain, struct engine_message *reply, struct err *err)
{
	struct core_cause cause = core_cause_of(command->request);

	reply->affected = 0;
	for (size_t i = 0; i < letters->count; i++) {
		const struct letter *letter = &letters->items[i];
		struct core_lane *lane = core_lane_of(core, letter->backend_id);

		if (lane == NULL)
			continue;
		int ret = core_move_asked(core, lane, letter->zone_id, letter->wanted, DELIVERY_REPLAY, letter->wanted, err);
		if (ret != ERR_OK)
			return ret;
		reply->affected++;
	}
	if (reply->affected > 0)
		core_note_by(core, "dead_replayed", plain, command->request->backend, &cause,
			"%" PRIu64 " dead letters are tried now", reply->affected);
	return ERR_OK;
}

/* ---- drop ---- */

static int drop_one(struct core *core, const struct core_command *command, const struct letter *letter,
	struct core_lane *lane, const char *plain, struct err *err)
{
	struct core_cause cause = core_cause_of(command->request);

	core_note_by(core, "dead_dropped", plain, lane->name, &cause, "not tried any more until it is asked for: %s",
		letter->error == NULL ? "no error" : letter->error);
	return core_park(core, lane, letter->zone_id, err);
}

static int drop(struct core *core, const struct core_command *command, const struct letters *letters, const char *plain,
	struct engine_message *reply, struct err *err)
{
	for (size_t i = 0; i < letters->count; i++) {
		const struct letter *letter = &letters->items[i];
		struct core_lane *lane = core_lane_of(core, letter->backend_id);

		if (lane == NULL)
			continue;
		if (idmap_get(&lane->inflight, letter->zone_id) != NULL) {
			err_set(&reply->err, ERR_BUSY, "zone %s is being tried at %s just now", plain, lane->name);
			continue;
		}
		int ret = drop_one(core, command, letter, lane, plain, err);
		if (ret != ERR_OK)
			return ret;
		reply->affected++;
	}
	return ERR_OK;
}

/* ---- the order ---- */

static int carry_out(struct core *core, const struct core_command *command, const struct store_dead_filter *filter,
	struct engine_message *reply, struct err *err)
{
	bool replays = command->request->op == ENGINE_DEAD_REPLAY;
	struct letters letters = { 0 };
	char plain[ZONE_NAME_SIZE];
	const char *zone = zone_name_plain(command->name, plain);
	int ret = store_dead_list(core->store, filter, SIZE_MAX, add_letter, &letters, err);

	if (ret == ERR_OK && letters.count == 0)
		err_set(&reply->err, ERR_NOTFOUND, "zone %s has no dead letter%s%s", zone,
			command->request->backend == NULL ? "" : " at ",
			command->request->backend == NULL ? "" : command->request->backend);
	else if (ret == ERR_OK && replays)
		ret = replay(core, command, &letters, zone, reply, err);
	else if (ret == ERR_OK)
		ret = drop(core, command, &letters, zone, reply, err);
	reply->doc = doc_create();
	doc_uint(reply->doc, replays ? "replayed" : "dropped", reply->affected);
	free_letters(&letters);
	return ret;
}

/* Where to look, as the request says it. False: it was answered with what is wrong. */
static int make_filter(struct core *core, struct core_command *command, struct store_dead_filter *filter, bool *good,
	struct err *err)
{
	const struct engine_request *request = command->request;
	const struct core_lane *lane = request->backend == NULL ? NULL : core_find_lane(core, request->backend);
	struct store_zone row = { 0 };
	struct err refused = { 0 };
	int ret = ERR_OK;

	*good = false;
	if (request->backend != NULL && lane == NULL)
		(void)core_no_such_lane(core, request->backend, &refused);
	else if (request->zone == NULL && request->op == ENGINE_DEAD_DROP)
		err_set(&refused, ERR_INVALID, "zone is missing");
	if (refused.code != ERR_OK) {
		core_stage(core, engine_message_reply(request, &refused));
		return ERR_OK;
	}
	if (request->zone != NULL)
		ret = core_find_asked(core, command, &row, err);
	/* What was dropped is replayed by its name only. */
	*filter = (struct store_dead_filter){ .zone_id = row.id, .backend_id = lane == NULL ? 0 : lane->backend_id,
		.dropped = row.id != 0 && request->op == ENGINE_DEAD_REPLAY };
	*good = ret == ERR_OK && (request->zone == NULL || row.id != 0);
	store_zone_clear(&row);
	return ret;
}

int core_dead_order(struct core *core, struct core_command *command, struct err *err)
{
	struct store_dead_filter filter;
	bool good;
	int ret = make_filter(core, command, &filter, &good, err);

	if (ret != ERR_OK || !good)
		return ret;
	if (filter.zone_id == 0) {
		core_replay_order(core, command->request, filter.backend_id);
		return ERR_OK;
	}
	struct engine_message *reply = engine_message_reply(command->request, NULL);
	ret = carry_out(core, command, &filter, reply, err);
	if (ret == ERR_OK)
		core_stage(core, reply);
	else
		engine_message_destroy(reply);
	return ret;
}
