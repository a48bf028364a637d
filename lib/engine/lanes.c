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

#include "base/log.h"
#include "base/testing.h"
#include "engine/engine_internal.h"

enum {
	REPEATS = 3,
	REPEAT_MIN_MS = 20,
	REPEAT_MAX_MS = 200,
	REPEAT_WITHIN_MS = 1000 /* of the first try: a deadlock is over at once, for a lock others would have to wait again */
};

/* Parses what no other lane has parsed yet or is at; so lanes that were given the same zones share the work. */
static void prepare_zones(const struct engine *engine, struct core_job *job)
{
	for (size_t i = 0; i < job->zone_count; i++) {
		if (job->zones[i].source != NULL)
			source_prepare(job->zones[i].source, job->zones[i].name, engine->params.max_zone_records);
	}
}

/* False: its text is not accepted any more. */
static bool take_zone(const struct engine *engine, struct core_job_zone *zone)
{
	if (zone->deleted)
		return true;
	zone->item->zone = source_zone(zone->source, zone->name, engine->params.max_zone_records, &zone->item->err);
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
		if (repeat == REPEATS || atomic_load(&lane->engine->cancelled) ||
			clock_mono_ms(clock_system()) - start_ms >= REPEAT_WITHIN_MS)
			break;
		if (count > 0)
			pause_ms(rng_between(&lane->rng, REPEAT_MIN_MS, REPEAT_MAX_MS));
	}
}

void *lanes_run(void *arg)
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
			inspect_run(job->inspect, lane->backend, engine->params.max_zone_records);
		else
			apply(lane, job);
		CHECK(queue_push(engine->done, job) == ERR_OK);
		queue_wake(engine->commands);
	}
	/* Here, not where it was made: what a client library keeps per thread goes with the thread that used it. */
	lane->backend->ops->destroy(lane->backend);
	return NULL;
}
