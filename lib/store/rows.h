/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside lib/store only: how a row of zone and a row of delivery are read,
 * for the statements that select them. One thread per handle; no blocking.
 */
#pragma once

#include <sqlite3.h>

#include "store/store.h"

/* Of zone AS z, from column 0. */
#define ROWS_ZONE                                                                                            \
	"z.id, z.name, z.generation, z.deleted, z.digest_count, z.digest_high, z.digest_low, z.serial,"      \
	" z.hostname, z.username, z.updated_at, z.text_size, z.checksum"
enum { ROWS_ZONE_COLUMNS = 13 };

/* Of delivery AS d and its zone AS z. */
#define ROWS_DELIVERY                                                                                        \
	"d.applied, d.state, d.check_rows, d.suspect, d.attempts, d.next_try, d.since, d.applied_at, d.last_error,"  \
	" z.generation"
enum { ROWS_DELIVERY_COLUMNS = 10 };

/* Fills out from ROWS_ZONE; its texts live until the next step. ERR_CORRUPT: out is what stands there all the same. */
int rows_read_zone(sqlite3_stmt *stmt, struct store_zone *out, struct err *err);
/* store_zone_put inside a scope; origin NULL: text is what was there already, perhaps in another layout. */
struct store_origin;
int rows_put_zone(struct store *store, struct store_zone *zone, const char *text, size_t size,
	const struct store_origin *origin, struct err *err);
/* The texts become the zone's own. */
void rows_own_texts(struct store_zone *zone);
/*
 * Fills out from ROWS_DELIVERY, which begins at column first; last_error is borrowed until the next step. A row has no
 * checksum: one that cannot be right is given as due and to be checked, because delivering once more is always safe.
 * The zone's row is not checked here either: its damage must not keep a delivery from being set aside.
 */
void rows_read_delivery(sqlite3_stmt *stmt, int first, struct delivery *out);
