/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How lanes come and go: at a start, and when other settings are put in force
 * while zonefan runs.
 *
 *   new      it is registered with the event of the change; its deliveries are
 *            made some thousand zones at a time, and flow meanwhile
 *   changed  nothing new is sent to the old lane; what it has out comes back and
 *            is recorded as ever. Then, and not before, another lane of the same
 *            deliveries takes its place. It remembers what a start would find
 *            in the store, and begins with a probe
 *   gone     the same, but nothing takes its place: its deliveries stay in the
 *            store, as after a start without it
 *
 * So a zone is never under way on an old and on a new connection at once, and
 * a delivery that is cut short stands as it did before it was sent.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "engine/core_internal.h"

enum { FILL_MOST = 2000 }; /* some milliseconds, which a push may have to wait */

static const int64_t second_us = 1000000;

/* ---- one lane ---- */

struct core_lane *core_lane_create(const struct core *core, const struct engine_backend *backend)
{
	struct core_lane *lane = xcalloc(1, sizeof(*lane));

	CHECK(strlen(backend->name) < CORE_NAME_SIZE);
	lane->name = xstrdup(backend->name);
	lane->type = backend->ops->type;
	lane->handle = backend->handle;
	lane->connections = backend->connections;
	lane->version = backend->version;
	lane->policy = backend->healing;
	lane->verified = backend->verified;
	lane->slots = xcalloc(lane->connections, sizeof(struct core_job *));
	lane->revive_after = INT64_MAX;
	lane->fill_after = INT64_MAX;
	lane->healing.auto_us = INT64_MAX;
	lane_init(&lane->health, core_wall_us(core));
	batch_init(&lane->size);
	return lane;
}

static void free_values(struct idmap *map)
{
	size_t at = 0;
	int64_t id;
	void *value;

	while ((value = idmap_next(map, &at, &id)) != NULL)
		free(value);
	idmap_free(map);
}

void core_lane_destroy(struct core *core, struct core_lane *lane)
{
	if (lane == NULL)
		return;
	CHECK(lane->jobs_out == 0);
	core_batch_tell(core, lane, true);
	core_lane_destroy(core, lane->successor);
	free_values(&lane->inflight);
	free_values(&lane->suspicion);
	free_values(&lane->overrides);
	free_values(&lane->contested);
	free(lane->accused);
	core_heal_free(lane);
	core_contest_free(lane);
	core_plan_free(lane);
	free(lane->slots);
	free(lane->name);
	free(lane);
}

void core_lane_hold(const struct core *core, struct core_lane *lane)
{
	if (core->params.dry_run)
		lane->health.state = LANE_PAUSED;
}

void core_lane_open(const struct core *core, const struct core_lane *lane)
{
	if (core->params.opened != NULL)
		core->params.opened(core->params.ctx, lane->handle);
}

static void close_lane(const struct core *core, const struct core_lane *lane)
{
	if (core->params.drained != NULL)
		core->params.drained(core->params.ctx, lane->handle);
}

/* ---- settings that are not a lane's ---- */

static void take_canary(struct core *core, const char *canary)
{
	if (canary == NULL || zone_name_parse(canary, strlen(canary), core->canary, NULL) != ERR_OK)
		core->canary[0] = '\0';
	core->params.canary = NULL;
}

void core_take_settings(struct core *core, const struct core_params *params)
{
	size_t size = params->backoff_count * sizeof(*params->backoff_ms);

	CHECK(params->backoff_count > 0);
	free(core->backoff_ms);
	core->backoff_ms = xmalloc(size);
	memcpy(core->backoff_ms, params->backoff_ms, size);
	core->policy.backoff_ms = core->backoff_ms;
	core->policy.backoff_count = params->backoff_count;
	core->policy.max_attempts = params->max_attempts;
	core->lane_policy.probe_initial_ms = params->probe_initial_ms;
	core->lane_policy.probe_max_ms = params->probe_max_ms;
	core->params.dry_run = params->dry_run;
	core->params.peers = params->peers;
	core->params.healing_enabled = params->healing_enabled;
	core->params.healing_interval_ms = params->healing_interval_ms;
	core->params.guard_mode = params->guard_mode;
	core->params.guard_max_shrink_percent = params->guard_max_shrink_percent;
	core->params.history_versions = params->history_versions;
	take_canary(core, params->canary);
}

/* ---- a change ---- */

static const struct engine_backend *find_backend(const struct core_params *params, const char *name)
{
	for (size_t i = 0; i < params->backend_count; i++) {
		if (strcmp(params->backends[i].name, name) == 0)
			return &params->backends[i];
	}
	return NULL;
}

bool core_is_draining(const struct core *core)
{
	for (size_t i = 0; i < core->lane_count; i++) {
		if (core->lanes[i]->leaving)
			return true;
	}
	return false;
}

void core_each_draining(const struct core *core, void (*each)(void *ctx, void *handle), void *ctx)
{
	for (size_t i = 0; i < core->lane_count; i++) {
		if (core->lanes[i]->leaving)
			each(ctx, core->lanes[i]->handle);
	}
}

static int may_change(const struct core *core, const struct core_params *params, struct err *err)
{
	if (core->quiesced || core->broken)
		return err_set(err, ERR_CLOSED, "zonefand stops");
	if (params->backend_count > CORE_BACKENDS_MAX)
		return err_set(err, ERR_LIMIT, "there are more than %d back ends", CORE_BACKENDS_MAX);
	if (core_is_draining(core))
		return err_set(err, ERR_BUSY, "what was changed before still ends its last deliveries");
	if (core->retire.id != 0 && find_backend(params, core->retire.name) != NULL)
		return err_set(err, ERR_BUSY, "back end %s is being retired: try again when that is over", core->retire.name);
	return ERR_OK;
}

/* Of names that there are none of yet; they are not among the core's until all is written. */
struct newcomers {
	struct core_lane *lanes[CORE_BACKENDS_MAX];
	size_t count;
};

static void make_newcomers(struct core *core, const struct core_params *params, struct newcomers *new)
{
	for (size_t i = 0; i < params->backend_count; i++) {
		if (core_find_lane(core, params->backends[i].name) == NULL)
			new->lanes[new->count++] = core_lane_create(core, &params->backends[i]);
	}
}

static int register_newcomer(struct core *core, struct core_lane *lane, struct err *err)
{
	int ret = store_backend_add(core->store, lane->name, &lane->backend_id, err);

	lane->fill_after = 0;
	return ret == ERR_OK ? core_recall_lane(core, lane, err) : ret;
}

static int write_change(struct core *core, struct newcomers *new, const struct engine_change *change, struct err *err)
{
	struct store_event event = { .at_us = core_wall_us(core), .kind = "reloaded", .source = (char *)(uintptr_t)change->source,
		.detail = (char *)(uintptr_t)change->detail, .actor = (char *)(uintptr_t)change->actor };
	int ret = store_begin(core->store, err);

	for (size_t i = 0; ret == ERR_OK && i < new->count; i++)
		ret = register_newcomer(core, new->lanes[i], err);
	if (ret == ERR_OK)
		ret = store_event_add(core->store, &event, err);
	if (ret == ERR_OK)
		ret = store_commit(core->store, err);
	if (ret != ERR_OK)
		store_rollback(core->store);
	return ret;
}

static bool is_changed(const struct core *core, const struct core_params *params, const struct core_lane *lane,
	const struct engine_backend *backend)
{
	/* A dry run pauses all, and what the operator paused is remembered by a lane that begins. */
	return lane->version != backend->version || lane->connections != backend->connections ||
		lane->policy != backend->healing || strcmp(lane->type, backend->ops->type) != 0 ||
		core->params.dry_run != params->dry_run;
}

static void send_off(struct core *core, struct core_lane *lane, const struct engine_backend *backend)
{
	lane->leaving = true;
	if (backend == NULL)
		return;
	lane->successor = core_lane_create(core, backend);
	lane->successor->backend_id = lane->backend_id;
	core_lane_open(core, lane->successor);
}

/* In the order of the configuration; those that go are the last. */
static void put_in_order(struct core *core, const struct core_params *params, const struct newcomers *new)
{
	size_t count = core->lane_count + new->count, at = 0;
	struct core_lane **lanes = xcalloc(count + 1, sizeof(struct core_lane *));

	for (size_t i = 0, next = 0; i < params->backend_count; i++) {
		struct core_lane *lane = core_find_lane(core, params->backends[i].name);

		lanes[at++] = lane != NULL ? lane : new->lanes[next++];
	}
	for (size_t i = 0; i < core->lane_count; i++) {
		if (core_is_gone(core->lanes[i]))
			lanes[at++] = core->lanes[i];
	}
	CHECK(at == count);
	free(core->lanes);
	core->lanes = lanes;
	core->lane_count = count;
}

static void apply_change(struct core *core, const struct core_params *params, const struct newcomers *new)
{
	bool other_clock = core->params.healing_enabled != params->healing_enabled ||
		core->params.healing_interval_ms != params->healing_interval_ms;

	for (size_t i = 0; i < core->lane_count; i++) {
		struct core_lane *lane = core->lanes[i];
		const struct engine_backend *backend = find_backend(params, lane->name);

		if (backend == NULL || is_changed(core, params, lane, backend))
			send_off(core, lane, backend);
		else
			lane->verified = backend->verified;
	}
	put_in_order(core, params, new);
	core_take_settings(core, params);
	for (size_t i = 0; i < core->lane_count; i++) {
		if (other_clock)
			core_heal_auto_init(core, core->lanes[i]);
	}
	for (size_t i = 0; !other_clock && i < new->count; i++)
		core_heal_auto_init(core, new->lanes[i]);
	for (size_t i = 0; i < new->count; i++) {
		core_lane_hold(core, new->lanes[i]);
		core_lane_open(core, new->lanes[i]);
	}
}

int core_reconfigure(struct core *core, const struct core_params *params, const struct engine_change *change, struct err *err)
{
	struct newcomers new = { .count = 0 };
	int ret = may_change(core, params, err);

	if (ret != ERR_OK)
		return ret;
	make_newcomers(core, params, &new);
	ret = write_change(core, &new, change, err);
	if (ret != ERR_OK) {
		for (size_t i = 0; i < new.count; i++)
			core_lane_destroy(core, new.lanes[i]);
		/* A disk that is not to be trusted is that of all that follows, too. */
		if (ret == ERR_IO)
			core_store_failed(core, err);
		return ret;
	}
	log_info("reloaded", LOG_STR("actor", change->actor), LOG_STR("source", change->source),
		LOG_STR("detail", change->detail));
	apply_change(core, params, &new);
	core_change_go_on(core);
	return ERR_OK;
}

/* ---- who leaves ---- */

static void give_up_place(struct core *core, size_t at)
{
	struct core_lane *lane = core->lanes[at];

	core_plan_send_away(core, lane);
	if (lane->healing.running)
		core_heal_stop(core, lane, "the settings of its back end changed");
	if (lane->successor != NULL) {
		core->lanes[at] = lane->successor;
		core_lane_inherit(core, lane->successor, lane);
		core_heal_auto_init(core, lane->successor);
		lane->successor = NULL;
	} else {
		core->lane_count--;
		memmove(&core->lanes[at], &core->lanes[at + 1], (core->lane_count - at) * sizeof(struct core_lane *));
	}
	close_lane(core, lane);
	core_lane_destroy(core, lane);
}

void core_change_go_on(struct core *core)
{
	for (size_t i = core->lane_count; i > 0; i--) {
		if (core->lanes[i - 1]->leaving && core->lanes[i - 1]->jobs_out == 0)
			give_up_place(core, i - 1);
	}
}

/* ---- deliveries at new back ends ---- */

static bool wants_filling(const struct core_lane *lane)
{
	return lane->fill_after != INT64_MAX && !core_is_gone(lane);
}

static int fill_some(struct core *core, struct core_lane *lane, struct err *err)
{
	size_t most = core->params.fill_most == 0 ? FILL_MOST : core->params.fill_most;
	int64_t after = lane->fill_after;
	int ret = store_begin(core->store, err);

	if (ret == ERR_OK)
		ret = store_backend_fill(core->store, lane->backend_id, core_now_us(core), most, &after, err);
	if (ret == ERR_OK)
		ret = store_commit(core->store, err);
	if (ret != ERR_OK)
		store_rollback(core->store);
	else
		lane->fill_after = after;
	lane->next_due_us = 0;
	return ret;
}

void core_fill_go_on(struct core *core)
{
	for (size_t i = 0; i < core->lane_count; i++) {
		struct core_lane *lane = core->lanes[i];
		struct err err;

		if (!wants_filling(lane) || !core->store_ok || core->broken || core_now_us(core) < core->fill_us)
			continue;
		int ret = fill_some(core, lane, &err);
		if (ret == ERR_OK)
			return;
		log_warn("deliveries at a new back end are not made yet", LOG_STR("backend", lane->name), LOG_ERR(&err));
		core->fill_us = core_now_us(core) + second_us;
		if (ret == ERR_IO)
			core_store_failed(core, &err);
	}
}

int64_t core_fill_wake_us(const struct core *core)
{
	for (size_t i = 0; i < core->lane_count; i++) {
		if (core->store_ok && wants_filling(core->lanes[i]))
			return core->fill_us;
	}
	return INT64_MAX;
}
