/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The terminal that somebody looks at. One per process, one thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct terminal_size {
	size_t columns;
	size_t rows;
};

enum terminal_key {
	TERMINAL_NOTHING, /* the time is over */
	TERMINAL_RESIZED,
	TERMINAL_QUIT     /* q, or a signal that ends programs */
};

/* 80 x 24 where nobody knows. */
struct terminal_size terminal_size(int fd);
/* Stdin and stdout become a screen of ours until terminal_leave. ERR_INVALID: they are no terminal. */
MUST_CHECK int terminal_enter(struct err *err);
void terminal_leave(void);
/* Blocks up to timeout_ms. */
enum terminal_key terminal_wait(int timeout_ms);
/* Replaces what is on the screen by as many lines of text as fit, each cut to its width. Sequences "ESC [ ... m" take no room. */
void terminal_draw(const char *text);
