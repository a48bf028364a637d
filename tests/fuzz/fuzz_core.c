/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The engine's core in the simulated world of tests/sim: pushes, deletes, faults of targets and of the disk, crashes, power
 * cuts and healing in an order that the input says. The invariants of the simulation (O1 to O4 of reliability.md 6) are looked
 * at after every step, and again when all has come to rest.
 *
 * The input: a byte that is the world's seed (its highest bit: it is not brought to rest), then two bytes a step, from which
 * all follows that the step does.
 */
#include "fuzz.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "sqlite_memory.h"
#include "tests/sim/schedules.h"
#include "tests/sim/vfs.h"
#include "tests/sim/world.h"

static uint64_t steps;

/* ---- what the world tells ---- */

void schedules_violated(const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fuzz_failed(__FILE__, __LINE__, "%s", text);
}

bool schedules_is_violated(void)
{
	return false; /* the first one ended the process */
}

void schedules_tell(const char *format UNUSED, ...)
{
}

static char folder[] = "/tmp/zonefan-fuzz-core-XXXXXX";

/* All files are on the simulated disk but the lock file and what SQLite does not make. */
const char *schedules_folder(void)
{
	return folder;
}

/* ---- the schedule ---- */

static struct rng rng_of(uint64_t number)
{
	struct rng rng = { number };

	rng.state = rng_next(&rng);
	return rng;
}

/* For tests/fuzz/run: a schedule is many executions of the core. */
static void end(void)
{
	char *command = xasprintf("rm -rf '%s'", folder);

	if (system(command) != 0)
		perror(command);
	free(command);
	fprintf(stderr, "stat::steps: %" PRIu64 "\n", steps);
}

static void start(void)
{
	log_setup((enum log_level)(LOG_LEVEL_ERROR + 1), LOG_FORMAT_LOGFMT, false);
	CHECK(mkdtemp(folder) != NULL);
	sqlite_memory_use();
	vfs_register();
	atexit(end);
}

void fuzz_one(const uint8_t *data, size_t size)
{
	static struct world world;
	static bool started;
	struct fuzz_input input = { data, size };

	if (!started)
		start();
	started = true;
	uint8_t seed = fuzz_byte(&input);
	world_create(&world, seed & 0x7f, rng_of(seed & 0x7f));
	for (uint32_t number = 1; input.left > 0; number++) {
		world.rng = rng_of(fuzz_u16(&input));
		world_step(&world, number);
		world_check(&world);
		steps++;
	}
	world.rng = rng_of(size);
	if ((seed & 0x80) == 0) {
		world_settle(&world);
		world_check_settled(&world);
	}
	world_destroy(&world);
}
