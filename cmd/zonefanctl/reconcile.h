/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * zonefanctl reconcile: begins a pass over the DirectAdmin masters and waits for its end. The exit code is EXIT_FAILED if a
 * master is unknown or the pass did not get to its end, else EXIT_BEHIND if something was found. And zonefanctl orphans.
 */
#pragma once

#include "commands.h"

int reconcile_command(const struct call *call);
int orphans_command(const struct call *call);
