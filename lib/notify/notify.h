/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tells a webhook what changes for the worse, and when it is well again
 * (product-table.md V10): one message per change of state, never one per zone.
 *
 * One thread, which looks at the engine's status every two seconds, and posts
 * JSON (message.h) by HTTP. A state is told when it has lasted min_seconds, so
 * that what comes and goes is not told at all. What can't be posted waits, the
 * oldest first, up to NOTIFY_QUEUE messages (then the oldest is lost, and the
 * log and the status say so), and is tried again with a growing pause. Changes
 * nothing; a receiver that is slow or away costs nobody else anything.
 */
#pragma once

#include <stddef.h>

#include "engine/engine.h"

enum { NOTIFY_QUEUE = 100 };

struct notify_params {
	const char *url;
	const char *username;      /* "": no login is sent */
	const char *password;
	unsigned min_seconds;
	unsigned unanswered_seconds; /* what name servers do not answer for so long is a problem */
};

struct notify;

/* Starts the thread. All in params, and the engine, must outlive it. */
struct notify *notify_start(const struct notify_params *params, struct engine *engine);
/* Gives up what is under way, within a second or so; what waits is not posted. Before engine_stop. NULL is allowed. */
void notify_stop(struct notify *notify);
