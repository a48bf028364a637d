/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Zones that somebody else keeps writing (decisions.md 3): three repairs of one
 * within an hour by passes that nobody asked for, and from then on one an hour.
 * It goes by a slow delivery, so it is seen in the zone and in what is pending.
 *
 * All of it may be forgotten: after a restart it is found out anew.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/core_internal.h"

enum { REPAIRS_PER_HOUR = 3, REPAIRED_MOST = 65536 };

static const int64_t hour_us = INT64_C(3600000000);

/* Of one zone; the newest first, engine time. */
struct repaired {
	int64_t at_us[REPAIRS_PER_HOUR];
	bool contested;
};

/* ---- what people are shown ---- */

static bool is_shown(const struct core *core, const struct contest *contest)
{
	return core_now_us(core) - contest->at_us < 2 * hour_us;
}

void core_contest_show(const struct core *core, struct core_lane *lane, int64_t zone_id)
{
	size_t oldest = 0;
	size_t at = 0;

	while (at < lane->contest_count && lane->contests[at].zone_id != zone_id) {
		if (lane->contests[at].at_us < lane->contests[oldest].at_us)
			oldest = at;
		at++;
	}
	if (at == CORE_CONTESTED_MOST)
		at = oldest;
	else if (at == lane->contest_count)
		lane->contest_count++;
	lane->contests[at] = (struct contest){ .zone_id = zone_id, .at_us = core_now_us(core) };
}

bool core_is_contested(const struct core *core, const struct core_lane *lane, int64_t zone_id)
{
	for (size_t i = 0; i < lane->contest_count; i++) {
		if (lane->contests[i].zone_id == zone_id)
			return is_shown(core, &lane->contests[i]);
	}
	return false;
}

void core_contest_copy(const struct core *core, const struct core_lane *lane, struct core_board_lane *out)
{
	out->contested_count = 0;
	for (size_t i = 0; i < lane->contest_count; i++) {
		if (is_shown(core, &lane->contests[i]))
			out->contested[out->contested_count++] = lane->contests[i].zone_id;
	}
}

/* ---- counting repairs ---- */

static void count(struct repaired *repaired, int64_t now_us)
{
	memmove(repaired->at_us + 1, repaired->at_us, sizeof(repaired->at_us) - sizeof(repaired->at_us[0]));
	repaired->at_us[0] = now_us;
}

bool core_contest_may_repair(const struct core *core, struct core_lane *lane, int64_t zone_id, int64_t *until_us,
	bool *news)
{
	struct repaired *repaired = idmap_get(&lane->repaired, zone_id);
	int64_t now_us = core_now_us(core);

	*news = false;
	if (repaired == NULL) {
		/* Of so many none is somebody's: a database was lost. */
		if (lane->repaired.size >= REPAIRED_MOST)
			return true;
		repaired = xcalloc(1, sizeof(*repaired));
		idmap_set(&lane->repaired, zone_id, repaired);
	}
	int64_t since_us = repaired->at_us[repaired->contested ? 0 : REPAIRS_PER_HOUR - 1];
	if (since_us == 0 || now_us - since_us >= hour_us) {
		count(repaired, now_us);
		return true;
	}
	*news = !repaired->contested;
	repaired->contested = true;
	*until_us = repaired->at_us[0] + hour_us;
	core_contest_show(core, lane, zone_id);
	return false;
}

void core_contest_delivered(const struct core *core, struct core_lane *lane, int64_t zone_id)
{
	struct repaired *repaired = idmap_get(&lane->repaired, zone_id);

	if (repaired != NULL && repaired->contested)
		count(repaired, core_now_us(core));
}

/* One that is left alone for two hours is contested no more. */
void core_contest_prune(const struct core *core, struct core_lane *lane)
{
	struct idmap kept = { 0 };
	struct repaired *repaired;
	size_t at = 0;
	int64_t id;

	while ((repaired = idmap_next(&lane->repaired, &at, &id)) != NULL) {
		if (core_now_us(core) - repaired->at_us[0] < 2 * hour_us)
			idmap_set(&kept, id, repaired);
		else
			free(repaired);
	}
	idmap_free(&lane->repaired);
	lane->repaired = kept;
}

void core_contest_free(struct core_lane *lane)
{
	size_t at = 0;
	int64_t id;
	void *value;

	while ((value = idmap_next(&lane->repaired, &at, &id)) != NULL)
		free(value);
	idmap_free(&lane->repaired);
}
