/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Other settings while the engine runs. Whoever brings them makes the lanes of
 * all back ends first, which may fail and connects to nothing; then the engine
 * thread puts them in force between two turns (core_change.c), starts the lanes
 * that it takes and gives back those that have drained, to be joined here. The
 * lanes of what did not change are thrown away unused.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "engine/engine_internal.h"

enum { DRAIN_MS = 5000 };

static void lock(struct engine_settings *settings)
{
	CHECK(pthread_mutex_lock(&settings->lock) == 0);
}

static void unlock(struct engine_settings *settings)
{
	pthread_mutex_unlock(&settings->lock);
}

void change_init(struct engine *engine)
{
	struct engine_settings *settings = &engine->settings;
	pthread_condattr_t attr;

	CHECK(pthread_mutex_init(&settings->lock, NULL) == 0 && pthread_condattr_init(&attr) == 0);
	CHECK(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 && pthread_cond_init(&settings->done, &attr) == 0);
	pthread_condattr_destroy(&attr);
	LIST_INIT(&settings->drained);
	LIST_INIT(&engine->groups);
}

static void destroy_all(struct engine_groups *groups)
{
	struct engine_group *group;

	while ((group = LIST_FIRST(groups)) != NULL) {
		LIST_REMOVE(group, link);
		lanes_destroy(group);
	}
}

void change_end_lanes(struct engine *engine)
{
	struct engine_group *group;

	LIST_FOREACH(group, &engine->groups, link)
		lanes_close(group);
	destroy_all(&engine->settings.drained);
	destroy_all(&engine->groups);
}

void change_free(struct engine *engine)
{
	destroy_all(&engine->groups); /* of a start that failed: none has begun */
	pthread_cond_destroy(&engine->settings.done);
	pthread_mutex_destroy(&engine->settings.lock);
}

/* ---- the engine thread ---- */

void change_opened(void *ctx, void *handle)
{
	struct engine *engine = ctx;
	struct engine_group *group = handle;

	LIST_REMOVE(group, link);
	LIST_INSERT_HEAD(&engine->groups, group, link);
	lanes_start(group);
}

void change_drained(void *ctx, void *handle)
{
	struct engine *engine = ctx;
	struct engine_group *group = handle;

	lanes_close(group);
	lock(&engine->settings);
	LIST_REMOVE(group, link);
	LIST_INSERT_HEAD(&engine->settings.drained, group, link);
	unlock(&engine->settings);
}

/* The answer comes with whether anything drains: nobody may take it for settled in between. */
static void answer(struct engine_settings *settings, const struct err *err, bool draining)
{
	lock(settings);
	settings->params = NULL;
	settings->err = *err;
	settings->draining = draining;
	pthread_cond_broadcast(&settings->done);
	unlock(settings);
}

static void put_in_force(struct engine *engine, const struct engine_params *params, const struct engine_change *change)
{
	struct core_params core_params = change_core_params(engine, params);
	struct err err = { 0 };

	if (core_reconfigure(engine->core, &core_params, change, &err) == ERR_OK) {
		atomic_store(&engine->max_zone_records, params->max_zone_records);
		atomic_store(&engine->queue_bytes, params->queue_bytes);
	}
	/* Whoever is told that a back end is in force asks about it at once. */
	engine_show_board(engine);
	answer(&engine->settings, &err, core_is_draining(engine->core));
}

static void cut_short(void *ctx UNUSED, void *handle)
{
	struct engine_group *group = handle;

	if (!atomic_load(&group->cancelled))
		log_warn("deliveries with settings of before are cut short; they are repeated with the new ones",
			LOG_STR("backend", group->name));
	lanes_cancel(group);
}

/* Returns how long to wait for the next turn. */
static int64_t watch_draining(struct engine *engine, int64_t wait_ms)
{
	int64_t now_ms = clock_mono_ms(engine->params.clock);

	if (engine->drain_deadline_ms == 0)
		engine->drain_deadline_ms = now_ms + DRAIN_MS;
	int64_t left_ms = engine->drain_deadline_ms - now_ms;
	if (left_ms <= 0)
		core_each_draining(engine->core, cut_short, NULL);
	return left_ms > 0 && left_ms < wait_ms ? left_ms : wait_ms;
}

int64_t change_go_on(struct engine *engine, int64_t wait_ms)
{
	struct engine_settings *settings = &engine->settings;

	lock(settings);
	const struct engine_params *params = settings->params;
	const struct engine_change *change = settings->change;
	bool draining = settings->draining;
	unlock(settings);
	if (params != NULL) {
		put_in_force(engine, params, change);
		return 0;
	}
	if (!draining)
		return wait_ms;
	if (core_is_draining(engine->core))
		return watch_draining(engine, wait_ms);
	engine->drain_deadline_ms = 0;
	lock(settings);
	settings->draining = false;
	pthread_cond_broadcast(&settings->done);
	unlock(settings);
	return wait_ms;
}

void change_close(struct engine *engine)
{
	struct engine_settings *settings = &engine->settings;

	lock(settings);
	settings->closed = true;
	if (settings->params != NULL)
		err_set(&settings->err, ERR_CLOSED, "zonefand stops");
	settings->params = NULL;
	settings->draining = false;
	pthread_cond_broadcast(&settings->done);
	unlock(settings);
}

/* ---- whoever brings other settings ---- */

int change_make(struct engine *engine, const struct engine_params *params, struct engine_backend **out,
	struct engine_groups *made, struct err *err)
{
	struct engine_backend *backends = xcalloc(params->backend_count + 1, sizeof(*backends));

	*out = backends;
	for (size_t i = 0; i < params->backend_count; i++) {
		struct engine_group *group;

		backends[i] = params->backends[i];
		int ret = lanes_create(engine, &backends[i], &group, err);

		if (ret != ERR_OK)
			return ret;
		backends[i].handle = group;
		LIST_INSERT_HEAD(made, group, link);
	}
	return ERR_OK;
}

static int order(struct engine *engine, const struct engine_params *params, const struct engine_change *change,
	struct err *err)
{
	struct engine_settings *settings = &engine->settings;

	lock(settings);
	CHECK(settings->params == NULL);
	err_set(&settings->err, ERR_CLOSED, "zonefand stops");
	settings->change = change;
	settings->params = settings->closed ? NULL : params;
	queue_wake(engine->commands);
	while (settings->params != NULL)
		pthread_cond_wait(&settings->done, &settings->lock);
	*err = settings->err;
	unlock(settings);
	return err->code;
}

int engine_reconfigure(struct engine *engine, const struct engine_params *params, const struct engine_change *change,
	struct err *err)
{
	struct engine_groups made = LIST_HEAD_INITIALIZER(made);
	struct engine_backend *backends;
	struct engine_params wanted = *params;
	int ret = change_make(engine, params, &backends, &made, err);

	wanted.backends = backends;
	if (ret == ERR_OK)
		ret = order(engine, &wanted, change, err);
	destroy_all(&made); /* those that were not taken */
	free(backends);
	return ret;
}

bool engine_is_settled(struct engine *engine, int64_t wait_ms)
{
	struct engine_settings *settings = &engine->settings;
	struct engine_groups drained = LIST_HEAD_INITIALIZER(drained);
	struct engine_group *group;
	struct timespec until;

	CHECK(clock_gettime(CLOCK_MONOTONIC, &until) == 0);
	until.tv_sec += wait_ms / 1000;
	until.tv_nsec += wait_ms % 1000 * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	lock(settings);
	while (settings->draining && pthread_cond_timedwait(&settings->done, &settings->lock, &until) == 0)
		continue;
	bool settled = !settings->draining;
	while ((group = LIST_FIRST(&settings->drained)) != NULL) {
		LIST_REMOVE(group, link);
		LIST_INSERT_HEAD(&drained, group, link);
	}
	unlock(settings);
	destroy_all(&drained);
	return settled;
}
