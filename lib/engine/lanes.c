/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lane threads: each owns one connection to one back end, takes one job at a
 * time, and gives it back answered. What a failure means is not decided here,
 * but for one thing: a zone that is told RETRY soon is repeated at once, up to
 * three times (decisions.md 3).
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/testing.h"
#include "base/thread.h"
#include "engine/engine_internal.h"

enum {
	REPEATS = 3,
	REPEAT_MIN_MS = 20,
	REPEAT_MAX_MS = 200,
	REPEAT_WITHIN_MS = 1000 /* of the first try: a deadlock is over at once, for a lock others would have to wait again */
};

/* Parses what no other lane has parsed yet or is at; so lanes that were given the same zones share the work. */
static void prepare_zones(struct engine *engine, struct core_job *job)
{
	for (size_t i = 0; i < job->zone_count; i++) {
		if (job->zones[i].source != NULL)
			source_prepare(job->zones[i].source, job->zones[i].name, atomic_load(&engine->max_zone_records));
	}
}

/* False: its text is not accepted any more. */
static bool take_zone(struct engine *engine, struct core_job_zone *zone)
{
	if (zone->deleted)
		return true;
	zone->item->zone = source_zone(zone->source, zone->name, atomic_load(&engine->max_zone_records), &zone->item->err);
	if (zone->item->zone != NULL)
		return true;
	err_prefix(&zone->item->err, "the stored text is not accepted any more");
	zone->item->verdict = BACKEND_REJECT;
	return false;
}

static void pause_ms(int64_t ms)
{
	struct timespec time = { .tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000 };

	nanosleep(&time, NULL);
}

static void swap_zones(struct core_job *job, size_t a, size_t b)
{
	if (a == b)
		return;
	struct core_job_zone zone = job->zones[a];
	struct backend_item item = job->items[a];
	job->zones[a] = job->zones[b];
	job->items[a] = job->items[b];
	job->zones[b] = zone;
	job->items[b] = item;
	job->zones[a].item = &job->items[a];
	job->zones[b].item = &job->items[b];
}

/* Delivers the first count zones of the job, and moves those that are to be repeated to its front: so many. */
static size_t apply_some(struct engine_lane_thread *lane, struct core_job *job, size_t count)
{
	size_t left = 0;

	for (size_t i = 0; i < count; i++)
		job->items[i].name = job->zones[i].name;
	lane->backend->ops->apply(lane->backend, job->items, count);
	for (size_t i = 0; i < count; i++) {
		if (job->items[i].verdict == BACKEND_RETRY)
			swap_zones(job, left++, i);
	}
	return left;
}

static void apply(struct engine_lane_thread *lane, struct core_job *job)
{
	size_t count = 0;

	FAULT_POINT(before_delivery);
	prepare_zones(lane->engine, job);
	for (size_t i = 0; i < job->zone_count; i++) {
		if (take_zone(lane->engine, &job->zones[i]))
			swap_zones(job, count++, i);
	}
	int64_t start_ms = clock_mono_ms(clock_system());
	for (int repeat = 0; count > 0; repeat++) {
		count = apply_some(lane, job, count);
		if (repeat == REPEATS || atomic_load(&lane->group->cancelled) ||
			clock_mono_ms(clock_system()) - start_ms >= REPEAT_WITHIN_MS)
			break;
		if (count > 0)
			pause_ms(rng_between(&lane->rng, REPEAT_MIN_MS, REPEAT_MAX_MS));
	}
}

static void *run(void *arg)
{
	struct engine_lane_thread *lane = arg;
	struct engine *engine = lane->engine;
	void *item;

	while (queue_take(lane->jobs, &item, 1, -1) == 1) {
		struct core_job *job = item;

		if (job->kind == CORE_JOB_PROBE)
			job->verdict = lane->backend->ops->ping(lane->backend, &job->err);
		else if (job->kind == CORE_JOB_COMPARE)
			page_look(job->page, lane->backend);
		else if (job->kind == CORE_JOB_INSPECT)
			inspect_run(job->inspect, lane->backend, atomic_load(&engine->max_zone_records));
		else
			apply(lane, job);
		CHECK(queue_push(engine->done, job) == ERR_OK);
		queue_wake(engine->commands);
	}
	/* Here, not where it was made: what a client library keeps per thread goes with the thread that used it. */
	lane->backend->ops->destroy(lane->backend);
	return NULL;
}

/* ---- life ---- */

/* In a lane's thread: becomes an event by the engine thread's hand. */
static void back_end_notice(void *ctx, const char *backend, const char *kind, const char *zone, const char *text)
{
	struct engine *engine = ctx;
	struct core_notice *notice = core_notice_create(backend, kind, zone, text);

	if (queue_push(engine->notices, notice) == ERR_OK) {
		queue_wake(engine->commands);
		return;
	}
	log_warn("a back end's notice is not recorded", LOG_STR("backend", backend), LOG_STR("kind", kind),
		LOG_STR("detail", text));
	core_notice_destroy(notice);
}

static int make_lane(struct engine *engine, struct engine_group *group, const void *settings, struct err *err)
{
	struct engine_lane_thread *lane = &group->lanes[group->count];
	struct backend_params params = { .name = group->name, .store_id = engine->store_id, .settings = settings,
		.notice = back_end_notice, .notice_ctx = engine };

	lane->engine = engine;
	lane->group = group;
	hash_random(&lane->rng.state, sizeof(lane->rng.state));
	int ret = group->ops->create(&params, &lane->backend, err);
	if (ret != ERR_OK)
		return err_prefix(err, "back end %s", group->name);
	lane->jobs = queue_create(1, false);
	group->count++;
	return ERR_OK;
}

int lanes_create(struct engine *engine, const struct engine_backend *backend, struct engine_group **out, struct err *err)
{
	struct engine_group *group = xcalloc(1, sizeof(*group) + backend->connections * sizeof(group->lanes[0]));
	int ret = ERR_OK;

	group->name = xstrdup(backend->name);
	group->ops = backend->ops;
	group->use = backend->use;
	group->owner = backend->owner;
	if (group->use != NULL)
		group->use(group->owner, true);
	while (ret == ERR_OK && group->count < backend->connections)
		ret = make_lane(engine, group, backend->settings, err);
	if (ret != ERR_OK) {
		lanes_destroy(group);
		return ret;
	}
	*out = group;
	return ERR_OK;
}

void lanes_start(struct engine_group *group)
{
	group->started = true;
	for (size_t i = 0; i < group->count; i++) {
		char *name = xasprintf("lane/%s/%zu", group->name, i);

		group->lanes[i].thread = thread_start(name, run, &group->lanes[i]);
		free(name);
	}
}

void lanes_cancel(struct engine_group *group)
{
	if (atomic_exchange(&group->cancelled, true))
		return;
	for (size_t i = 0; i < group->count; i++)
		group->ops->cancel(group->lanes[i].backend);
}

void lanes_close(struct engine_group *group)
{
	for (size_t i = 0; i < group->count; i++)
		queue_close(group->lanes[i].jobs);
}

void lanes_destroy(struct engine_group *group)
{
	for (size_t i = 0; i < group->count; i++) {
		if (group->started)
			thread_join(group->lanes[i].thread);
		else
			group->ops->destroy(group->lanes[i].backend);
		queue_destroy(group->lanes[i].jobs);
	}
	if (group->use != NULL)
		group->use(group->owner, false);
	free(group->name);
	free(group);
}
