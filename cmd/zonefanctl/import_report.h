/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What came of an import, zone by zone: counted, and listed where there is something to tell. One thread; never blocks. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "importer.h"

struct import_report {
	json_t *counts;  /* result -> number; all results, in the order that people read */
	json_t *zones;   /* [{zone, result, reason, ...}]: not those that were simply taken over, or are held already */
	bool left_out;   /* something could not be taken over */
};

void import_report_begin(struct import_report *report);
/* more (owned, may be NULL): an object with what else there is to tell of it; it is listed then in any case. */
void import_report_add(struct import_report *report, const char *zone, const struct import_outcome *outcome, json_t *more);
/* Moves counts and zones into the answer. */
void import_report_end(struct import_report *report, json_t *answer);
/* For people: the counts; then the zones that are listed, with result and reason. */
void import_report_show(const json_t *answer);
