/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where imported zones go: to zonefand by its operator API, or, where none
 * runs, to an engine of our own on the same store, under its lock and without
 * back ends. The same requests either way; whoever imports does not see which.
 *
 * One thread; every call blocks until what it brought is durable.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "commands.h"

struct importer;

struct import_zone {
	const char *name;
	const char *hostname;  /* the owning master; "": not known */
	const char *username;
	const char *text;      /* NULL: only the owner is known */
	size_t text_size;
	int64_t at_us;         /* when it was accepted, wall clock; 0: not known */
};

enum { IMPORT_RESULT_SIZE = 24 };

/* What became of it: words and meaning as in lib/http/README.md. */
struct import_outcome {
	char result[IMPORT_RESULT_SIZE];
	char reason[ERR_TEXT_SIZE]; /* "": none */
};

/*
 * Nobody on the control socket: the store is opened here. ERR_BUSY: another process has it (a zonefand without control
 * socket, or one that starts). ERR_DENIED: the store is another user's, who could not open it any more afterwards.
 */
MUST_CHECK int importer_open(const struct call *call, struct importer **out, struct err *err);
MUST_CHECK int importer_submit(struct importer *importer, const struct import_zone *zone, struct import_outcome *out,
	struct err *err);
/* NULL is allowed. */
void importer_close(struct importer *importer);
