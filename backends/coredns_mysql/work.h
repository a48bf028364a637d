/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One zone within a transaction: what the database holds of it, and what is
 * to be done about that (decisions.md 1, 6, 11). Pure logic; one owner.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/backend.h"
#include "zone/diff.h"

enum work_kind {
	WORK_NOTHING, /* it is as it shall be */
	WORK_STAMP,   /* the rows are right, the stamp is not, or the rows are in doubt */
	WORK_CHANGE,  /* some rows differ: work.diff */
	WORK_REWRITE, /* all rows go, all come anew */
	WORK_CREATE,  /* there is no such zone */
	WORK_REMOVE,  /* the zone goes, its stamp stays as a tombstone */
	WORK_BURY     /* the zone is gone, the tombstone is not right */
};

/* A row of the state table. */
struct work_stamp {
	bool found;
	bool deleted;
	struct backend_stamp by;
	struct zone_digest digest; /* all zero where the text is none */
};

struct work {
	struct backend_item *item;
	bool settled;             /* item->verdict stands */
	bool taking;              /* the rows that come are asked for by this zone's name */
	/* the zone as found */
	bool exists;
	bool misnamed;            /* it is there in another spelling (a collation without case, a trailing blank) */
	uint64_t zone_id;         /* 0: not known; that of a new zone is learnt only if need be. Of one that exists: none that serves */
	struct work_stamp stamp;
	struct zone_digest actual; /* of the rows, as the server computed it for a check */
	struct diff_row *rows;    /* NULL once their text, which belongs to the result they were read from, is gone */
	uint64_t *row_ids;
	size_t row_count;
	size_t row_capacity;
	/* what to do */
	enum work_kind kind;
	size_t ordinal;           /* CREATE: which one of the new zones it is */
	struct diff diff;
	bool *ttl_only;           /* for each operation of the diff: an update of a row of which the TTL alone differs */
	bool right;               /* the rows that were read after they were written are the zone's */
};

/* Forgets all that was found: for another transaction about the same item. */
void work_reset(struct work *work);
/* The result they were read from goes; their ids and number, and what was made of them, stay. */
void work_drop_texts(struct work *work);
/* And what was made of them: before others are added. */
void work_forget_rows(struct work *work);
/*
 * So many rows of these zones, which are to be saved, are read at the most: what they shall have and 200,000 more. That many may
 * be any number, and are not the zones'.
 */
uint64_t work_rows_most(struct work *const *works, size_t count);
/* In so much memory: what the zones that are to be saved shall have and 32 MiB more. What is beyond is not the zones' either. */
uint64_t work_bytes_most(struct work *const *works, size_t count);
void work_add_row(struct work *work, uint64_t id, const struct diff_row *row);
/*
 * Are zone, stamp and rows (actual) what the item wants, or another's than the one to be deleted? Then there is nothing to do,
 * and nothing need be locked.
 */
bool work_is_clean(const struct work *work, const char *store_id);
/*
 * From what was found, the rows of a save included, to work->kind. False: the item is STALE (verdict, found and err are
 * set). store_id: ours. A checked item comes here only after it was found not to be clean.
 */
bool work_judge(struct work *work, const char *store_id);
/* In place of that, where there are more rows than are read at the most: none was added, and all of them go. As above. */
bool work_judge_unread(struct work *work, const char *store_id);
/* After the rows were written and read: sets right, from those that work_add_row() was given since. */
void work_compare(struct work *work);
/* Are the zone's rows written or verified? */
bool work_touches_rows(const struct work *work);
/* Is the stamp written? */
bool work_writes(const struct work *work);
/* Sets the item's row counts: all three tables. As long as the diff is there. */
void work_count(const struct work *work);
