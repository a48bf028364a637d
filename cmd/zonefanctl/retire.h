/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The end of a back end that is not configured any more. One thread; blocks until it is answered. */
#pragma once

#include "commands.h"

int retire_command(const struct call *call);
