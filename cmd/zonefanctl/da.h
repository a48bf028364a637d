/* SPDX-License-Identifier: GPL-3.0-or-later */
/* zonefanctl da: this zonefan as an Extra DNS server of a DirectAdmin master (directadmin-protocol.md 8.5). */
#pragma once

#include "commands.h"

int da_command(const struct call *call);
