/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the pusher pushes, prepared by tests/bench/run: for each push a line
 * "NAME BODY_SIZE SQL_SIZE", then the zone text, then the statement that finds
 * a row once the push is committed (empty where nobody waits for it).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct plan_push {
	char name[256];
	const char *body;
	size_t body_size;
	const char *sql;
	size_t sql_size;
	/* filled by the pusher, on the monotonic clock; 0: has not happened */
	int64_t start_ns;
	int64_t ack_ns;
	int64_t commit_ns; /* seen there */
	int64_t unseen_ns; /* not yet seen there */
};

struct plan {
	char *text;
	struct plan_push *pushes;
	size_t count;
};

MUST_CHECK int plan_read(const char *path, struct plan *out, struct err *err);
void plan_free(struct plan *plan);
