/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Freezing and thawing a zone. One thread; blocks until it is answered. */
#pragma once

#include "commands.h"

int freeze_command(const struct call *call);
int freeze_thaw(const struct call *call);
