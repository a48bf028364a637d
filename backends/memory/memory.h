/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A back end in memory whose faults are scripted: the other end of the
 * simulation, and the cheapest proof that the engine needs no SQL.
 *
 * A target stands for one database; any number of struct backend share it,
 * each in its own thread. It keeps for each zone what coredns_mysql keeps:
 * stamp, digest, deleted; and it watches: where a store writes a lower
 * generation than it wrote before, that is counted as a fault of the engine.
 */
#pragma once

#include "backends/backend.h"

/* What the script says about one zone's write (or, with zone NULL, about a ping or a look). */
enum memory_fate {
	MEMORY_OK,
	MEMORY_RETRY,       /* a look: stops half-way */
	MEMORY_UNTRIED,     /* others took the time */
	MEMORY_REJECT,
	MEMORY_DOWN,        /* the whole target is away */
	MEMORY_LOST_BEFORE, /* the connection is lost, the write did not happen */
	MEMORY_LOST_AFTER,  /* the write happened, the answer is lost */
	MEMORY_WRONG        /* says OK, but holds other rows than asked */
};

struct memory_target;

struct memory_zone {
	const char *name;
	struct backend_stamp stamp; /* store_id "": none */
	bool deleted;               /* what the stamp says, as does the next one */
	struct zone_digest stamped;
	bool exists;                /* its rows are there */
	struct zone_digest digest;  /* of the rows */
	uint64_t writes;
};

/* fate may be NULL: all is well. It is called under the target's lock. */
struct memory_target *memory_target_create(enum memory_fate (*fate)(void *ctx, const char *zone), void *ctx);
void memory_target_destroy(struct memory_target *target);
/* false: there never was such a zone. */
bool memory_target_get(struct memory_target *target, const char *name, struct memory_zone *out);
/*
 * How often a zone was written with a lower generation than the same store wrote there before, were it by a supersede: must
 * stay 0. What was written before a wipe, or before somebody else changed the stamp (put, stamp), does not count.
 */
uint64_t memory_target_regressions(struct memory_target *target);
/*
 * Makes the zone what it is in *zone, but for its writes, as somebody at the database's console would. The rows stay; where
 * they are not those of its digest any more, the first one is read as switched off.
 */
void memory_target_put(struct memory_target *target, const struct memory_zone *zone);
/* Gives the zone, which must be there, other rows, and their digest. */
void memory_target_edit(struct memory_target *target, const char *name, const struct diff_row *rows, size_t count);
/* Sets a zone's stamp, as another store would; makes the zone if it is missing. */
void memory_target_stamp(struct memory_target *target, const char *name, const struct backend_stamp *stamp);
/* Forgets everything: a database that was lost. */
void memory_target_wipe(struct memory_target *target);

struct memory_settings {
	struct memory_target *target;
};

extern const struct backend_ops memory_ops;
