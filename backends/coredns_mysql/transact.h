/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One transaction that brings zones to their state: lock, look, write, verify,
 * commit (decisions.md 1; reliability.md 3.2-3.3). Thread of the back end;
 * blocks until end_ms at most.
 */
#pragma once

#include "backends/coredns_mysql/target.h"
#include "backends/coredns_mysql/work.h"

enum transact_end {
	TRANSACT_DONE,     /* every work is settled */
	TRANSACT_MISMATCH, /* rolled back: some rows are not what was written; TRANSACT_CAREFUL finds out which */
	TRANSACT_PARTED,   /* rolled back: at least one work is settled (REJECT), the others may go on without it */
	TRANSACT_ZONE,     /* rolled back: one of the zones is to blame (verdict RETRY or REJECT) */
	TRANSACT_DOWN      /* rolled back or lost: the whole back end; the connection is closed */
};

enum transact_way {
	TRANSACT_SWIFT,   /* as cheap as can be: all writes, their verification by the server and COMMIT in one packet; or, of
	                     many rows to a near server, as below */
	TRANSACT_CAREFUL  /* what was written is read, wrong rows are written once more in full, and only then COMMIT is sent */
};

struct transact_failure {
	enum backend_verdict verdict;
	bool lost;      /* as backend_item.lost */
	bool untouched; /* nothing was written: lost, but not by a time-out, or a table was altered since we connected */
	struct err err;
};

/* works: none settled yet. Those that are STALE are settled whatever becomes of the others. */
enum transact_end transact_run(struct target *target, struct work *const *works, size_t count, enum transact_way way,
	int64_t end_ms, struct transact_failure *failure);
/*
 * Settles those of the works, all of them to be checked, that are as they shall be, without a transaction. DONE: it
 * looked, and what is not settled needs one.
 */
enum transact_end transact_check(struct target *target, struct work *const *works, size_t count, int64_t end_ms,
	struct transact_failure *failure);
