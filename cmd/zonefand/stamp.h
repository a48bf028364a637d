/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether files are still those that they were: a number that is another one when any was written, replaced or taken away. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Blocks on the file system. */
uint64_t stamp_of(const char *const *files, size_t count);
