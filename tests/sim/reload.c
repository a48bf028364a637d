/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Other settings while the process runs: targets are taken out of the configuration, come back, or get other settings. */
#include <string.h>

#include "disk.h"
#include "engine/core_internal.h"
#include "schedules.h"
#include "world.h"

enum { CONNECTIONS_MOST = 3 };

struct core_lane *world_lane_of(const struct world *world, size_t target)
{
	return core_find_lane(world->core, world->backends[target].name);
}

/* What is written into the configuration. */
struct wish {
	bool configured[WORLD_TARGETS];
	struct engine_backend backends[WORLD_TARGETS];
	bool healing;
};

static struct wish read_configuration(const struct world *world)
{
	struct wish wish = { .healing = world->healing };

	memcpy(wish.backends, world->backends, sizeof(wish.backends));
	for (size_t i = 0; i < WORLD_TARGETS; i++)
		wish.configured[i] = world->targets[i].configured;
	return wish;
}

static void write_configuration(struct world *world, const struct wish *wish)
{
	memcpy(world->backends, wish->backends, sizeof(wish->backends));
	world->healing = wish->healing;
	for (size_t i = 0; i < WORLD_TARGETS; i++)
		world->targets[i].configured = wish->configured[i];
}

/* A lane that is new remembers nothing of what it repaired. */
static void forget_repairs(struct world *world, const struct wish *before)
{
	for (size_t i = 0; i < WORLD_TARGETS; i++) {
		struct world_target *target = &world->targets[i];

		if (!before->configured[i] || before->backends[i].version != world->backends[i].version)
			memset(target->repaired_ms, 0, sizeof(target->repaired_ms));
	}
}

static void reload(struct world *world, const struct wish *wish)
{
	struct wish before = read_configuration(world);
	uint64_t restarts = world->tally.restarts;
	bool busy = core_is_draining(world->core);
	bool well = world->store_ok && !world->disk_full;
	struct err err;

	write_configuration(world, wish);
	int ret = world_reconfigure(world, &err);
	world->reloaded_us = ret == ERR_OK ? core_now_us(world->core) : world->reloaded_us;
	if (ret == ERR_OK)
		forget_repairs(world, &before);
	else
		write_configuration(world, &before);
	/* It may have been the end of the process. */
	world_turn(world, NULL, 0, NULL, 0);
	if (ret == ERR_OK && busy)
		schedules_violated("settings were changed while others drained");
	if (ret != ERR_OK && !busy && well && !disk_failed() && world->tally.restarts == restarts)
		schedules_violated("settings could not be changed: %s", err.text);
	world->tally.reloads += ret == ERR_OK;
}

static void change_target(struct world *world, struct wish *wish, size_t at)
{
	const char *name = world->backends[at].name;

	if (!wish->configured[at]) {
		schedules_tell("%s is in the configuration again", name);
		wish->configured[at] = true;
	} else if (world_chance(world, 30)) {
		schedules_tell("%s is taken out of the configuration", name);
		wish->configured[at] = false;
	} else {
		schedules_tell("%s gets other settings", name);
		wish->backends[at].version++;
		wish->backends[at].connections = (unsigned)world_pick(world, 1, CONNECTIONS_MOST);
	}
}

void world_reload(struct world *world)
{
	struct wish wish = read_configuration(world);

	for (size_t i = 0; i < WORLD_TARGETS; i++) {
		if (world_chance(world, 40))
			change_target(world, &wish, i);
	}
	reload(world, &wish);
}

static void cancel(void *ctx UNUSED, void *handle)
{
	struct world_lane *lane = handle;

	lane->backend->ops->cancel(lane->backend);
}

void world_cut_short(struct world *world)
{
	schedules_tell("what still drains is cut short");
	core_each_draining(world->core, cancel, NULL);
}

void world_configure_all(struct world *world)
{
	struct wish wish = read_configuration(world);

	while (core_is_draining(world->core) && world_finish_job(world))
		continue;
	for (size_t i = 0; i < WORLD_TARGETS; i++)
		wish.configured[i] = true;
	schedules_tell("all are in the configuration");
	/* A disk that failed a moment ago may show only now, and ends the process; the next one must not. */
	uint64_t restarts = world->tally.restarts;
	reload(world, &wish);
	if (world->tally.restarts != restarts)
		reload(world, &wish);
	for (size_t i = 0; i < WORLD_TARGETS; i++) {
		if (!world->targets[i].configured)
			schedules_violated("%s can't be configured", world->backends[i].name);
	}
}
