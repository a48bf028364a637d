/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which changes of state are told. Pure logic: no thread, no I/O, no clock of
 * its own. It is shown, again and again, all that somebody could be told of
 * (facts), and says what is news: a fact that has been otherwise than what was
 * told last for long enough. At first everything counts as well and told.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { WATCH_NAME_SIZE = 128 };

struct watch_fact {
	const char *kind;                /* "backend_down", ... (facts.h); static */
	char backend[WATCH_NAME_SIZE];   /* "": of the whole */
	bool bad;
	const char *moot;                /* static: why it counts as well although nothing was mended; NULL: it is well */
	char text[ERR_TEXT_SIZE];        /* why, or how much; of one that is well it may be "" */
};

struct watch_news {
	const struct watch_fact *fact;
	int64_t since_us;                /* when it became so; wall clock */
};

struct watch;

struct watch *watch_create(int64_t least_ms);
void watch_destroy(struct watch *watch); /* NULL is fine */
/*
 * Shows all facts of now; each for a pair of kind and back end of its own. each is called for what is news, in their order. What
 * was bad, and is not among them any more, is news as well: its back end is gone.
 */
void watch_look(struct watch *watch, const struct watch_fact *facts, size_t count, int64_t now_ms, int64_t wall_us,
	void (*each)(void *ctx, const struct watch_news *news), void *ctx);
