/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * HTML text. Whatever is not written in this source goes through html_text,
 * which makes any bytes harmless in text and in quoted attributes. One owner;
 * never blocks.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"

/*
 * Escapes & < > " '. What is no UTF-8, a control character but tab and line feed, and what turns the direction of
 * writing around (so that an error could read as another one) becomes U+FFFD. NULL: nothing.
 */
void html_text(struct buf *out, const char *text);
/* The format is markup; it knows %s alone, a text that is escaped. */
PRINTF_LIKE(2, 3) void html_put(struct buf *out, const char *format, ...);
/* "12,345" */
void html_count(struct buf *out, uint64_t count);
