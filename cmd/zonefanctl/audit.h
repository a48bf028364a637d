/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The events. One thread; following them ends with the process or its standard output. */
#pragma once

#include "commands.h"

int audit_events(const struct call *call);
