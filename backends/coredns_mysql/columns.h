/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What of the columns decides how values are written to them, and how a digest of them is asked for. */
#pragma once

#include <stdbool.h>

/* Of the records, in the order of the digest (zone/zone.h). */
enum { SCHEMA_HOSTNAME, SCHEMA_TYPE, SCHEMA_DATA, SCHEMA_TTL, SCHEMA_ONLINE, SCHEMA_DIGESTED };

struct schema_column {
	bool nullable;
	bool foreign; /* its text is not held as UTF-8 is */
};
