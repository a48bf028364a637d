/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/histogram.h"

#define MS INT64_C(1000)
#define S INT64_C(1000000)

const int64_t histogram_bounds_us[HISTOGRAM_BOUNDS] = {
	1 * MS, 2500, 5 * MS, 10 * MS, 25 * MS, 50 * MS, 100 * MS, 250 * MS, 500 * MS, 1 * S,
	2500 * MS, 5 * S, 10 * S, 30 * S, 60 * S, 300 * S, 600 * S, 1800 * S, 3600 * S
};

static size_t bucket_of(int64_t took_us)
{
	size_t at = 0;

	while (at < HISTOGRAM_BOUNDS && took_us > histogram_bounds_us[at])
		at++;
	return at;
}

void histogram_observe(struct histogram *histogram, int64_t took_us)
{
	if (took_us < 0)
		took_us = 0;
	atomic_fetch_add_explicit(&histogram->counts[bucket_of(took_us)], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&histogram->sum_us, (uint64_t)took_us, memory_order_relaxed);
}

void histogram_read(const struct histogram *histogram, struct histogram_copy *out)
{
	out->count = 0;
	for (size_t i = 0; i <= HISTOGRAM_BOUNDS; i++) {
		out->counts[i] = atomic_load_explicit(&histogram->counts[i], memory_order_relaxed);
		out->count += out->counts[i];
	}
	out->sum_us = atomic_load_explicit(&histogram->sum_us, memory_order_relaxed);
}
