/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The world of one schedule of peers: nodes with a real core on a real store
 * each, clocks that are up to an hour wrong, a master whose pushes and deletes
 * reach only who is awake, and the true order of what was accepted. One thread;
 * every choice comes from the seed.
 */
#pragma once

#include "base/rng.h"
#include "engine/core.h"

enum { PEERS_NODES = 3, PEERS_ZONES = 3 };

struct peers_node {
	struct peers_world *world;
	struct clock clock;
	int64_t skew_us;        /* of its wall clock */
	char path[160];
	char backup[176];       /* "": none was made */
	struct store *store;    /* NULL: it sleeps */
	struct core *core;
	bool replied;
	bool reply_ok;
};

/* What was accepted last, by whomever. */
struct peers_truth {
	bool known;
	bool deleted;
	unsigned content;
};

struct peers_world {
	struct rng rng;         /* of this step */
	int64_t mono_ms;
	size_t node_count;
	struct peers_node nodes[PEERS_NODES];
	bool cut[PEERS_NODES][PEERS_NODES]; /* no way between them */
	bool lossy;
	struct peers_truth truth[PEERS_ZONES];
	int64_t pass;
	uint64_t steps;
	uint64_t pushes;
	uint64_t deletes;
	uint64_t merges;
	uint64_t restores;
};

void peers_create(struct peers_world *world, uint64_t seed, struct rng rng);
void peers_destroy(struct peers_world *world);
/* One step: a push or delete, a node falls asleep or wakes up, a way is cut, a pass, a restore. */
void peers_step(struct peers_world *world);
/* All awake, all ways open, passes until each knows all others. */
void peers_settle(struct peers_world *world);
/* All are equal, and equal to the truth, and another pass changes nothing. */
void peers_check(struct peers_world *world);
