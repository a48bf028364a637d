/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One pass: what is held first, then all lists, so that whatever is pushed
 * meanwhile makes the zone another one than was judged.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "sync/internal.h"

static int64_t wall_us(void)
{
	return clock_wall_us(clock_system());
}

/* ---- lists ---- */

static void fetch_list(struct sync *sync, struct master *master)
{
	struct da_list *list = &master->list;

	da_list_free(list);
	bool complete = da_client_list(master->client, list, &master->err) == ERR_OK;
	master->state = complete ? MASTER_KNOWN : MASTER_UNKNOWN;
	if (!complete) {
		sync->pass.unknown++;
		return;
	}
	master->err = (struct err){ 0 };
	master->lists++;
	master->found.zones = list->count;
	master->found.ignored = list->ignored;
}

static void take_claims(struct sync *sync, int at)
{
	const struct da_list *list = &sync->masters[at].list;
	size_t own = 0, foreign = 0;
	const char *name;

	while ((name = da_list_next(&list->names, &own)) != NULL)
		claims_add(&sync->pass.claims, name, at);
	while ((name = da_list_next(&list->foreign_names, &foreign)) != NULL)
		claims_add_foreign(&sync->pass.claims, name);
}

static bool fetch_lists(struct sync *sync)
{
	for (size_t i = 0; i < sync->params.master_count; i++) {
		struct master *master = &sync->masters[i];

		fetch_list(sync, master);
		/* What was given up because we stop is no fault of the master's. */
		if (!sync_tick(sync) || !steps_tell_list(sync, master))
			return false;
		if (master->state == MASTER_KNOWN)
			take_claims(sync, (int)i);
	}
	return true;
}

bool reconcile_look(struct sync *sync)
{
	bool back = false;

	for (size_t i = 0; i < sync->params.master_count && sync_tick(sync); i++) {
		struct master *master = &sync->masters[i];
		struct da_list list = { 0 };

		if (sync_is_away(master))
			back = da_client_list(master->client, &list, &master->err) == ERR_OK || back;
		da_list_free(&list);
	}
	return back;
}

/* ---- judging ---- */

static void judge_zones(struct sync *sync)
{
	struct mirror_master *masters = xcalloc(sync->params.master_count, sizeof(*masters));
	struct pass *pass = &sync->pass;

	for (size_t i = 0; i < sync->params.master_count; i++)
		masters[i] = (struct mirror_master){ .known = sync->masters[i].state == MASTER_KNOWN,
			.odd_names = sync->masters[i].found.ignored > 0 };
	mirror_judge_all(&pass->mirror, &pass->claims, masters, sync->params.master_count);
	free(masters);
	for (size_t i = 0; i < pass->mirror.count; i++) {
		const struct mirror_zone *zone = &pass->mirror.zones[i];

		pass->contested += zone->verdict == MIRROR_CONTESTED;
		pass->foreign += !zone->deleted && zone->claimant == MIRROR_FOREIGN;
		pass->moved += zone->verdict == MIRROR_MOVED && zone->owner != MIRROR_NOBODY;
		pass->found_owner += zone->verdict == MIRROR_MOVED && zone->owner == MIRROR_NOBODY;
	}
}

/*
 * A master's first complete list after a start is only counted (decisions.md 20); so is one of a pass in which another master
 * is unknown: what this one lacks may stand there.
 */
static bool settle_master(struct sync *sync, struct master *master)
{
	bool decide = master->lists > 1 && !sync->pass.dry_run && sync->pass.unknown == 0;

	if (!sync->pass.dry_run && !steps_tell_zones(sync, master, ENGINE_MASTER_OWN, MIRROR_MOVED))
		return false;
	return steps_tell_zones(sync, master, ENGINE_MASTER_MISSING, MIRROR_MISSING) && steps_judge(sync, master, decide);
}

static bool settle(struct sync *sync)
{
	judge_zones(sync);
	if (!steps_tell_contested(sync))
		return false;
	for (size_t i = 0; i < sync->params.master_count; i++) {
		if (sync->masters[i].state == MASTER_KNOWN && !settle_master(sync, &sync->masters[i]))
			return false;
	}
	return true;
}

/* ---- the pass ---- */

static void begin(struct sync *sync, bool dry_run)
{
	sync->pass = (struct pass){ .number = sync->pass.number + 1, .dry_run = dry_run, .started_at_us = wall_us() };
	for (size_t i = 0; i < sync->params.master_count; i++)
		sync->masters[i].found = (struct master_found){ 0 };
	report_publish(sync);
}

static bool go_through(struct sync *sync)
{
	if (!steps_load(sync) || !fetch_lists(sync) || !settle(sync))
		return false;
	for (size_t i = 0; i < sync->params.master_count; i++) {
		if (sync->masters[i].state == MASTER_KNOWN)
			catch_up(sync, &sync->masters[i]);
		if (!sync_tick(sync))
			return false;
	}
	return true;
}

static void end(struct sync *sync, bool complete)
{
	struct pass *pass = &sync->pass;

	pass->complete = complete;
	pass->ended_at_us = wall_us();
	mirror_free(&pass->mirror);
	claims_free(&pass->claims);
	pass->claims = (struct claims){ 0 };
	for (size_t i = 0; i < sync->params.master_count; i++) {
		da_list_free(&sync->masters[i].list);
		sync->masters[i].shown = sync->masters[i].found;
	}
	sync->last = *pass;
	log_info("a pass over the masters is over", LOG_INT("pass", pass->number), LOG_BOOL("complete", complete),
		LOG_BOOL("dry_run", pass->dry_run), LOG_UINT("unknown", pass->unknown),
		LOG_REAL("seconds", (double)(pass->ended_at_us - pass->started_at_us) / 1e6));
}

void reconcile_pass(struct sync *sync, bool dry_run)
{
	begin(sync, dry_run);
	end(sync, go_through(sync));
}
