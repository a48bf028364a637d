/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * zonefanctl plan: what would be written at each back end now, record by record. The exit code is EXIT_FAILED if something
 * is not known, else EXIT_BEHIND if something would be written.
 */
#pragma once

#include "commands.h"

int plan_command(const struct call *call);
