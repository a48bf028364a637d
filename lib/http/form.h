/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * application/x-www-form-urlencoded, both ways. Decoding is strict and total:
 * a field with a bad % escape or a NUL is kept as bad, so that only whoever
 * asks for that field hears of it. One owner; never blocks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

enum { FORM_FIELDS_MAX = 20000 };

struct form_field {
	char *key;         /* NULL: its escapes are bad */
	char *value;       /* NULL: its escapes are bad, or it holds a NUL */
	size_t value_size;
};

struct form {
	struct form_field *fields;
	size_t count;
	size_t capacity;
};

/* Appends the fields of text to the form, which starts zeroed. ERR_LIMIT over FORM_FIELDS_MAX. */
MUST_CHECK int form_parse(struct form *form, const char *text, size_t size, struct err *err);
void form_free(struct form *form);
/*
 * The field with this key, NULL if there is none. A key that comes again with the same value counts once; with another
 * value, or a bad value: ERR_INVALID. Keys are compared byte for byte.
 */
MUST_CHECK int form_get(const struct form *form, const char *key, const struct form_field **out, struct err *err);
/* Decodes % escapes alone (a path's segment). NULL: bad escape or NUL. */
char *form_decode_path(const char *text, size_t size);
/* Letters, digits and "-._~" stay, a blank becomes "+", all else %XX. */
void form_encode(struct buf *out, const char *text);
