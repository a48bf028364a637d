/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One turn: what came in is written in one transaction, answered, and what is due goes out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/testing.h"
#include "engine/core_internal.h"
#include "engine/message.h"

static const int64_t second_us = 1000000;

/* ---- the store's own health ---- */

void core_tell_store_state(struct core *core)
{
	struct engine_message *message = engine_message_create(ENGINE_STORE_STATE);

	message->store_ok = core->store_ok;
	if (!core->store_ok)
		err_set(&message->err, ERR_NOSPACE, "%s", core->store_error);
	core->params.tell(core->params.ctx, message);
}

void core_give_up(struct core *core, const struct err *err)
{
	struct engine_message *fatal = engine_message_create(ENGINE_FATAL);

	/* Whoever looks into a damaged store shall find it as it was. */
	if (err->code == ERR_CORRUPT)
		store_distrust(core->store);
	core->broken = true;
	fatal->err = *err;
	core->params.tell(core->params.ctx, fatal);
}

/* All that core_store_failed does, but to end the process. */
static void note_failure(struct core *core, const struct err *err)
{
	/* What is wrong may become another thing, and the remedy with it. */
	if (core->store_ok || err->code != core->store_failure) {
		log_error("the store can't be written", LOG_ERR(err));
		core->store_ok = false;
		core->store_failure = err->code;
		snprintf(core->store_error, sizeof(core->store_error), "%s", err->text);
		core_tell_store_state(core);
	}
	if (err->code == ERR_NOSPACE)
		store_ballast_release(core->store);
	/* A lock goes by itself, and to look costs nothing. */
	core->store_probe_us = core_now_us(core) + (err->code == ERR_BUSY ? second_us / 20 : second_us);
}

void core_store_failed(struct core *core, const struct err *err)
{
	note_failure(core, err);
	if (err->code == ERR_IO)
		core_give_up(core, err);
}

static void probe_store(struct core *core)
{
	struct err err;

	if (core->store_ok || core->broken || core_now_us(core) < core->store_probe_us)
		return;
	core->store_probe_us = core_now_us(core) + second_us;
	if (!store_ballast_take(core->store))
		return;
	int ret = store_check_place(core->store, &err);
	if (ret == ERR_OK)
		ret = store_probe(core->store, &err);
	if (ret != ERR_OK) {
		core_store_failed(core, &err);
		return;
	}
	core->store_ok = true;
	log_info("the store can be written again");
	core_tell_store_state(core);
}

static void prune_store(struct core *core)
{
	struct err err;
	int ret;

	if (!core->store_ok || core_now_us(core) < core->prune_us)
		return;
	core->prune_us = core_now_us(core) + 600 * second_us;
	uint64_t pruned = 0;
	ret = store_begin(core->store, &err);
	if (ret == ERR_OK)
		ret = store_prune(core->store, core_wall_us(core), &pruned, &err);
	if (ret == ERR_OK)
		ret = store_commit(core->store, &err);
	if (ret != ERR_OK) {
		store_rollback(core->store);
		log_warn("old events can't be pruned", LOG_ERR(&err));
	}
	/* A step at a time, so that no push waits long; but until there is nothing left to prune. */
	if (pruned > 0)
		core->prune_us = core_now_us(core) + second_us;
}

/* ---- one turn ---- */

static int carry_out_all(struct core *core, struct core_command **commands, size_t count, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		int ret = core_carry_out(core, commands[i], err);

		if (ret != ERR_OK)
			return ret;
	}
	return ERR_OK;
}

static int write_turn(struct core *core, struct core_command **commands, size_t count, struct err *err)
{
	struct core_counters counted = core->counters;
	int ret = store_begin(core->store, err);

	if (ret == ERR_OK)
		ret = core_write_outcomes(core, 0, core->outcome_count, err);
	if (ret == ERR_OK)
		ret = carry_out_all(core, commands, count, err);
	if (ret == ERR_OK)
		ret = core_write_events(core, err);
	if (ret == ERR_OK) {
		if (PLANTED(ack_before_commit))
			core_tell_staged(core);
		if (count > 0)
			FAULT_POINT(before_commit);
		if (core->outcome_count > 0)
			FAULT_POINT(before_applied);
		ret = store_commit(core->store, err);
	}
	if (ret != ERR_OK) {
		store_rollback(core->store);
		core->counters = counted;
		return ret;
	}
	core->written = core->receipts;
	core_tally_commits(core, 0, core->outcome_count);
	if (count > 0)
		FAULT_POINT(after_commit);
	if (core->outcome_count > 0)
		FAULT_POINT(after_applied);
	return ERR_OK;
}

/* For whoever pushed: no path, no words of SQLite's; the log has those. */
static const char *reason_of(int code)
{
	switch (code) {
	case ERR_NOSPACE:
		return "the disk is full";
	case ERR_BUSY:
		return "the store is locked by another process";
	case ERR_NOTFOUND:
		return "the store's file was removed or replaced";
	case ERR_CORRUPT:
		return "the store is damaged there";
	default:
		return "the disk of the store fails";
	}
}

static void refuse_all(struct core *core, struct core_command **commands, size_t count, int code)
{
	struct err refusal;

	err_set(&refusal, code == ERR_CORRUPT ? ERR_CORRUPT : ERR_NOSPACE, "not stored: %s", reason_of(code));
	for (size_t i = 0; i < count; i++)
		core_stage(core, engine_message_reply(commands[i]->request, &refusal));
}

/*
 * One row that fails for a reason of its own (damage) must not fail what came with it: each gets its own transaction. An error
 * is the store's.
 */
static int write_outcomes_apart(struct core *core, struct err *err)
{
	int ret = ERR_OK;

	for (size_t i = 0; i < core->outcome_count && (ret == ERR_OK || ret == ERR_CORRUPT); i++) {
		ret = store_begin(core->store, err);
		if (ret == ERR_OK)
			ret = core_write_outcomes(core, i, 1, err);
		if (ret == ERR_OK)
			ret = store_commit(core->store, err);
		if (ret == ERR_OK) {
			core->written = core->receipts;
			core_tally_commits(core, i, 1);
			continue;
		}
		store_rollback(core->store);
		core->dispatch_us = core_now_us(core) + second_us;
		log_error("a delivery is not recorded, it will be repeated",
			LOG_STR("backend", core->outcomes[i].lane->name),
			LOG_INT("zone_id", core->outcomes[i].zone_id), LOG_ERR(err));
	}
	core->outcome_count = 0;
	return ret == ERR_CORRUPT ? ERR_OK : ret;
}

/*
 * Whoever was refused and asks whether we are ready must not hear that we are; and whoever waits is told before the process
 * leaves, if it does.
 */
static void refuse_and_fail(struct core *core, struct core_command **commands, size_t count, const struct err *err)
{
	note_failure(core, err);
	refuse_all(core, commands, count, err->code);
	core_tell_staged(core);
	if (err->code == ERR_IO)
		core_give_up(core, err);
}

static void commit_apart(struct core *core, struct core_command **commands, size_t count)
{
	struct err err;

	if (write_outcomes_apart(core, &err) != ERR_OK) {
		refuse_and_fail(core, commands, count, &err);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		size_t events = core->event_count;

		if (write_turn(core, &commands[i], 1, &err) == ERR_OK) {
			core_tell_staged(core);
			core_forget_events(core, 0);
			continue;
		}
		core_drop_staged(core);
		core_forget_events(core, events);
		log_error("a request can't be stored", LOG_ERR(&err));
		if (err.code != ERR_CORRUPT) {
			refuse_and_fail(core, commands + i, count - i, &err);
			return;
		}
		refuse_all(core, &commands[i], 1, err.code);
		core_tell_staged(core);
	}
	/* What is left to write: events of lanes, if there was no command to take them along. */
	if (core->event_count > 0 && write_turn(core, NULL, 0, &err) != ERR_OK)
		log_warn("events are not recorded", LOG_ERR(&err));
}

static void write_all(struct core *core, struct core_command **commands, size_t count)
{
	size_t events = core->event_count;
	struct err err;

	if (core->store_ok && count > 0 && store_check_place(core->store, &err) != ERR_OK)
		core_store_failed(core, &err);
	if (!core->store_ok) {
		refuse_all(core, commands, count, core->store_failure);
		core_tell_staged(core);
		count = 0;
		if (core->outcome_count == 0 && core->event_count == 0)
			return;
	}
	if (write_turn(core, commands, count, &err) == ERR_OK) {
		core_tell_staged(core);
		return;
	}
	core_drop_staged(core);
	core_forget_events(core, events);
	if (err.code == ERR_CORRUPT) {
		commit_apart(core, commands, count);
		return;
	}
	refuse_and_fail(core, commands, count, &err);
	/* What lanes achieved is worth the ballast: a restart would only find it out again. */
	if (!core->broken && write_turn(core, NULL, 0, &err) != ERR_OK) {
		log_warn("deliveries not recorded, they will be repeated", LOG_ERR(&err));
		core->dispatch_us = core_now_us(core) + second_us;
	}
}

static int64_t wake_ms(const struct core *core)
{
	int64_t wake = core->store_ok ? core->prune_us : core->store_probe_us;
	int64_t now = core_now_us(core);

	if (core->store_ok && core->condemned_us < wake)
		wake = core->condemned_us;
	if (core->retire.id != 0)
		wake = now;
	if (core_fill_wake_us(core) < wake)
		wake = core_fill_wake_us(core);
	if (core_replay_wake_us(core) < wake)
		wake = core_replay_wake_us(core);
	/* Nothing gets better by itself then. */
	if (core->broken)
		wake = now + second_us;
	for (size_t i = 0; i < core->lane_count; i++) {
		int64_t lane_wake = core_lane_wake_us(core, core->lanes[i]);

		/* Until the last of it has come back. */
		if (core->lanes[i]->leaving)
			continue;
		if (lane_wake < wake)
			wake = lane_wake;
		lane_wake = core_plan_wake_us(core->lanes[i]);
		if (lane_wake < wake)
			wake = lane_wake;
		lane_wake = core_heal_wake_us(core, core->lanes[i]);
		if (lane_wake < wake)
			wake = lane_wake;
	}
	return wake <= now ? 0 : (wake - now + 999) / 1000;
}

bool core_rest(struct core *core)
{
	struct err err;

	if (!core->store_ok || core->broken || store_rest(core->store, &err) == ERR_OK)
		return true;
	core_store_failed(core, &err);
	return false;
}

/* What goes to the lane now. A plan before a page of a pass: somebody waits for it. */
static void serve(struct core *core, struct core_lane *lane)
{
	bool may_deliver = core_now_us(core) >= core->dispatch_us;

	if (may_deliver) {
		core_heal_auto(core, lane);
		core_heal_settle(core, lane);
		core_dispatch(core, lane);
	}
	core_plan_go_on(core, lane);
	if (may_deliver)
		core_heal_go_on(core, lane);
}

int64_t core_turn(struct core *core, struct core_command **commands, size_t command_count, struct core_job **jobs,
	size_t job_count)
{
	command_count = core_plan_take(core, commands, command_count);
	for (size_t i = 0; i < job_count; i++)
		core_land(core, jobs[i]);
	for (size_t i = 0; i < core->lane_count; i++)
		core_lane_settle(core, core->lanes[i]);
	if (command_count > 0 || core->outcome_count > 0 || core->event_count > 0)
		write_all(core, commands, command_count);
	for (size_t i = 0; i < command_count; i++)
		core_command_destroy(commands[i]);
	core->outcome_count = 0;
	core_forget_events(core, 0);
	probe_store(core);
	prune_store(core);
	core_change_go_on(core);
	core_fill_go_on(core);
	core_retire_go_on(core);
	core_replay_go_on(core);
	core_revive_go_on(core);
	core_orphans_go_on(core);
	for (size_t i = 0; i < core->lane_count; i++) {
		struct core_lane *lane = core->lanes[i];

		if (!core->quiesced && !core->broken && !lane->leaving)
			serve(core, lane);
		core_batch_tell(core, lane, false);
	}
	return wake_ms(core);
}
