/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Orders of one request to zonefand. */
#pragma once

#include "commands.h"

int orders_retry(const struct call *call);
int orders_pause(const struct call *call);
int orders_resume(const struct call *call);
int orders_reload(const struct call *call);
