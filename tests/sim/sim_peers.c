/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs seeded schedules of two and three peers (peers.h); options: schedules.h. */
#include <inttypes.h>
#include <stdio.h>

#include "peers.h"
#include "schedules.h"
#include "vfs.h"

static struct peers_world world;
static struct peers_world sum;

static void create(uint64_t seed, struct rng rng)
{
	peers_create(&world, seed, rng);
}

static void step(UNUSED uint32_t number, struct rng rng)
{
	world.rng = rng;
	peers_step(&world);
}

static void settle(UNUSED bool whole, struct rng rng)
{
	world.rng = rng;
	peers_settle(&world);
	peers_check(&world);
}

static void destroy(void)
{
	sum.steps += world.steps;
	sum.pushes += world.pushes;
	sum.deletes += world.deletes;
	sum.merges += world.merges;
	sum.restores += world.restores;
	peers_destroy(&world);
}

static void print_sum(void)
{
	printf("%" PRIu64 " steps, %" PRIu64 " pushes, %" PRIu64 " deletes, %" PRIu64 " merges, %" PRIu64 " restores\n", sum.steps,
		sum.pushes, sum.deletes, sum.merges, sum.restores);
}

int main(int argc, char **argv)
{
	static const struct schedules_world schedules = { .program = "sim_peers", .count = 1000, .steps = 60, .create = create,
		.step = step, .settle = settle, .destroy = destroy, .print_sum = print_sum };

	vfs_register();
	return schedules_main(&schedules, argc, argv);
}
