/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Version vectors: which of two stores' versions of a zone is the newer one
 * (decisions.md 19). A vector counts, for each store that ever accepted a
 * change of the zone, how many of its changes this version knows of. One that
 * knows all that the other knows, and more, is newer whatever any clock says.
 * Where each knows something that the other does not, clocks and content
 * decide (version_wins), in the same way on both sides. A store that was
 * restored from a copy gives numbers again: so each counter comes with a tag of
 * the change that it counts last, and two that are equal but for it know
 * different things.
 *
 * Pure logic: no I/O, no clock, any thread. Bounded: a text from elsewhere can
 * make it neither grow nor overflow.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "zone/zone.h"

enum {
	VERSION_ID_SIZE = 33,          /* 32 hex digits and a NUL */
	VERSION_MOST = 32,             /* stores that can ever have changed one zone */
	VERSION_CLOCK_US = 5000000     /* acceptance times that differ by no more than this say nothing */
};

/* A counter beyond this is nonsense. */
#define VERSION_COUNTER_MAX (UINT64_C(1) << 62)

struct version {
	size_t count;
	struct version_entry {
		char id[VERSION_ID_SIZE];
		uint64_t counter;      /* never 0 */
		uint32_t tag;
	} entries[VERSION_MOST];       /* sorted by id */
};

enum version_order { VERSION_EQUAL, VERSION_OLDER, VERSION_NEWER, VERSION_CONCURRENT };

/* How many changes of that store it knows of; 0: none. */
uint64_t version_get(const struct version *version, const char *id);
/* 0 if it knows of none. */
uint32_t version_tag(const struct version *version, const char *id);
/* ERR_LIMIT: there are too many stores in it, or the counter is too large. 0 takes the entry out. */
MUST_CHECK int version_set(struct version *version, const char *id, uint64_t counter, uint32_t tag, struct err *err);
/* What a is, seen from b. */
enum version_order version_compare(const struct version *a, const struct version *b);
/* into knows all that from knows, too; of two tags the greater stays, on both sides. ERR_LIMIT: into is as it was. */
MUST_CHECK int version_merge(struct version *into, const struct version *from, struct err *err);

/* "id:counter:tag,...", sorted, the tag as 8 hex digits; "" for none. */
void version_print(const struct version *version, struct buf *out);
/* Takes exactly what version_print gives. ERR_INVALID names what is wrong. */
MUST_CHECK int version_parse(const char *text, size_t size, struct version *out, struct err *err);

/* What decides between two versions of which none is newer by its vector. */
struct version_claim {
	int64_t accepted_us;           /* wall clock of one and the same node */
	uint32_t serial;               /* of the SOA */
	bool deleted;
	struct zone_digest digest;
};

/*
 * Does ours stay? Acceptance times that are far enough apart decide, then the serial (RFC 1982), then a tombstone over
 * a zone, then the digest. The other side, asking the other way round, gets the opposite, or both are equal.
 */
bool version_wins(const struct version_claim *ours, const struct version_claim *theirs);
bool version_claims_equal(const struct version_claim *a, const struct version_claim *b);
/* RFC 1982 3.2: is a greater than b? */
bool version_serial_greater(uint32_t a, uint32_t b);
