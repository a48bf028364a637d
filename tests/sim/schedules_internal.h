/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Between schedules.c (runs them) and shrink.c (makes them smaller). */
#pragma once

#include <stdio.h>

#include "schedules.h"

struct schedule {
	uint64_t seed;
	uint32_t *steps;        /* their numbers, ascending; owned */
	size_t count;
	bool whole;             /* steps 1 to count */
};

/* What became of one. */
struct outcome {
	bool violated;
	uint32_t last;          /* the step that it ended with; 0: while all came to rest */
	char kind[256];         /* which invariant: its text without names and numbers; or how the process ended */
	char text[512];
};

/* Runs it in a process of its own. quiet: says nothing; told: each step is printed there. */
void schedules_try(const struct schedule *schedule, bool quiet, FILE *told, struct outcome *out);

/* Takes out steps as long as the outcome is of the same kind. Changes *schedule. */
void shrink(struct schedule *schedule, const struct outcome *outcome);
/* As --replay reads it, with what each step does. */
void shrink_print(const struct schedule *schedule, const struct outcome *outcome, FILE *out);
/* False: the file is no schedule; that was told. */
bool shrink_read(const char *path, struct schedule *out);
