/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which zones go to a lane next. Urgent ones first, then the newest; zones
 * under suspicion alone after the others, suspects alone after those
 * (decisions.md 2, reliability.md 3.4). The engine thread; blocks on the store.
 */
#pragma once

#include "engine/core_internal.h"

/* Zones picked for one job. */
struct pick {
	int64_t ids[CORE_BATCH_ZONES];
	size_t count;
	size_t most;                 /* asked */
	int64_t frozen[CORE_BATCH_ZONES]; /* due, and not to be sent */
	size_t frozen_count;
};

/*
 * Picks what goes next; *alone: it must be the only job out. Empty: nothing is due that may go now. Frozen zones are given
 * apart: they are to be parked.
 */
MUST_CHECK int core_choose(struct core *core, struct core_lane *lane, struct pick *pick, bool *alone, struct err *err);
