/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Looking through the events: backwards for people, forwards for who follows
 * them. Part of the store: one owner per handle, may block on the disk, errors
 * as in store.h.
 */
#pragma once

#include "store/store.h"

struct store_audit {
	int64_t before;        /* ids below, newest first; 0: from the newest */
	int64_t after;         /* unless 0: ids above, oldest first, and before is not looked at */
	const char *zone;      /* NULL: all */
	const char *kind;      /* NULL: all */
};

/* By zone or kind: a walk over the events, 0.1 s a million. */
MUST_CHECK int store_audit_list(struct store *store, const struct store_audit *audit, size_t limit,
	bool (*each)(void *ctx, const struct store_event *event), void *ctx, struct err *err);
