/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The rows that the loader inserts: lines of zone, hostname, type, data and
 * ttl between tabs, zone by zone. Read once, then read only; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct bench_row {
	const char *hostname;
	const char *type;
	const char *data;
	const char *ttl; /* digits */
};

struct bench_zone {
	const char *name;
	struct bench_row *rows;
	size_t row_count;
};

struct bench_rows {
	char *text;
	struct bench_row *rows;
	struct bench_zone *zones;
	size_t row_count;
	size_t zone_count;
};

/* ERR_INVALID names the line. */
MUST_CHECK int rows_read(const char *path, struct bench_rows *out, struct err *err);
void rows_free(struct bench_rows *rows);
