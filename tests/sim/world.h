/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The world of one simulated schedule: the real core on a real store, a fake
 * clock, targets in memory whose faults follow the seed, and a model of what
 * was acknowledged. One thread; every choice comes from the seed.
 */
#pragma once

#include "backends/memory/memory.h"
#include "base/rng.h"
#include "engine/core.h"

enum { WORLD_TARGETS = 3, WORLD_ZONES = 12, WORLD_JOBS = 16, WORLD_VERSIONS = 4 };

/* How one target behaves at the moment. */
struct world_target {
	struct memory_target *target;
	struct memory_settings settings;
	struct world *world;
	bool down;
	bool paused;            /* by the operator */
	size_t jobs_out;        /* with it after the last step, while it is paused */
	unsigned trouble;       /* percent of zone writes that meet a random fault */
	int poison;             /* this zone always fails; -1: none */
	bool poison_is_down;    /* it is answered DOWN, instead of losing the connection */
	bool meddled[WORLD_ZONES]; /* it may hold something else than the store believes */
	int64_t last_pass;
	int64_t repaired_ms[WORLD_ZONES][3]; /* by passes by themselves since the last start, the newest first */
};

/* What the client side knows of one zone. */
struct world_zone {
	char name[ZONE_NAME_SIZE];
	bool known;             /* a push of it was acknowledged once */
	bool deleted;
	struct zone_digest digest;
	bool frozen;            /* by the operator */
	bool dropped;           /* dead letters of it were, so it may be parked */
	unsigned version;       /* how many texts it had */
	unsigned contents[WORLD_VERSIONS]; /* of version v at v % WORLD_VERSIONS */
	unsigned content;       /* of the newest acknowledged push */
	const char *owner;
};

struct world {
	struct rng rng;
	uint64_t seed;
	int64_t mono_ms;
	int64_t skew_us;        /* of the wall clock; changes at restarts */
	struct clock clock;
	char folder[64];
	char path[128];
	struct store *store;
	struct core *core;
	struct engine_backend backends[WORLD_TARGETS];
	struct backend *lanes[WORLD_TARGETS];
	struct world_target targets[WORLD_TARGETS];
	struct world_zone zones[WORLD_ZONES];
	struct core_job *jobs[WORLD_JOBS]; /* with the lanes */
	bool worked[WORLD_JOBS];           /* that one is done, and its answer on the way */
	size_t job_count;
	int64_t wait_ms;        /* as core_turn said */
	uint64_t next_id;
	int64_t last_event;
	int64_t pass;           /* of the newest healing that was begun */
	uint64_t drifts;        /* found by passes */
	uint64_t passes;        /* that began by themselves */
	uint64_t contests;
	bool replied;
	bool reply_ok;
	bool reply_busy;
	bool healing;           /* passes begin by themselves */
	bool calm;              /* no faults any more */
	uint64_t steps;
	uint64_t faults;
	uint64_t restarts;
};

void world_create(struct world *world, uint64_t seed);
void world_destroy(struct world *world);

/* One random step: a push, a delete, an answer, time, a fault, a restart. */
void world_step(struct world *world);
/*
 * Ends all faults, lets time pass until nothing is left to do, and mends what is silently wrong: by a healing pass, or (in
 * schedules with an odd seed) by pushing everything once more.
 */
void world_settle(struct world *world);
/* What must hold after every step, and after settling; a violation is told and counted. */
void world_check(struct world *world);
void world_check_settled(struct world *world);
unsigned world_violations(void);

/* ---- for invariants.c ---- */

PRINTF_LIKE(2, 3) void world_violated(const struct world *world, const char *format, ...);
size_t world_index_of(const struct world *world, const char *zone);
void world_turn(struct world *world, struct core_command **commands, size_t command_count, struct core_job **jobs,
	size_t job_count);
