/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dead letters. One thread; blocks until it is answered. */
#pragma once

#include "commands.h"

int dead_command(const struct call *call);
