/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The definitions of the three tables, as the server writes them: cheap enough
 * to be looked at in each transaction. A table that cannot roll back is seen
 * before anything is written to it, and one that was altered in any way since
 * the connection was made is seen too, so that what schema.h says holds. Never
 * blocks.
 */
#pragma once


#include "backends/coredns_mysql/coredns_mysql.h"
#include "backends/coredns_mysql/result.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"

enum { SHAPE_TABLES = 3 };

/* A fingerprint of all three; ids that were given away do not matter. */
struct shape {
	uint8_t hash[HASH_SIZE];
	size_t size;             /* bytes of the definitions */
};

/* Appends SHAPE_TABLES statements, each with one result set, without a semicolon behind the last one. */
void shape_add(struct buf *sql, const struct coredns_mysql_settings *settings);
/* One answer after the other, into all. 0, or err says that the table cannot roll back. */
MUST_CHECK int shape_take(struct buf *all, struct result *rows, struct err *err);
/* Of all answers. */
struct shape shape_of(const struct buf *all);
bool shape_equal(const struct shape *a, const struct shape *b);
