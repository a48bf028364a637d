/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Errors: a class to act on and a text that names the culprit.
 *
 * A function that can fail returns 0 or a negative ERR_*; its last parameter
 * is a struct err that it fills only when it fails. Whoever handles the error
 * logs it, once. The text is shown to operators ("line 14: ..."): no secrets,
 * no SQL text, no final dot. Any thread; never blocks.
 */
#pragma once

#include "base/check.h"

enum err_code {
	ERR_OK = 0,
	ERR_INVALID = -1,  /* input breaks a rule; the text names file, line, key, zone or record */
	ERR_NOTFOUND = -2,
	ERR_IO = -3,       /* the operating system or a library refused; after it the disk is not to be trusted */
	ERR_NOSPACE = -4,  /* the disk is full */
	ERR_BUSY = -5,     /* a bounded queue is full or a lock is held: later */
	ERR_CORRUPT = -6,  /* stored data fails its checksum */
	ERR_VERSION = -7,  /* stored data was made by a newer release */
	ERR_DENIED = -8,   /* a right is missing */
	ERR_LIMIT = -9,    /* a configured limit is exceeded */
	ERR_CLOSED = -10,  /* the other side is shutting down */
	ERR_TIMEOUT = -11,
	ERR_FOREIGN = -12  /* a file of another program */
};

enum { ERR_TEXT_SIZE = 512 };

struct err {
	enum err_code code;
	char text[ERR_TEXT_SIZE];
};

/* Fills err (which may be NULL) and returns code, so that a caller can write return err_set(...). */
PRINTF_LIKE(3, 4) int err_set(struct err *err, enum err_code code, const char *format, ...);
/* Puts "prefix: " before the text that is there; returns err->code. err is not NULL: whoever may have none asks before. */
PRINTF_LIKE(2, 3) int err_prefix(struct err *err, const char *format, ...);
/* "invalid", "busy", ...: for logs and JSON. */
const char *err_name(enum err_code code);
