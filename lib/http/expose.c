/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http/expose.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SECOND_US = 1000000 };

static void introduce(struct expose *expose, const struct expose_metric *metric)
{
	static const char *const types[] = { [EXPOSE_COUNTER] = "counter", [EXPOSE_GAUGE] = "gauge",
		[EXPOSE_HISTOGRAM] = "histogram" };

	if (expose->last == metric)
		return;
	expose->last = metric;
	buf_printf(expose->out, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help, metric->name, types[metric->type]);
}

static void add_escaped(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\n')
			buf_puts(out, "\\n");
		else if (*text == '\\' || *text == '"')
			buf_printf(out, "\\%c", *text);
		else
			buf_append(out, text, 1);
	}
}

/* name{label="value",...} and a blank. le: the bound of a bucket; NULL: none. */
static void begin(struct buf *out, const char *name, const char *suffix, const char *const *labels, const char *le)
{
	const char *mark = "{";

	buf_printf(out, "%s%s", name, suffix);
	for (; labels != NULL && *labels != NULL; labels += 2) {
		buf_printf(out, "%s%s=\"", mark, labels[0]);
		add_escaped(out, labels[1]);
		buf_puts(out, "\"");
		mark = ",";
	}
	if (le != NULL) {
		buf_printf(out, "%sle=\"%s\"", mark, le);
		mark = ",";
	}
	buf_puts(out, mark[0] == ',' ? "} " : " ");
}

/* Without the zeros at its end: as people write it. */
static void print_seconds(char out[32], int64_t value_us)
{
	uint64_t size = value_us < 0 ? -(uint64_t)value_us : (uint64_t)value_us;
	int used = snprintf(out, 32, "%s%" PRIu64 ".%06" PRIu64, value_us < 0 ? "-" : "", size / SECOND_US, size % SECOND_US);

	while (out[used - 1] == '0')
		out[--used] = '\0';
	if (out[used - 1] == '.')
		out[used - 1] = '\0';
}

void expose_count(struct expose *expose, const struct expose_metric *metric, const char *const *labels, uint64_t value)
{
	introduce(expose, metric);
	begin(expose->out, metric->name, "", labels, NULL);
	buf_printf(expose->out, "%" PRIu64 "\n", value);
}

void expose_us(struct expose *expose, const struct expose_metric *metric, const char *const *labels, int64_t value_us)
{
	char text[32];

	introduce(expose, metric);
	print_seconds(text, value_us);
	begin(expose->out, metric->name, "", labels, NULL);
	buf_printf(expose->out, "%s\n", text);
}

void expose_real(struct expose *expose, const struct expose_metric *metric, const char *const *labels, double value)
{
	introduce(expose, metric);
	begin(expose->out, metric->name, "", labels, NULL);
	buf_printf(expose->out, "%.9g\n", value);
}

void expose_histogram(struct expose *expose, const struct expose_metric *metric, const char *const *labels,
	const struct histogram_copy *histogram)
{
	char text[32];
	uint64_t sum = 0;

	introduce(expose, metric);
	for (size_t i = 0; i <= HISTOGRAM_BOUNDS; i++) {
		sum += histogram->counts[i];
		if (i < HISTOGRAM_BOUNDS)
			print_seconds(text, histogram_bounds_us[i]);
		begin(expose->out, metric->name, "_bucket", labels, i < HISTOGRAM_BOUNDS ? text : "+Inf");
		buf_printf(expose->out, "%" PRIu64 "\n", sum);
	}
	print_seconds(text, (int64_t)histogram->sum_us);
	begin(expose->out, metric->name, "_sum", labels, NULL);
	buf_printf(expose->out, "%s\n", text);
	begin(expose->out, metric->name, "_count", labels, NULL);
	buf_printf(expose->out, "%" PRIu64 "\n", sum);
}
