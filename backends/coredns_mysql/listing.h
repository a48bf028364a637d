/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a database holds, for the healing pass and for those who ask. Thread
 * of the back end; blocks as link.h does.
 */
#pragma once

#include "backends/coredns_mysql/target.h"

/* As backend_ops.list, on a target that is ready. 0 or -1: the link says why. */
MUST_CHECK int listing_run(struct target *target, bool (*each)(void *ctx, const struct backend_listed *listed),
	void *ctx);
/* As backend_ops.zone_exists. */
MUST_CHECK int listing_exists(struct target *target, const char *name, bool *exists);
