/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * zonefanctl peers: what is known of each peer; peers sync: a pass over all of them first. The exit code is EXIT_BEHIND if
 * the last pass over one of them failed.
 */
#pragma once

#include "commands.h"

int peers_command(const struct call *call);
