/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SQL text. literal_sql() is the only function that puts data into a
 * statement (decisions.md 8): strings as _ascii x'...', numbers as digits,
 * identifiers in backquotes. The format itself is always a constant of ours.
 * Any thread; never blocks.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

/*
 * Appends format to out. In it
 *   %s  const char *  a string literal; 7-bit (literal_allows), which callers have checked
 *   %u  uint64_t      decimal digits
 *   %t  const char *  an identifier: table, index
 * Nothing else may follow a percent sign.
 */
void literal_sql(struct buf *out, const char *format, ...);
/* May text be given to %s? Only bytes 1..127: whatever charset a column has, they are what they are. */
bool literal_allows(const char *text);
