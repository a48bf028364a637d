/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Many deliveries that are tried again: all that wait (RETRY), all dead
 * letters (DEAD_REPLAY), and those of a lane that came up. There may be
 * hundreds of thousands, so they are made due some hundred at a time, between
 * the turns' own writes: no push waits long. The operator is answered with the
 * last step. A restart in between leaves the rest as it was.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/log.h"
#include "engine/core_internal.h"
#include "engine/message.h"
#include "store/dead.h"

static const int64_t second_us = 1000000;

/* ---- the order ---- */

void core_replay_free(struct core *core)
{
	engine_request_destroy(core->replay.request);
	core->replay = (struct replay){ 0 };
}

void core_replay_order(struct core *core, const struct engine_request *request, int64_t backend_id)
{
	struct err err;

	if (core->replay.request != NULL) {
		err_set(&err, ERR_BUSY, "all of them are being tried again already: try again when that is over");
		core_stage(core, engine_message_reply(request, &err));
		return;
	}
	core->replay = (struct replay){ .request = core_copy_order(request), .backend_id = backend_id };
	for (size_t i = 0; request->op == ENGINE_RETRY && i < core->lane_count; i++) {
		struct lane *health = &core->lanes[i]->health;

		if (health->state == LANE_DOWN)
			health->next_probe_us = core_now_us(core);
	}
}

void core_replay_settle(struct core *core, bool committed)
{
	if (!committed && !core->replay.ordered)
		core_replay_free(core);
	core->replay.ordered = core->replay.request != NULL;
}

/* ---- a step ---- */

/* Copied, for the rows are changed while they would be read. A zone's stay together: the next step begins behind it. */
struct step {
	struct core *core;
	struct letter {
		struct core_lane *lane;
		int64_t zone_id;
		uint64_t wanted;
		bool due;                /* need not be written */
	} letters[CORE_REPLAY_MOST + CORE_BACKENDS_MAX];
	size_t count;
	size_t passed;                   /* rows, also of back ends that are not configured any more */
	int64_t last;                    /* zone */
	bool full;
	int64_t after;                   /* the next step begins behind it; INT64_MAX: there are no more */
};

static bool add(struct step *step, int64_t zone_id, int64_t backend_id, const struct delivery *delivery)
{
	struct core_lane *lane = core_lane_of(step->core, backend_id);

	step->full = step->passed >= CORE_REPLAY_MOST && zone_id != step->last;
	if (step->full)
		return false;
	step->passed++;
	step->last = zone_id;
	if (lane != NULL && !core_is_gone(lane))
		step->letters[step->count++] = (struct letter){ .lane = lane, .zone_id = zone_id,
			.wanted = delivery->wanted,
			.due = delivery->state == DELIVERY_DUE && delivery->next_try_us <= core_now_us(step->core) };
	return true;
}

static bool add_pending(void *ctx, int64_t zone_id, int64_t backend_id, const struct delivery *delivery)
{
	return add(ctx, zone_id, backend_id, delivery);
}

static bool add_dead(void *ctx, const struct store_dead *dead)
{
	return add(ctx, dead->zone_id, dead->backend_id, dead->delivery);
}

static int gather(struct core *core, const struct replay *replay, struct step *step, struct err *err)
{
	struct store_dead_filter filter = { .backend_id = replay->backend_id, .after = replay->after };

	if (replay->request->op == ENGINE_DEAD_REPLAY) {
		int ret = store_dead_list(core->store, &filter, SIZE_MAX, add_dead, step, err);

		step->after = step->full ? step->last : INT64_MAX;
		return ret;
	}
	step->after = replay->after;
	return store_pending_step(core->store, &step->after, add_pending, step, err);
}

static int make_due(struct core *core, const struct step *step, struct err *err)
{
	int ret = ERR_OK;

	for (size_t i = 0; ret == ERR_OK && i < step->count; i++) {
		const struct letter *letter = &step->letters[i];

		if (!letter->due)
			ret = core_move_asked(core, letter->lane, letter->zone_id, letter->wanted, DELIVERY_REPLAY,
				letter->wanted, err);
	}
	return ret;
}

static void note_end(struct core *core, const struct replay *replay, uint64_t count)
{
	struct core_cause cause = core_cause_of(replay->request);

	if (replay->request->op == ENGINE_DEAD_REPLAY && count > 0)
		core_note_by(core, "dead_replayed", NULL, replay->request->backend, &cause,
			"%" PRIu64 " dead letters are tried now", count);
}

static int write_step(struct core *core, struct replay *replay, struct err *err)
{
	struct step step = { .core = core };
	int ret = store_begin(core->store, err);

	if (ret == ERR_OK)
		ret = gather(core, replay, &step, err);
	if (ret == ERR_OK)
		ret = make_due(core, &step, err);
	if (ret == ERR_OK && step.after == INT64_MAX) {
		note_end(core, replay, replay->count + step.count);
		ret = core_write_events(core, err);
	}
	if (ret == ERR_OK)
		ret = store_commit(core->store, err);
	core_forget_events(core, 0);
	if (ret != ERR_OK) {
		store_rollback(core->store);
		return ret;
	}
	replay->after = step.after;
	replay->count += step.count;
	return ERR_OK;
}

void core_replay_go_on(struct core *core)
{
	struct replay *replay = &core->replay;
	struct engine_message *reply;
	struct err err;

	if (!replay->ordered)
		return;
	int ret = write_step(core, replay, &err);
	if (ret == ERR_OK && replay->after != INT64_MAX)
		return;
	if (ret != ERR_OK)
		err_prefix(&err, "%" PRIu64 " are tried now, the others are not", replay->count);
	reply = engine_message_reply(replay->request, ret == ERR_OK ? NULL : &err);
	reply->affected = replay->count;
	if (replay->request->op == ENGINE_DEAD_REPLAY) {
		reply->doc = doc_create();
		doc_uint(reply->doc, "replayed", replay->count);
	}
	core->params.tell(core->params.ctx, reply);
	core_replay_free(core);
}

/* ---- a lane came up ---- */

static int write_revived(struct core *core, struct core_lane *lane, int64_t *after, uint64_t *count, struct err *err)
{
	int ret = store_begin(core->store, err);

	if (ret == ERR_OK)
		ret = store_dead_revive(core->store, lane->backend_id, core_now_us(core), after, count, err);
	if (ret == ERR_OK)
		ret = store_commit(core->store, err);
	if (ret != ERR_OK)
		store_rollback(core->store);
	return ret;
}

/* How many became due. */
static uint64_t revive_some(struct core *core, struct core_lane *lane)
{
	int64_t after = lane->revive_after;
	uint64_t count = 0;
	struct err err;
	int ret = write_revived(core, lane, &after, &count, &err);

	lane->next_due_us = 0;
	if (ret == ERR_OK) {
		lane->revive_after = after;
		return count;
	}
	log_warn("dead deliveries are not tried now", LOG_STR("backend", lane->name), LOG_ERR(&err));
	core->revive_us = core_now_us(core) + second_us;
	if (ret == ERR_CORRUPT)
		lane->revive_after = INT64_MAX;
	return 0;
}

void core_revive_go_on(struct core *core)
{
	uint64_t count = 0;

	for (size_t i = 0; i < core->lane_count && count < CORE_REPLAY_MOST; i++) {
		struct core_lane *lane = core->lanes[i];

		if (core->store_ok && core_now_us(core) >= core->revive_us && lane->revive_after != INT64_MAX)
			count += revive_some(core, lane);
	}
}

int64_t core_replay_wake_us(const struct core *core)
{
	if (core->replay.request != NULL)
		return 0;
	for (size_t i = 0; i < core->lane_count; i++) {
		if (core->store_ok && core->lanes[i]->revive_after != INT64_MAX)
			return core->revive_us;
	}
	return INT64_MAX;
}
