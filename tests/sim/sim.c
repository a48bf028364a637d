/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Runs seeded schedules against the engine's core:
 *
 *	sim [--schedules N] [--steps N] [--seed S]
 *
 * The first schedule has seed S (1), the next S+1, ...: a schedule that fails
 * is replayed by --schedules 1 --seed ITS_SEED. Ends with "N passed, N failed".
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "world.h"

struct tally {
	uint64_t steps;
	uint64_t faults;
	uint64_t restarts;
	uint64_t drifts;
	uint64_t passes;
	uint64_t contests;
};

static bool run_schedule(uint64_t seed, uint64_t steps, struct tally *tally)
{
	static struct world world;
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
	static const struct option known[] = {
		{ "schedules", required_argument, NULL, 'n' },
		{ "steps", required_argument, NULL, 's' },
		{ "seed", required_argument, NULL, 'r' },
		{ NULL, 0, NULL, 0 },
	};
	uint64_t schedules = 300;
	uint64_t steps = 300;
	uint64_t seed = 1;
	uint64_t failed = 0;
	struct tally tally = { 0 };
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == 'n')
			schedules = strtoull(optarg, NULL, 10);
		else if (option == 's')
			steps = strtoull(optarg, NULL, 10);
		else if (option == 'r')
			seed = strtoull(optarg, NULL, 10);
		else
			return 64;
	}
	/* The engine's own log says nothing that the invariants do not; its lines would be millions. */
	log_setup((enum log_level)(LOG_LEVEL_ERROR + 1), LOG_FORMAT_LOGFMT, false);
	for (uint64_t i = 0; i < schedules; i++) {
		if (!run_schedule(seed + i, steps, &tally)) {
			failed++;
			fprintf(stderr, "replay: sim --schedules 1 --steps %" PRIu64 " --seed %" PRIu64 "\n", steps,
				seed + i);
		}
	}
	printf("%" PRIu64 " steps, %" PRIu64 " faults, %" PRIu64 " restarts, %" PRIu64 " drifts found, %" PRIu64
	       " passes by themselves, %" PRIu64 " contested\n",
		tally.steps, tally.faults, tally.restarts, tally.drifts, tally.passes, tally.contests);
	printf("%" PRIu64 " passed, %" PRIu64 " failed\n", schedules - failed, failed);
	return failed == 0 ? 0 : 1;
}
