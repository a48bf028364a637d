/* SPDX-License-Identifier: GPL-3.0-or-later */
/* zonefanctl heal: begins a healing pass and waits for its end. One thread; blocks. */
#pragma once

#include <stdbool.h>

#include "client.h"

struct heal_options {
	const char *backend;  /* NULL: all */
	bool dry_run;
	bool no_wait;
	bool json;
};

/*
 * Prints what came of it and sets *code to the exit code: EXIT_FAILED if it did not get to its end somewhere, else
 * EXIT_BEHIND if something differed. An error: no answer, or a refusal.
 */
MUST_CHECK int heal_run(const struct client *client, const struct heal_options *options, int *code, struct err *err);
