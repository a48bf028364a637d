/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Taking over what stood elsewhere before. One thread; blocks until all is durable. */
#pragma once

#include "commands.h"

int import_command(const struct call *call);
/* words[1]: where directdnsonly keeps its database. */
int import_directdnsonly(const struct call *call);
/* words[1]: the back end whose zones are taken. */
int import_backend(const struct call *call);
