/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a database holds of zones: with locks, at the beginning of a
 * transaction, or without, to find out whether there is anything to do. One
 * packet each. Thread of the back end; blocks as link.h does.
 */
#pragma once

#include "backends/coredns_mysql/roster.h"
#include "backends/coredns_mysql/target.h"

enum look_end {
	LOOK_DONE,
	LOOK_FAILED,  /* the link says why */
	LOOK_UNFIT,   /* a table cannot roll back: err */
	LOOK_ALTERED  /* a table is not what it was when the connection was made */
};

/*
 * START TRANSACTION; zone rows and stamps FOR UPDATE, in the order of names; no row of records, but its metadata; the
 * definitions of the three tables; the records of the zones that are to be saved. Judges each work: those that are STALE
 * are settled.
 */
enum look_end look_and_lock(struct target *target, struct roster *roster, struct err *err);
/*
 * Stamps and digests, as they are at this moment; nothing is locked, no transaction left open. What is right then was
 * committed. 0 or -1: the link says why.
 */
MUST_CHECK int look_only(struct target *target, struct roster *roster);
