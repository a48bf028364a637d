/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SQL text. literal_sql() is the only function that puts data into a
 * statement (decisions.md 8): strings as hex, numbers as digits,
 * identifiers in backquotes. The format itself is always a constant of ours.
 * Any thread; never blocks.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

/*
 * Appends format to out. In it
 *   %s  const char *  a string literal, _ascii x'...'; 7-bit (literal_allows), which callers have checked
 *   %x  const char *  the same as x'...', its bytes as they are: for columns that hold ASCII so (schema.plain), which spares
 *                     the server a conversion; never to compare by, where it would mean a comparison byte for byte
 *   %u  uint64_t      decimal digits
 *   %t  const char *  an identifier: table, index
 * Nothing else may follow a percent sign.
 */
void literal_sql(struct buf *out, const char *format, ...);
/* May text be given to %s? Only bytes 1..127: whatever charset a column has, they are what they are. */
bool literal_allows(const char *text);
