/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One back end as an import sees it: all names there, and rows zone by zone,
 * over a connection of our own with the daemon's settings. Only read. One
 * thread; blocks as backend.h says.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "backends/backend.h"
#include "engine/engine.h"

struct import_source {
	const char *name;               /* as configured */
	struct backend *backend;
	bool readable;
	char error[ERR_TEXT_SIZE];      /* why not */
	char **names;                   /* canonical, sorted, each once */
	size_t count;
	char **odd;                     /* names that are no canonical zone names: nobody is served them */
	size_t odd_count;
	uint64_t differing;             /* of the zones that were compared */
	uint64_t missing;
	uint64_t alone;                 /* zones that the chosen back end does not have */
	struct backend_rows rows[BACKEND_READ_MOST];
	struct backend_read read;
};

/* Connects and lists the names. What cannot be read is no failure here: readable is false, and error says why. */
void import_source_open(struct import_source *source, const struct engine_backend *from);
/*
 * Reads some of those names, sorted, into read; *done: how many of them, at least one. The rows live until the next
 * call.
 */
MUST_CHECK int import_source_read(struct import_source *source, char *const *names, size_t count, size_t *done,
	struct err *err);
bool import_source_has(const struct import_source *source, const char *name);
void import_source_close(struct import_source *source);
/* {name, zones, differing, missing, alone, error} */
json_t *import_source_json(const struct import_source *source);
