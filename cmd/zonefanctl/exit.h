/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exit codes of zonefanctl; arguments.c tells them to people. */
#pragma once

enum {
	EXIT_WELL = 0,
	EXIT_FAILED = 1,
	EXIT_BEHIND = 2,  /* status: something is behind; heal, reconcile: something differed; import: something was left out */
	EXIT_MISSING = 3,
	EXIT_USAGE = 64
};
