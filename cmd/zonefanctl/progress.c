/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "table.h"
#include "terminal.h"

enum { DRAW_MS = 100, BAR_MOST = 40, RATE_AFTER_MS = 1000 };

void progress_begin(struct progress *progress, const char *what, const char *unit)
{
	*progress = (struct progress){ .what = what, .unit = unit, .is_shown = isatty(STDERR_FILENO) == 1,
		.begun_ms = clock_mono_ms(clock_system()) };
}

static void put_bar(struct buf *line, uint64_t done, uint64_t total, size_t columns)
{
	/* What stands beside it has 50 columns or so. */
	size_t width = columns > 60 + BAR_MOST ? BAR_MOST : columns > 70 ? columns - 60 : 10;
	size_t full = (size_t)((double)width * (double)done / (double)total);

	buf_puts(line, " [");
	for (size_t i = 0; i < width; i++)
		buf_puts(line, i < full ? "#" : ".");
	buf_printf(line, "] %2" PRIu64 " %%", done * 100 / total);
}

/* From what was done so far; not said before there is something to go by. */
static void put_rate(struct buf *line, uint64_t done, uint64_t total, int64_t elapsed_ms)
{
	if (elapsed_ms < RATE_AFTER_MS || done == 0)
		return;
	double rate = (double)done * 1000 / (double)elapsed_ms;
	buf_printf(line, ", %.0f/s", rate);
	if (total <= done)
		return;
	char *left = cell_duration((double)(total - done) / rate);
	buf_printf(line, ", %s left", left);
	free(left);
}

static void draw(const struct progress *progress, uint64_t done, uint64_t total, int64_t elapsed_ms)
{
	struct terminal_size size = terminal_size(STDERR_FILENO);
	struct buf line = { 0 };

	if (done > total && total > 0)
		done = total;
	buf_puts(&line, progress->what);
	if (total > 0) {
		put_bar(&line, done, total, size.columns);
		buf_printf(&line, "  %" PRIu64 " of %" PRIu64 " %s", done, total, progress->unit);
	} else {
		buf_printf(&line, " %" PRIu64 " %s", done, progress->unit);
	}
	put_rate(&line, done, total, elapsed_ms);
	/* A line that wraps could not be redrawn. */
	fprintf(stderr, "\r%.*s\x1b[K", (int)size.columns - 1, line.data);
	buf_free(&line);
}

void progress_tell(struct progress *progress, uint64_t done, uint64_t total)
{
	int64_t now_ms = progress->is_shown ? clock_mono_ms(clock_system()) : 0;

	if (!progress->is_shown || (progress->drawn_ms != 0 && now_ms < progress->drawn_ms + DRAW_MS))
		return;
	progress->drawn_ms = now_ms;
	draw(progress, done, total, now_ms - progress->begun_ms);
}

void progress_end(struct progress *progress)
{
	if (progress->is_shown && progress->drawn_ms != 0)
		fputs("\r\x1b[K", stderr);
	progress->is_shown = false;
}
