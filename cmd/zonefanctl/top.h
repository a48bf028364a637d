/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * zonefanctl top: a live view of zonefand in the terminal, until q is pressed. It goes on while zonefand does not answer, and
 * says so. --once: one view, for no terminal; --json: what it is made of.
 */
#pragma once

#include "commands.h"

int top_command(const struct call *call);
