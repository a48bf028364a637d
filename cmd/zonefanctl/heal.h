/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * zonefanctl heal: begins a healing pass and waits for its end. The exit code is EXIT_FAILED if it did not get to its end
 * somewhere, else EXIT_BEHIND if something differed.
 */
#pragma once

#include "commands.h"

int heal_command(const struct call *call);
