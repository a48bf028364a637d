/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The version vector of each zone (sched/version.h), as far as it is more than
 * the zone's generation: most zones have no row here, and a change that we
 * accept writes none. Thread, blocking and errors as in store.h.
 */
#pragma once

#include "sched/version.h"
#include "store/store.h"

struct store_version {
	struct version vector;
	char origin[STORE_ID_SIZE];  /* the store that accepted the content */
};

/* Of a zone as it was read. ERR_CORRUPT: its row is damaged; then out is as if there were none. */
MUST_CHECK int store_version_load(struct store *store, const struct store_zone *zone, struct store_version *out,
	struct err *err);
/* One more change of ours: the one that made the zone what it is. */
MUST_CHECK int store_version_count(struct store *store, const struct store_zone *zone, struct store_version *version,
	struct err *err);
/* From now on that is the zone's version, until its generation grows: that counts as one more change of ours. */
MUST_CHECK int store_version_save(struct store *store, const struct store_zone *zone,
	const struct store_version *version, struct err *err);
