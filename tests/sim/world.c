/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "world.h"

#include <stdio.h>
#include <string.h>

#include "disk.h"
#include "schedules.h"

/* Of each so many steps one is a fault: a schedule of 200 has at least five. */
enum { STEPS_A_FAULT = 25 };

bool world_chance(struct world *world, unsigned percent)
{
	return rng_between(&world->rng, 1, 100) <= (int64_t)percent;
}

int64_t world_pick(struct world *world, int64_t low, int64_t high)
{
	return rng_between(&world->rng, low, high);
}

size_t world_index_of(const struct world *world, const char *name)
{
	size_t at = 0;

	while (at < WORLD_ZONES && strcmp(world->zones[at].name, name) != 0)
		at++;
	CHECK(at < WORLD_ZONES);
	return at;
}

/* ---- life ---- */

static int64_t fake_mono_ms(void *ctx)
{
	return ((struct world *)ctx)->mono_ms;
}

static int64_t fake_wall_us(void *ctx)
{
	const struct world *world = ctx;

	return INT64_C(1790000000000000) + world->mono_ms * 1000 + world->skew_us;
}

void world_create(struct world *world, uint64_t seed, struct rng rng)
{
	static const char *const names[WORLD_TARGETS] = { "dc1", "dc2", "dc3" };

	disk_wipe();
	*world = (struct world){ .seed = seed, .rng = rng, .healing = seed % 3 != 0,
		.disk_trouble_ms = INT64_MIN / 2 };
	world->clock = (struct clock){ .mono_ms = fake_mono_ms, .wall_us = fake_wall_us, .ctx = world };
	snprintf(world->path, sizeof(world->path), "%s/store.db", schedules_folder());
	for (size_t i = 0; i < WORLD_TARGETS; i++) {
		struct world_target *target = &world->targets[i];

		*target = (struct world_target){ .world = world, .configured = true, .poison = -1 };
		target->target = memory_target_create(world_fate, target);
		target->settings.target = target->target;
		world->backends[i] = (struct engine_backend){ .name = names[i], .ops = &memory_ops, .connections = 2,
			.healing = (enum engine_healing)(seed / 3 % 3 * i % 3), .verified = i == 0 };
	}
	for (size_t i = 0; i < WORLD_ZONES; i++)
		snprintf(world->zones[i].name, sizeof(world->zones[i].name), "z%zu.example.", i);
	world_start(world);
}

void world_destroy(struct world *world)
{
	world_stop(world);
	for (size_t i = 0; i < world->late_count; i++)
		zone_unref(world->late[i].zone);
	for (size_t i = 0; i < WORLD_TARGETS; i++)
		memory_target_destroy(world->targets[i].target);
}

/* ---- steps ---- */

void world_pass_time(struct world *world, int64_t ms)
{
	world->mono_ms += ms;
	world_turn(world, NULL, 0, NULL, 0);
}

static void let_time_pass(struct world *world)
{
	int64_t ms = world_pick(world, 1, world_chance(world, 10) ? 3600000 : 3000);

	schedules_tell("%lld ms pass", (long long)ms);
	world_pass_time(world, ms);
}

static void weather(struct world *world)
{
	if (world_chance(world, 60))
		world_begin_fault(world);
	else
		world_end_fault(world);
}

static void kill_or_late(struct world *world)
{
	if (world_chance(world, 20))
		world_restart(world);
	else
		world_write_late(world);
}

void world_step(struct world *world, uint32_t number)
{
	int64_t kind = world_pick(world, 0, 24);

	world->tally.steps++;
	if (number % STEPS_A_FAULT == 0)
		world_begin_fault(world);
	else if (kind == 0)
		weather(world);
	else if (kind == 1)
		kill_or_late(world);
	else if (kind <= 5)
		let_time_pass(world);
	else if (kind <= 10)
		world_client(world);
	else if (kind <= 12)
		world_operator(world);
	else if (kind <= 14)
		world_masters_step(world);
	else
		world_finish_job(world);
}
