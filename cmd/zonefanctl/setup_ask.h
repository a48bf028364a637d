/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The dialogue of setup: questions on a terminal, answers into the tree. One thread; blocks on whoever answers. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"

/* Data centres, masters, the port, the store. ERR_CLOSED: the answers ended. Passwords are not echoed. */
MUST_CHECK int setup_ask(json_t *tree, struct err *err);
/* false: no, or no answer. */
bool setup_ask_yes(const char *question);
