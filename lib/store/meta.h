/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside lib/store only: the table meta: the store's id, whether its last
 * writer closed it, and a value to write for a probe.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct store;

/* Makes the id of a new store; within a transaction. */
MUST_CHECK int meta_create(struct store *store, struct err *err);
/* Fills store->id; ERR_CORRUPT if it is damaged. *clean: the last writer closed the store. */
MUST_CHECK int meta_load(struct store *store, bool *clean, struct err *err);
MUST_CHECK int meta_set_clean(struct store *store, bool clean, struct err *err);
MUST_CHECK int meta_probe(struct store *store, struct err *err);
