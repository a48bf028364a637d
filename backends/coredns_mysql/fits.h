/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a database's columns cannot hold is refused before any statement is
 * sent, with record, column and width (decisions.md 4). Pure; any thread.
 */
#pragma once

#include "backends/backend.h"
#include "backends/coredns_mysql/schema.h"

/* 0, or ERR_LIMIT (ERR_INVALID: a byte that cannot be sent) and err names the record. */
MUST_CHECK int fits_check(const struct backend_item *item, const struct schema *schema, struct err *err);
