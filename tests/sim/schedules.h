/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Seeded schedules, one after the other: --schedules N --steps N --seed S. The first has seed S, the next S+1, ...: one
 * that fails is replayed by --schedules 1 --seed ITS_SEED.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct schedules {
	const char *program; /* its name */
	uint64_t count;
	uint64_t steps;
	uint64_t seed;
	uint64_t failed;     /* answered */
};

/* Over the values that are there. False: another option was given. */
bool schedules_parse(struct schedules *schedules, int argc, char **argv);
/* run: true if all was well. What fails is named on stderr. */
void schedules_run(struct schedules *schedules, bool (*run)(uint64_t seed, uint64_t steps, void *sum), void *sum);
/* The closing line, "N passed, N failed"; what main() returns. */
int schedules_end(const struct schedules *schedules);
