/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "engine/page.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct page *page_create(const char *store_id, int64_t pass, const char *after, const struct page_size *most)
{
	struct page *page = xcalloc(1, sizeof(*page));

	CHECK(most->zones > 0 && most->zones <= BACKEND_LOOK_MOST);
	page->pass = pass;
	page->most = *most;
	memcpy(page->store_id, store_id, sizeof(page->store_id));
	memcpy(page->after, after, strlen(after) + 1);
	page->to_end = true;
	page->zones = xcalloc(most->zones, sizeof(*page->zones));
	return page;
}

void page_destroy(struct page *page)
{
	if (page == NULL)
		return;
	for (size_t i = 0; i < page->count; i++)
		free(page->zones[i].name);
	free(page->zones);
	free(page->findings);
	buf_free(&page->strays);
	free(page);
}

bool page_add(struct page *page, const struct store_zone *zone)
{
	CHECK(page->count < page->most.zones);
	page->zones[page->count++] = (struct page_zone){ .zone_id = zone->id, .generation = zone->generation,
		.deleted = zone->deleted, .digest = zone->digest, .name = xstrdup(zone->name) };
	page->records += zone->deleted ? 0 : zone->digest.count;
	page->to_end = page->count < page->most.zones && page->records < page->most.records;
	return page->to_end;
}

/* ---- what differs ---- */

static bool is_ours(const struct backend_seen *seen, const char *store_id)
{
	return strcmp(seen->stamp.store_id, store_id) == 0;
}

/* A zone that somebody made anew after we deleted it is not ours to remove; the one that we deleted is. */
static enum page_drift judge_deleted(const struct page_zone *zone, const struct backend_seen *seen,
	const char *store_id)
{
	if (!is_ours(seen, store_id))
		return PAGE_EQUAL;
	if (!seen->exists)
		return seen->deleted ? PAGE_EQUAL : PAGE_STAMP;
	return !seen->deleted || zone_digest_equal(&seen->actual, &zone->digest) ? PAGE_UNDELETED : PAGE_EQUAL;
}

enum page_drift page_judge(const struct page_zone *zone, const struct backend_seen *seen, const char *store_id)
{
	if (zone->deleted)
		return judge_deleted(zone, seen, store_id);
	if (!seen->exists)
		return PAGE_MISSING;
	if (!zone_digest_equal(&seen->actual, &zone->digest))
		return PAGE_CHANGED;
	if (!is_ours(seen, store_id) || seen->deleted || seen->stamp.generation != zone->generation ||
		!zone_digest_equal(&seen->stamped, &zone->digest))
		return PAGE_STAMP;
	return PAGE_EQUAL;
}

static void describe_stamp(const struct page_finding *finding, const char *store_id, struct buf *out)
{
	const struct backend_seen *seen = &finding->seen;
	const struct page_zone *zone = finding->zone;

	if (seen->stamp.store_id[0] == '\0')
		buf_puts(out, "no stamp");
	else if (!is_ours(seen, store_id))
		buf_printf(out, "the stamp of store %s, generation %" PRIu64, seen->stamp.store_id,
			seen->stamp.generation);
	else if (seen->stamp.generation != zone->generation)
		buf_printf(out, "the stamp of generation %" PRIu64 " instead of %" PRIu64, seen->stamp.generation,
			zone->generation);
	else if (seen->deleted != zone->deleted)
		buf_printf(out, "a stamp that calls it %s", seen->deleted ? "deleted" : "there");
	else if (!zone->deleted && !zone_digest_equal(&seen->stamped, &zone->digest))
		buf_puts(out, "a stamp with another digest");
	else
		buf_puts(out, "the right stamp");
}

void page_describe(const struct page_finding *finding, const char *store_id, struct buf *out)
{
	uint64_t wanted = finding->zone->digest.count;
	uint64_t there = finding->seen.actual.count;

	switch (finding->drift) {
	case PAGE_EQUAL:
		buf_puts(out, "as wanted");
		break;
	case PAGE_MISSING:
		buf_printf(out, "%" PRIu64 " records wanted, the zone is not there", wanted);
		break;
	case PAGE_CHANGED:
		if (there == wanted)
			buf_printf(out, "%" PRIu64 " records wanted and there, but not the same", wanted);
		else
			buf_printf(out, "%" PRIu64 " records wanted, %" PRIu64 " there", wanted, there);
		break;
	case PAGE_STAMP:
		buf_printf(out, "%s as wanted, its stamp is not", finding->zone->deleted ? "gone" : "the records are");
		break;
	case PAGE_UNDELETED:
		buf_printf(out, "deleted, and there again with %" PRIu64 " records", there);
		break;
	}
	buf_puts(out, " (");
	describe_stamp(finding, store_id, out);
	buf_puts(out, ")");
}

/* ---- the look ---- */

static void judge_all(struct page *page, const struct backend_seen *seen)
{
	for (size_t i = 0; i < page->done; i++) {
		enum page_drift drift = page_judge(&page->zones[i], &seen[i], page->store_id);

		if (drift == PAGE_EQUAL)
			continue;
		if ((page->finding_count & (page->finding_count - 1)) == 0) {
			size_t room = page->finding_count == 0 ? 1 : page->finding_count * 2;

			page->findings = xrealloc(page->findings, room * sizeof(*page->findings));
		}
		page->findings[page->finding_count++] =
			(struct page_finding){ .drift = drift, .zone = &page->zones[i], .seen = seen[i] };
	}
}

void page_look(struct page *page, struct backend *backend)
{
	struct backend_seen *seen = xcalloc(page->count + 1, sizeof(*seen));
	struct backend_look look = { .after = page->after, .zones = seen, .count = page->count,
		.to_end = page->to_end };

	for (size_t i = 0; i < page->count; i++)
		seen[i].name = page->zones[i].name;
	page->verdict = backend->ops->look(backend, &look, &page->err);
	page->strays = look.strays;
	if (page->verdict == BACKEND_OK) {
		page->done = look.done;
		memcpy(page->upto, look.upto, sizeof(page->upto));
		page->stray_count = look.stray_count;
		judge_all(page, seen);
	}
	free(seen);
}
