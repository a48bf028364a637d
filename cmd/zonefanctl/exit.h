/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exit codes of zonefanctl; arguments.c tells them to people. */
#pragma once

enum {
	EXIT_WELL = 0,
	EXIT_FAILED = 1,
	EXIT_BEHIND = 2,  /* it went well, and something is behind, differs or is in doubt */
	EXIT_MISSING = 3,
	EXIT_USAGE = 64
};
