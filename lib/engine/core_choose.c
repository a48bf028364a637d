/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "engine/core_choose.h"

enum { DUE_PAGE = 1024, DOUBTFUL_TURN = 4, DOUBTFUL_LOOKS = 64, URGENT_ROW = 4 };

static void consider(const struct core *core, const struct core_lane *lane, struct pick *pick, const struct store_due *due)
{
	if (idmap_get(&lane->inflight, due->zone_id) != NULL)
		return;
	if (core_is_frozen(core, due->zone_id)) {
		if (pick->frozen_count < CORE_BATCH_ZONES)
			pick->frozen[pick->frozen_count++] = due->zone_id;
		return;
	}
	if (!due->suspect && idmap_get(&lane->suspicion, due->zone_id) != NULL)
		return;
	pick->ids[pick->count++] = due->zone_id;
}

static int collect(struct core *core, const struct core_lane *lane, bool suspect, struct pick *pick, struct err *err)
{
	struct store_due page[DUE_PAGE];
	int64_t before_us = INT64_MAX;
	int64_t before_id = INT64_MAX;
	int64_t now_us = core_now_us(core);
	size_t limit = pick->most + lane->inflight.size;
	size_t got;

	if (limit > DUE_PAGE)
		limit = DUE_PAGE;
	do {
		int ret = store_due_list(core->store, lane->backend_id, suspect, now_us, before_us, before_id, limit,
			page, &got, err);

		if (ret != ERR_OK)
			return ret;
		for (size_t i = 0; i < got && pick->count < pick->most; i++)
			consider(core, lane, pick, &page[i]);
		if (got > 0) {
			before_us = page[got - 1].next_try_us;
			before_id = page[got - 1].zone_id;
		}
	} while (got == limit && pick->count < pick->most);
	return ERR_OK;
}

/* Is it due, and among its equals? Suspects have their place behind all others. */
static int is_due(struct core *core, const struct core_lane *lane, int64_t zone_id, bool *due, struct err *err)
{
	struct delivery delivery = { 0 };
	int ret = store_delivery_load(core->store, zone_id, lane->backend_id, &delivery, err);

	*due = ret == ERR_OK && !delivery.suspect && !core_is_frozen(core, zone_id) && delivery.state != DELIVERY_CLEAN &&
		delivery.next_try_us <= core_now_us(core);
	delivery_clear(&delivery);
	return ret == ERR_NOTFOUND ? ERR_OK : ret;
}

void core_hurry(struct core *core, int64_t zone_id)
{
	for (size_t i = 0; i < core->lane_count; i++) {
		struct core_lane *lane = core->lanes[i];

		if (lane->urgent_count < URGENT_MOST)
			lane->urgent[lane->urgent_count++] = zone_id;
	}
}

static bool is_picked(const struct pick *pick, int64_t zone_id)
{
	for (size_t i = 0; i < pick->count; i++) {
		if (pick->ids[i] == zone_id)
			return true;
	}
	return false;
}

/*
 * The urgent ones: a small job, that waits for no other zone. They stay urgent until they are seen settled: one that is
 * in flight may come back with its lane gone down.
 */
static int collect_urgent(struct core *core, struct core_lane *lane, struct pick *pick, struct err *err)
{
	size_t kept = 0;
	int ret = ERR_OK;

	for (size_t i = 0; i < lane->urgent_count; i++) {
		int64_t id = lane->urgent[i];
		bool due = false;
		bool waits = idmap_get(&lane->inflight, id) != NULL || pick->count == pick->most || ret != ERR_OK;

		if (!waits && idmap_get(&lane->suspicion, id) == NULL)
			ret = is_due(core, lane, id, &due, err);
		if (due && !is_picked(pick, id))
			pick->ids[pick->count++] = id;
		if (due || waits)
			lane->urgent[kept++] = id;
	}
	lane->urgent_count = kept;
	return ret;
}

/* One zone under suspicion that is due, each in its turn; looks at no more than that many. */
static int collect_doubtful(struct core *core, struct core_lane *lane, size_t looks, struct pick *pick,
	struct err *err)
{
	for (size_t i = 0; i < looks && i < lane->suspicion.size && pick->count == 0; i++) {
		bool due;
		int64_t id;

		if (idmap_next(&lane->suspicion, &lane->suspicion_at, &id) == NULL) {
			lane->suspicion_at = 0;
			CHECK(idmap_next(&lane->suspicion, &lane->suspicion_at, &id) != NULL);
		}
		if (idmap_get(&lane->inflight, id) != NULL)
			continue;
		int ret = is_due(core, lane, id, &due, err);
		if (ret != ERR_OK)
			return ret;
		if (due)
			pick->ids[pick->count++] = id;
	}
	return ERR_OK;
}

/* Zones under suspicion get a turn now and then: one bad moment must not hold them up for ever. */
int core_choose(struct core *core, struct core_lane *lane, struct pick *pick, bool *alone, struct err *err)
{
	int ret = ERR_OK;

	*alone = false;
	/* After some urgent jobs in a row the others get a turn: there may be no end of urgent ones. */
	if (lane->urgent_row < URGENT_ROW)
		ret = collect_urgent(core, lane, pick, err);
	lane->urgent_row = pick->count > 0 ? lane->urgent_row + 1 : 0;
	if (ret == ERR_OK && pick->count == 0 && !lane->health.trial && lane->streak >= DOUBTFUL_TURN)
		ret = collect_doubtful(core, lane, DOUBTFUL_LOOKS, pick, err);
	if (ret == ERR_OK && pick->count == 0) {
		lane->streak++;
		ret = collect(core, lane, false, pick, err);
	}
	if (ret != ERR_OK || pick->count > 0)
		return ret;
	/* Nothing else to do: all of them, so that none is slept over. */
	ret = collect_doubtful(core, lane, lane->suspicion.size, pick, err);
	if (ret != ERR_OK || pick->count > 0 || lane->jobs_out > lane->pages_out)
		return ret;
	*alone = true;
	pick->most = 1;
	return collect(core, lane, true, pick, err);
}
