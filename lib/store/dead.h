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
	int64_t after;                   /* zones with higher ids only */
};

/*
 * By zone id, up to limit rows. Costs a walk over all that is not clean. A page may end within a zone: ask on behind the one
 * before.
 */
MUST_CHECK int store_dead_list(struct store *store, const struct store_dead_filter *filter, size_t limit,
	bool (*each)(void *ctx, const struct store_dead *dead), void *ctx, struct err *err);
