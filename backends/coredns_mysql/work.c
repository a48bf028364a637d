/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/coredns_mysql/work.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/testing.h"

enum {
	FIRST_ROWS = 24,
	ROWS_SPARE = 200000,
	BYTES_SPARE = 32 << 20,
	ROW_BYTES = 512 /* all of a row but its data: names, numbers, what their places take */
};

void work_drop_texts(struct work *work)
{
	free(work->rows);
	work->rows = NULL;
	work->row_capacity = 0;
}

void work_forget_rows(struct work *work)
{
	work_drop_texts(work);
	work->row_count = 0;
	diff_free(&work->diff);
	free(work->ttl_only);
	work->ttl_only = NULL;
}

void work_reset(struct work *work)
{
	struct backend_item *item = work->item;

	work_forget_rows(work);
	free(work->row_ids);
	*work = (struct work){ .item = item, .settled = work->settled };
}

uint64_t work_rows_most(struct work *const *works, size_t count)
{
	uint64_t rows = ROWS_SPARE;

	for (size_t i = 0; i < count; i++)
		rows += zone_digest(works[i]->item->zone)->count;
	return rows;
}

uint64_t work_bytes_most(struct work *const *works, size_t count)
{
	uint64_t bytes = BYTES_SPARE;

	for (size_t i = 0; i < count; i++) {
		const struct zone *zone = works[i]->item->zone;

		if (zone != NULL)
			bytes += zone_memory(zone) + zone_digest(zone)->count * ROW_BYTES;
	}
	return bytes;
}

void work_add_row(struct work *work, uint64_t id, const struct diff_row *row)
{
	CHECK(work->rows != NULL || work->row_count == 0);
	if (work->row_count == work->row_capacity) {
		work->row_capacity = work->row_capacity == 0 ? FIRST_ROWS : work->row_capacity * 2;
		work->rows = xrealloc(work->rows, work->row_capacity * sizeof(*work->rows));
		work->row_ids = xrealloc(work->row_ids, work->row_capacity * sizeof(*work->row_ids));
	}
	work->rows[work->row_count] = *row;
	work->row_ids[work->row_count++] = id;
}

static bool stamp_is_ours(const struct work *work, const char *store_id)
{
	return work->stamp.found && strcmp(work->stamp.by.store_id, store_id) == 0;
}

/* Does the stamp say what it will say when the item is done? */
static bool stamp_is_right(const struct work *work, const char *store_id)
{
	const struct backend_item *item = work->item;

	if (!stamp_is_ours(work, store_id) || work->stamp.by.generation != item->generation ||
		work->stamp.deleted != (item->zone == NULL))
		return false;
	return item->zone == NULL || zone_digest_equal(&work->stamp.digest, zone_digest(item->zone));
}

static bool is_stale(const struct work *work, const char *store_id)
{
	const struct backend_stamp *by = &work->stamp.by;
	const struct backend_stamp *allowed = &work->item->supersede;

	if (!work->stamp.found)
		return false;
	if (strcmp(by->store_id, allowed->store_id) == 0 && by->generation == allowed->generation)
		return false;
	if (stamp_is_ours(work, store_id))
		return by->generation > work->item->generation;
	return true;
}

static enum work_kind judge_delete(const struct work *work, const char *store_id)
{
	if (!work->exists)
		return stamp_is_right(work, store_id) ? WORK_NOTHING : WORK_BURY;
	/* Unstamped too: the engine sends a delete only for a zone of which it accepted a save, and that save may have been
	   overtaken by the delete before it got here. Where that can't be it is checked, and was found to be ours. */
	return WORK_REMOVE;
}

/* Nothing of what was deleted is there, and the tombstone is right. */
static bool is_gone(const struct work *work, const char *store_id)
{
	if (!stamp_is_ours(work, store_id))
		return true;
	if (!work->exists)
		return stamp_is_right(work, store_id);
	if (work->zone_id == 0)
		return false; /* by no id that serves: its rows were not seen */
	return work->stamp.deleted && !zone_digest_equal(&work->actual, &work->item->last);
}

bool work_is_clean(const struct work *work, const char *store_id)
{
	if (work->item->zone == NULL)
		return is_gone(work, store_id);
	return work->exists && !work->misnamed && stamp_is_right(work, store_id) &&
		zone_digest_equal(&work->actual, zone_digest(work->item->zone));
}

/* While the rows' text is there. */
static void mark_ttls(struct work *work, const struct zone_record *records)
{
	work->ttl_only = xcalloc(work->diff.count, sizeof(bool));
	for (size_t i = 0; i < work->diff.count; i++) {
		const struct diff_op *op = &work->diff.ops[i];
		const struct diff_row *row = op->kind == DIFF_UPDATE ? &work->rows[op->have] : NULL;

		if (row != NULL)
			work->ttl_only[i] = row->data != NULL && strcmp(row->data, records[op->want].data) == 0 &&
				row->online != NULL && strcmp(row->online, "1") == 0;
	}
}

static enum work_kind judge_save(struct work *work, const char *store_id)
{
	size_t count;
	const struct zone_record *records = zone_records(work->item->zone, &count);

	if (PLANTED(replace_into_zones))
		work->exists = false, work->zone_id = 0;
	if (!work->exists)
		return WORK_CREATE;
	if (!work->misnamed && !work->item->check && stamp_is_right(work, store_id))
		return WORK_NOTHING;
	diff_make(work->rows, work->row_count, records, count, &work->diff);
	/* Without a difference in a zone that is checked the rows may only look right: they are verified. */
	if (work->diff.count == 0)
		return WORK_STAMP;
	mark_ttls(work, records);
	return WORK_CHANGE;
}

bool work_judge(struct work *work, const char *store_id)
{
	struct backend_item *item = work->item;

	if (is_stale(work, store_id)) {
		item->verdict = BACKEND_STALE;
		item->found = work->stamp.by;
		err_set(&item->err, ERR_BUSY, "generation %" PRIu64 " of %s store %s is there already, ours is %" PRIu64,
			item->found.generation, stamp_is_ours(work, store_id) ? "our" : "another",
			item->found.store_id, item->generation);
		return false;
	}
	work->kind = item->zone == NULL ? judge_delete(work, store_id) : judge_save(work, store_id);
	return true;
}

bool work_judge_unread(struct work *work, const char *store_id)
{
	if (!work_judge(work, store_id))
		return false;
	if (work->kind == WORK_STAMP || work->kind == WORK_CHANGE) {
		work_forget_rows(work); /* the difference to none */
		work->kind = WORK_REWRITE;
	}
	return true;
}

void work_compare(struct work *work)
{
	size_t count;
	const struct zone_record *records = zone_records(work->item->zone, &count);

	diff_free(&work->diff);
	diff_make(work->rows, work->row_count, records, count, &work->diff);
	work->right = work->diff.count == 0 || PLANTED(digest_check_off);
	diff_free(&work->diff);
	work_drop_texts(work);
}

bool work_touches_rows(const struct work *work)
{
	return work->kind == WORK_STAMP || work->kind == WORK_CHANGE || work->kind == WORK_REWRITE ||
		work->kind == WORK_CREATE;
}

bool work_writes(const struct work *work)
{
	return work_touches_rows(work) || work->kind == WORK_REMOVE || work->kind == WORK_BURY;
}

static uint64_t *counter_of(struct backend_item *item, enum diff_kind kind)
{
	switch (kind) {
	case DIFF_UPDATE:
		return &item->rows_updated;
	case DIFF_DELETE:
		return &item->rows_deleted;
	case DIFF_INSERT:
		return &item->rows_inserted;
	}
	WRONG("a row operation that is none");
}

void work_count(const struct work *work)
{
	struct backend_item *item = work->item;
	size_t records = 0;

	item->rows_inserted = item->rows_updated = item->rows_deleted = 0;
	if (!work_writes(work))
		return;
	if (item->zone != NULL)
		(void)zone_records(item->zone, &records);
	if (work->kind == WORK_CREATE)
		item->rows_inserted = records + 1;
	if (work->kind == WORK_REWRITE) {
		item->rows_deleted = work->row_count;
		item->rows_inserted = records;
	}
	if (work->kind == WORK_REMOVE)
		item->rows_deleted = work->stamp.digest.count + 1; /* by what the stamp says */
	for (size_t i = 0; work->kind == WORK_CHANGE && i < work->diff.count; i++)
		*counter_of(item, work->diff.ops[i].kind) += 1;
	if (work->misnamed)
		item->rows_updated++;
	*counter_of(item, work->stamp.found ? DIFF_UPDATE : DIFF_INSERT) += 1;
}
