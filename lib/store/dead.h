/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Dead letters: deliveries that are DEAD or REJECTED, and those that an
 * operator dropped. Part of the store: one owner per handle, may block on the
 * disk, errors as in store.h.
 */
#pragma once

#include "store/store.h"

struct store_dead {
	int64_t zone_id;
	const char *zone;                /* canonical */
	int64_t backend_id;
	const struct delivery *delivery; /* DEAD, REJECTED, or PARKED: dropped */
};

/* Where to look: 0 is everywhere. */
struct store_dead_filter {
	int64_t zone_id;
	int64_t backend_id;
	bool dropped;                    /* those too; what is parked because its zone is frozen is no dead letter */
	int64_t after;                   /* zones with higher ids only; without zone_id */
};

/*
 * By zone id, up to limit rows, or until each says false: a page costs no more than the rejected, dead and parked rows that
 * it passes. One of limit rows may end within a zone; each can end it behind one.
 */
MUST_CHECK int store_dead_list(struct store *store, const struct store_dead_filter *filter, size_t limit,
	bool (*each)(void *ctx, const struct store_dead *dead), void *ctx, struct err *err);
/*
 * DEAD rows of a back end that are due later become due at now_us, some hundred at a time: of zones with ids above *after (0:
 * from the first), which becomes what the next step begins behind, or INT64_MAX if there are no more. They stay DEAD until
 * they are moved. *count (may be NULL): how many became due.
 */
MUST_CHECK int store_dead_revive(struct store *store, int64_t backend_id, int64_t now_us, int64_t *after, uint64_t *count,
	struct err *err);
