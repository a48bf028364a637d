/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pushes as DirectAdmin does: HTTP/1.0, Basic auth, one connection per push,
 * the zone as the body of a POST (directadmin-protocol.md 5); the answer is
 * read to its end. One thread plays all panels, so that little of the machine
 * is taken from what is measured.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan.h"

enum { PUSH_WORKERS_MAX = 1024 };

struct push_run {
	struct plan *plan;
	uint16_t port;             /* on loopback */
	const char *authorization; /* of the Basic scheme, encoded; NULL: bodies are whole requests, success is 2xx */
	size_t workers;            /* connections at a time, at most */
	/*
	 * 0: a worker begins a push when its last one is answered. Else so many begin each second, whether others are
	 * answered or not; one that finds no worker free waits, and its start_ns is when it should have begun.
	 */
	double per_second;
	/* Called after each good answer, if not NULL; false: the push failed all the same. Nothing else moves meanwhile. */
	bool (*answered)(void *ctx, struct plan_push *push);
	void *ctx;
};

/* Blocks. Fills start_ns and ack_ns of each push; returns how many failed, each told on stderr. */
size_t push_all(const struct push_run *run);
