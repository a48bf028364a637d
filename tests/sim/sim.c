/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Runs seeded schedules against the engine's core:
 *
 *	sim [--schedules N] [--steps N] [--seed S]
 */
#include <inttypes.h>
#include <stdio.h>

#include "schedules.h"
#include "world.h"

struct tally {
	uint64_t steps;
	uint64_t faults;
	uint64_t restarts;
	uint64_t drifts;
	uint64_t passes;
	uint64_t contests;
};

static bool run_schedule(uint64_t seed, uint64_t steps, void *sum)
{
	static struct world world;
	struct tally *tally = sum;
	unsigned before = world_violations();

	world_create(&world, seed);
	while (world.steps < steps && world_violations() == before) {
		world_step(&world);
		world_check(&world);
	}
	if (world_violations() == before) {
		world_settle(&world);
		world_check_settled(&world);
	}
	tally->steps += world.steps;
	tally->faults += world.faults;
	tally->restarts += world.restarts;
	tally->drifts += world.drifts;
	tally->passes += world.passes;
	tally->contests += world.contests;
	world_destroy(&world);
	return world_violations() == before;
}

int main(int argc, char **argv)
{
	struct schedules schedules = { .program = "sim", .count = 300, .steps = 300, .seed = 1 };
	struct tally tally = { 0 };

	if (!schedules_parse(&schedules, argc, argv))
		return 64;
	schedules_run(&schedules, run_schedule, &tally);
	printf("%" PRIu64 " steps, %" PRIu64 " faults, %" PRIu64 " restarts, %" PRIu64 " drifts found, %" PRIu64
	       " passes by themselves, %" PRIu64 " contested\n",
		tally.steps, tally.faults, tally.restarts, tally.drifts, tally.passes, tally.contests);
	return schedules_end(&schedules);
}
