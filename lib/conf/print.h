/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One value of a configuration as it stands in the printed one. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "conf/keys.h"

/* target: the struct conf, or the element of the key's set. open: secrets as they are, else masked; whoever asks wipes it. */
void print_value(const struct key *key, const void *target, bool open, struct buf *out);
