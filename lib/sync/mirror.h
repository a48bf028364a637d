/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the engine held when a pass began, and what the masters' lists say of
 * it: whose a zone is, and which zones are missing. Pure; one owner.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/strmap.h"

/* A master by its place in the configuration, or: */
enum { MIRROR_NOBODY = -1, MIRROR_OTHER = -2, /* an owner that is not configured */ MIRROR_SEVERAL = -3,
	MIRROR_FOREIGN = -4 /* listed, but only as another server's: nobody claims it, and nobody lacks it */ };

enum mirror_verdict {
	MIRROR_LEFT,      /* nothing is known, or nothing is to be done */
	MIRROR_KEPT,      /* its owner alone lists it */
	MIRROR_MISSING,   /* its owner's complete list lacks it, and nobody else's has it, not even as another server's */
	MIRROR_MOVED,     /* it had no owner, or one that does not list it: the one master that does gets it */
	MIRROR_CONTESTED  /* two masters list it */
};

struct mirror_zone {
	size_t name;            /* in mirror.names */
	uint64_t generation;
	int64_t updated_at_us;
	uint32_t serial;        /* of what its master gave last */
	int owner;
	bool deleted;
	enum mirror_verdict verdict;
	int claimant;           /* who lists it */
};

/* Zero-initialise both, free them. */
struct mirror {
	struct buf names;
	struct mirror_zone *zones;
	size_t count;
	struct strmap index;    /* name -> place in zones */
};

struct claims {
	struct strmap by_name;
};

void mirror_free(struct mirror *mirror);
/* name and zone->name aside, zone is as given. */
void mirror_add(struct mirror *mirror, const char *name, const struct mirror_zone *zone);
/* NULL: never held. */
const struct mirror_zone *mirror_find(const struct mirror *mirror, const char *name);
const char *mirror_name(const struct mirror *mirror, const struct mirror_zone *zone);

void claims_free(struct claims *claims);
void claims_add(struct claims *claims, const char *name, int master);
/* A master lists it as another server's (local_data "no"). */
void claims_add_foreign(struct claims *claims, const char *name);
/* MIRROR_NOBODY, MIRROR_FOREIGN, MIRROR_SEVERAL or the one master that lists it as its own. */
int claims_of(const struct claims *claims, const char *name);

/* What is known of each master in this pass. */
struct mirror_master {
	bool known;             /* its list is complete */
	bool odd_names;         /* and has names that could not be read: one of ours may be among them, in another spelling */
};

/*
 * Judges a zone in service. Ignorance is never evidence: a zone of a master that is unknown is left; and while any other
 * is unknown no owner changes, because it might list the zone too.
 */
enum mirror_verdict mirror_judge(int owner, int claimant, bool idn, const struct mirror_master *masters, size_t count);
/* All zones that are not deleted. */
void mirror_judge_all(struct mirror *mirror, const struct claims *claims, const struct mirror_master *masters, size_t count);
