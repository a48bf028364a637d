/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Watches databases for what a push wrote, as a reader sees it: a row that a
 * connection of its own can read is committed. One thread; blocks.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct watch;

/* Connects to 127.0.0.1 at each port. ERR_IO names the port. */
MUST_CHECK int watch_open(const char *user, const char *password, const char *database, const unsigned *ports,
	size_t count, struct watch **out, struct err *err);
/*
 * Asks every database again and again until sql finds a row there; ERR_TIMEOUT after timeout_ms. *unseen_ns: when (on
 * the monotonic clock) the last question was put that was answered with no; left alone if none was.
 */
MUST_CHECK int watch_wait(struct watch *watch, const char *sql, size_t sql_size, int64_t timeout_ms, int64_t *unseen_ns,
	struct err *err);
void watch_close(struct watch *watch);
