/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Metrics as text, in Prometheus's exposition format 0.0.4. Each metric is a
 * row of a table; what it is says itself before its first sample, so that one
 * without a sample leaves no trace. All samples of a metric follow each other.
 * No sockets; one owner; never blocks.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/histogram.h"

enum expose_type { EXPOSE_COUNTER, EXPOSE_GAUGE, EXPOSE_HISTOGRAM };

struct expose_metric {
	const char *name;
	enum expose_type type;
	const char *help;              /* a sentence without backslash or newline */
};

struct expose {
	struct buf *out;
	const struct expose_metric *last; /* that was introduced */
};

/* Names and values in turn; values may be any text. */
#define EXPOSE_LABELS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* labels NULL: none. */
void expose_count(struct expose *expose, const struct expose_metric *metric, const char *const *labels, uint64_t value);
/* Microseconds, shown in seconds: a time since 1970, or how long. */
void expose_us(struct expose *expose, const struct expose_metric *metric, const char *const *labels, int64_t value_us);
void expose_real(struct expose *expose, const struct expose_metric *metric, const char *const *labels, double value);
void expose_histogram(struct expose *expose, const struct expose_metric *metric, const char *const *labels,
	const struct histogram_copy *histogram);
