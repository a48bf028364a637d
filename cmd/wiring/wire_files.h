/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many descriptors zonefand needs. Pure; any thread. */
#pragma once

#include "conf/conf.h"

/* At most, beside those of HTTP connections (app.max_connections). */
unsigned wire_count_files(const struct conf *conf);
