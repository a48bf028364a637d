/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What zonefand says of itself. */
#pragma once

#include "program.h"

enum { OPTION_CONFIG, OPTION_CHECK, OPTION_LOG_FORMAT, OPTION_VERSION, OPTION_HELP, OPTION_COUNT };

extern const struct program zonefand_program;
