/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The judgement over zones that are missing in their master's complete list:
 * which may go, and the guard against deleting too much at once
 * (reliability.md 4.6, decisions.md 20). Pure: any thread, no blocking.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"

/* What is known of one missing zone. */
struct orphan_record {
	int64_t first_at_us;           /* first missing; wall clock */
	uint64_t passes;               /* complete lists in a row that lacked it */
};

/* One more complete list lacks it (counts: and it is an orphan pass). record is zero at first. The wall clock may have gone back. */
void orphan_count(struct orphan_record *record, bool counts, int64_t wall_us);
/* Missing in enough passes and for long enough: but for the guard, it may be deleted. */
bool orphan_is_ripe(const struct engine_orphan_policy *policy, const struct orphan_record *record, int64_t wall_us);

/* How many of a master's zones may be deleted in one pass without an operator's word; owned: zones of it that we hold. */
uint64_t orphan_limit(const struct engine_orphan_policy *policy, uint64_t owned);

enum orphan_verdict {
	ORPHANS_WAIT,   /* nothing is ripe, or this pass only counts */
	ORPHANS_DELETE, /* the ripe ones */
	ORPHANS_HOLD    /* the ripe ones need an operator's word */
};

/* missing counts the ripe ones too: a master that lost much is not believed in small pieces either. */
enum orphan_verdict orphan_judge(const struct engine_orphan_policy *policy, uint64_t owned, uint64_t missing,
	uint64_t ripe);
