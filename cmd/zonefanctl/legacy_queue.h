/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many items wait in a queue of directdnsonly. One thread; blocks on the disk. */
#pragma once

#include <stdint.h>

/*
 * path: the folder of one queue, as Python's persist-queue makes it. Its items are pickled objects, which nobody but
 * directdnsonly should load; but the file `info` beside them holds their number in a form that can be found without
 * unpickling. -1: nobody can tell.
 */
int64_t legacy_count_items(const char *path);
