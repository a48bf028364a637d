/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The fewest row writes that turn the rows a database holds into the records
 * of a zone. Rows that are right stay untouched; a row of the same owner and
 * type becomes another record of that RRset by an update in place, so its id
 * stays; only what is left over is inserted or deleted.
 *
 * A row is right when all five fields are, byte for byte, what
 * zone_digest_add() is given for that record (ttl in decimal, online "1"):
 * rows without a difference have the zone's digest. Rows may come in any
 * order, be doubled, and hold any text; NULL equals nothing that is wanted.
 * Any thread, never blocks; time n log n.
 */
#pragma once

#include <stddef.h>

#include "zone/zone.h"

struct diff_row {
	const char *owner;
	const char *type;
	const char *data;
	const char *ttl;
	const char *online;
};

enum diff_kind { DIFF_UPDATE, DIFF_DELETE, DIFF_INSERT };

struct diff_op {
	enum diff_kind kind;
	size_t have; /* index into have: the row to update or delete; unused for an insert */
	size_t want; /* index into want: what the row shall be; unused for a delete */
};

struct diff {
	struct diff_op *ops; /* updates, then deletes, then inserts */
	size_t count;
	size_t kept;         /* rows that are right already */
};

/* Fills *out, which the caller releases by diff_free. have and want are read only during the call. */
void diff_make(const struct diff_row *have, size_t have_count, const struct zone_record *want, size_t want_count,
	struct diff *out);
void diff_free(struct diff *diff);
