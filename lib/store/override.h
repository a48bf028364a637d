/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Zones whose content is not what their master gave last: a rollback is in
 * force. Part of the store: one owner per handle, may block on the disk,
 * errors as in store.h.
 */
#pragma once

#include "store/store.h"

struct store_override {
	int64_t at_us;
	uint32_t master_serial; /* of the last text that the master gave: what a comparison of serials has to use */
};

/* Replaces what is there. */
MUST_CHECK int store_override_set(struct store *store, int64_t zone_id, const struct store_override *override,
	struct err *err);
/* ERR_NOTFOUND: the content is the master's. */
MUST_CHECK int store_override_get(struct store *store, int64_t zone_id, struct store_override *out, struct err *err);
/* *dropped: there was one. */
MUST_CHECK int store_override_drop(struct store *store, int64_t zone_id, bool *dropped, struct err *err);
