/* SPDX-License-Identifier: GPL-3.0-or-later */
/* zonefanctl setup: from nothing to a configuration that was tested: by a dialogue, or by KEY=VALUE words. */
#pragma once

#include "commands.h"

enum { SETUP_WORDS_MOST = 1000 };

int setup_command(const struct call *call);
