/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A page of the healing pass: some zones as the store wants them, and what a
 * back end holds instead. The engine thread makes it, a lane looks and
 * compares, the engine thread settles what was found. One owner at a time.
 */
#pragma once

#include "backends/backend.h"
#include "store/store.h"

/* How large a page gets; the first limit that is reached counts. */
struct page_size {
	size_t zones;                   /* at most BACKEND_LOOK_MOST */
	uint64_t records;
};

enum page_drift {
	PAGE_EQUAL,
	PAGE_MISSING,   /* wanted, and not there */
	PAGE_CHANGED,   /* other rows than wanted */
	PAGE_STAMP,     /* the rows are right, the stamp is not */
	PAGE_UNDELETED  /* deleted, and there again as we wrote it */
};

/* What is wanted: a row of the store as it was when the page was made. */
struct page_zone {
	int64_t zone_id;
	uint64_t generation;
	bool deleted;
	struct zone_digest digest;
	char *name;
};

struct page_finding {
	enum page_drift drift;
	const struct page_zone *zone;   /* of the page */
	struct backend_seen seen;
};

struct page {
	int64_t pass;
	struct page_size most;
	char store_id[STORE_ID_SIZE];
	char after[ZONE_NAME_SIZE];     /* it begins behind this name; "": with the first */
	bool to_end;                    /* no zone of the store lies behind it */
	uint64_t records;
	struct page_zone *zones;        /* sorted by name */
	size_t count;
	/* by page_look: */
	enum backend_verdict verdict;
	struct err err;                 /* unless OK */
	size_t done;                    /* zones compared, from the first */
	char upto[ZONE_NAME_SIZE];      /* as far as this; "": to the end of all names */
	struct page_finding *findings;
	size_t finding_count;
	struct buf strays;              /* as backend_look.strays */
	size_t stray_count;
};

struct page *page_create(const char *store_id, int64_t pass, const char *after, const struct page_size *most);
/* NULL is allowed. */
void page_destroy(struct page *page);
/* By name. False: no more has room. */
bool page_add(struct page *page, const struct store_zone *zone);
/* In the lane's thread; blocks as backend_ops.look does. */
void page_look(struct page *page, struct backend *backend);
/* Pure: how what was seen differs from what is wanted. store_id: ours. */
enum page_drift page_judge(const struct page_zone *zone, const struct backend_seen *seen, const char *store_id);
/* One sentence for people: what is wanted, and what is there. */
void page_describe(const struct page_finding *finding, const char *store_id, struct buf *out);
