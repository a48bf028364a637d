/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Back ends that the store knows, and the end of one. Part of the store: one
 * owner per handle, may block on the disk, errors as in store.h.
 */
#pragma once

#include "store/store.h"

/* All that were ever registered and not retired, by name. */
MUST_CHECK int store_backend_list(struct store *store, void (*each)(void *ctx, int64_t id, const char *name), void *ctx,
	struct err *err);
/* Delivery rows of a back end; a walk over all deliveries. */
MUST_CHECK int store_backend_rows(struct store *store, int64_t backend_id, uint64_t *count, struct err *err);
/*
 * Drops its delivery rows of the next few thousand zones behind *after (0: from the first), and, behind the last, the back
 * end; *after is INT64_MAX then. *count: rows dropped.
 */
MUST_CHECK int store_retire_step(struct store *store, int64_t backend_id, int64_t *after, uint64_t *count,
	struct err *err);
