/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What single values cannot tell: passwords, TLS, types and targets of back
 * ends, limits against each other. Faults and notices go to the sheet.
 */
#pragma once

#include <stdbool.h>

#include "conf/conf.h"
#include "conf/sheet.h"

/* What stands for a secret in conf_print. */
#define RULES_MASK "********"

/* Of back ends: one that is built, or one that the predecessor has or that will be built. */
bool rules_is_type(const char *name);
/* The back end's final touches (TLS demanded or not, host or socket), and its checks if it is enabled. */
void rules_apply_backend(struct sheet *sheet, const struct sheet_backend *from, struct conf_backend *backend);
/* The values outside dns. */
void rules_apply_main(struct sheet *sheet, const struct conf *conf);
/* After all back ends: what they are to each other. */
void rules_apply_whole(struct sheet *sheet, const struct conf *conf);
