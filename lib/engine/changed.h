/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Of what one content of a zone has and another has not, one RRset that a name
 * server can be asked for: its answer shows whether the newer one is served,
 * even where the serial is the same. Pure; any thread.
 *
 * Passed over are the SOA, NS, and what is not answered as it stands: DNSSEC's
 * own types, and names at or below a delegation or a DNAME. One that is gone
 * counts only where no wildcard can stand in for it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "zone/zone.h"

struct changed {
	const char *owner;   /* relative; lives as long as the zone that has it */
	const char *type;
	uint16_t type_code;
	const struct zone_record *records; /* as they are now; NULL: there are none any more */
	size_t count;
};

/* before NULL: there was nothing. False: there is no such RRset. */
bool changed_pick(const struct zone *before, const struct zone *after, struct changed *out);
