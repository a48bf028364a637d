/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a page of the healing pass found is known by digests alone: a person
 * wants to know which records. So a second question is asked about the first
 * few zones of a page, before anything is repaired. A database that lost all
 * is told in short: what was there is nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/core_internal.h"

enum { DETAILS_MOST = 16 }; /* zones of a page */

void core_detail_clear(struct core_lane *lane)
{
	struct details *details = &lane->healing.details;

	inspect_destroy(details->asking);
	inspect_destroy(details->told);
	*details = (struct details){ .chosen = false };
}

static bool is_worth_it(const struct page_finding *finding)
{
	return finding->drift == PAGE_CHANGED || finding->drift == PAGE_UNDELETED;
}

/* As the store has it now, if that is still what was compared. Anything wrong: it is told in short. */
static void add(struct core *core, const struct page_zone *zone, struct inspect *inspect, uint64_t *bytes)
{
	struct store_zone row = { 0 };
	struct source *source = NULL;
	struct err err;

	if (store_zone_get(core->store, zone->zone_id, &row, &err) != ERR_OK)
		return;
	bool holds = row.generation == zone->generation && row.deleted == zone->deleted &&
		(*bytes == 0 || *bytes + row.text_size <= CORE_BATCH_BYTES);
	if (holds && !row.deleted)
		holds = core_source(core, &row, &source, &err) == ERR_OK;
	if (holds) {
		inspect_add(inspect, &row, source);
		*bytes += row.deleted ? 0 : row.text_size;
	}
	store_zone_clear(&row);
}

void core_detail_choose(struct core *core, struct core_lane *lane)
{
	struct details *details = &lane->healing.details;
	const struct page *page = lane->healing.landed;
	struct inspect *inspect;
	uint64_t bytes = 0;

	if (details->chosen)
		return;
	details->chosen = true;
	inspect = inspect_create(INSPECT_TEXT, store_id(core->store), DETAILS_MOST);
	inspect->pass = page->pass;
	for (size_t i = 0; i < page->finding_count && inspect->count < DETAILS_MOST; i++) {
		if (is_worth_it(&page->findings[i]) &&
			idmap_get(&lane->healing.touched, page->findings[i].zone->zone_id) == NULL)
			add(core, page->findings[i].zone, inspect, &bytes);
	}
	if (inspect->count == 0)
		inspect_destroy(inspect);
	else
		details->asking = inspect;
}

bool core_detail_is_known(const struct core_lane *lane)
{
	return lane->healing.details.asking == NULL && !lane->healing.details.out;
}

void core_detail_send(struct core *core, struct core_lane *lane)
{
	struct details *details = &lane->healing.details;
	struct core_job *job = xcalloc(1, sizeof(*job));

	job->kind = CORE_JOB_INSPECT;
	job->inspect = details->asking;
	details->asking = NULL;
	details->out = true;
	core_send(core, lane, job);
}

void core_detail_land(struct core *core, struct core_lane *lane, struct inspect *inspect)
{
	struct details *details = &lane->healing.details;

	/* As with a page: a probe finds out. What is not known is told in short. */
	if (inspect->verdict != BACKEND_OK)
		core_lane_move(core, lane, LANE_LOST, inspect->err.text);
	if (!details->out || inspect->pass != lane->healing.shown.pass) {
		inspect_destroy(inspect);
		return;
	}
	details->out = false;
	details->told = inspect;
}
