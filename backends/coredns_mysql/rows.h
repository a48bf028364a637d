/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The fewest writes that turn the records of zones into what is wanted. Thread
 * of the back end; blocks as compose.h does.
 */
#pragma once

#include "backends/coredns_mysql/compose.h"

/*
 * Behind compose_zones(): the rows that go, change and come, of all works. arrays: where they are many, by bulk.h, which
 * sends what is gathered first; the ids of all zones must be known then.
 */
MUST_CHECK int rows_write(struct compose *compose, struct work *const *works, size_t count, bool arrays);
/* How many rows that is. */
size_t rows_count(struct work *const *works, size_t count);
