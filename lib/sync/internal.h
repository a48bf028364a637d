/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files about the masters share. Everything here belongs to the masters' thread, but sync.stopping. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "sync/da_client.h"
#include "sync/mirror.h"
#include "sync/sync.h"
#include "sync/tried.h"
#include "zone/zone.h"

enum { SYNC_IDENTITY_SIZE = 256 };

/* What the newest pass found at one master. */
struct master_found {
	uint64_t zones;            /* in its list */
	uint64_t ignored;          /* names that are no names of zones */
	uint64_t owned;            /* of its zones that we hold */
	uint64_t missing;
	uint64_t deleting;
	uint64_t held;
	int64_t held_id;           /* 0: nothing is held */
	uint64_t behind;           /* zones that we lack, or have in another version */
	uint64_t pulled;
	uint64_t postponed;        /* of behind: left for the next pass, the master is slow */
	uint64_t failed;           /* could not be fetched, or were not taken */
};

struct master {
	const struct sync_master *conf;
	char identity[SYNC_IDENTITY_SIZE]; /* lower case, no final dot */
	struct da_client *client;
	struct da_list list;       /* while a pass is under way */
	enum { MASTER_NEW, MASTER_KNOWN, MASTER_UNKNOWN } state;
	struct err err;            /* MASTER_UNKNOWN: why */
	uint64_t lists;            /* complete ones since we started */
	int64_t since_us;
	int64_t complete_at_us;
	struct master_found found; /* of the pass that is under way */
	struct master_found shown; /* of the last one */
	struct tried tried;
	char turn[ZONE_NAME_SIZE]; /* of the zones that are fetched in rotation: the last one */
};

/* One pass over all masters. */
struct pass {
	int64_t number;            /* since start; 0: there was none */
	bool dry_run;
	bool complete;             /* it came to its end */
	int64_t started_at_us;
	int64_t ended_at_us;       /* 0: it is under way */
	uint64_t held_zones;       /* that we held in service when it began */
	uint64_t unknown;          /* masters */
	uint64_t found_owner;
	uint64_t moved;
	uint64_t contested;
	uint64_t foreign;          /* zones that are listed, but only as another server's */
	struct mirror mirror;
	struct claims claims;
};

struct sync {
	struct sync_params params;
	struct engine *engine;
	pthread_t thread;
	atomic_bool stopping;
	struct master *masters;
	struct pass pass;          /* the newest */
	struct pass last;          /* the newest that ended; without its mirror */
	struct strmap contested;   /* zones that were told */
	bool again;                /* somebody asked for a pass while one was under way */
	bool again_dry;
	int64_t due_ms;            /* the next pass of the schedule; monotonic */
	int64_t look_ms;           /* the next look whether a master that was away is back */
};

/* Takes orders that came meanwhile; false: stop. ctx: struct sync. */
bool sync_tick(void *ctx);
/* It could not be reached. One that refuses the login is not asked again and again: DirectAdmin would lock us out. */
bool sync_is_away(const struct master *master);

/* ---- steps.c: what is said to the engine. False: it is stopping, or can't; the pass is over ---- */

/* For the record: who ordered a pass. */
void steps_tell_asked(struct sync *sync, const struct engine_request *order);
/* Everything that is held, into sync->pass.mirror. */
bool steps_load(struct sync *sync);
/* The master's list was complete, or not: master->state and err say so. */
bool steps_tell_list(struct sync *sync, struct master *master);
/* Names op with that verdict and owner (or claimant, for moved ones). */
bool steps_tell_zones(struct sync *sync, struct master *master, enum engine_op op, enum mirror_verdict verdict);
bool steps_tell_contested(struct sync *sync);
bool steps_judge(struct sync *sync, struct master *master, bool decide);
/*
 * Stores what was fetched, if the zone is as it was when the pass began. Gives text away. *reply: how that went;
 * *stored: it is another text than before.
 */
bool steps_pull(struct sync *sync, const struct master *master, const char *zone, const struct mirror_zone *seen,
	struct buf *text, bool *stored, struct err *reply);

/* reconcile.c: one whole pass. */
void reconcile_pass(struct sync *sync, bool dry_run);
/* Is one of those that could not be reached back? */
bool reconcile_look(struct sync *sync);
/* catch_up.c: what the master lists and we lack, or have in another version. */
void catch_up(struct sync *sync, struct master *master);
/* report.c: what the status shows. */
void report_publish(struct sync *sync);
