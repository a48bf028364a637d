/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is posted: one JSON object.
 *
 *	id        of the message: a repeated one bears the same
 *	text      a line for people, which is all that many chats want
 *	event     the kind of fact (facts.h)
 *	state     "problem" or "recovered"
 *	backend   its name, or null
 *	detail    why, or how much; may be ""
 *	since, at when it became so, and when it was told
 *	host      of this zonefan
 *	version   of it
 */
#pragma once

#include "notify/watch.h"

/* The caller frees it. */
char *message_write(const struct watch_news *news, const char *host, const char *id, int64_t wall_us);
