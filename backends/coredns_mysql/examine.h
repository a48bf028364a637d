/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One target from end to end, for an operator (zonefanctl doctor): what stands in the way of deliveries and of name servers, each
 * with its remedy. Only looks. Thread of the back end; blocks as link.h does.
 */
#pragma once

#include "backends/coredns_mysql/target.h"

void examine_target(struct target *target, void (*tell)(void *ctx, const struct backend_finding *finding), void *ctx);
