/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Runs seeded schedules of two and three peers:
 *
 *	sim_peers [--schedules N] [--steps N] [--seed S]
 *
 * The first schedule has seed S (1), the next S+1, ... Ends with "N passed, N failed".
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "peers.h"

static bool run_schedule(uint64_t seed, uint64_t steps, struct peers_world *sum)
{
	static struct peers_world world;
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
	static const struct option known[] = {
		{ "schedules", required_argument, NULL, 'n' },
		{ "steps", required_argument, NULL, 's' },
		{ "seed", required_argument, NULL, 'r' },
		{ NULL, 0, NULL, 0 },
	};
	static struct peers_world sum;
	uint64_t schedules = 1000, steps = 60, seed = 1, failed = 0;
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
	log_setup((enum log_level)(LOG_LEVEL_ERROR + 1), LOG_FORMAT_LOGFMT, false);
	for (uint64_t i = 0; i < schedules; i++) {
		if (run_schedule(seed + i, steps, &sum))
			continue;
		failed++;
		fprintf(stderr, "replay: sim_peers --schedules 1 --steps %" PRIu64 " --seed %" PRIu64 "\n", steps, seed + i);
	}
	printf("%" PRIu64 " steps, %" PRIu64 " pushes, %" PRIu64 " deletes, %" PRIu64 " merges, %" PRIu64 " restores\n", sum.steps,
		sum.pushes, sum.deletes, sum.merges, sum.restores);
	printf("%" PRIu64 " passed, %" PRIu64 " failed\n", schedules - failed, failed);
	return failed == 0 ? 0 : 1;
}
