/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parts of a manual page that any program has. One thread; never blocks. */
#pragma once

#include "program.h"
#include "roff.h"

/* NAME and SYNOPSIS. */
void page_program_begin(struct buf *out, const struct program *program, const struct roff_page *page);
/* "--backend BACKEND" with its text. */
void page_program_option(struct buf *out, const struct option_row *row, const char *help);
/* OPTIONS. */
void page_program_options(struct buf *out, const struct program *program);
/* Its own sections, EXIT STATUS and SEE ALSO. */
void page_program_end(struct buf *out, const struct program *program, const struct roff_page *page);
