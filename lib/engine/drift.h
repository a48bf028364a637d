/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How the rows of one zone at a back end differ from what is wanted there,
 * record by record: for an event, which tells what was there, and for a plan,
 * which tells what would be done. Pure; any thread; never blocks.
 */
#pragma once

#include "base/buf.h"
#include "base/doc.h"
#include "zone/diff.h"
#include "zone/zone.h"

struct drift {
	struct diff diff;
	const struct zone_record *want;
	const struct diff_row *have;
};

/* wanted NULL: the zone is to be gone. Zone and rows are borrowed as long as the drift lives. */
void drift_make(const struct zone *wanted, const struct diff_row *rows, size_t count, struct drift *out);
void drift_free(struct drift *drift);

/*
 * Appends what was there instead of what is wanted, as one line of at most DRIFT_TEXT_SIZE bytes: a record that is another
 * one, "+" one that is there and not wanted, "-" one that is wanted and not there; the first few, then "and N more".
 *
 *	www A 192.0.2.10 -> 203.0.113.66; +evil TXT "x"; -mail A 192.0.2.10
 */
enum { DRIFT_TEXT_SIZE = 640 };
void drift_describe(const struct drift *drift, struct buf *out);

/*
 * Appends an object for each record that would be added, changed or removed: "change" says which; "hostname", "type", "data"
 * and "ttl" are what it is to be (of one that is removed, what it is), and of one that is changed, "was" has what it is.
 * "ttl" is a text, as it stands there. At most so many; how many that were.
 */
size_t drift_list(const struct drift *drift, size_t most, struct doc *list);
/* How many records would be added, changed, removed. */
void drift_count(const struct drift *drift, size_t *added, size_t *changed, size_t *removed);
