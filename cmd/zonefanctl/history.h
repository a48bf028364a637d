/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The versions of a zone, and the ways back. One thread; blocks until it is answered. */
#pragma once

#include "commands.h"

int history_command(const struct call *call);
int history_diff(const struct call *call);
int history_rollback(const struct call *call);
int history_undelete(const struct call *call);
