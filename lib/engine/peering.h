/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What becomes of a zone as a peer offers it (decisions.md 19): the one rule
 * that both the question "what is worth fetching?" and the command that writes
 * it go by, so that they cannot differ.
 *
 * Reads what the store holds, decides, writes nothing. The thread of the store
 * handle it is given; blocks on that only.
 */
#pragma once

#include "engine/engine.h"
#include "store/store.h"
#include "store/version.h"

enum peering_step {
	PEERING_NOTHING, /* what we hold is the same, or newer */
	PEERING_JOIN,    /* our content stays; that we know theirs is to be noted */
	PEERING_TAKE,    /* theirs is to be ours */
	PEERING_WAIT     /* accepted in the future, or in doubt: not now */
};

/* A peer's zone, checked. */
struct peering_offer {
	char name[ZONE_NAME_SIZE];
	bool versioned;              /* it has a vector: else it comes from directdnsonly */
	bool known;                  /* serial and digest are: a list of directdnsonly tells neither */
	struct version vector;
	struct version_claim claim;  /* accepted_us: by our clock; 0: not known */
	const char *hostname;        /* borrowed, as the rest */
	const char *username;
	const char *origin;          /* the store that accepted it */
};

/* What we hold of it. */
struct peering_held {
	struct store_zone row;       /* id 0: nothing */
	struct store_version version;
	struct version_claim claim;
};

struct peering_verdict {
	enum peering_step step;
	bool conflict;               /* neither knew of the other: clocks or content decided */
	bool forgot;                 /* the peer knows changes of ours that we don't: our store went back in time */
	const char *why;             /* for people; NULL with NOTHING */
};

/* ERR_INVALID names zone and field. */
MUST_CHECK int peering_read(const struct engine_peer_zone *zone, struct peering_offer *out, struct err *err);
/* Free out with peering_clear. A damaged version is logged and taken as unknown; ERR_CORRUPT: the zone's row itself. */
MUST_CHECK int peering_find(struct store *store, const char *name, struct peering_held *out, struct err *err);
void peering_clear(struct peering_held *held);
struct peering_verdict peering_judge(const struct peering_held *held, const char *store_id,
	const struct peering_offer *offer, int64_t wall_us);
