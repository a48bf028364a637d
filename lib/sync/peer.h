/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Peer sync (decisions.md 19): other zonefands and directdnsonly 2.8 are asked
 * for their zones; what is newer there is fetched and posted to the engine,
 * which judges it by its state of now. Absence means nothing.
 *
 * One thread of its own ("sync/peer"), which changes nothing itself. At start,
 * every interval and on order it makes a pass over all peers, one after the
 * other. A peer that does not answer, or answers nonsense, costs its time-outs
 * and nothing else; the status and events tell. One with more than its time is
 * enough for goes on when the others had theirs. Credentials go to the host they
 * were configured for, and nowhere else: no redirect is followed, and peers
 * that peers name are asked only with discover, without credentials.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "engine/engine.h"

enum { PEER_VISIT_MS = 120000, PEER_ZONES_MOST = 10000000 };

struct peer_address {
	const char *url;           /* "http://host:port", without a final slash */
	const char *username;      /* "": none is sent */
	const char *password;
};

struct peer_params {
	unsigned interval_minutes;
	bool discover;
	const struct peer_address *peers;
	size_t peer_count;
	int64_t visit_ms;          /* so long one peer is asked before it is the next one's turn */
	uint64_t zones_most;       /* a longer list is taken for one without end */
};

struct peer_sync;

/* Starts the thread. All in params, and the engine, must outlive it. */
struct peer_sync *peer_start(const struct peer_params *params, struct engine *engine);
/* Gives up what is under way, within a second or so whatever peers do; before engine_stop. NULL is allowed. */
void peer_stop(struct peer_sync *sync);
