/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Some zones record by record: as the store wants them, and what a back end
 * holds. The engine thread makes it, a lane reads and compares, the engine
 * thread has the outcome: for the events of a healing pass, and for a plan.
 * One owner at a time.
 */
#pragma once

#include "backends/backend.h"
#include "base/doc.h"
#include "engine/source.h"
#include "store/store.h"

enum inspect_form {
	INSPECT_TEXT, /* a line for each zone: what was there */
	INSPECT_LIST  /* objects: what would be done */
};

enum {
	INSPECT_RECORDS = 5000,       /* when so many are listed the rest is for the next page */
	INSPECT_ZONE_RECORDS = 100000 /* and so many at most of one zone */
};

struct inspect_zone {
	int64_t zone_id;
	uint64_t generation;
	bool deleted;
	struct zone_digest digest;      /* of what is wanted; of a deleted one, of what it was */
	char name[ZONE_NAME_SIZE];
	struct source *source;          /* one reference; NULL: deleted */
	struct buf text;                /* TEXT, by inspect_run; empty: no difference */
};

struct inspect {
	enum inspect_form form;
	int64_t pass;                   /* TEXT: the healing pass it is for */
	char store_id[STORE_ID_SIZE];   /* ours */
	struct inspect_zone *zones;     /* sorted by name */
	size_t count;
	/* by inspect_run: */
	enum backend_verdict verdict;
	struct err err;                 /* unless OK */
	size_t done;                    /* zones compared, from the first */
	struct doc *list;               /* LIST: the answer, made by the caller ... */
	struct doc *zone_list;          /* ... and its list of zones, to which those that differ are added */
	size_t listed;                  /* records in it */
};

/* Room for so many zones. */
struct inspect *inspect_create(enum inspect_form form, const char *store_id, size_t room);
/* NULL is allowed. */
void inspect_destroy(struct inspect *inspect);
/* In order of name. Takes the reference. */
void inspect_add(struct inspect *inspect, const struct store_zone *zone, struct source *source);
/* In the lane's thread; blocks as backend_ops.read does. */
void inspect_run(struct inspect *inspect, struct backend *backend, size_t max_zone_records);
/* TEXT: what differs in that zone; NULL: it is not among them, or nothing is known. */
const char *inspect_text(const struct inspect *inspect, int64_t zone_id);
