/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is counted for those who watch: by back end, since start, never forgotten before the end. */
#include <string.h>

#include "engine/core_internal.h"

void core_tally_verdict(struct core_lane *lane, enum backend_verdict verdict)
{
	switch (verdict) {
	case BACKEND_OK:
		lane->tally.ok++;
		return;
	case BACKEND_RETRY:
		lane->tally.retry++;
		return;
	case BACKEND_REJECT:
		lane->tally.reject++;
		return;
	case BACKEND_STALE:
		lane->tally.stale++;
		return;
	case BACKEND_DOWN:
		lane->tally.down++;
		return;
	}
	WRONG("a verdict that is none");
}

void core_tally_heal(struct core_lane *lane)
{
	const struct engine_heal *shown = &lane->healing.shown;
	struct engine_tally *tally = &lane->tally;

	if (strcmp(shown->state, "done") == 0) {
		tally->heals_done++;
		tally->healed_at_us = shown->ended_at_us;
	} else if (strcmp(shown->state, "failed") == 0) {
		tally->heals_failed++;
	} else {
		tally->heals_stopped++;
	}
	tally->missing += shown->missing;
	tally->changed += shown->changed;
	tally->stamp += shown->stamp;
	tally->undeleted += shown->undeleted;
	tally->stray += shown->stray;
	tally->repaired += shown->repaired;
	tally->unrepaired += shown->unrepaired;
}

void core_tally_commits(struct core *core, size_t first, size_t count)
{
	int64_t now_us = core_now_us(core);

	for (size_t i = first; i < first + count; i++) {
		const struct outcome *outcome = &core->outcomes[i];

		if (outcome->since_us != 0)
			histogram_observe(&outcome->lane->commit, now_us - outcome->since_us);
	}
}

void core_tally_show(const struct core_lane *lane, struct engine_tally *out)
{
	*out = lane->tally;
	histogram_read(&lane->commit, &out->commit);
	histogram_read(&lane->answer, &out->answer);
}
