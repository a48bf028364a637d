/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A copy of the store as of one moment, while it is in use or not. Blocks for
 * as long as reading and writing all of it takes; store_interrupt ends it.
 */
#pragma once

#include <stdint.h>

#include "store/store.h"

/*
 * By a reader of its own, one at a time of a store. file, mode 0600, appears under its name when it is whole and on the disk.
 * ERR_INVALID: it is there already, or its folder can't be used. Beside it, while it is made: file.ID.partial (ID: the first
 * digits of the store's id); what was left of one that was killed is removed by the next.
 */
MUST_CHECK int store_backup(struct store *reader, const char *file, struct err *err);
/* Of a store that nobody has open, under its lock. ERR_BUSY: somebody has. ERR_NOTFOUND: there is no store at path. */
MUST_CHECK int store_backup_closed(const char *path, const char *file, struct err *err);
/* How many bytes a backup to that file, which is under way, has so far; 0: there is none, or nobody may look. Any thread. */
uint64_t store_backup_written(const char *file);
