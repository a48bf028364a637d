/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A lane's health as the engine keeps it: what is told of it, what of it
 * survives a restart; and what the operator orders: pause, resume. The events are a lane's record: a lane change writes one row
 * (decisions.md 5).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "engine/core_internal.h"
#include "engine/message.h"

void core_lane_move(struct core *core, struct core_lane *lane, enum lane_event event, const char *error)
{
	enum lane_state before = lane->health.state;
	bool told = lane_move(&lane->health, event, core_now_us(core), core_wall_us(core), error == NULL ? "" : error,
		&core->lane_policy);

	if (before != lane->health.state)
		lane->next_due_us = 0;
	if (!told)
		return;
	lane->revive_after = lane->health.state == LANE_UP ? 0 : INT64_MAX;
	if (lane->health.state == LANE_UP)
		core_heal_came_up(core, lane);
	if (lane->health.state == LANE_UP)
		core_note(core, "lane_up", NULL, lane->name, NULL, "the back end answers");
	else
		core_note(core, "lane_down", NULL, lane->name, NULL, "%s", lane->health.last_error);
}

void core_lane_settle(struct core *core, struct core_lane *lane)
{
	bool idle = lane->jobs_out == lane->pages_out && lane->next_due_us > core_now_us(core);

	if (lane->health.state == LANE_UP && lane->health.proving && idle)
		core_lane_move(core, lane, LANE_IDLE, NULL);
}

static bool recall_lane(void *ctx, const struct store_event *event)
{
	struct lane *health = ctx;

	if (strcmp(event->kind, "lane_down") == 0) {
		health->told = LANE_TOLD_DOWN;
		snprintf(health->last_error, sizeof(health->last_error), "%s",
			event->detail == NULL ? "" : event->detail);
	} else if (strcmp(event->kind, "lane_up") == 0) {
		health->told = LANE_TOLD_UP;
	} else if (strcmp(event->kind, "lane_paused") == 0) {
		health->state = LANE_PAUSED;
	} else if (strcmp(event->kind, "lane_resumed") != 0 && strcmp(event->kind, "retired") != 0) {
		return true;
	}
	/* A back end that was retired has no past; one of its name is a new one. */
	if (strcmp(event->kind, "retired") != 0)
		health->since_us = event->at_us;
	return false;
}

int core_recall_lane(struct core *core, struct core_lane *lane, struct err *err)
{
	int ret = store_event_list(core->store, INT64_MAX, SIZE_MAX, NULL, lane->name, recall_lane, &lane->health, err);

	lane->paused = lane->health.state == LANE_PAUSED;
	return ret;
}

/*
 * Who was told that it is down need not be told again. That it is up is news once more: with other settings another database
 * may stand behind it, so it is healed, and what was given up there is tried.
 */
void core_lane_inherit(struct core *core, struct core_lane *lane, const struct core_lane *before)
{
	lane->paused = before->paused;
	lane->fill_after = before->fill_after;
	lane->healing.shown = before->healing.shown;
	lane->tally = before->tally;
	lane->commit = before->commit;
	lane->answer = before->answer;
	lane->canary_answered_us = before->canary_answered_us;
	if (lane->paused || core->params.dry_run)
		lane->health.state = LANE_PAUSED;
	if (before->health.told == LANE_TOLD_DOWN || before->health.state == LANE_PAUSED)
		lane->health.since_us = before->health.since_us;
	if (before->health.told != LANE_TOLD_DOWN)
		return;
	lane->health.told = LANE_TOLD_DOWN;
	memcpy(lane->health.last_error, before->health.last_error, sizeof(lane->health.last_error));
}

/* ---- the operator ---- */

struct core_lane *core_find_lane(struct core *core, const char *name)
{
	for (size_t i = 0; i < core->lane_count; i++) {
		if (strcmp(core->lanes[i]->name, name) == 0 && !core_is_gone(core->lanes[i]))
			return core->lanes[i];
	}
	return NULL;
}

struct core_lane *core_lane_of(const struct core *core, int64_t backend_id)
{
	for (size_t i = 0; i < core->lane_count; i++) {
		if (core->lanes[i]->backend_id == backend_id)
			return core->lanes[i];
	}
	return NULL;
}

int core_no_such_lane(const struct core *core, const char *name, struct err *err)
{
	struct buf known = { 0 };

	/* Those that go are the last. */
	for (size_t i = 0; i < core->lane_count && !core_is_gone(core->lanes[i]); i++)
		buf_printf(&known, "%s%s", i == 0 ? "" : ", ", core->lanes[i]->name);
	err_set(err, ERR_NOTFOUND, "there is no back end %.200s; there %s %s", name,
		core->lane_count == 1 ? "is" : "are", known.size == 0 ? "none" : known.data);
	buf_free(&known);
	return ERR_NOTFOUND;
}

void core_order(struct core *core, struct core_command *command)
{
	const struct engine_request *request = command->request;
	const char *name = request->backend == NULL ? "" : request->backend;
	struct core_lane *lane = core_find_lane(core, name);
	struct core_cause cause = core_cause_of(request);
	bool pause = request->op == ENGINE_PAUSE;
	struct engine_message *reply;
	struct err err;

	if (lane == NULL) {
		(void)core_no_such_lane(core, name, &err);
		core_stage(core, engine_message_reply(request, &err));
		return;
	}
	if (core->params.dry_run && !pause) {
		err_set(&err, ERR_INVALID, "app.dry_run is set: no back end is sent anything");
		core_stage(core, engine_message_reply(request, &err));
		return;
	}
	/* Not by the state: a dry run has all of them paused. */
	bool paused = lane->order == ORDER_NONE ? lane->paused : lane->order == ORDER_PAUSE;
	reply = engine_message_reply(request, NULL);
	if (paused != pause) {
		reply->affected = 1;
		lane->order = pause ? ORDER_PAUSE : ORDER_RESUME;
		core_note_by(core, pause ? "lane_paused" : "lane_resumed", NULL, lane->name, &cause,
			pause ? "the operator paused it: nothing is sent there" :
				"the operator resumed it: a probe goes first");
	}
	core_stage(core, reply);
}

static void obey(struct core *core, struct core_lane *lane)
{
	bool pause = lane->order == ORDER_PAUSE;

	lane->paused = pause;
	/* Paused and resumed within one turn, it is as it was. */
	if (pause == (lane->health.state == LANE_PAUSED))
		return;
	lane_move(&lane->health, pause ? LANE_PAUSE : LANE_RESUME, core_now_us(core), core_wall_us(core), "",
		&core->lane_policy);
	lane->revive_after = INT64_MAX;
	lane->trouble[0] = '\0';
	lane->next_due_us = 0;
}

void core_obey(struct core *core, bool committed)
{
	for (size_t i = 0; i < core->lane_count; i++) {
		struct core_lane *lane = core->lanes[i];

		if (committed && lane->order != ORDER_NONE)
			obey(core, lane);
		lane->order = ORDER_NONE;
		core_heal_obey(core, lane, committed);
	}
}
