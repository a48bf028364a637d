/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How rows differ from the zone that they are to be. One thread; never blocks. */
#pragma once

#include <jansson.h>

#include "backends/backend.h"

/*
 * {name, state: "differs" or "missing", added, changed, removed, records: ["+ www 60 IN A ...", "- ...", ...]}: what would
 * be written there, with a few of the records; NULL: nothing.
 */
json_t *import_compare(const char *backend, const struct backend_rows *rows, const struct zone *zone);
/* For people: an entry's back ends, a line each, and the records. */
void import_compare_show(const json_t *zone);
