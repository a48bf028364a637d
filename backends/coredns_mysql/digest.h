/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The digest of a zone's rows (zone/zone.h, decisions.md 7) computed by the
 * server. Any thread; never blocks.
 */
#pragma once

#include <stdbool.h>


#include "backends/coredns_mysql/schema.h"
#include "base/buf.h"
#include "zone/zone.h"

/*
 * Appends "SELECT zone_id, <count>, <high>, <low> FROM ... WHERE zone_id IN (" to sql; the caller adds the ids (digits
 * or user variables) and digest_sql_end(). A zone without rows gives no row. The columns are called zone_id, n, high and
 * low. What schema says of the columns spares the server conversions; where it is out of date a digest may be wrong, but
 * never that of a zone of ours.
 */
void digest_sql_begin(struct buf *sql, const char *records_table, const struct schema *schema);
void digest_sql_end(struct buf *sql);
/*
 * The same of one zone, whose id the caller adds: "SELECT 9223372036854775807+(<the digest is another one>) ... IN (". Where
 * it is not the one expected that is a number too great, and the statement fails (verify.h).
 */
void digest_sql_assert(struct buf *sql, const char *records_table, const struct schema *schema,
	const struct zone_digest *expected);
void digest_sql_assert_end(struct buf *sql);
/* From the columns count, high and low of a row. False if they are no numbers. */
MUST_CHECK bool digest_take(char *const *columns, struct zone_digest *out);
