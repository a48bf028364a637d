/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A small tree of named values: an answer before it has a format. Whoever knows
 * the facts builds it; whoever talks to the outside turns it into JSON, without
 * knowing what it is about.
 *
 * The root is an object; objects and lists are made inside their parent, which
 * owns them. Texts are copied, any byte is allowed. One owner; never blocks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

enum doc_kind { DOC_NULL, DOC_BOOL, DOC_INT, DOC_UINT, DOC_REAL, DOC_TEXT, DOC_TIME, DOC_OBJECT, DOC_LIST };

struct doc {
	enum doc_kind kind;
	char *key;             /* NULL: the root, or an element of a list */
	union {
		bool boolean;
		int64_t number;    /* INT; TIME: wall clock, microseconds */
		uint64_t count;    /* UINT */
		double real;
		char *text;
	} value;
	size_t text_size;      /* TEXT: without its NUL */
	struct doc *children;  /* OBJECT, LIST: the first one */
	struct doc *last;
	struct doc *next;      /* in the parent */
};

struct doc *doc_create(void);
/* NULL is allowed. */
void doc_destroy(struct doc *root);

/* Into an object under that key, behind what is there; into a list with key NULL. */
struct doc *doc_object(struct doc *parent, const char *key);
struct doc *doc_list(struct doc *parent, const char *key);
/* NULL: null. */
void doc_text(struct doc *parent, const char *key, const char *text);
void doc_bytes(struct doc *parent, const char *key, const char *text, size_t size);
/* A zone's name as people write it: without its final dot. NULL: null. */
void doc_name(struct doc *parent, const char *key, const char *name);
void doc_bool(struct doc *parent, const char *key, bool value);
void doc_int(struct doc *parent, const char *key, int64_t value);
void doc_uint(struct doc *parent, const char *key, uint64_t value);
void doc_real(struct doc *parent, const char *key, double value);
/* 0: null (never, or not known). */
void doc_time(struct doc *parent, const char *key, int64_t wall_us);
void doc_null(struct doc *parent, const char *key);
/* Puts value, a root, into the object under that key; returns what was there (a root, the caller's) or NULL. */
MUST_CHECK struct doc *doc_adopt(struct doc *object, const char *key, struct doc *value);
struct doc *doc_copy(const struct doc *root);
/* The value under that key of an object; NULL: there is none. */
const struct doc *doc_get(const struct doc *object, const char *key);
