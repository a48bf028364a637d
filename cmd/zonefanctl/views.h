/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands that only look: what zonefand answers is shown. The exit code of status is EXIT_BEHIND while something is behind. */
#pragma once

#include "commands.h"

int views_status(const struct call *call);
int views_ready(const struct call *call);
int views_zones(const struct call *call);
int views_zone(const struct call *call);
int views_rejected(const struct call *call);
