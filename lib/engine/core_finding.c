/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a page of the healing pass found: is it still true, and what is done
 * about it. The comparison holds only if nothing happened to the zone between
 * the store's row, as the page has it, and now: else a push that came
 * meanwhile would be reported as a fault.
 *
 * Healing has no way of its own to write: what differs is due, with a check.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "engine/core_internal.h"

/* A database that lost everything must not push all other events out of the store. */
enum { TOLD_MOST = 10000 };

static uint64_t zones_told(const struct engine_heal *shown)
{
	return shown->missing + shown->changed + shown->stamp + shown->undeleted + shown->stray;
}

static void count(struct engine_heal *shown, enum page_drift drift)
{
	switch (drift) {
	case PAGE_MISSING:
		shown->missing++;
		return;
	case PAGE_CHANGED:
		shown->changed++;
		return;
	case PAGE_STAMP:
		shown->stamp++;
		return;
	case PAGE_UNDELETED:
		shown->undeleted++;
		return;
	case PAGE_EQUAL:
		break;
	}
	WRONG("a finding that is none");
}

static void note_drift(struct core *core, struct core_lane *lane, const struct page_finding *finding,
	const struct engine_heal *shown, bool left, const char *outcome)
{
	const char *records = inspect_text(lane->healing.details.told, finding->zone->zone_id);
	struct buf text = { 0 };
	char plain[ZONE_NAME_SIZE];

	page_describe(finding, store_id(core->store), &text);
	if (records != NULL)
		buf_printf(&text, ": %s", records);
	buf_printf(&text, "; %s", outcome);
	bool news = !left || core_heal_is_news(lane, finding->zone->zone_id, text.data);
	if (news && zones_told(shown) < TOLD_MOST) {
		core_note(core, "drift", zone_name_plain(finding->zone->name, plain), lane->name, NULL, "%s", text.data);
		lane->healing.news++;
	}
	buf_free(&text);
}

/* The store's row is as the page has it, and nothing was delivered since. */
static int still_holds(struct core *core, const struct core_lane *lane, const struct page_zone *zone, bool *holds,
	struct err *err)
{
	struct store_zone row = { 0 };

	*holds = false;
	if (idmap_get(&lane->healing.touched, zone->zone_id) != NULL)
		return ERR_OK;
	int ret = store_zone_get(core->store, zone->zone_id, &row, err);
	/* A row that got damaged meanwhile is nothing that could be delivered. */
	if (ret == ERR_CORRUPT || ret == ERR_NOTFOUND)
		return ERR_OK;
	*holds = ret == ERR_OK && row.generation == zone->generation && row.deleted == zone->deleted;
	store_zone_clear(&row);
	return ret;
}

/*
 * It was repaired too often lately: from now on a slow delivery repairs it, which is seen in the zone and in what is
 * pending.
 */
static int slow_down(struct core *core, struct core_lane *lane, const struct page_zone *zone, struct delivery *delivery,
	int64_t until_us, struct err *err)
{
	struct delivery_args args = { .now_us = core_now_us(core), .wall_us = core_wall_us(core),
		.generation = zone->generation,
		.error = "contested: somebody keeps changing it there; repaired once an hour" };

	delivery_move(delivery, DELIVERY_CHECK, &args, &core->policy);
	delivery_move(delivery, DELIVERY_TAKEN, &args, &core->policy);
	delivery_move(delivery, DELIVERY_CONTESTED, &args, &core->policy);
	delivery->next_try_us = until_us;
	lane->next_due_us = 0;
	return store_delivery_save(core->store, zone->zone_id, lane->backend_id, delivery, err);
}

static int repair(struct core *core, struct core_lane *lane, const struct page_zone *zone, enum delivery_event event,
	struct err *err)
{
	idmap_set(&lane->healing.repairs, zone->zone_id, lane);
	return core_move_asked(core, lane, zone->zone_id, zone->generation, event, zone->generation, err);
}

/* Why a delivery will not bring it there soon; NULL: it will. */
static const char *why_left(const struct core *core, const struct page_zone *zone, enum delivery_state state)
{
	switch (state) {
	case DELIVERY_PARKED:
		return core_is_frozen(core, zone->zone_id) ? "left as it is (the zone is frozen)" :
			"left as it is (its delivery was dropped)";
	case DELIVERY_REJECTED:
		return "left as it is (this back end cannot hold it: zonefanctl dead)";
	case DELIVERY_DEAD:
		return "left as it is (its delivery failed too often: zonefanctl dead)";
	default:
		return NULL;
	}
}

/* It holds, whole, what we wrote there at some time (which, may not have been noted): nobody touched it, it is only behind. */
static bool is_as_delivered(const struct core *core, const struct backend_seen *seen, const struct delivery *delivery)
{
	if (strcmp(seen->stamp.store_id, store_id(core->store)) != 0)
		return !seen->exists && delivery->applied == 0;
	return seen->exists == !seen->deleted && (seen->deleted || zone_digest_equal(&seen->actual, &seen->stamped));
}

/*
 * Not clean. What is on its way is known; what is not is a difference that nobody mends. What is slow because it is
 * contested is tried at once if the operator asks.
 */
static int leave(struct core *core, struct core_lane *lane, const struct page_finding *finding, const struct delivery *delivery,
	struct engine_heal *shown, struct err *err)
{
	const struct page_zone *zone = finding->zone;
	const char *why = why_left(core, zone, delivery->state);
	/* The operator's pass has what was given up tried at once. */
	bool tried = delivery->state == DELIVERY_DEAD && !lane->healing.automatic && !shown->dry_run;

	if (why != NULL && !tried) {
		shown->unrepaired++;
		if (is_as_delivered(core, &finding->seen, delivery))
			return ERR_OK;
		note_drift(core, lane, finding, shown, true, why);
		count(shown, finding->drift);
		return ERR_OK;
	}
	shown->waiting++;
	if (lane->healing.automatic || shown->dry_run || delivery->state != DELIVERY_WAIT ||
		!core_is_contested(core, lane, zone->zone_id))
		return ERR_OK;
	return repair(core, lane, zone, DELIVERY_REPLAY, err);
}

static int treat(struct core *core, struct core_lane *lane, const struct page_finding *finding, struct delivery *delivery,
	struct engine_heal *shown, struct err *err)
{
	const struct page_zone *zone = finding->zone;
	bool begins = false;
	int64_t until_us;
	char plain[ZONE_NAME_SIZE];

	if (shown->dry_run || core_is_frozen(core, zone->zone_id)) {
		note_drift(core, lane, finding, shown, true, !shown->dry_run ? "left as it is (the zone is frozen)" :
			lane->healing.automatic ? "left as it is (heal: report)" : "left as it is (dry run)");
		return ERR_OK;
	}
	if (!lane->healing.automatic || core_contest_may_repair(core, lane, zone->zone_id, &until_us, &begins)) {
		note_drift(core, lane, finding, shown, false, "delivered again");
		return repair(core, lane, zone, DELIVERY_CHECK, err);
	}
	note_drift(core, lane, finding, shown, false, "contested, so it is repaired once an hour");
	if (begins)
		core_note(core, "contested", zone_name_plain(zone->name, plain), lane->name, NULL,
			"somebody keeps changing it there: it was repaired three times within an hour, and is from now on once an "
			"hour");
	shown->contested++;
	return slow_down(core, lane, zone, delivery, until_us, err);
}

static int record_finding(struct core *core, struct core_lane *lane, const struct page_finding *finding,
	struct engine_heal *shown, struct err *err)
{
	const struct page_zone *zone = finding->zone;
	struct delivery delivery = { 0 };
	bool holds;
	int ret = still_holds(core, lane, zone, &holds, err);

	if (ret != ERR_OK || !holds)
		return ret;
	ret = store_delivery_load(core->store, zone->zone_id, lane->backend_id, &delivery, err);
	if (ret != ERR_OK)
		return ret == ERR_NOTFOUND ? ERR_OK : ret;
	if (delivery.state != DELIVERY_CLEAN) {
		ret = leave(core, lane, finding, &delivery, shown, err);
	} else {
		ret = treat(core, lane, finding, &delivery, shown, err);
		count(shown, finding->drift);
	}
	delivery_clear(&delivery);
	return ret;
}

/* A zone that was pushed since, or whose row is damaged, is known. */
static int record_stray(struct core *core, struct core_lane *lane, const char *name, struct engine_heal *shown,
	struct err *err)
{
	struct store_zone row = { 0 };
	char plain[ZONE_NAME_SIZE];
	int ret = store_zone_find(core->store, name, &row, err);

	store_zone_clear(&row);
	if (ret != ERR_NOTFOUND)
		return ret == ERR_CORRUPT ? ERR_OK : ret;
	if (core_heal_is_news(lane, 0, name) && zones_told(shown) < TOLD_MOST) {
		core_note(core, "stray", zone_name_plain(name, plain), lane->name, NULL,
			"it bears our stamp there, and the store does not know it: left as it is");
		lane->healing.news++;
	}
	shown->stray++;
	return ERR_OK;
}

int core_record_page(struct core *core, struct core_lane *lane, const struct page *page, struct engine_heal *shown,
	struct err *err)
{
	const char *stray = page->strays.data;

	for (size_t i = 0; i < page->finding_count; i++) {
		int ret = record_finding(core, lane, &page->findings[i], shown, err);

		if (ret != ERR_OK)
			return ret;
	}
	for (size_t i = 0; i < page->stray_count; i++) {
		int ret = record_stray(core, lane, stray, shown, err);

		if (ret != ERR_OK)
			return ret;
		stray += strlen(stray) + 1;
	}
	return ERR_OK;
}
