/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What was told once in this process: warnings about a zone are not repeated
 * at each push. Any thread; never blocks for long. Bounded: when it is full it
 * forgets all, and things are told again.
 */
#pragma once

#include <stdbool.h>

/* True the first time for this back end and zone. */
bool told_first(const char *backend, const char *zone);
