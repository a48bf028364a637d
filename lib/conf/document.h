/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One YAML document -> a flat list of its nodes, each with its line. No
 * meaning is given to anything here. Stricter than YAML: no second document,
 * no anchors, aliases or tags, no key twice in a mapping, no empty document.
 * Blocks not. Errors name file and line.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum {
	DOCUMENT_MAX_SIZE = 1024 * 1024,
	DOCUMENT_MAX_NODES = 100000,
	/* In paths, bytes that no key can contain: a back end's name may hold dots. */
	DOCUMENT_SEPARATOR = '\037', /* before a key, but the first */
	DOCUMENT_ELEMENT = '\036'    /* behind a list's path: one of its elements */
};

enum document_kind { DOCUMENT_SCALAR, DOCUMENT_MAP, DOCUMENT_LIST };

struct document_node {
	char *path;  /* "dns\037backends\037dc1\037host" */
	char *shown; /* the same for people: "dns.backends.dc1.host", "retry.backoff_seconds[]" */
	char *value; /* "" for null, mappings and lists */
	int line;    /* from 1: of the key, or of the list's element */
	enum document_kind kind;
	bool null;   /* nothing, ~ or null, without quotes */
};

struct document {
	struct document_node *nodes; /* in the order of the file, a mapping or list before what is in it */
	size_t count;
};

/* file is for messages. On success the caller frees *out by document_free. */
MUST_CHECK int document_read(const char *text, size_t size, const char *file, struct document *out, struct err *err);
/* Wipes the values. */
void document_free(struct document *document);
