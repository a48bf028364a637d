/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A TCP relay on loopback that hands on each piece of data a fixed time after
 * it was read, in order, as fast as it comes: distance without a limit of
 * bandwidth. It counts bytes and round trips. A round trip begins when the
 * client sends something after it was given something; what it sends without
 * having been answered since belongs to the same one.
 *
 * One thread owns it; nothing blocks but relay_turn, up to its time-out.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

enum { RELAY_READ_MAX = 256 * 1024 }; /* read at a time */

struct relay;

/* ERR_IO if the port can't be had. delay_ns: for each way. */
MUST_CHECK int relay_create(uint16_t listen_port, uint16_t target_port, int64_t delay_ns, struct relay **out,
	struct err *err);
void relay_destroy(struct relay *relay);
/* Waits until something is to be done, and does it. False: watched_fd is readable (it is asked for each time). */
bool relay_turn(struct relay *relay, int watched_fd);
/*
 * On: connections are still taken, but what comes on them and on all others is thrown away, nothing is answered and
 * nothing is closed. Off: connections that lost data so are reset, others go on.
 */
void relay_swallow(struct relay *relay, bool on);
/* All counters from zero; connections stay. */
void relay_reset(struct relay *relay);
/* One line of JSON: totals, and of each connection that is open. */
void relay_print(const struct relay *relay, FILE *out);
