/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parts of the completions that both shells have. Never blocks. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "program.h"

/* "-c" and "--config". */
void complete_put_names(struct buf *out, const struct option_row *row, const char *between);
/* The names of all commands. */
void complete_put_commands(struct buf *out, const char *between);
