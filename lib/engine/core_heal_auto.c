/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Healing passes that nobody asks for: by the clock, counted from the start so
 * that a start is no storm, and each lane at a time of its own; and when a lane
 * came up, for what is behind it may be another database now, or an older copy
 * of it. A back end that is new to the store comes up for the first time.
 *
 * What it does is the back end's policy: repair, report, or nothing. All times
 * are engine time: the wall clock may jump.
 */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "engine/core_internal.h"

static const int64_t apart_us = 60000000;  /* passes of a lane that goes up and down */
static const int64_t stagger_us = 250000;  /* lanes that come up together */

static int64_t interval_us(const struct core *core)
{
	return core->params.healing_interval_ms * 1000;
}

static enum engine_healing policy_of(const struct core *core, const struct core_lane *lane)
{
	return core->params.healing_enabled ? lane->policy : ENGINE_HEALING_OFF;
}

/* Its place among the lanes. */
static int64_t index_of(const struct core *core, const struct core_lane *lane)
{
	int64_t at = 0;

	while (at + 1 < (int64_t)core->lane_count && core->lanes[at] != lane)
		at++;
	return at;
}

/* Evenly over the first interval. */
void core_heal_auto_init(struct core *core, struct core_lane *lane)
{
	lane->healing.auto_us = policy_of(core, lane) == ENGINE_HEALING_OFF ? INT64_MAX :
		core_now_us(core) + interval_us(core) * (index_of(core, lane) + 1) / (int64_t)core->lane_count;
}

void core_heal_came_up(const struct core *core, struct core_lane *lane)
{
	struct healing *healing = &lane->healing;
	int64_t least_us = interval_us(core) < apart_us ? interval_us(core) : apart_us;
	int64_t at_us = core_now_us(core) + stagger_us * index_of(core, lane);

	if (policy_of(core, lane) == ENGINE_HEALING_OFF)
		return;
	if (healing->auto_begun_us != 0 && at_us < healing->auto_begun_us + least_us)
		at_us = healing->auto_begun_us + least_us;
	healing->came_up = true;
	if (at_us < healing->auto_us)
		healing->auto_us = at_us;
}

void core_heal_auto_restart(const struct core *core, struct core_lane *lane)
{
	lane->healing.came_up = false;
	if (policy_of(core, lane) != ENGINE_HEALING_OFF)
		lane->healing.auto_us = core_now_us(core) + interval_us(core);
}

static bool may_begin(const struct core *core, const struct core_lane *lane)
{
	return lane->health.state == LANE_UP && !lane->healing.running && core->store_ok;
}

void core_heal_auto(struct core *core, struct core_lane *lane)
{
	struct healing *healing = &lane->healing;

	if (healing->auto_us > core_now_us(core) || !may_begin(core, lane))
		return;
	healing->order = (struct heal_order){ .pass = core_heal_next_pass(core),
		.trigger = healing->came_up ? "lane_up" : "schedule",
		.dry_run = policy_of(core, lane) == ENGINE_HEALING_REPORT };
	healing->auto_begun_us = core_now_us(core);
	core_contest_prune(core, lane);
	core_heal_begin(core, lane);
	healing->order = (struct heal_order){ 0 };
}

int64_t core_heal_auto_wake_us(const struct core *core, const struct core_lane *lane)
{
	return may_begin(core, lane) ? lane->healing.auto_us : INT64_MAX;
}

/* ---- what was told before ---- */

/* Never 0. */
static int64_t sum_of(const char *text)
{
	uint8_t hash[HASH_SIZE];
	int64_t sum;

	hash_sha256(text, strlen(text), hash);
	memcpy(&sum, hash, sizeof(sum));
	return sum | 1;
}

bool core_heal_is_news(struct core_lane *lane, int64_t key, const char *text)
{
	struct healing *healing = &lane->healing;
	void *sum = (void *)(intptr_t)sum_of(text);

	if (!healing->automatic)
		return true;
	/* What has no id goes by its name; ids are positive. */
	if (key == 0)
		key = sum_of(text) | INT64_MIN;
	idmap_set(&healing->told_now, key, sum);
	return idmap_get(&healing->told_before, key) != sum;
}

void core_heal_keep_told(struct core_lane *lane, bool whole)
{
	struct healing *healing = &lane->healing;
	size_t at = 0;
	int64_t key;
	void *sum;

	if (!healing->automatic)
		return;
	/* What was not found again is mended; where the pass did not get to, it is not known. */
	if (whole) {
		idmap_free(&healing->told_before);
		healing->told_before = healing->told_now;
	} else {
		while ((sum = idmap_next(&healing->told_now, &at, &key)) != NULL)
			idmap_set(&healing->told_before, key, sum);
		idmap_free(&healing->told_now);
	}
	healing->told_now = (struct idmap){ 0 };
}

void core_heal_auto_free(struct core_lane *lane)
{
	idmap_free(&lane->healing.told_before);
	idmap_free(&lane->healing.told_now);
}
