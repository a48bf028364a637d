/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The predecessor's own database, for importing: directdnsonly keeps one row
 * per domain in the table `domains` (id, domain, hostname, username, zone_data,
 * zone_updated_at; all but id may be NULL, and older releases lack the last
 * two). Only read, under SQLite's own locks, so that it may be in use.
 *
 * One thread per handle; blocks on the disk; memory for one row at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct predecessor;

/* All live until the next call. */
struct predecessor_zone {
	const char *domain;     /* as it stands there */
	const char *hostname;   /* the owning master; "": not known */
	const char *username;   /* likewise */
	const char *text;       /* NULL: none was kept; text_size bytes, any of them */
	size_t text_size;
	const char *updated_at; /* as it stands there, naive UTC; "": none */
};

/*
 * ERR_NOTFOUND: there is no file. ERR_FOREIGN: it is no SQLite database, or one without that table. ERR_BUSY: somebody
 * writes to it for more than 5 s.
 */
MUST_CHECK int predecessor_open(const char *path, struct predecessor **out, struct err *err);
/* The next row, in order of id; *more false: there are no more. */
MUST_CHECK int predecessor_next(struct predecessor *predecessor, struct predecessor_zone *out, bool *more,
	struct err *err);
/* How many rows there are, about: it may be in use. 0: not known. */
uint64_t predecessor_count(struct predecessor *predecessor);
/* NULL is allowed. */
void predecessor_close(struct predecessor *predecessor);
