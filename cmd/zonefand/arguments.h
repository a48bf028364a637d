/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What zonefand says of itself. */
#pragma once

#include "program.h"

enum { ARGUMENT_CONFIG, ARGUMENT_CHECK, ARGUMENT_LOG_FORMAT, ARGUMENT_VERSION, ARGUMENT_HELP, ARGUMENT_COUNT };

extern const struct program zonefand_program;
