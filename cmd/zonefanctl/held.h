/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What waits for the operator's word. One thread; blocks until it is answered. */
#pragma once

#include "commands.h"

int held_command(const struct call *call);
int held_approve(const struct call *call);
int held_discard(const struct call *call);
