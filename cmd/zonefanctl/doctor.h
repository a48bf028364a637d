/* SPDX-License-Identifier: GPL-3.0-or-later */
/* zonefanctl doctor: looks at an installation from end to end, with zonefand up or down, and says what to do about each fault. */
#pragma once

#include "commands.h"

int doctor_command(const struct call *call);
