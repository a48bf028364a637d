/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What somebody could be told of, as the status has it:
 *
 *	store_not_writable      pushes can't be made durable
 *	held                    changes wait for an operator's word
 *	certificate_expires     that of the HTTP server, within two weeks
 *	backend_down            nothing can be written there
 *	unanswered              it is written there, and name servers do not answer it
 *	dead_letters            zones that it can't hold, or fails at
 *	contested               zones that somebody else keeps writing there
 *
 * Pure; no thread.
 */
#pragma once

#include "engine/engine.h"
#include "notify/watch.h"

struct facts {
	struct watch_fact *list;
	size_t count;
};

/* All of them, well or not. What is unanswered longer than unanswered_us is a problem. */
void facts_gather(const struct engine_status *status, int64_t unanswered_us, int64_t wall_us, struct facts *out);
void facts_clear(struct facts *facts);
