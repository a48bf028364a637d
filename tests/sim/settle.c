/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The end of a schedule: no more faults, and time until nothing is left to do. */
#include <string.h>

#include "engine/core_internal.h"
#include "schedules.h"
#include "world.h"

static const int64_t hour_ms = 3600000;

/* Virtual hours: dead, contested and rejected ones have slow clocks. */
static void go_on(struct world *world, int64_t end_ms)
{
	int64_t left_ms = end_ms - world->mono_ms;

	if (!world_finish_job(world))
		world_pass_time(world, world->wait_ms < left_ms ? world->wait_ms : left_ms);
}

static void rest(struct world *world, int hours)
{
	int64_t end_ms = world->mono_ms + hours * hour_ms;

	for (int i = 0; world->mono_ms < end_ms || world->job_count > 0; i++) {
		if (i == 200000) {
			schedules_violated("it never comes to rest");
			return;
		}
		go_on(world, end_ms);
	}
}

/* Rows that are silently wrong are found by the check of an equal push. */
static void push_all(struct world *world)
{
	for (size_t i = 0; i < WORLD_ZONES; i++) {
		struct world_zone *zone = &world->zones[i];

		if (zone->known && !zone->deleted)
			world_push(world, zone, zone->content, zone->owner);
	}
	rest(world, 7);
}

/* A pass that was asked for: what came of it at each. */
static void heal_and_wait(struct world *world, struct engine_heal out[WORLD_TARGETS])
{
	int64_t end_ms = world->mono_ms + hour_ms;
	size_t ended = 0;
	bool seen[WORLD_TARGETS] = { false };

	if (!world_heal(world, NULL, false))
		schedules_violated("an old pass is still under way after hours");
	while (ended < WORLD_TARGETS && world->mono_ms < end_ms) {
		ended = 0;
		for (size_t i = 0; i < WORLD_TARGETS; i++) {
			const struct engine_heal *shown = &world_lane_of(world, i)->healing.shown;

			if (!seen[i] && shown->pass == world->pass && shown->ended_at_us != 0) {
				out[i] = *shown;
				seen[i] = true;
			}
			ended += seen[i];
		}
		if (ended < WORLD_TARGETS)
			go_on(world, end_ms);
	}
	if (ended < WORLD_TARGETS)
		schedules_violated("a healing pass does not end");
}

/* One pass is enough, and its repairs are done when it ends. */
static void heal_all(struct world *world)
{
	struct engine_heal heals[WORLD_TARGETS] = { { .pass = 0 } };

	rest(world, 7);
	heal_and_wait(world, heals);
	for (size_t i = 0; i < WORLD_TARGETS && heals[i].pass != 0; i++) {
		if (strcmp(heals[i].state, "done") != 0)
			schedules_violated("the last pass at %s is %s: %s", world->backends[i].name, heals[i].state, heals[i].error);
	}
	rest(world, 1); /* what was repaired at one may have raised the generation at all */
	heal_and_wait(world, heals);
	for (size_t i = 0; i < WORLD_TARGETS; i++) {
		const struct engine_heal *shown = &heals[i];

		if (shown->missing + shown->changed + shown->stamp + shown->undeleted + shown->waiting > 0)
			schedules_violated("%s still differs after a pass: %d missing, %d changed, %d stamp, %d undeleted, %d waiting",
				world->backends[i].name, (int)shown->missing, (int)shown->changed, (int)shown->stamp,
				(int)shown->undeleted, (int)shown->waiting);
	}
	rest(world, 1);
}

/*
 * The store is tried once a second; a disk that failed a moment ago may show only with the next write, and that ends the
 * process. A late write may come before all is mended, not after.
 */
static void wait_for_store(struct world *world)
{
	world_pass_time(world, 1001);
	if (!world->store_ok)
		schedules_violated("the disk is well, and the store is not");
	world_pause(world, 0, false);
	while (world->late_count > 0)
		world_write_late(world);
}

bool world_is_healed(const struct world *world)
{
	return world->seed % 2 == 0;
}

void world_settle(struct world *world)
{
	world_end_all_faults(world);
	wait_for_store(world);
	world_configure_all(world);
	for (size_t i = 0; i < WORLD_TARGETS; i++)
		world_pause(world, i, false);
	for (size_t i = 0; i < WORLD_ZONES; i++) {
		if (world->zones[i].frozen)
			world_freeze(world, &world->zones[i], false);
		if (world->zones[i].dropped)
			world_dead_letters(world, &world->zones[i], false);
	}
	while (world_finish_job(world))
		continue;
	if (world_is_healed(world))
		heal_all(world);
	else
		push_all(world);
}
