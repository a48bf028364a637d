/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What zonefanctl top shows of two looks at zonefand. Pure but for the age of things. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One look; both owned. */
struct top_sample {
	json_t *status;  /* NULL: there was none yet */
	json_t *events;  /* newest first */
	int64_t at_ms;   /* monotonic */
};

/*
 * Lines of text, to be freed. before: the look before, for rates; its status may be NULL. trouble: why there is no newer one;
 * NULL: this is it. is_coloured: with sequences "ESC [ ... m".
 */
char *top_frame(const struct top_sample *sample, const struct top_sample *before, const char *trouble, bool is_coloured);
