/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How far long work is: one line on stderr, redrawn in place, if that is a terminal; nothing otherwise. One thread; never
 * blocks but on the terminal.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char *what;  /* "healing" */
	const char *unit;  /* "zones" */
	bool is_shown;
	int64_t begun_ms;
	int64_t drawn_ms;
};

void progress_begin(struct progress *progress, const char *what, const char *unit);
/* total 0: nobody knows. Cheap: it draws ten times a second at most. */
void progress_tell(struct progress *progress, uint64_t done, uint64_t total);
/* Takes the line away: what came of the work is told by whoever did it. */
void progress_end(struct progress *progress);
