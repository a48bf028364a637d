/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What /metrics shows: every metric of zonefand, its name, type and meaning.
 * Base units (seconds, bytes), the prefix zonefan_, and no label whose values
 * are as many as zones. The loop thread; never blocks but for a look at /proc.
 */
#pragma once

#include "engine/engine.h"
#include "http/expose.h"

struct http;

/* All of it, behind what out holds. */
void metrics_write(const struct http *http, const struct engine_status *status, struct buf *out);

/* ---- parts, each in a file of its own ---- */

/* metrics_engine.c: pushes, the store, back ends. */
void metrics_add_engine(struct expose *expose, const struct engine_status *status);
/* metrics_rooms.c: masters, peers, name servers, the webhook, from what their rooms publish; a room that is off shows nothing. */
void metrics_add_rooms(struct expose *expose, const struct engine_status *status);
/* metrics_process.c: this process, as the kernel sees it. */
void metrics_add_process(struct expose *expose, const struct engine_status *status);
