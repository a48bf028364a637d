/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What must hold after every step of zones and targets, and when all has come to rest. */
#include <stdio.h>
#include <string.h>

#include "disk.h"
#include "engine/core_internal.h"
#include "schedules.h"
#include "store/receipt.h"
#include "world.h"

/* ---- events ---- */

/*
 * A pass by itself repairs a zone three times an hour at most. Which pass wrote an event is known after each step alone,
 * so not while all settles.
 */
static void see_repair(struct world *world, size_t target, size_t zone, const struct store_event *event)
{
	int64_t *repaired_ms = world->targets[target].repaired_ms[zone];
	const struct core_lane *lane = world_lane_of(world, target);

	if (world->calm || lane == NULL || !lane->healing.automatic || strstr(event->detail, "; delivered again") == NULL)
		return;
	if (repaired_ms[2] != 0 && world->mono_ms - repaired_ms[2] < 3600000)
		schedules_violated("%s at %s was repaired four times within an hour", event->zone, event->backend);
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
	world->tally.contests += strcmp(event->kind, "contested") == 0;
	if (strcmp(event->kind, "drift") != 0)
		return true;
	world->tally.drifts++;
	snprintf(name, sizeof(name), "%s.", event->zone);
	for (size_t i = 0; i < WORLD_TARGETS; i++) {
		if (strcmp(world->backends[i].name, event->backend) == 0)
			see_repair(world, i, world_index_of(world, name), event);
		if (strcmp(world->backends[i].name, event->backend) == 0 &&
			!world->targets[i].meddled[world_index_of(world, name)])
			schedules_violated("%s at %s was called drifted (%s), and is not", name, event->backend, event->detail);
	}
	return true;
}

static void check_events(struct world *world)
{
	struct err err;

	CHECK(store_event_list(world->store, INT64_MAX, SIZE_MAX, NULL, NULL, see_event, world, &err) == ERR_OK);
	CHECK(store_event_list(world->store, INT64_MAX, 1, NULL, NULL, world_newest_event, &world->last_event, &err) == ERR_OK);
}

/* ---- zones ---- */

/* Of a target that is not configured any more, too, while it drains. */
static const struct core_lane *lane_at(const struct world *world, size_t target)
{
	for (size_t i = 0; i < world->core->lane_count; i++) {
		if (strcmp(world->core->lanes[i]->name, world->backends[target].name) == 0)
			return world->core->lanes[i];
	}
	return NULL;
}

/* The target holds what the store wants, and no page is under way that saw something else: nothing is left of a meddling. */
static void forget_meddling(struct world *world, const struct store_zone *row)
{
	for (size_t i = 0; i < WORLD_TARGETS; i++) {
		struct world_target *target = &world->targets[i];
		const struct core_lane *lane = lane_at(world, i);
		struct memory_zone held;

		if ((lane == NULL || (lane->pages_out == 0 && lane->healing.landed == NULL)) && memory_target_get(target->target, row->name, &held) &&
			strcmp(held.stamp.store_id, store_id(world->store)) == 0 &&
			held.stamp.generation == row->generation && held.deleted == row->deleted &&
			held.exists == !row->deleted &&
			(row->deleted || (zone_digest_equal(&held.digest, &row->digest) &&
						 zone_digest_equal(&held.stamped, &row->digest))))
			target->meddled[world_index_of(world, row->name)] = false;
	}
}

/* Where name servers are asked, what is there is to be answered: no delivery without a receipt. */
static void check_receipt(struct world *world, const struct world_zone *zone, const struct store_zone *row, size_t at,
	const struct delivery *delivery)
{
	const struct core_lane *lane = world_lane_of(world, at);
	struct store_receipt receipt;
	struct err err;

	if (!lane->verified || row->deleted || delivery->state != DELIVERY_CLEAN)
		return;
	if (store_receipt_load(world->store, row->id, lane->backend_id, &receipt, &err) != ERR_OK)
		schedules_violated("zone %s has no receipt at %s", zone->name, world->backends[at].name);
	else if (receipt.generation != delivery->applied || receipt.serial != row->serial || receipt.deleted)
		schedules_violated("the receipt of zone %s at %s is of something else", zone->name, world->backends[at].name);
	else if (receipt.number > world->core->written)
		schedules_violated("the receipt of zone %s at %s is not told of", zone->name, world->backends[at].name);
}

static void check_delivery(struct world *world, const struct world_zone *zone, const struct store_zone *row, size_t at)
{
	const char *backend = world->backends[at].name;
	const struct core_lane *lane = world_lane_of(world, at);
	struct delivery delivery = { 0 };
	struct err err;

	/* Not configured, or there only a moment. */
	if (lane == NULL || row->id > lane->fill_after)
		return;
	if (store_delivery_load(world->store, row->id, lane->backend_id, &delivery, &err) != ERR_OK)
		schedules_violated("zone %s has no delivery at %s", zone->name, backend);
	else if (delivery.applied > delivery.wanted)
		schedules_violated("zone %s: applied exceeds wanted at %s", zone->name, backend);
	else if (delivery.state == DELIVERY_CLEAN && delivery.applied != delivery.wanted)
		schedules_violated("zone %s is clean but behind at %s", zone->name, backend);
	else if (delivery.state == DELIVERY_PARKED && !zone->frozen && !zone->dropped)
		schedules_violated("zone %s is parked at %s, and nobody wanted that", zone->name, backend);
	check_receipt(world, zone, row, at, &delivery);
	delivery_clear(&delivery);
}

/* A target is never ahead of what is durable, and under a generation it holds what was accepted as that. */
static void check_target(struct world *world, const struct store_zone *row, size_t at)
{
	const struct world_target *target = &world->targets[at];
	struct memory_zone held;

	if (target->meddled[world_index_of(world, row->name)] || !memory_target_get(target->target, row->name, &held) ||
		strcmp(held.stamp.store_id, store_id(world->store)) != 0)
		return;
	if (held.stamp.generation > row->generation)
		schedules_violated("%s at %s is ahead of the store", row->name, world->backends[at].name);
	if (held.stamp.generation == row->generation &&
		(held.deleted != row->deleted || (!row->deleted && !zone_digest_equal(&held.digest, &row->digest))))
		schedules_violated("%s at %s is something else under the same generation", row->name, world->backends[at].name);
}

static void check_zone(struct world *world, const struct world_zone *zone)
{
	struct store_zone row = { 0 };
	struct err err;
	int ret = store_zone_find(world->store, zone->name, &row, &err);

	if (!zone->known) {
		if (ret != ERR_NOTFOUND)
			schedules_violated("zone %s appeared from nowhere", zone->name);
		return;
	}
	if (ret != ERR_OK) {
		schedules_violated("zone %s was acknowledged and is not stored: %s", zone->name, err.text);
		return;
	}
	if (row.deleted != zone->deleted || (!zone->deleted && !zone_digest_equal(&row.digest, &zone->digest)))
		schedules_violated("zone %s is not stored as acknowledged", zone->name);
	if (strcmp(row.hostname, zone->owner) != 0)
		schedules_violated("zone %s belongs to %s, and should to %s", zone->name, row.hostname, zone->owner);
	for (size_t i = 0; i < WORLD_TARGETS; i++) {
		check_delivery(world, zone, &row, i);
		check_target(world, &row, i);
	}
	forget_meddling(world, &row);
	store_zone_clear(&row);
}

static void check_store(struct world *world)
{
	check_events(world);
	for (size_t i = 0; i < WORLD_ZONES; i++)
		check_zone(world, &world->zones[i]);
}

/* Accepting again two seconds after the disk is well (reliability.md S02); it is tried once a second. */
static void check_recovery(struct world *world)
{
	if (world->disk_full)
		world->disk_trouble_ms = world->mono_ms;
	if (!world->store_ok && world->mono_ms - world->disk_trouble_ms > 2000)
		schedules_violated("the disk is well, and pushes are refused");
}

void world_check(struct world *world)
{
	world_check_lanes(world);
	check_recovery(world);
	/* What was not written since needs no second look; nor can it have been promised without a request. */
	if (world->seen_writes != disk_writes() || world->seen_id != world->next_id)
		check_store(world);
	world->seen_writes = disk_writes();
	world->seen_id = world->next_id;
	for (size_t i = 0; i < WORLD_TARGETS; i++) {
		if (memory_target_regressions(world->targets[i].target) > 0)
			schedules_violated("a generation went backwards at %s", world->backends[i].name);
	}
}

/*
 * What comes back behind a delete stays if another store made it; if it is ours, by somebody's hand or late, only a pass finds
 * it: equal pushes do not reach it.
 */
static bool may_stay(const struct world *world, size_t at, size_t where, const struct memory_zone *held)
{
	return world->targets[where].meddled[at] &&
		(!world_is_healed(world) || strcmp(held->stamp.store_id, store_id(world->store)) != 0);
}

static void check_settled_zone(struct world *world, size_t at, size_t where)
{
	const struct world_zone *zone = &world->zones[at];
	const char *backend = world->backends[where].name;
	struct memory_zone held;
	bool there = memory_target_get(world->targets[where].target, zone->name, &held);

	if (zone->deleted && there && held.exists && !may_stay(world, at, where, &held))
		schedules_violated("%s is deleted and still at %s", zone->name, backend);
	if (!zone->deleted && (!there || held.deleted || !held.exists || !zone_digest_equal(&held.digest, &zone->digest)))
		schedules_violated("%s is not at %s as acknowledged", zone->name, backend);
}

void world_check_settled(struct world *world)
{
	world_check(world);
	for (size_t i = 0; i < WORLD_ZONES; i++) {
		for (size_t k = 0; world->zones[i].known && k < WORLD_TARGETS; k++)
			check_settled_zone(world, i, k);
	}
}
