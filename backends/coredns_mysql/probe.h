/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Could a zone be written now? Thread of the back end; blocks as link.h does.
 */
#pragma once

#include "backends/coredns_mysql/target.h"

/* On a connection that is ready. OK or DOWN; where the server refused, target->link.code has its number, and the link is closed. */
enum backend_verdict probe_target(struct target *target, struct err *err);
