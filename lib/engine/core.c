/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "engine/core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "engine/core_internal.h"
#include "engine/message.h"

static const int64_t slow_retry_ms = 3600000;
static const unsigned jitter_percent = 20;

int64_t core_now_us(const struct core *core)
{
	return core->wall_start_us + (clock_mono_ms(core->params.clock) - core->mono_start_ms) * 1000;
}

int64_t core_wall_us(const struct core *core)
{
	return clock_wall_us(core->params.clock);
}

/* ---- life ---- */

static int register_back_ends(struct core *core, int64_t now_us, struct err *err)
{
	const char *names[CORE_BACKENDS_MAX];
	int64_t ids[CORE_BACKENDS_MAX];

	for (size_t i = 0; i < core->lane_count; i++)
		names[i] = core->lanes[i]->name;
	int ret = store_backends_register(core->store, names, core->lane_count, now_us, ids, err);
	for (size_t i = 0; ret == ERR_OK && i < core->lane_count; i++)
		core->lanes[i]->backend_id = ids[i];
	return ret;
}

static int register_lanes(struct core *core, struct err *err)
{
	int64_t now_us = core_now_us(core);
	int64_t most = 100 + (int64_t)jitter_percent;
	int64_t wait_us = now_us + core->policy.backoff_ms[core->policy.backoff_count - 1] * 10 * most;
	int64_t slow_us = now_us + slow_retry_ms * 10 * most;
	int ret = store_begin(core->store, err);

	if (ret == ERR_OK)
		ret = register_back_ends(core, now_us, err);
	if (ret == ERR_OK)
		ret = store_due_clamp(core->store, now_us, wait_us, slow_us, err);
	if (ret == ERR_OK)
		ret = core_receipts_begin(core, err);
	if (ret == ERR_OK)
		ret = core_orphans_reprieve(core, err);
	if (ret == ERR_OK)
		ret = store_commit(core->store, err);
	if (ret != ERR_OK)
		store_rollback(core->store);
	if (ret == ERR_OK)
		ret = core_freeze_load(core, err);
	for (size_t i = 0; ret == ERR_OK && i < core->lane_count; i++)
		ret = core_recall_lane(core, core->lanes[i], err);
	return ret;
}

int core_create(const struct core_params *params, struct core **out, struct err *err)
{
	struct core *core = xcalloc(1, sizeof(*core));

	CHECK(params->backend_count <= CORE_BACKENDS_MAX);
	core->params = *params;
	core->store = params->store;
	core->rng.state = params->seed;
	if (params->seed == 0)
		hash_random(&core->rng.state, sizeof(core->rng.state));
	core->policy = (struct delivery_policy){ .slow_retry_ms = slow_retry_ms, .jitter_percent = jitter_percent,
		.rng = &core->rng };
	core->lane_policy = (struct lane_policy){ .jitter_percent = jitter_percent, .rng = &core->rng };
	core_take_settings(core, params);
	core->wall_start_us = clock_wall_us(params->clock);
	core->mono_start_ms = clock_mono_ms(params->clock);
	core->counters.started_at_us = core->wall_start_us;
	core->store_ok = true;
	core->lanes = xcalloc(params->backend_count + 1, sizeof(struct core_lane *));
	for (size_t i = 0; i < params->backend_count; i++)
		core->lanes[core->lane_count++] = core_lane_create(core, &params->backends[i]);
	int ret = register_lanes(core, err);
	for (size_t i = 0; i < core->lane_count; i++)
		core_heal_auto_init(core, core->lanes[i]);
	if (ret != ERR_OK) {
		core_destroy(core);
		return ret;
	}
	for (size_t i = 0; i < core->lane_count; i++) {
		core_lane_hold(core, core->lanes[i]);
		core_lane_open(core, core->lanes[i]);
	}
	*out = core;
	return ERR_OK;
}

void core_destroy(struct core *core)
{
	if (core == NULL)
		return;
	core_drop_staged(core);
	for (size_t i = 0; i < core->lane_count; i++)
		core_lane_destroy(core, core->lanes[i]);
	core->lane_count = 0;
	core_forget_events(core, 0);
	core_freeze_free(core);
	core_retire_free(core);
	core_replay_free(core);
	free(core->staged);
	free(core->fresh);
	free(core->events);
	free(core->outcomes);
	core_peers_free(core);
	free(core->lanes);
	free(core->backoff_ms);
	recent_free(&core->recent);
	free(core);
}

void core_quiesce(struct core *core)
{
	core_plan_close(core);
	core->quiesced = true;
}

size_t core_jobs_out(const struct core *core)
{
	size_t out = 0;

	for (size_t i = 0; i < core->lane_count; i++)
		out += core->lanes[i]->jobs_out;
	return out;
}

bool core_is_broken(const struct core *core)
{
	return core->broken;
}

/* ---- what others see ---- */

struct telling {
	struct engine_message *message;
	struct err damage; /* the first of this page */
};

static void tell_name(void *ctx, const struct store_zone *zone, const struct err *damage)
{
	struct telling *telling = ctx;

	if (damage != NULL && telling->damage.code == ERR_OK)
		telling->damage = *damage;
	else if (damage == NULL && !zone->deleted)
		engine_message_add_name(telling->message, zone->name, zone->hostname, zone->username);
}

bool core_tell_names(struct core *core)
{
	enum { PAGE = 500 };
	struct telling telling = { .message = engine_message_create(ENGINE_NAME_SET) };
	struct err err;
	int ret = store_zone_walk(core->store, &core->names_after, PAGE, tell_name, &telling, &err);

	/* One damaged row costs its own zone, not the start; the next push of that zone mends it. */
	if (telling.damage.code != ERR_OK)
		log_error("a stored zone is damaged", LOG_ERR(&telling.damage));
	core->params.tell(core->params.ctx, telling.message);
	if (ret != ERR_OK) {
		err_prefix(&err, "the names that are held can't be read");
		core_give_up(core, &err);
		return false;
	}
	if (core->names_after < INT64_MAX)
		return true;
	core_tell_store_state(core);
	core->params.tell(core->params.ctx, engine_message_create(ENGINE_NAMES_LOADED));
	return false;
}

static void show_lane(const struct core *core, const struct core_lane *lane, struct core_board_lane *shown)
{
	snprintf(shown->name, sizeof(shown->name), "%s", lane->name);
	shown->type = lane->type;
	shown->state = lane_state_name(&lane->health);
	shown->since_us = lane->health.since_us;
	shown->next_probe_us = lane->health.state == LANE_DOWN ? lane->health.next_probe_us : 0;
	shown->backend_id = lane->backend_id;
	shown->inflight_count = lane->inflight.size;
	snprintf(shown->last_error, sizeof(shown->last_error), "%s", lane->health.last_error);
	snprintf(shown->trouble, sizeof(shown->trouble), "%s", lane->trouble);
	core_heal_show(core, lane, &shown->heal);
	core_contest_copy(core, lane, shown);
	core_tally_show(lane, &shown->tally);
	shown->verified = lane->verified;
	shown->canary = lane->verified && core->canary[0] != '\0';
	shown->canary_answered_us = lane->canary_answered_us;
	shown->next_heal_us = lane->healing.auto_us == INT64_MAX ? 0 :
		lane->healing.auto_us - core_now_us(core) + core_wall_us(core);
}

void core_show(const struct core *core, struct core_board *out)
{
	out->engine_offset_us = core->wall_start_us - core->mono_start_ms * 1000;
	out->counters = core->counters;
	out->dry_run = core->params.dry_run;
	out->store_ok = core->store_ok;
	snprintf(out->store_error, sizeof(out->store_error), "%s", core->store_error);
	out->lane_count = 0;
	for (size_t i = 0; i < core->lane_count; i++) {
		if (!core_is_gone(core->lanes[i]))
			show_lane(core, core->lanes[i], &out->lanes[out->lane_count++]);
	}
}

void core_command_destroy(struct core_command *command)
{
	engine_request_destroy(command->request);
	zone_unref(command->zone);
	free(command);
}

void core_job_destroy(struct core_job *job)
{
	for (size_t i = 0; i < job->zone_count; i++)
		source_unref(job->zones[i].source);
	free(job->zones);
	free(job->items);
	page_destroy(job->page);
	inspect_destroy(job->inspect);
	free(job);
}
