/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Seeded schedules, one after the other, of any simulated world:
 *
 *	PROGRAM [--schedules N] [--steps N] [--seed S] [--expect-violation TEXT] [--save FILE] | --replay FILE
 *
 * The first schedule has seed S, the next S+1, ... A schedule is a list of numbered steps; what a step does follows from
 * the seed and its own number, so a step does the same thing whatever was taken out before it. One that violates an
 * invariant, or ends the process, is shrunk: steps are taken out as long as the same invariant is violated. What is left is
 * printed, and is what --replay reads. With --expect-violation the first violation whose text contains TEXT is success, and none such
 * failure, whatever else was violated.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/rng.h"

/* One at a time; create and destroy come in pairs. */
struct schedules_world {
	const char *program;            /* its name */
	uint64_t count;                 /* of schedules, of steps of each: unless the command line says other ones */
	uint64_t steps;
	void (*create)(uint64_t seed, struct rng rng);
	void (*step)(uint32_t number, struct rng rng);
	/* All comes to rest, and is looked at. whole: no step was taken out, and there are at least 200 */
	void (*settle)(bool whole, struct rng rng);
	void (*destroy)(void);
	void (*print_sum)(void);        /* over all schedules */
};

/* What main() returns. */
int schedules_main(const struct schedules_world *world, int argc, char **argv);

/* ---- for the world ---- */

/* An invariant does not hold: the schedule ends with this step. Of several the first one counts. */
PRINTF_LIKE(1, 2) void schedules_violated(const char *format, ...);
bool schedules_is_violated(void);
/* What the step does, for whoever reads the schedule. */
PRINTF_LIKE(1, 2) void schedules_tell(const char *format, ...);
/* An empty folder of this process. */
const char *schedules_folder(void);
