/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The text of a zone as the scanner can take it, and where in it a person
 * finds a record. Internal to lib/zone; any thread.
 *
 * libzscanner 3.2 refuses CRLF and bytes above 0x7e, counts a line break
 * inside a quoted string not at all, and knows only where a record ends. So
 * line ends and 8-bit bytes are rewritten here (lines stay what they are) and
 * lines are counted here, on the error path only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct text {
	const char *data; /* LF line ends, 7-bit, ends with LF; borrowed from the caller where nothing had to change */
	size_t size;
	char *copy;
};

/* raw must outlive the text. ERR_INVALID with the line for an empty text and for a NUL byte. */
MUST_CHECK int text_open(struct text *text, const char *raw, size_t length, struct err *err);
void text_close(struct text *text);

/* The line, from 1, that the byte at offset stands on. */
size_t text_line(const struct text *text, size_t offset);
/* Where the record (or directive) that reaches to offset begins: another line than offset's inside parentheses. */
size_t text_record_start(const struct text *text, size_t offset);

/* What stands on a line, without blanks around it; size bytes that are no string. */
struct text_piece {
	const char *data;
	size_t size;
	bool indented; /* the line begins with a blank: the owner is inherited (RFC 1035 5.1) */
};
/* Of the line on which the byte at offset stands. */
struct text_piece text_line_content(const struct text *text, size_t offset);
/* Takes the first blank-separated word off a piece. size 0: none is left. */
struct text_piece text_next_word(struct text_piece *piece);
