/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How long something takes, counted in fixed buckets from 1 ms to 1 h: what a
 * Prometheus histogram needs. One thread observes, any thread copies; neither
 * blocks. Zeroed memory is an empty histogram.
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum { HISTOGRAM_BOUNDS = 19 };

/* The upper bound of each bucket, inclusive, in microseconds, rising; what is longer falls in one more. */
extern const int64_t histogram_bounds_us[HISTOGRAM_BOUNDS];

struct histogram {
	_Atomic uint64_t counts[HISTOGRAM_BOUNDS + 1];
	_Atomic uint64_t sum_us;
};

/* What was counted at one moment; an observation made meanwhile may be in counts and not in sum_us yet. */
struct histogram_copy {
	uint64_t counts[HISTOGRAM_BOUNDS + 1]; /* of each bucket alone: not cumulative */
	uint64_t count;
	uint64_t sum_us;
};

/* A negative time (a clock that was set back) counts as 0. */
void histogram_observe(struct histogram *histogram, int64_t took_us);
void histogram_read(const struct histogram *histogram, struct histogram_copy *out);
