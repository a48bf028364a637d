/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The healing pass at a lane: the store's zones in order of name, compared
 * page by page with what the back end really holds. Pages take idle
 * connections, one at a time, when nothing is due: live deliveries go first.
 *
 *   comparing   a page is out, or goes when there is room
 *   repairing   all is compared; what the pass made due is being delivered
 *   done        nothing of it is left
 *   failed      the back end went away, was paused, or the store can't be used
 *   stopped     by the operator
 *
 * All of it may be forgotten: a restart ends it, and another pass finds what
 * is left.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "engine/core_internal.h"

/*
 * While pushes come in pages are small, so that none that meets one takes much longer: a page costs the database some 0.1 ms
 * a zone, and a push two ways to it and back, which may become a fifth more. Rest between two pages lets the database's
 * processors be the pushes' for most of the time.
 */
enum { ZONE_RECORDS = 20, LIVE_LEAST = 10, LIVE_MOST = 100, LIVE_PER_MS = 4, REST_TIMES = 9 };

static const int64_t live_for_us = 1000000;
static const int64_t least_rest_us = 3000;  /* our clock counts milliseconds */
static const int64_t most_rest_us = 100000; /* what takes long is the way, or that processors are short */

/* A page that fails so often in a row, with a good probe after each, fails the pass. */
enum { LOOKS_MOST = 3 };

/* ---- beginning ---- */

static void clear(struct healing *healing)
{
	idmap_free(&healing->touched);
	idmap_free(&healing->repairs);
	healing->touched = healing->repairs = (struct idmap){ 0 };
	page_destroy(healing->landed);
	healing->landed = NULL;
}

static void forget(struct core_lane *lane)
{
	clear(&lane->healing);
	core_detail_clear(lane);
}

void core_heal_free(struct core_lane *lane)
{
	forget(lane);
	free(lane->healing.source);
	free(lane->healing.order.source);
	core_heal_auto_free(lane);
}

void core_heal_begin(struct core *core, struct core_lane *lane)
{
	struct healing *healing = &lane->healing;
	struct heal_order *order = &healing->order;

	if (healing->running)
		core_tally_heal(lane); /* it gives way */
	forget(lane);
	free(healing->source);
	healing->source = order->source;
	order->source = NULL;
	core_heal_keep_told(lane, false);
	healing->automatic = strcmp(order->trigger, "operator") != 0;
	healing->news = 0;
	core_heal_auto_restart(core, lane);
	healing->running = true;
	healing->compared = false;
	healing->next_us = 0;
	healing->least_us = -1;
	healing->failures = 0;
	healing->after[0] = '\0';
	healing->begun_ms = clock_mono_ms(core->params.clock);
	healing->shown = (struct engine_heal){ .pass = order->pass, .state = "comparing", .trigger = order->trigger,
		.dry_run = order->dry_run, .started_at_us = core_wall_us(core) };
	/* Only for people: how far it is. */
	if (store_zone_count(core->store, &healing->shown.zones, NULL) != ERR_OK)
		healing->shown.zones = 0;
	/* The operator wants it right now: also what was given up for an hour. */
	if (!healing->automatic && !order->dry_run && lane->health.state == LANE_UP)
		lane->revive_after = 0;
	log_info("healing pass", LOG_STR("backend", lane->name), LOG_UINT("zones", healing->shown.zones),
		LOG_STR("trigger", order->trigger), LOG_STR("source", healing->source));
}

/* ---- the end ---- */

static int64_t took_us(const struct core *core, const struct healing *healing)
{
	return (clock_mono_ms(core->params.clock) - healing->begun_ms) * 1000;
}

static int write_events(struct core *core, struct err *err)
{
	int ret = store_begin(core->store, err);

	if (ret == ERR_OK)
		ret = core_write_events(core, err);
	if (ret == ERR_OK)
		ret = store_commit(core->store, err);
	if (ret != ERR_OK)
		store_rollback(core->store);
	core_forget_events(core, 0);
	return ret;
}

static void tell_done(struct core *core, struct core_lane *lane, const struct engine_heal *shown, uint64_t differ)
{
	char contested[64] = "";

	if (shown->contested > 0)
		snprintf(contested, sizeof(contested), ", %" PRIu64 " contested", shown->contested);
	core_note(core, "heal_done", NULL, lane->name, lane->healing.source,
		"%" PRIu64 " zones compared in %.1f s, %" PRIu64 " differed (%" PRIu64 " missing, %" PRIu64
		" changed, %" PRIu64 " with a wrong stamp, %" PRIu64 " deleted and there); %" PRIu64 " repaired%s%s, %" PRIu64
		" strays",
		shown->compared, (double)shown->took_us / 1e6, differ, shown->missing, shown->changed, shown->stamp,
		shown->undeleted, shown->repaired, shown->dry_run ? " (dry run)" : "", contested, shown->stray);
}

/* A pass by itself that found nothing new is no event, nor one that the lane's going down has ended: that is one itself. */
static void note_end(struct core *core, struct core_lane *lane, const struct engine_heal *shown)
{
	uint64_t differ = shown->missing + shown->changed + shown->stamp + shown->undeleted;
	bool failed = shown->error[0] != '\0';

	if (lane->healing.automatic && (failed ? lane->health.state != LANE_UP : lane->healing.news == 0))
		log_info(failed ? "healing pass ended" : "healing pass done", LOG_STR("backend", lane->name),
			LOG_UINT("zones", shown->compared), LOG_UINT("differ", differ),
			LOG_STR("why", failed ? shown->error : NULL));
	else if (failed)
		core_note(core, "heal_failed", NULL, lane->name, lane->healing.source, "%s; %" PRIu64 " of %" PRIu64
			" zones compared, %" PRIu64 " differed", shown->error, shown->compared, shown->zones, differ);
	else
		tell_done(core, lane, shown, differ);
}

static void finish(struct core *core, struct core_lane *lane, const char *state, const char *error)
{
	struct engine_heal *shown = &lane->healing.shown;

	shown->state = state;
	shown->ended_at_us = core_wall_us(core);
	shown->took_us = took_us(core, &lane->healing);
	snprintf(shown->error, sizeof(shown->error), "%s", error);
	lane->healing.running = false;
	core_tally_heal(lane);
	core_heal_keep_told(lane, error[0] == '\0');
	forget(lane);
}

/* error NULL: it is done. */
static void end(struct core *core, struct core_lane *lane, const char *error)
{
	struct err err;

	finish(core, lane, error == NULL ? "done" : "failed", error == NULL ? "" : error);
	note_end(core, lane, &lane->healing.shown);
	if (core->event_count > 0 && write_events(core, &err) != ERR_OK)
		log_warn("the end of a healing pass is not recorded", LOG_STR("backend", lane->name), LOG_ERR(&err));
}

void core_heal_stop(struct core *core, struct core_lane *lane, const char *why)
{
	finish(core, lane, "stopped", why);
	log_info("healing pass stopped", LOG_STR("backend", lane->name), LOG_STR("why", why));
}

PRINTF_LIKE(3, 4) static void fail(struct core *core, struct core_lane *lane, const char *format, ...)
{
	char text[ERR_TEXT_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	end(core, lane, text);
}

/* ---- a page comes back ---- */

void core_heal_delivered(const struct core *core, struct core_lane *lane, int64_t zone_id, enum delivery_event event)
{
	struct healing *healing = &lane->healing;

	if (healing->running && (lane->pages_out > 0 || healing->landed != NULL))
		idmap_set(&healing->touched, zone_id, lane);
	if (event == DELIVERY_OK)
		core_contest_delivered(core, lane, zone_id);
	if (idmap_get(&healing->repairs, zone_id) == NULL)
		healing->live_us = core_now_us(core);
	if (event == DELIVERY_STALE || idmap_remove(&healing->repairs, zone_id) == NULL)
		return;
	if (event == DELIVERY_OK)
		healing->shown.repaired++;
	else
		healing->shown.unrepaired++;
}

static bool is_live(const struct core *core, const struct core_lane *lane)
{
	return lane->healing.live_us != 0 && core_now_us(core) - lane->healing.live_us < live_for_us;
}

void core_heal_land(struct core *core, struct core_lane *lane, struct page *page)
{
	struct healing *healing = &lane->healing;
	int64_t page_us = core_now_us(core) - healing->sent_us;
	int64_t rest_us = least_rest_us + REST_TIMES * page_us;

	if (healing->least_us < 0 || page_us < healing->least_us)
		healing->least_us = page_us;
	healing->next_us = is_live(core, lane) ? core_now_us(core) + (rest_us < most_rest_us ? rest_us : most_rest_us) : 0;
	/* Whether the connection or the whole back end is to blame, a probe finds out. */
	if (page->verdict != BACKEND_OK)
		core_lane_move(core, lane, LANE_LOST, page->err.text);
	if (!healing->running || page->pass != healing->shown.pass) {
		page_destroy(page);
		return;
	}
	healing->landed = page;
}

static int record(struct core *core, struct core_lane *lane, const struct page *page, struct err *err)
{
	struct engine_heal shown = lane->healing.shown;
	int ret;

	if (page->finding_count == 0 && page->stray_count == 0)
		return ERR_OK;
	ret = store_begin(core->store, err);
	if (ret == ERR_OK)
		ret = core_record_page(core, lane, page, &shown, err);
	if (ret == ERR_OK)
		ret = core_write_events(core, err);
	if (ret == ERR_OK)
		ret = store_commit(core->store, err);
	if (ret != ERR_OK)
		store_rollback(core->store);
	else
		lane->healing.shown = shown;
	core_forget_events(core, 0);
	return ret;
}

static void move_on(struct core *core, struct core_lane *lane, const struct page *page)
{
	struct healing *healing = &lane->healing;

	if (page->upto[0] != '\0' && strcmp(page->upto, healing->after) <= 0) {
		fail(core, lane, "the comparison does not get beyond %.200s", healing->after);
		return;
	}
	for (size_t i = 0; i < page->done; i++)
		healing->shown.compared += page->zones[i].deleted ? 0 : 1;
	memcpy(healing->after, page->upto, sizeof(healing->after));
	healing->compared = page->upto[0] == '\0';
	if (healing->compared)
		healing->shown.state = "repairing";
}

void core_heal_settle(struct core *core, struct core_lane *lane)
{
	struct healing *healing = &lane->healing;
	struct page *page = healing->landed;
	struct err err;

	if (page == NULL)
		return;
	if (page->verdict != BACKEND_OK && ++healing->failures >= LOOKS_MOST) {
		fail(core, lane, "%s", page->err.text);
		return;
	}
	if (page->verdict == BACKEND_OK) {
		core_detail_choose(core, lane);
		if (!core_detail_is_known(lane))
			return;
	}
	healing->landed = NULL;
	if (page->verdict == BACKEND_OK) {
		healing->failures = 0;
		if (record(core, lane, page, &err) != ERR_OK)
			fail(core, lane, "what was found can't be recorded: %s", err.text);
		else
			move_on(core, lane, page);
	}
	page_destroy(page);
	core_detail_clear(lane);
}

/* ---- going on ---- */

/* Live deliveries go first. */
bool core_may_ask(const struct core *core, const struct core_lane *lane)
{
	return lane->health.state == LANE_UP && lane->pages_out == 0 && !lane->alone_out &&
		lane->jobs_out < lane_window(&lane->health, lane->connections) && core_has_idle_slot(lane) &&
		lane->next_due_us > core_now_us(core);
}

static bool may_send(const struct core *core, const struct core_lane *lane)
{
	const struct healing *healing = &lane->healing;

	/* Where deliveries are still to be made, what differs is no drift. */
	return lane->fill_after == INT64_MAX && !healing->compared && healing->landed == NULL && healing->next_us <= core_now_us(core) && core_may_ask(core, lane);
}

static bool add_zone(void *ctx, const struct store_zone *zone)
{
	return page_add(ctx, zone);
}

/* The quickest page tells how far the way is; and one that had to wait for its turn gets more, a zone for each millisecond. */
static struct page_size next_size(const struct core *core, const struct core_lane *lane)
{
	const struct healing *healing = &lane->healing;
	int64_t waited_us = healing->next_us == 0 ? 0 : core_now_us(core) - healing->next_us;
	int64_t zones = BACKEND_LOOK_MOST;

	if (is_live(core, lane)) {
		zones = healing->least_us / 1000 * LIVE_PER_MS + waited_us / 1000;
		zones = zones < LIVE_LEAST ? LIVE_LEAST : zones > LIVE_MOST ? LIVE_MOST : zones;
	}
	return (struct page_size){ .zones = (size_t)zones, .records = (uint64_t)zones * ZONE_RECORDS };
}

static void send_page(struct core *core, struct core_lane *lane)
{
	struct healing *healing = &lane->healing;
	struct page_size most = next_size(core, lane);
	struct page *page = page_create(store_id(core->store), healing->shown.pass, healing->after, &most);
	struct core_job *job;
	struct err err;
	int ret = store_zone_list(core->store, healing->after, most.zones, true, add_zone, page, &err);

	if (ret == ERR_CORRUPT) {
		log_error("a stored zone is damaged, it is not compared", LOG_ERR(&err));
	} else if (ret != ERR_OK) {
		page_destroy(page);
		fail(core, lane, "the zones can't be read from the store: %s", err.text);
		return;
	}
	idmap_free(&healing->touched);
	healing->touched = (struct idmap){ 0 };
	healing->sent_us = core_now_us(core);
	job = xcalloc(1, sizeof(*job));
	job->kind = CORE_JOB_COMPARE;
	job->page = page;
	core_send(core, lane, job);
}

void core_heal_go_on(struct core *core, struct core_lane *lane)
{
	struct healing *healing = &lane->healing;
	bool probe_due = lane->health.state == LANE_DOWN && lane->health.next_probe_us <= core_now_us(core);

	if (!healing->running)
		return;
	if (lane->health.state == LANE_PAUSED)
		fail(core, lane, "%s is paused", lane->name);
	else if (lane->health.state == LANE_DOWN && !probe_due)
		fail(core, lane, "%s is down: %s", lane->name, lane->health.last_error);
	else if (healing->details.asking != NULL && core_may_ask(core, lane))
		core_detail_send(core, lane);
	else if (may_send(core, lane))
		send_page(core, lane);
	else if (healing->compared && healing->repairs.size == 0)
		end(core, lane, NULL);
}

int64_t core_heal_wake_us(const struct core *core, const struct core_lane *lane)
{
	const struct healing *healing = &lane->healing;
	int64_t now_us = core_now_us(core);

	/* All else that it may wait for is an answer of the lane. */
	if (core->quiesced || core->broken)
		return INT64_MAX;
	if (!healing->running)
		return core_heal_auto_wake_us(core, lane);
	if (core->dispatch_us > now_us)
		return core->dispatch_us;
	return !healing->compared && lane->health.state == LANE_UP && healing->next_us > now_us ? healing->next_us :
												   INT64_MAX;
}

void core_heal_show(const struct core *core, const struct core_lane *lane, struct engine_heal *out)
{
	*out = lane->healing.shown;
	if (lane->healing.running)
		out->took_us = took_us(core, &lane->healing);
}
