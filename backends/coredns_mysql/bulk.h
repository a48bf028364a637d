/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Many records by a prepared statement and arrays of values: for the server
 * that is two thirds of the work of the same rows as text, and for us less
 * still; but each array costs a round trip, and only MariaDB takes them. Ids
 * that are given away may have gaps. Thread of the back end; blocks as link.h
 * does.
 */
#pragma once

#include "backends/coredns_mysql/target.h"

enum bulk_kind {
	BULK_INSERT, /* new rows */
	BULK_UPSERT  /* rows with ids that are there: data, ttl and online are changed */
};

struct bulk_columns; /* what waits to be sent */

/* Zero-initialise all but target and kind; bulk_end() in any case. */
struct bulk {
	struct target *target;
	enum bulk_kind kind;
	struct bulk_columns *columns;
	unsigned count;              /* of rows in columns */
	size_t bytes;
};

/* The record must live until bulk_end(). id: of an upsert. 0, or -1: the link says why. */
MUST_CHECK int bulk_add(struct bulk *bulk, uint64_t id, uint64_t zone_id, const struct zone_record *record);
/* Sends what is left, unless it is told to throw it away; frees. */
MUST_CHECK int bulk_end(struct bulk *bulk, bool send);
