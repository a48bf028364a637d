/* SPDX-License-Identifier: GPL-3.0-or-later */
/* zonefanctl complete: names that begin with a word, a line each, for the completions of shells. Says nothing of faults. */
#pragma once

#include "commands.h"

int complete_command(const struct call *call);
