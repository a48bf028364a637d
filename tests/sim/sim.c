/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs seeded schedules against the engine's core (world.h); options: schedules.h. */
#include <inttypes.h>
#include <stdio.h>

#include "schedules.h"
#include "vfs.h"
#include "world.h"

enum { FAULTS_LEAST = 5 };

static struct world world;
static struct world_tally sum;
static uint64_t faults_least = UINT64_MAX;

static void create(uint64_t seed, struct rng rng)
{
	world_create(&world, seed, rng);
}

static void step(uint32_t number, struct rng rng)
{
	world.rng = rng;
	world_step(&world, number);
	world_check(&world);
}

static void settle(bool whole, struct rng rng)
{
	world.rng = rng;
	world_settle(&world);
	world_check_settled(&world);
	CHECK(!whole || world.tally.faults >= FAULTS_LEAST);
	if (whole && world.tally.faults < faults_least)
		faults_least = world.tally.faults;
}

static void destroy(void)
{
	const struct world_tally *tally = &world.tally;

	world_destroy(&world);
	sum.steps += tally->steps;
	sum.faults += tally->faults;
	sum.restarts += tally->restarts;
	sum.power_cuts += tally->power_cuts;
	sum.disk_faults += tally->disk_faults;
	sum.refused += tally->refused;
	sum.unsure += tally->unsure;
	sum.takeovers += tally->takeovers;
	sum.late += tally->late;
	sum.orphans += tally->orphans;
	sum.pulls += tally->pulls;
	sum.drifts += tally->drifts;
	sum.passes += tally->passes;
	sum.contests += tally->contests;
	sum.reloads += tally->reloads;
}

static void print_sum(void)
{
	printf("%" PRIu64 " steps, %" PRIu64 " faults", sum.steps, sum.faults);
	if (faults_least != UINT64_MAX)
		printf(" (%" PRIu64 " or more in each schedule)", faults_least);
	printf(", %" PRIu64 " of them of the disk, %" PRIu64 " restarts, %" PRIu64 " power cuts\n", sum.disk_faults, sum.restarts,
		sum.power_cuts);
	printf("%" PRIu64 " refused, %" PRIu64 " unsure, %" PRIu64 " takeovers, %" PRIu64 " late writes, %" PRIu64
	       " orphans deleted, %" PRIu64 " pulls, %" PRIu64 " drifts found, %" PRIu64 " passes by themselves, %" PRIu64 " contested, %" PRIu64
	       " reloads\n",
		sum.refused, sum.unsure, sum.takeovers, sum.late,
		sum.orphans, sum.pulls, sum.drifts, sum.passes, sum.contests, sum.reloads);
}

int main(int argc, char **argv)
{
	static const struct schedules_world schedules = { .program = "sim", .count = 300, .steps = 200, .create = create,
		.step = step, .settle = settle, .destroy = destroy, .print_sum = print_sum };

	vfs_register();
	return schedules_main(&schedules, argc, argv);
}
