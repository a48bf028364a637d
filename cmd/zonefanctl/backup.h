/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A copy of the store. One thread; blocks until it is made. */
#pragma once

#include "commands.h"

int backup_command(const struct call *call);
