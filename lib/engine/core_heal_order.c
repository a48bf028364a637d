/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The operator's orders about healing passes: to begin one, to end it. In force once the turn is committed. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/core_internal.h"
#include "engine/message.h"

static bool is_asked(const struct core_lane *lane, const struct engine_request *request)
{
	return request->backend == NULL || strcmp(request->backend, lane->name) == 0;
}

/* One that began by itself gives way. */
static bool is_busy(const struct core *core, const struct engine_request *request, struct err *err)
{
	for (size_t i = 0; i < core->lane_count; i++) {
		const struct core_lane *lane = core->lanes[i];
		const struct healing *healing = &lane->healing;

		if (!is_asked(lane, request) || ((!healing->running || healing->automatic) && healing->order.pass == 0))
			continue;
		err_set(err, ERR_BUSY, "a healing pass is under way at %s: %" PRIu64 " of %" PRIu64 " zones compared",
			lane->name, healing->shown.compared, healing->shown.zones);
		return true;
	}
	return false;
}

static bool is_known(struct core *core, const struct engine_request *request, struct err *err)
{
	return request->backend == NULL || core_find_lane(core, request->backend) != NULL ||
		core_no_such_lane(core, request->backend, err) == ERR_OK;
}

int64_t core_heal_next_pass(struct core *core)
{
	core->last_pass = core_wall_us(core) > core->last_pass ? core_wall_us(core) : core->last_pass + 1;
	return core->last_pass;
}

void core_heal_order(struct core *core, struct core_command *command)
{
	const struct engine_request *request = command->request;
	struct engine_message *reply;
	struct err err = { 0 };

	if (!is_known(core, request, &err) || is_busy(core, request, &err)) {
		core_stage(core, engine_message_reply(request, &err));
		return;
	}
	reply = engine_message_reply(request, NULL);
	reply->pass = core_heal_next_pass(core);
	for (size_t i = 0; i < core->lane_count; i++) {
		struct core_lane *lane = core->lanes[i];

		if (!is_asked(lane, request))
			continue;
		lane->healing.order = (struct heal_order){ .pass = reply->pass, .trigger = "operator",
			.dry_run = request->dry_run, .source = xstrdup(request->source) };
		reply->affected++;
	}
	core_stage(core, reply);
}

void core_heal_stop_order(struct core *core, struct core_command *command)
{
	const struct engine_request *request = command->request;
	struct core_cause cause = core_cause_of(request);
	struct engine_message *reply;
	struct err err = { 0 };
	uint64_t stopped = 0;

	if (!is_known(core, request, &err)) {
		core_stage(core, engine_message_reply(request, &err));
		return;
	}
	reply = engine_message_reply(request, NULL);
	for (size_t i = 0; i < core->lane_count; i++) {
		struct core_lane *lane = core->lanes[i];
		const struct engine_heal *shown = &lane->healing.shown;

		if (!is_asked(lane, request) || !lane->healing.running || lane->healing.order.stop)
			continue;
		lane->healing.order.stop = true;
		core_note_by(core, "heal_stopped", NULL, lane->name, &cause, "stopped by the operator; %" PRIu64 " of %" PRIu64
			" zones compared", shown->compared, shown->zones);
		stopped++;
	}
	reply->doc = doc_create();
	doc_uint(reply->doc, "stopped", stopped);
	core_stage(core, reply);
}

void core_heal_obey(struct core *core, struct core_lane *lane, bool committed)
{
	struct heal_order *order = &lane->healing.order;

	if (committed && order->stop && lane->healing.running)
		core_heal_stop(core, lane, "stopped by the operator");
	if (committed && order->pass != 0)
		core_heal_begin(core, lane);
	free(order->source);
	*order = (struct heal_order){ 0 };
}
