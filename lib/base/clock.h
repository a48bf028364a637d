/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Time, replaceable in tests and simulation. Durations and due times use the
 * monotonic clock; only stamps that people or other programs read are wall
 * clock. Any thread; never blocks.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"

struct clock {
	int64_t (*mono_ms)(void *ctx);
	int64_t (*wall_us)(void *ctx); /* microseconds since 1970, UTC */
	void *ctx;
};

/* CLOCK_MONOTONIC and CLOCK_REALTIME. */
const struct clock *clock_system(void);

static inline int64_t clock_mono_ms(const struct clock *clock)
{
	return clock->mono_ms(clock->ctx);
}

static inline int64_t clock_wall_us(const struct clock *clock)
{
	return clock->wall_us(clock->ctx);
}

/* RFC 3339 in UTC with microseconds, "2026-11-20T18:00:00.000000Z". */
enum { CLOCK_TEXT_SIZE = 40 };
const char *clock_text(int64_t wall_us, char out[CLOCK_TEXT_SIZE]);
/*
 * The reverse, strictly: "YYYY-MM-DD", "T" or a blank, "HH:MM:SS", a fraction or none, "Z" or nothing (a naive time is UTC:
 * decisions.md 19). False: it is no time after 1970.
 */
MUST_CHECK bool clock_parse(const char *text, int64_t *wall_us);
