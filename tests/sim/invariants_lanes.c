/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What must hold after every step of the lanes: what is in flight, what is slept over, what is bounded. */
#include <string.h>

#include "engine/core_internal.h"
#include "schedules.h"
#include "world.h"

/* The core waits a second where it could not write. */
static bool is_held_up(const struct world *world)
{
	return !world->store_ok || world->disk_full || world->mono_ms - world->disk_trouble_ms <= 1000 ||
		core_now_us(world->core) < world->core->dispatch_us;
}

static void check_flights(struct world *world)
{
	for (size_t i = 0; i < world->job_count; i++) {
		const struct core_job *a = world->jobs[i];

		for (size_t j = i; j < world->job_count; j++) {
			const struct core_job *b = world->jobs[j];

			if (world_target_of(a) != world_target_of(b))
				continue;
			for (size_t k = 0; k < a->zone_count; k++) {
				for (size_t l = i == j ? k + 1 : 0; l < b->zone_count; l++) {
					if (a->zones[k].zone_id == b->zones[l].zone_id)
						schedules_violated("zone %s is in flight twice", a->zones[k].name);
				}
			}
		}
	}
}

/* A pass that is under way has something to wait for. */
static void check_healing(struct world *world)
{
	for (size_t i = 0; i < WORLD_TARGETS; i++) {
		const struct core_lane *lane = world_lane_of(world, i);
		size_t at = 0;
		int64_t id;

		if (lane == NULL || lane->leaving)
			continue;
		const struct healing *healing = &lane->healing;

		if (healing->automatic && healing->running && !world->healing)
			schedules_violated("%s: a healing pass began by itself", lane->name);
		if (healing->automatic && healing->running && world->backends[i].healing != ENGINE_HEALING_REPAIR &&
			(!healing->shown.dry_run || world->backends[i].healing == ENGINE_HEALING_OFF))
			schedules_violated("%s: a healing pass beyond its policy", lane->name);
		if (healing->shown.pass != world->targets[i].last_pass && healing->automatic)
			world->tally.passes++;
		world->targets[i].last_pass = healing->shown.pass;
		if (lane->pages_out > 1)
			schedules_violated("%s: two pages are out", lane->name);
		if (!healing->running)
			continue;
		if (lane->health.state == LANE_PAUSED || (healing->compared && healing->repairs.size == 0 && !is_held_up(world)))
			schedules_violated("%s: the healing pass does not end", lane->name);
		int64_t rest_us = healing->next_us - core_now_us(world->core);
		if (lane->health.state == LANE_UP && lane->jobs_out == 0 && lane->fill_after == INT64_MAX && !healing->compared && !is_held_up(world) &&
			(rest_us <= 0 || world->wait_ms * 1000 > rest_us + 1000))
			schedules_violated("%s: the healing pass stands still", lane->name);
		while (idmap_next(&healing->repairs, &at, &id) != NULL) {
			struct delivery delivery = { 0 };
			struct err err;

			CHECK(store_delivery_load(world->store, id, lane->backend_id, &delivery, &err) == ERR_OK);
			if (delivery.state == DELIVERY_CLEAN)
				schedules_violated("%s: the healing pass waits for a zone that is clean", lane->name);
			delivery_clear(&delivery);
		}
	}
}

/* A paused lane stays so, and nothing goes there that did not before. */
static void check_paused(struct world *world)
{
	for (size_t i = 0; i < WORLD_TARGETS; i++) {
		struct world_target *target = &world->targets[i];
		const struct core_lane *lane = world_lane_of(world, i);

		if (lane == NULL) {
			target->jobs_out = SIZE_MAX;
			continue;
		}
		if (target->paused != (lane->health.state == LANE_PAUSED))
			schedules_violated("%s is %s, and should %sbe paused", lane->name,
				lane_state_name(&lane->health), target->paused ? "" : "not ");
		if (target->paused && lane->jobs_out > target->jobs_out)
			schedules_violated("%s is paused, and something new was sent there", lane->name);
		target->jobs_out = target->paused ? lane->jobs_out : SIZE_MAX;
	}
}

/* What has other settings by now only ends. */
static void check_leaving(struct world *world)
{
	for (size_t i = 0; i < world->core->lane_count; i++) {
		const struct core_lane *lane = world->core->lanes[i];

		if (lane->leaving && lane->jobs_out == 0)
			schedules_violated("%s has drained, and does not leave", lane->name);
	}
	for (size_t i = 0; i < world->job_count; i++) {
		struct core_job *job = world->jobs[i];

		if (!job->lane->leaving)
			continue;
		if (job->sent_us > world->reloaded_us)
			schedules_violated("%s leaves, and something new was sent there", job->lane->name);
	}
}

/* Nothing is due that could go, and what becomes due wakes us in time. */
static void check_deliveries(struct world *world, const struct core_lane *lane, int64_t now_us)
{
	struct store_due due;
	size_t count[2] = { 0, 0 };
	int64_t next_us;
	struct err err;

	for (int suspect = 0; suspect < 2; suspect++)
		CHECK(store_due_list(world->store, lane->backend_id, suspect == 1, now_us, INT64_MAX, INT64_MAX, 1, &due,
			      &count[suspect], &err) == ERR_OK);
	if (count[0] + count[1] > 0)
		schedules_violated("something is due, and %s is up and idle", lane->name);
	CHECK(store_due_next(world->store, lane->backend_id, now_us, &next_us, &err) == ERR_OK);
	if (next_us != INT64_MAX && world->wait_ms * 1000 > next_us - now_us + 1000)
		schedules_violated("%s: the next delivery is slept over", lane->name);
}

static void check_lane(struct world *world, const struct core_lane *lane)
{
	int64_t now_us = core_now_us(world->core);
	bool room = core_has_idle_slot(lane);

	/* Nothing new goes to it. */
	if (lane->leaving)
		return;
	if (lane->health.state == LANE_UP && lane->jobs_out == 0)
		check_deliveries(world, lane, now_us);
	if (lane->health.state == LANE_UP && !lane->healing.running && lane->healing.auto_us != INT64_MAX &&
		world->wait_ms * 1000 > lane->healing.auto_us - now_us + 1000)
		schedules_violated("%s: a healing pass is slept over", lane->name);
	if (lane->health.state == LANE_DOWN && room && !lane->probe_out &&
		world->wait_ms * 1000 > lane->health.next_probe_us - now_us + 1000)
		schedules_violated("%s: its probe is slept over", lane->name);
	if ((lane->health.state == LANE_DOUBT || lane->health.state == LANE_PROBING) && room && !lane->probe_out)
		schedules_violated("%s: in doubt, and no probe is out", lane->name);
}

static void check_attention(struct world *world)
{
	/* While deliveries are made at a new back end there is work. */
	for (size_t i = 0; i < WORLD_TARGETS * WORLD_ZONES && core_fill_wake_us(world->core) != INT64_MAX && world->wait_ms == 0; i++)
		world_turn(world, NULL, 0, NULL, 0);
	/* The last turn's answer may have been "at once"; twice in a row it is a busy loop. */
	if (world->wait_ms == 0)
		world_turn(world, NULL, 0, NULL, 0);
	if (world->wait_ms == 0)
		schedules_violated("a turn without work wants another at once");
	for (size_t i = 0; i < world->core->lane_count && !is_held_up(world); i++)
		check_lane(world, world->core->lanes[i]);
}

/* ---- bounds ---- */

static void check_map(const struct idmap *map, const char *what)
{
	if (map->size > WORLD_ZONES)
		schedules_violated("%s remembers %zu zones of %d", what, map->size, WORLD_ZONES);
}

/* Nothing that the core keeps for each zone outgrows the zones; each of its lists has the bound that its header names. */
static void check_bounds(const struct world *world)
{
	const struct core *core = world->core;

	if (core->staged_count + core->event_count + core->outcome_count + core->fresh_count > 0)
		schedules_violated("something of a turn is left after it");
	if (core->recent.count > RECENT_ZONES || core->recent.bytes > RECENT_BYTES)
		schedules_violated("too many recent texts are kept");
	if (core->lane_count > WORLD_TARGETS)
		schedules_violated("%zu lanes of %d targets", core->lane_count, WORLD_TARGETS);
	for (size_t i = 0; i < core->lane_count; i++) {
		const struct core_lane *lane = core->lanes[i];

		check_map(&lane->inflight, "in flight");
		check_map(&lane->suspicion, "suspicion");
		check_map(&lane->overrides, "overrides");
		check_map(&lane->contested, "contested");
		check_map(&lane->repaired, "repaired");
		check_map(&lane->healing.repairs, "repairs of a pass");
		check_map(&lane->healing.touched, "touched during a page");
		check_map(&lane->healing.told_before, "told before");
		if (lane->jobs_out > lane->connections || lane->contest_count > CORE_CONTESTED_MOST ||
			lane->urgent_count > URGENT_MOST || lane->plan_count > CORE_PLANS_MOST)
			schedules_violated("%s: a queue is beyond its bound", lane->name);
	}
}

void world_check_lanes(struct world *world)
{
	check_attention(world);
	check_paused(world);
	check_leaving(world);
	check_healing(world);
	check_flights(world);
	check_bounds(world);
}
