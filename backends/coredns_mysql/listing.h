/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a database holds, for the healing pass and for those who ask. Thread
 * of the back end; blocks as link.h does.
 */
#pragma once

#include "backends/coredns_mysql/target.h"

/* As backend_ops.look, on a target that is ready: one packet of three statements. 0 or -1: the link says why. */
MUST_CHECK int listing_look(struct target *target, struct backend_look *look);
/* As backend_ops.zone_exists. */
MUST_CHECK int listing_exists(struct target *target, const char *name, bool *exists);
