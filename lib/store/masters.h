/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the store knows of the DirectAdmin masters: when each gave its last
 * complete list, and which zones of it were missing there (reliability.md 4.6,
 * decisions.md 20). The contract is that of store.h: threads, blocking, errors,
 * transactions, times.
 *
 * A row of a missing zone leads to a delete: it has a checksum, and one that
 * fails it counts as not there, so that counting begins anew.
 */
#pragma once

#include "store/store.h"

enum { STORE_IDENTITY_SIZE = 256 };

struct store_master {
	char identity[STORE_IDENTITY_SIZE]; /* the hostname that it uses in pushes: lower case, no final dot */
	int64_t pass;                    /* the number of its newest complete list; 0: there was none */
	int64_t judged;                  /* the newest one whose missing zones were all counted */
	int64_t complete_at_us;          /* of pass; 0: never */
	int64_t tried_at_us;
	int64_t since_us;                /* when it became complete, or unknown */
	uint64_t zones;                  /* in that list */
	char *error;                     /* why the newest list was not complete; NULL: it was. Owned */
};

void store_master_clear(struct store_master *master);
/* ERR_NOTFOUND: nothing was ever asked of it. */
MUST_CHECK int store_master_load(struct store *store, const char *identity, struct store_master *out, struct err *err);
MUST_CHECK int store_master_save(struct store *store, const struct store_master *master, struct err *err);

struct store_missing {
	int64_t zone_id;
	char name[ZONE_NAME_SIZE];       /* given by lists, not kept */
	char master[STORE_IDENTITY_SIZE];
	uint64_t generation;             /* of the zone, when the list was fetched */
	int64_t updated_at_us;           /* likewise */
	int64_t first_at_us;
	uint64_t passes;                 /* complete lists in a row that lacked it */
	int64_t last_pass;               /* the newest of those */
	bool condemned;                  /* to be deleted, if all of this is still true then */
};

/* ERR_NOTFOUND: it is not missing. */
MUST_CHECK int store_missing_load(struct store *store, int64_t zone_id, struct store_missing *out, struct err *err);
/* A new row, or over the one that is there. */
MUST_CHECK int store_missing_save(struct store *store, const struct store_missing *missing, struct err *err);
/* No row is no error. */
MUST_CHECK int store_missing_drop(struct store *store, int64_t zone_id, struct err *err);
/* Of that master (NULL: of all), by zone id behind after (0: from the first). */
MUST_CHECK int store_missing_list(struct store *store, const char *master, int64_t after, size_t limit,
	bool (*each)(void *ctx, const struct store_missing *missing), void *ctx, struct err *err);
/* Nothing is condemned any more; *count: how many were. What was counted stays. */
MUST_CHECK int store_missing_reprieve(struct store *store, size_t *count, struct err *err);
/* Up to limit of the condemned ones whose master has no newer list that is still to be judged; *count: how many are in out. */
MUST_CHECK int store_missing_condemned(struct store *store, size_t limit, struct store_missing *out, size_t *count,
	struct err *err);
