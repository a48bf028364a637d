/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Does the time of hash_equal tell where two digests differ?
 *
 *	bench_timing SAMPLES
 *
 * A sample is the time of some comparisons of a digest with one that differs in its first byte, or in its last one, by
 * chance. Prints as JSON Welch's t of the two kinds (|t| >= 4.5: it tells; the method is that of dudect, Reparaz, Balasch
 * and Verbauwhede, 2017), for hash_equal and, as a control, for a comparison that stops at the first difference.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/rng.h"
#include "now.h"

enum { CALLS = 64, WARM_UP = 1000, CROPPED_PERCENT = 10 };

typedef bool compare_fn(const uint8_t a[HASH_SIZE], const uint8_t b[HASH_SIZE]);

struct sample {
	double ns;
	bool last; /* the difference is in the last byte */
};

static bool naive_equal(const uint8_t a[HASH_SIZE], const uint8_t b[HASH_SIZE])
{
	for (size_t i = 0; i < HASH_SIZE; i++) {
		if (a[i] != b[i])
			return false;
	}
	return true;
}

static volatile unsigned answers; /* so that the calls are not left out */

static double time_calls(compare_fn *volatile compare, const uint8_t *a, const uint8_t *b)
{
	int64_t start_ns = now_ns();

	for (int i = 0; i < CALLS; i++)
		answers += compare(a, b);
	return (double)(now_ns() - start_ns);
}

static void take(compare_fn *compare, struct sample *samples, size_t count)
{
	struct rng rng = { .state = 1 };
	uint8_t secret[HASH_SIZE], given[HASH_SIZE];

	hash_random(secret, sizeof(secret));
	for (size_t i = 0; i < count + WARM_UP; i++) {
		bool last = rng_between(&rng, 0, 1) == 1;

		memcpy(given, secret, sizeof(given));
		given[last ? HASH_SIZE - 1 : 0] ^= 1;
		double ns = time_calls(compare, secret, given);
		if (i >= WARM_UP)
			samples[i - WARM_UP] = (struct sample){ ns, last };
	}
}

static int by_time(const void *a, const void *b)
{
	double left = ((const struct sample *)a)->ns, right = ((const struct sample *)b)->ns;

	return (left > right) - (left < right);
}

/* Of the samples but for the slowest, which tell of interruptions. */
static double welch_t(struct sample *samples, size_t count)
{
	double n[2] = { 0 }, mean[2] = { 0 }, squares[2] = { 0 };

	qsort(samples, count, sizeof(*samples), by_time);
	for (size_t i = 0; i < count - count / 100 * CROPPED_PERCENT; i++) {
		bool kind = samples[i].last;
		double off = samples[i].ns - mean[kind];

		mean[kind] += off / ++n[kind];
		squares[kind] += off * (samples[i].ns - mean[kind]);
	}
	double error = sqrt(squares[0] / (n[0] - 1) / n[0] + squares[1] / (n[1] - 1) / n[1]);
	return error > 0 ? (mean[1] - mean[0]) / error : 0;
}

int main(int argc, char **argv)
{
	size_t count = argc == 2 ? (size_t)strtoul(argv[1], NULL, 10) : 0;

	if (count < 1000) {
		fprintf(stderr, "usage: bench_timing SAMPLES (1000 or more)\n");
		return EX_USAGE;
	}
	struct sample *samples = xcalloc(count, sizeof(*samples));
	take(hash_equal, samples, count);
	double t = welch_t(samples, count);
	take(naive_equal, samples, count);
	printf("{\"samples\": %zu, \"t\": %.2f, \"naive_t\": %.2f}\n", count, t, welch_t(samples, count));
	free(samples);
	return 0;
}
