/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Deliveries: as few transactions as can be, and a verdict for each zone of
 * its own (backend.h, decisions.md 2-4). Thread of the back end; blocks within
 * the deadlines of the settings.
 */
#pragma once

#include "backends/coredns_mysql/target.h"

/* As backend_ops.apply. */
void apply_items(struct target *target, struct backend_item *items, size_t count);
