/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Runs seeded schedules of two and three peers:
 *
 *	sim_peers [--schedules N] [--steps N] [--seed S]
 */
#include <inttypes.h>
#include <stdio.h>

#include "peers.h"
#include "schedules.h"

static bool run_schedule(uint64_t seed, uint64_t steps, void *ctx)
{
	static struct peers_world world;
	struct peers_world *sum = ctx;
	unsigned before = peers_violations();

	peers_create(&world, seed);
	while (world.steps < steps)
		peers_step(&world);
	peers_settle(&world);
	peers_check(&world);
	sum->steps += world.steps;
	sum->pushes += world.pushes;
	sum->deletes += world.deletes;
	sum->merges += world.merges;
	sum->restores += world.restores;
	peers_destroy(&world);
	return peers_violations() == before;
}

int main(int argc, char **argv)
{
	static struct peers_world sum;
	struct schedules schedules = { .program = "sim_peers", .count = 1000, .steps = 60, .seed = 1 };

	if (!schedules_parse(&schedules, argc, argv))
		return 64;
	schedules_run(&schedules, run_schedule, &sum);
	printf("%" PRIu64 " steps, %" PRIu64 " pushes, %" PRIu64 " deletes, %" PRIu64 " merges, %" PRIu64 " restores\n", sum.steps,
		sum.pushes, sum.deletes, sum.merges, sum.restores);
	return schedules_end(&schedules);
}
