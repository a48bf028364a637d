/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Receipts: what was written at a back end is to be answered by its name
 * servers; lib/verify asks them, and what it found out is checked here against
 * the store of now. What was written meanwhile makes an answer void.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "engine/core_internal.h"
#include "engine/message.h"
#include "store/receipt.h"

int core_receipts_begin(struct core *core, struct err *err)
{
	int ret = store_receipt_last(core->store, &core->receipts, err);

	core->written = core->receipts;
	return ret;
}

int64_t core_written(const struct core *core)
{
	return core->written;
}

static int write_receipt(struct core *core, const struct core_lane *lane, const struct store_zone *row,
	int64_t written_at_us, int64_t pushed_at_us, struct err *err)
{
	struct store_receipt receipt = { .zone_id = row->id, .backend_id = lane->backend_id, .number = core->receipts + 1,
		.generation = row->generation, .deleted = row->deleted, .serial = row->serial, .pushed_at_us = pushed_at_us,
		.written_at_us = written_at_us };
	bool fresh;
	int ret = store_receipt_write(core->store, &receipt, &fresh, err);

	core->receipts += fresh ? 1 : 0;
	return ret;
}

int core_receipt_write(struct core *core, const struct outcome *outcome, struct err *err)
{
	const struct core_lane *lane = outcome->lane;
	struct store_zone row = { 0 };

	if (!lane->verified)
		return store_receipt_outdate(core->store, outcome->zone_id, lane->backend_id, outcome->generation, err);
	int ret = store_zone_get(core->store, outcome->zone_id, &row, err);
	/* A damaged row must not keep the delivery from being recorded; and what is newer is written soon. */
	if (ret == ERR_CORRUPT || (ret == ERR_OK && row.generation != outcome->generation)) {
		store_zone_clear(&row);
		return ERR_OK;
	}
	if (ret == ERR_OK)
		ret = write_receipt(core, lane, &row, core_wall_us(core), row.updated_at_us, err);
	store_zone_clear(&row);
	return ret;
}

/* ---- what name servers said ---- */

/* It was never asked for, or is not answered any more. */
static int reopen(struct core *core, const struct core_lane *lane, const struct engine_answer *answer,
	const struct store_receipt *receipt, struct err *err)
{
	struct store_zone row = { 0 };
	int64_t now_us = core_wall_us(core);

	if (receipt != NULL && receipt->generation == answer->generation) {
		if (receipt->answered_at_us == 0)
			return ERR_OK;
		return store_receipt_reopen(core->store, answer->zone_id, lane->backend_id, ++core->receipts, now_us, err);
	}
	int ret = store_zone_get(core->store, answer->zone_id, &row, err);
	if (ret == ERR_OK && row.generation == answer->generation)
		ret = write_receipt(core, lane, &row, now_us, 0, err);
	store_zone_clear(&row);
	return ret == ERR_NOTFOUND || ret == ERR_CORRUPT ? ERR_OK : ret;
}

static int keep_answer(struct core *core, const struct core_lane *lane, const struct engine_answer *answer, struct err *err)
{
	const struct store_answer row = { .zone_id = answer->zone_id, .backend_id = lane->backend_id,
		.server = answer->server, .generation = answer->generation, .asked_at_us = answer->asked_at_us,
		.answered_at_us = answer->right ? answer->asked_at_us : 0, .has_serial = answer->has_serial,
		.serial = answer->serial, .authoritative = answer->authoritative, .error = answer->error };

	return store_answer_put(core->store, &row, err);
}

/* With the name of the push, as its deliveries have it, if it was not long ago. */
static void log_answer(const struct core *core, const struct engine_answer *answer)
{
	struct source *source = recent_get(&core->recent, answer->zone_id, answer->generation);

	log_debug("answered", LOG_STR("backend", answer->backend), LOG_STR("zone", answer->zone),
		LOG_UINT("generation", answer->generation), LOG_STR("server", answer->server),
		LOG_STR("push", source == NULL ? NULL : source_push_id(source)));
	if (source != NULL)
		source_unref(source);
}

static bool is_canary(struct core *core, int64_t zone_id)
{
	struct store_zone row = { 0 };
	struct err err;
	bool is = core->canary[0] != '\0' && store_zone_find(core->store, core->canary, &row, &err) == ERR_OK &&
		row.id == zone_id;

	store_zone_clear(&row);
	return is;
}

/* All of them answer it. */
static int close_receipt(struct core *core, struct core_lane *lane, const struct engine_answer *answer,
	const struct store_receipt *receipt, struct err *err)
{
	int ret = store_receipt_close(core->store, answer->zone_id, lane->backend_id, answer->asked_at_us, err);

	if (ret != ERR_OK)
		return ret;
	if (receipt->pushed_at_us != 0)
		histogram_observe(&lane->answer, answer->asked_at_us - receipt->pushed_at_us);
	if (!receipt->deleted && is_canary(core, answer->zone_id))
		lane->canary_answered_us = answer->asked_at_us;
	return ERR_OK;
}

static int take_answer(struct core *core, const struct engine_answer *answer, struct err *err)
{
	struct core_lane *lane = core_find_lane(core, answer->backend);
	struct store_receipt receipt;

	if (lane == NULL)
		return ERR_OK;
	int ret = store_receipt_load(core->store, answer->zone_id, lane->backend_id, &receipt, err);
	if (ret != ERR_OK && ret != ERR_NOTFOUND)
		return ret;
	if (answer->lost)
		return reopen(core, lane, answer, ret == ERR_OK ? &receipt : NULL, err);
	if (ret == ERR_NOTFOUND || receipt.generation != answer->generation)
		return ERR_OK;
	if (answer->right)
		log_answer(core, answer);
	ret = keep_answer(core, lane, answer, err);
	if (ret == ERR_OK && !answer->right)
		ret = store_receipt_late(core->store, answer->zone_id, lane->backend_id, err);
	if (ret == ERR_OK && answer->whole && receipt.answered_at_us == 0)
		ret = close_receipt(core, lane, answer, &receipt, err);
	return ret;
}

int core_answered(struct core *core, struct core_command *command, struct err *err)
{
	const struct engine_request *request = command->request;
	int ret = ERR_OK;

	for (size_t i = 0; ret == ERR_OK && i < request->answer_count; i++)
		ret = take_answer(core, &request->answers[i], err);
	if (ret == ERR_OK)
		core_stage(core, engine_message_reply(request, NULL));
	return ret;
}

int core_verify_note(struct core *core, struct core_command *command, UNUSED struct err *err)
{
	const struct engine_request *request = command->request;
	char plain[ZONE_NAME_SIZE];

	core_note(core, request->kind, command->name[0] == '\0' ? NULL : zone_name_plain(command->name, plain),
		request->backend, NULL, "%s", request->text);
	core_stage(core, engine_message_reply(request, NULL));
	return ERR_OK;
}
