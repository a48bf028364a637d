/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One record as a line of zone text. Internal to lib/zone; any thread. */
#pragma once

#include "base/buf.h"

/* owner: relative, "@" for the apex; what in it is no letter or digit is escaped if it is not yet. */
void print_line(struct buf *out, const char *owner, const char *ttl, const char *type, const char *data);
