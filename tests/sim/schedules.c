/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "schedules.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

bool schedules_parse(struct schedules *schedules, int argc, char **argv)
{
	static const struct option known[] = {
		{ "schedules", required_argument, NULL, 'n' },
		{ "steps", required_argument, NULL, 's' },
		{ "seed", required_argument, NULL, 'r' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == 'n')
			schedules->count = strtoull(optarg, NULL, 10);
		else if (option == 's')
			schedules->steps = strtoull(optarg, NULL, 10);
		else if (option == 'r')
			schedules->seed = strtoull(optarg, NULL, 10);
		else
			return false;
	}
	return true;
}

void schedules_run(struct schedules *schedules, bool (*run)(uint64_t seed, uint64_t steps, void *sum), void *sum)
{
	/* The engine's own log says nothing that the invariants do not; its lines would be millions. */
	log_setup((enum log_level)(LOG_LEVEL_ERROR + 1), LOG_FORMAT_LOGFMT, false);
	for (uint64_t i = 0; i < schedules->count; i++) {
		if (run(schedules->seed + i, schedules->steps, sum))
			continue;
		schedules->failed++;
		fprintf(stderr, "replay: %s --schedules 1 --steps %" PRIu64 " --seed %" PRIu64 "\n", schedules->program,
			schedules->steps, schedules->seed + i);
	}
}

int schedules_end(const struct schedules *schedules)
{
	printf("%" PRIu64 " passed, %" PRIu64 " failed\n", schedules->count - schedules->failed, schedules->failed);
	return schedules->failed == 0 ? 0 : 1;
}
