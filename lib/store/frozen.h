/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The zones that are frozen: what is pushed of them is stored, and not
 * delivered. Part of the store: one owner per handle, may block on the disk,
 * errors as in store.h.
 */
#pragma once

#include "store/store.h"

struct store_frozen {
	int64_t zone_id;
	int64_t at_us;
	const char *actor; /* who froze it */
};

MUST_CHECK int store_frozen_set(struct store *store, const struct store_frozen *frozen, struct err *err);
/* None: well. */
MUST_CHECK int store_frozen_clear(struct store *store, int64_t zone_id, struct err *err);
/* zone_id 0: all of them, by id. */
MUST_CHECK int store_frozen_list(struct store *store, int64_t zone_id,
	void (*each)(void *ctx, const struct store_frozen *frozen), void *ctx, struct err *err);
MUST_CHECK int store_frozen_count(struct store *store, uint64_t *count, struct err *err);
