/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "engine/orphan.h"

void orphan_count(struct orphan_record *record, bool counts, int64_t wall_us)
{
	/* A first time in the future would be waited for: the clock was wrong then. */
	if (record->first_at_us == 0 || record->first_at_us > wall_us)
		record->first_at_us = wall_us;
	record->passes += counts ? 1 : 0;
}

bool orphan_is_ripe(const struct engine_orphan_policy *policy, const struct orphan_record *record, int64_t wall_us)
{
	uint64_t passes = policy->passes < 1 ? 1 : policy->passes;

	return record->passes >= passes && record->first_at_us <= wall_us &&
		wall_us - record->first_at_us >= policy->grace_us;
}

uint64_t orphan_limit(const struct engine_orphan_policy *policy, uint64_t owned)
{
	uint64_t limit = owned / 100 * policy->max_delete_percent + owned % 100 * policy->max_delete_percent / 100;

	if (limit < policy->min_delete_zones)
		limit = policy->min_delete_zones;
	if (limit > policy->max_delete_zones)
		limit = policy->max_delete_zones;
	/* Whatever the settings say: more than half of a master's zones is never an everyday delete. */
	return limit > owned / 2 ? owned / 2 : limit;
}

enum orphan_verdict orphan_judge(const struct engine_orphan_policy *policy, uint64_t owned, uint64_t missing,
	uint64_t ripe)
{
	if (!policy->decide || ripe == 0)
		return ORPHANS_WAIT;
	return missing > orphan_limit(policy, owned) ? ORPHANS_HOLD : ORPHANS_DELETE;
}
