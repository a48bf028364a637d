/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What lanes do: their work, their answers, and writes that come after the process that sent them is gone. */
#include <stdio.h>
#include <string.h>

#include "base/testing.h"
#include "engine/core_internal.h"
#include "schedules.h"
#include "world.h"

/* ---- work ---- */

static void apply(struct backend *lane, struct core_job *job)
{
	struct err err;

	for (size_t i = 0; i < job->zone_count; i++) {
		struct core_job_zone *zone = &job->zones[i];

		zone->item->name = zone->name;
		if (!zone->deleted)
			zone->item->zone = source_zone(zone->source, zone->name, 0, &err);
		CHECK(zone->deleted || zone->item->zone != NULL);
	}
	lane->ops->apply(lane, job->items, job->zone_count);
}

unsigned world_target_of(const struct core_job *job)
{
	const struct world_lane *lane = job->handle;

	return lane->target;
}

void world_work(struct core_job *job)
{
	struct backend *lane = ((struct world_lane *)job->handle)->backend;

	switch (job->kind) {
	case CORE_JOB_PROBE:
		job->verdict = lane->ops->ping(lane, &job->err);
		break;
	case CORE_JOB_COMPARE:
		page_look(job->page, lane);
		break;
	case CORE_JOB_INSPECT:
		inspect_run(job->inspect, lane, 0);
		break;
	case CORE_JOB_APPLY:
		apply(lane, job);
		break;
	}
}

/* ---- answers ---- */

static uint32_t attempts_of(struct world *world, int64_t zone_id, int64_t backend_id)
{
	struct delivery delivery = { 0 };
	struct err err;

	CHECK(store_delivery_load(world->store, zone_id, backend_id, &delivery, &err) == ERR_OK);
	uint32_t attempts = delivery.attempts;
	delivery_clear(&delivery);
	return attempts;
}

/* Gives a job back and checks that a back end that is away costs no zone an attempt. */
static void give_back(struct world *world, struct core_job *job)
{
	int64_t ids[WORLD_ZONES];
	uint32_t before[WORLD_ZONES];
	int64_t backend_id = job->lane->backend_id;
	size_t count = job->kind == CORE_JOB_APPLY ? job->zone_count : 0;
	bool down = true;

	CHECK(count <= WORLD_ZONES);
	for (size_t i = 0; i < count; i++) {
		ids[i] = job->zones[i].zone_id;
		before[i] = attempts_of(world, ids[i], backend_id);
		down = down && job->zones[i].item->verdict == BACKEND_DOWN && !job->zones[i].item->lost;
	}
	world_turn(world, NULL, 0, &job, 1);
	for (size_t i = 0; down && i < count; i++) {
		if (attempts_of(world, ids[i], backend_id) > before[i])
			schedules_violated("a lane that is down burnt an attempt");
	}
}

static bool is_slow(const struct world *world, const struct core_job *job)
{
	return world->targets[world_target_of(job)].slow_until_ms > world->mono_ms;
}

/* Any of those that are not slow; job_count: there is none. */
static size_t choose(struct world *world)
{
	size_t quick[WORLD_JOBS];
	int64_t count = 0;

	for (size_t i = 0; i < world->job_count; i++) {
		if (!is_slow(world, world->jobs[i]))
			quick[count++] = i;
	}
	return count == 0 ? world->job_count : quick[world_pick(world, 0, count - 1)];
}

static void tell_job(const struct world *world, const struct core_job *job, bool answered)
{
	static const char *const kinds[] = { "probe", "delivery", "look", "question" };

	schedules_tell("a %s of %zu zones%s%s at %s is %s", kinds[job->kind], job->zone_count,
		job->zone_count > 0 ? ", first " : "", job->zone_count > 0 ? job->zones[0].name : "",
		world->backends[world_target_of(job)].name, answered ? "answered" : "done, the answer on its way");
}

bool world_finish_job(struct world *world)
{
	size_t at = choose(world);

	if (at == world->job_count)
		return false;
	struct core_job *job = world->jobs[at];
	/* What happens between the work and its answer matters most. */
	bool waits = !world->worked[at] && !world->calm && world_chance(world, 50);
	if (!world->worked[at])
		world_work(job);
	tell_job(world, job, !waits);
	if (waits) {
		world->worked[at] = true;
		return true;
	}
	world->job_count--;
	world->jobs[at] = world->jobs[world->job_count];
	world->worked[at] = world->worked[world->job_count];
	give_back(world, job);
	return true;
}

/* ---- after the end of the process ---- */

void world_leave_late(struct world *world, const struct core_job *job)
{
	struct err err;

	for (size_t i = 0; job->kind == CORE_JOB_APPLY && i < job->zone_count; i++) {
		const struct core_job_zone *zone = &job->zones[i];

		if (world->late_count == WORLD_LATE)
			return;
		struct world_late *late = &world->late[world->late_count++];
		*late = (struct world_late){ .target = world_target_of(job), .item = *zone->item };
		snprintf(late->name, sizeof(late->name), "%s", zone->name);
		if (!zone->deleted) {
			late->zone = source_zone(zone->source, zone->name, 0, &err);
			CHECK(late->zone != NULL);
			zone_ref(late->zone);
		}
	}
}

/* It looked at the stamp long ago, and nothing kept newer writes waiting since (ZONEFAN_PLANTED=no_fence). */
static void get_past_fence(struct memory_target *target, struct world_late *late)
{
	struct memory_zone held;

	if (memory_target_get(target, late->name, &held))
		late->item.supersede = held.stamp;
}

void world_write_late(struct world *world)
{
	struct err err;

	if (world->late_count == 0)
		return;
	struct world_late late = world->late[--world->late_count];
	struct backend_params params = { .name = world->backends[late.target].name, .store_id = store_id(world->store),
		.settings = &world->targets[late.target].settings };
	struct backend *lane;
	CHECK(memory_ops.create(&params, &lane, &err) == ERR_OK);
	late.item.name = late.name;
	late.item.zone = late.zone;
	if (PLANTED(no_fence))
		get_past_fence(world->targets[late.target].target, &late);
	lane->ops->apply(lane, &late.item, 1);
	lane->ops->destroy(lane);
	zone_unref(late.zone);
	world->tally.late++;
	schedules_tell("a write of the process before, %s generation %llu at %s: %s", late.name,
		(unsigned long long)late.item.generation, params.name, backend_verdict_name(late.item.verdict));
}
