/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files about peers share. All of it is the peers' thread's, but peer_sync.stopping. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/strmap.h"
#include "sync/peer.h"
#include "sync/peer_client.h"
#include "sync/peer_form.h"

enum {
	PEER_DEGRADED_AFTER = 3,       /* failures in a row */
	PEER_LEARNT_MOST = 16
};

/* What the newest walk through one peer's list found. */
struct peer_found {
	uint64_t zones;                /* in its list */
	uint64_t newer;                /* of those: worth fetching, or noting */
	uint64_t taken;
	uint64_t waiting;              /* in doubt, held, or of the future */
	uint64_t capped;               /* too many new ones, or deletes */
	uint64_t failed;
};

struct peer_node {
	char *url;
	bool learnt;                   /* another peer named it */
	bool self;                     /* it is we */
	struct peer_client *client;
	bool versioned;
	char store_id[PEER_FORM_ID_SIZE];
	bool healthy;
	unsigned failures;             /* in a row */
	int64_t last_seen_us;
	int64_t offset_us;             /* its clock is ahead of ours by so much, as its last list told */
	bool skewed;
	struct err err;                /* of the last pass; code ERR_OK: none */
	struct peer_found found;
	char *after;                   /* the walk goes on behind this zone; NULL: there is none under way */
	int64_t walk;                  /* the pass in which it began */
	uint64_t walked;               /* zones of its list, and pages */
	bool full;                     /* of new zones, in this walk */
	int64_t deadline_ms;           /* of this visit */
	uint64_t texts;                /* that were asked for in it */
	bool cut;                      /* it ended within a page */
	struct strmap left;            /* zones that were not taken as they were: what was said of them then */
};

struct peer_sync {
	const struct peer_params *params;
	struct engine *engine;
	pthread_t thread;
	atomic_bool stopping;
	char store_id[PEER_FORM_ID_SIZE];
	struct peer_node *nodes;
	size_t node_count;
	int64_t pass;                  /* the newest; since start */
	int64_t passed;                /* the newest that is over */
	int64_t passed_at_us;
};

/*
 * peer_pass.c: walks through the list of one peer, from where the visit before stopped, until it ends or the time is over:
 * then node->after tells, and if nothing came in that time it is ERR_TIMEOUT. What it found is in node->found, also after
 * an error, after which the next walk begins anew.
 */
MUST_CHECK int peer_visit(struct peer_sync *sync, struct peer_node *node, struct err *err);
/* peer_show.c: publishes what the status shows. */
void peer_show(struct peer_sync *sync);
