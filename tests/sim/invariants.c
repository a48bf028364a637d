/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What must hold after every step of a schedule, and when all has come to rest. */
#include "world.h"

#include <stdio.h>
#include <string.h>

#include "engine/core_internal.h"

static void check_flights(struct world *world)
{
	for (size_t i = 0; i < world->job_count; i++) {
		const struct core_job *a = world->jobs[i];

		for (size_t j = i; j < world->job_count; j++) {
			const struct core_job *b = world->jobs[j];

			if (a->backend != b->backend)
				continue;
			for (size_t k = 0; k < a->zone_count; k++) {
				for (size_t l = i == j ? k + 1 : 0; l < b->zone_count; l++) {
					if (a->zones[k].zone_id == b->zones[l].zone_id)
						world_violated(world, "zone %s is in flight twice", a->zones[k].name);
				}
			}
		}
	}
}

/*
 * A pass by itself repairs a zone three times an hour at most. Which pass wrote an event is known after each step alone,
 * so not while all settles.
 */
static void see_repair(struct world *world, size_t target, size_t zone, const struct store_event *event)
{
	int64_t *repaired_ms = world->targets[target].repaired_ms[zone];

	if (world->calm || !world->core->lanes[target].healing.automatic || strstr(event->detail, "; delivered again") == NULL)
		return;
	if (repaired_ms[2] != 0 && world->mono_ms - repaired_ms[2] < 3600000)
		world_violated(world, "%s at %s was repaired four times within an hour", event->zone, event->backend);
	memmove(repaired_ms + 1, repaired_ms, 2 * sizeof(*repaired_ms));
	repaired_ms[0] = world->mono_ms;
}

/* What a pass calls a drift is one: whatever is pushed meanwhile must not be taken for it. */
static bool see_event(void *ctx, const struct store_event *event)
{
	struct world *world = ctx;
	char name[ZONE_NAME_SIZE];

	if (event->id <= world->last_event)
		return false;
	world->contests += strcmp(event->kind, "contested") == 0;
	if (strcmp(event->kind, "drift") != 0)
		return true;
	world->drifts++;
	snprintf(name, sizeof(name), "%s.", event->zone);
	for (size_t i = 0; i < WORLD_TARGETS; i++) {
		if (strcmp(world->backends[i].name, event->backend) == 0)
			see_repair(world, i, world_index_of(world, name), event);
		if (strcmp(world->backends[i].name, event->backend) == 0 &&
			!world->targets[i].meddled[world_index_of(world, name)])
			world_violated(world, "%s at %s was called drifted (%s), and is not", name, event->backend, event->detail);
	}
	return true;
}

static bool newest_event(void *ctx, const struct store_event *event)
{
	((struct world *)ctx)->last_event = event->id;
	return false;
}

static void check_events(struct world *world)
{
	struct err err;

	CHECK(store_event_list(world->store, INT64_MAX, SIZE_MAX, NULL, NULL, see_event, world, &err) == ERR_OK);
	CHECK(store_event_list(world->store, INT64_MAX, 1, NULL, NULL, newest_event, world, &err) == ERR_OK);
}

/* A pass that is under way has something to wait for. */
static void check_healing(struct world *world)
{
	for (size_t i = 0; i < WORLD_TARGETS; i++) {
		const struct core_lane *lane = &world->core->lanes[i];
		const struct healing *healing = &lane->healing;
		size_t at = 0;
		int64_t id;

		if (healing->automatic && healing->running && !world->healing)
			world_violated(world, "%s: a healing pass began by itself", lane->name);
		if (healing->automatic && healing->running && world->backends[i].healing != ENGINE_HEALING_REPAIR &&
			(!healing->shown.dry_run || world->backends[i].healing == ENGINE_HEALING_OFF))
			world_violated(world, "%s: a healing pass beyond its policy", lane->name);
		if (healing->shown.pass != world->targets[i].last_pass && healing->automatic)
			world->passes++;
		world->targets[i].last_pass = healing->shown.pass;
		if (lane->pages_out > 1)
			world_violated(world, "%s: two pages are out", lane->name);
		if (!healing->running)
			continue;
		if (lane->health.state == LANE_PAUSED || (healing->compared && healing->repairs.size == 0))
			world_violated(world, "%s: the healing pass does not end", lane->name);
		int64_t rest_us = healing->next_us - core_now_us(world->core);
		if (lane->health.state == LANE_UP && lane->jobs_out == 0 && !healing->compared &&
			(rest_us <= 0 || world->wait_ms * 1000 > rest_us + 1000))
			world_violated(world, "%s: the healing pass stands still", lane->name);
		while (idmap_next(&healing->repairs, &at, &id) != NULL) {
			struct delivery delivery = { 0 };
			struct err err;

			CHECK(store_delivery_load(world->store, id, lane->backend_id, &delivery, &err) == ERR_OK);
			if (delivery.state == DELIVERY_CLEAN)
				world_violated(world, "%s: the healing pass waits for a zone that is clean", lane->name);
			delivery_clear(&delivery);
		}
	}
}

/* A paused lane stays so, and nothing goes there that did not before. */
static void check_paused(struct world *world)
{
	for (size_t i = 0; i < WORLD_TARGETS; i++) {
		struct world_target *target = &world->targets[i];
		const struct core_lane *lane = &world->core->lanes[i];

		if (target->paused != (lane->health.state == LANE_PAUSED))
			world_violated(world, "%s is %s, and should %sbe paused", lane->name,
				lane_state_name(lane->health.state), target->paused ? "" : "not ");
		if (target->paused && lane->jobs_out > target->jobs_out)
			world_violated(world, "%s is paused, and something new was sent there", lane->name);
		target->jobs_out = target->paused ? lane->jobs_out : SIZE_MAX;
	}
}

/* Nothing is due that could go, and what becomes due wakes us in time. */
static void check_attention(struct world *world)
{
	int64_t now_us = core_now_us(world->core);
	struct err err;

	/* The last turn's answer may have been "at once"; twice in a row it is a busy loop. */
	if (world->wait_ms == 0)
		world_turn(world, NULL, 0, NULL, 0);
	if (world->wait_ms == 0)
		world_violated(world, "a turn without work wants another at once");
	for (size_t i = 0; i < world->core->lane_count; i++) {
		const struct core_lane *lane = &world->core->lanes[i];
		bool room = lane->slots[0] == NULL || lane->slots[1] == NULL;
		struct store_due due;
		size_t count[2] = { 0, 0 };
		int64_t next_us;

		if (lane->health.state == LANE_UP && lane->jobs_out == 0) {
			for (int suspect = 0; suspect < 2; suspect++)
				CHECK(store_due_list(world->store, lane->backend_id, suspect == 1, now_us, INT64_MAX,
					      INT64_MAX, 1, &due, &count[suspect], &err) == ERR_OK);
			if (count[0] + count[1] > 0)
				world_violated(world, "something is due, and %s is up and idle", lane->name);
			CHECK(store_due_next(world->store, lane->backend_id, now_us, &next_us, &err) == ERR_OK);
			if (next_us != INT64_MAX && world->wait_ms * 1000 > next_us - now_us + 1000)
				world_violated(world, "%s: the next delivery is slept over", lane->name);
		}
		if (lane->health.state == LANE_UP && !lane->healing.running && lane->healing.auto_us != INT64_MAX &&
			world->wait_ms * 1000 > lane->healing.auto_us - now_us + 1000)
			world_violated(world, "%s: a healing pass is slept over", lane->name);
		if (lane->health.state == LANE_DOWN && room && !lane->probe_out &&
			world->wait_ms * 1000 > lane->health.next_probe_us - now_us + 1000)
			world_violated(world, "%s: its probe is slept over", lane->name);
		if ((lane->health.state == LANE_DOUBT || lane->health.state == LANE_PROBING) && room && !lane->probe_out)
			world_violated(world, "%s: in doubt, and no probe is out", lane->name);
	}
}

/* The target holds what the store wants, and no page is on its way that saw something else: nothing is left of a meddling. */
static void forget_meddling(struct world *world, const struct store_zone *row)
{
	for (size_t i = 0; i < WORLD_TARGETS; i++) {
		struct world_target *target = &world->targets[i];
		struct memory_zone held;

		if (world->core->lanes[i].pages_out == 0 && memory_target_get(target->target, row->name, &held) &&
			strcmp(held.stamp.store_id, store_id(world->store)) == 0 &&
			held.stamp.generation == row->generation && held.deleted == row->deleted &&
			held.exists == !row->deleted &&
			(row->deleted || (zone_digest_equal(&held.digest, &row->digest) &&
						 zone_digest_equal(&held.stamped, &row->digest))))
			target->meddled[world_index_of(world, row->name)] = false;
	}
}

static void check_zone(struct world *world, const struct world_zone *zone)
{
	struct store_zone row = { 0 };
	struct err err;
	int ret = store_zone_find(world->store, zone->name, &row, &err);

	if (!zone->known) {
		if (ret != ERR_NOTFOUND)
			world_violated(world, "zone %s appeared from nowhere", zone->name);
		return;
	}
	if (ret != ERR_OK) {
		world_violated(world, "zone %s was acknowledged and is not stored: %s", zone->name, err.text);
		return;
	}
	if (row.deleted != zone->deleted || (!zone->deleted && !zone_digest_equal(&row.digest, &zone->digest)))
		world_violated(world, "zone %s is not stored as acknowledged", zone->name);
	for (size_t i = 0; i < WORLD_TARGETS; i++) {
		struct delivery delivery = { 0 };

		if (store_delivery_load(world->store, row.id, world->core->lanes[i].backend_id, &delivery, &err) !=
			ERR_OK)
			world_violated(world, "zone %s has no delivery at %s", zone->name, world->backends[i].name);
		else if (delivery.applied > delivery.wanted)
			world_violated(world, "zone %s: applied exceeds wanted at %s", zone->name, world->backends[i].name);
		else if (delivery.state == DELIVERY_CLEAN && delivery.applied != delivery.wanted)
			world_violated(world, "zone %s is clean but behind at %s", zone->name, world->backends[i].name);
		else if (delivery.state == DELIVERY_PARKED && !zone->frozen && !zone->dropped)
			world_violated(world, "zone %s is parked at %s, and nobody wanted that", zone->name,
				world->backends[i].name);
		delivery_clear(&delivery);
	}
	forget_meddling(world, &row);
	store_zone_clear(&row);
}

void world_check(struct world *world)
{
	check_attention(world);
	check_paused(world);
	check_healing(world);
	check_events(world);
	check_flights(world);
	for (size_t i = 0; i < WORLD_ZONES; i++)
		check_zone(world, &world->zones[i]);
	for (size_t i = 0; i < WORLD_TARGETS; i++) {
		if (memory_target_regressions(world->targets[i].target) > 0)
			world_violated(world, "a generation went backwards at %s", world->backends[i].name);
	}
}

void world_check_settled(struct world *world)
{
	world_check(world);
	for (size_t i = 0; i < WORLD_ZONES; i++) {
		const struct world_zone *zone = &world->zones[i];

		for (size_t k = 0; zone->known && k < WORLD_TARGETS; k++) {
			struct memory_zone held;
			bool there = memory_target_get(world->targets[k].target, zone->name, &held);

			if (zone->deleted && there && (!held.deleted || held.exists))
				world_violated(world, "%s is deleted and still at %s", zone->name, world->backends[k].name);
			if (!zone->deleted && (!there || held.deleted || !held.exists || !zone_digest_equal(&held.digest, &zone->digest)))
				world_violated(world, "%s is not at %s as acknowledged", zone->name,
					world->backends[k].name);
		}
	}
}
