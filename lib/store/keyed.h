/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside lib/store only: statements about one key, which is ?1 where they have a parameter. */
#pragma once

#include <stdint.h>

#include "store/store.h"

/* The first column of the first row. ERR_NOTFOUND: there is none. */
MUST_CHECK int keyed_ask(struct store *store, const char *sql, int64_t key, uint64_t *answer, struct err *err);
/* In a transaction of its own, unless there is one. *changed: how many rows were; NULL: nobody wants to know. */
MUST_CHECK int keyed_change(struct store *store, const char *sql, int64_t key, uint64_t *changed, struct err *err);
