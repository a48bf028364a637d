/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Receipts: what was written at a back end, and since when its name servers
 * answer it (schema/README.md). Part of the store: one owner per handle, may
 * block on the disk, errors as in store.h. A row has no checksum: a wrong one
 * leads to a question too many.
 *
 * Stored, because what was answered when is asked for days later, and because
 * it costs little: the row is written in the transaction that records the
 * delivery, and answers come many in one.
 */
#pragma once

#include "store/store.h"

struct store_receipt {
	int64_t zone_id;
	int64_t backend_id;
	int64_t number;          /* of this writing */
	uint64_t generation;     /* that was written */
	bool deleted;
	uint32_t serial;
	int64_t pushed_at_us;    /* when it was accepted; 0: not known */
	int64_t written_at_us;
	int64_t since_us;        /* unanswered since */
	bool late;               /* it was asked for after its time, and is not answered */
	bool still;              /* late: it is deleted, and a name server answers it all the same; not stored: what they said */
	int64_t answered_at_us;  /* 0: not yet */
};

/* Makes it, or makes it anew if that is another generation; *fresh: so it was. An unanswered one keeps since and late. */
MUST_CHECK int store_receipt_write(struct store *store, const struct store_receipt *receipt, bool *fresh, struct err *err);
MUST_CHECK int store_receipt_load(struct store *store, int64_t zone_id, int64_t backend_id, struct store_receipt *out,
	struct err *err);
/* Every name server answers it. */
MUST_CHECK int store_receipt_close(struct store *store, int64_t zone_id, int64_t backend_id, int64_t at_us, struct err *err);
MUST_CHECK int store_receipt_late(struct store *store, int64_t zone_id, int64_t backend_id, struct err *err);
/* They did, and do not any more: it is unanswered since then, under a new number. */
MUST_CHECK int store_receipt_reopen(struct store *store, int64_t zone_id, int64_t backend_id, int64_t number, int64_t since_us,
	struct err *err);
/* That generation was written where nobody asks: a receipt of an older one must not be asked for, should somebody ask again. */
MUST_CHECK int store_receipt_outdate(struct store *store, int64_t zone_id, int64_t backend_id, uint64_t generation,
	struct err *err);
/* The highest number that was given; 0: none. */
MUST_CHECK int store_receipt_last(struct store *store, int64_t *number, struct err *err);
/* Unanswered ones of a back end by number, behind after. */
MUST_CHECK int store_receipt_list(struct store *store, int64_t backend_id, int64_t after, size_t limit,
	bool (*each)(void *ctx, const struct store_receipt *receipt), void *ctx, struct err *err);

struct store_receipt_counts {
	uint64_t waiting;        /* not late yet */
	uint64_t unanswered;     /* late: also deleted zones whose name servers say nothing */
	int64_t oldest_since_us; /* of those; 0: none */
	uint64_t still;          /* late, deleted zones that are answered all the same */
};

MUST_CHECK int store_receipt_counts(struct store *store, int64_t backend_id, struct store_receipt_counts *out,
	struct err *err);

/* A zone in service that is clean at the back end. */
struct store_sample {
	int64_t zone_id;
	const char *name;
	uint64_t generation;
	uint32_t serial;
	bool answered;           /* by every name server, when it was asked last */
	bool open;               /* it is being asked for */
};

/* Up to limit of them, by id behind after. */
MUST_CHECK int store_receipt_sample(struct store *store, int64_t backend_id, int64_t after, size_t limit,
	void (*each)(void *ctx, const struct store_sample *sample), void *ctx, struct err *err);

struct store_answer {
	int64_t zone_id;
	int64_t backend_id;
	const char *server;      /* as configured */
	uint64_t generation;
	int64_t asked_at_us;
	int64_t answered_at_us;  /* that generation; 0: it does not */
	bool has_serial;
	uint32_t serial;         /* that it told */
	bool authoritative;
	const char *error;       /* NULL: none */
};

MUST_CHECK int store_answer_put(struct store *store, const struct store_answer *answer, struct err *err);
/* By name of the server. */
MUST_CHECK int store_answer_list(struct store *store, int64_t zone_id, int64_t backend_id,
	void (*each)(void *ctx, const struct store_answer *answer), void *ctx, struct err *err);
