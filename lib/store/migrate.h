/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside lib/store only: from an empty or older file to this release's tables.
 * PRAGMA user_version is the number of the last step done; PRAGMA
 * application_id tells that the file is ours.
 */
#pragma once

#include "base/err.h"

struct store;

/* schema/sqlite/NNNN_*.sql in order, built in: migrate_steps[0] is 0001. */
extern const char *const migrate_steps[];
extern const int migrate_step_count;

/*
 * What is this file? *version is 0 for an empty one. ERR_FOREIGN or ERR_CORRUPT if it is not ours (store_open),
 * ERR_VERSION if it has more than count steps. Changes nothing.
 */
MUST_CHECK int migrate_examine(struct store *store, int count, int *version, struct err *err);
/*
 * Puts our application_id into an empty file, before it gets a WAL: the file itself shows from its first page on whose
 * it is, whenever we are killed.
 */
MUST_CHECK int migrate_mark(struct store *store, struct err *err);
/*
 * Does the steps behind version in one transaction; a new store gets its id. An older one is first copied to
 * path.v<version>.bak.
 */
MUST_CHECK int migrate_run(struct store *store, const char *const *steps, int count, int version, struct err *err);
