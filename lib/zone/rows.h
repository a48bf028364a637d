/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows that somebody wrote into a database -> a zone, for importing. Rows are
 * believed nothing: each has to be one whole record by itself, so that no field
 * can be read as another record, a directive or a comment that swallows one.
 * Any thread; never blocks.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "zone/diff.h"
#include "zone/zone.h"

/*
 * ERR_INVALID names the record and what is wrong with it: a field that is NULL or has a line break, a TTL that is no
 * number, a row that is not online (it is not served: to take it would put it in service, to leave it out would lose
 * it), or whatever zone_parse refuses, no SOA among it. On success *out has one reference.
 */
MUST_CHECK int rows_make_zone(const char *name, const struct diff_row *rows, size_t count, size_t max_records,
	struct zone **out, struct err *err);
