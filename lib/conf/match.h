/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which key of the table does a path of the file, or the name of a variable,
 * mean? And if none: which one may have been meant?
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "conf/keys.h"

enum { MATCH_SUGGESTION_SIZE = 256 };

struct match_name {
	const char *text; /* in the matched string: what "*" stands for */
	size_t size;
};

/* path as in document.h; NULL: unknown. */
const struct key *match_path(const char *path, struct match_name *backend);
enum match_container { MATCH_NONE, MATCH_MAP, MATCH_LIST };

/* What path must be, by the keys that lie inside it. */
enum match_container match_container(const char *path);
/* The known key nearest to path, for people; false: none is near. */
bool match_nearest(const char *path, char out[MATCH_SUGGESTION_SIZE]);

/*
 * variable is a name behind "DADNS_"; the longest key that fits wins. *from_file: it is a secret's ..._FILE.
 * NULL: unknown.
 */
const struct key *match_variable(const char *variable, struct match_name *backend, bool *from_file);
/* As match_nearest; both without the prefix. */
bool match_nearest_variable(const char *variable, char out[MATCH_SUGGESTION_SIZE]);
/* Whether the variable's part middle names that back end: case is ignored, '-' and '.' count as '_'. */
bool match_backend(const char *name, struct match_name middle);
