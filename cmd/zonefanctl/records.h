/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How two record sets differ, for people. One thread; never blocks. */
#pragma once

#include <jansson.h>

/* An answer's "added", "removed" and "changed": a line each, "+", "-" or both. */
void records_show_diff(const json_t *answer);
/* Zone text as somebody sent it: what a terminal must not see is "?". */
void records_show_text(const char *text);
