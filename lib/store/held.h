/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What waits for an operator's word (decisions.md 13): a push that the guard
 * held back, a set of zones that would be deleted. Part of the store: one
 * owner per handle, may block on the disk, errors as in store.h.
 *
 * There is at most one for each kind and subject. The row carries a checksum,
 * for what it holds is to be put in force later.
 */
#pragma once

#include "store/store.h"

struct store_held {
	int64_t id;            /* small, as people type it; never used again */
	const char *kind;      /* "push", "deletes", "peer_zones", "peer_deletes" */
	const char *subject;   /* push: the zone's canonical name; else the master or peer it is about */
	int64_t at_us;
	const char *origin;    /* push: as in history.h; "" else */
	const char *source;    /* address of the client; "" if there is none */
	const char *actor;
	const char *hostname;
	const char *username;
	const char *reason;    /* one sentence for people */
	const char *text;      /* of the zone, any byte; a set: its names, one a line; NULL: none, or a list's element */
	size_t text_size;
	bool approved;         /* the word was given, and what it is for is to come; not read by put */
};

/*
 * *fresh is false, and only held->id is set, if the very same is held already: the same kind, subject, owner, origin and
 * text. Anything else of that kind and subject makes room for this one, under a new id.
 */
MUST_CHECK int store_held_put(struct store *store, struct store_held *held, bool *fresh, struct err *err);
/* A zone of a set, and its generation when it was held. */
MUST_CHECK int store_held_add_zone(struct store *store, int64_t id, int64_t zone_id, uint64_t generation,
	struct err *err);
/* With its text, all checked. Free out with store_held_clear. ERR_NOTFOUND: there is none (any more). */
MUST_CHECK int store_held_get(struct store *store, int64_t id, struct store_held *out, struct err *err);
void store_held_clear(struct store_held *held);
/* *whole: it is what its checksum says. ERR_NOTFOUND as above. */
MUST_CHECK int store_held_check(struct store *store, int64_t id, bool *whole, struct err *err);
/* ERR_NOTFOUND: none of that kind and subject. */
MUST_CHECK int store_held_find(struct store *store, const char *kind, const char *subject, int64_t *id,
	struct err *err);
/* The word is kept with it, until it is dropped. None: well. */
MUST_CHECK int store_held_approve(struct store *store, int64_t id, struct err *err);
/* With the zones of its set. None: well. */
MUST_CHECK int store_held_drop(struct store *store, int64_t id, struct err *err);
/* By id behind after (0: from the first), without texts. */
MUST_CHECK int store_held_list(struct store *store, int64_t after, size_t limit,
	bool (*each)(void *ctx, const struct store_held *held), void *ctx, struct err *err);
/* The zones of a set, by their ids behind after (0: from the first). */
MUST_CHECK int store_held_zones(struct store *store, int64_t id, int64_t after, size_t limit,
	bool (*each)(void *ctx, int64_t zone_id, uint64_t generation), void *ctx, struct err *err);
MUST_CHECK int store_held_count(struct store *store, uint64_t *count, struct err *err);
