/* SPDX-License-Identifier: GPL-3.0-or-later */
/* zonefanctl check: whether the configuration is right and fits this host; prints the effective one, secrets masked. */
#pragma once

#include "commands.h"

int check_command(const struct call *call);
