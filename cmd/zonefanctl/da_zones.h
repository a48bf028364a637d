/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The zones that a master lists, beside those that zonefand holds. One thread; blocks as client.h and da_client.h say. */
#pragma once

#include <jansson.h>

#include "client.h"
#include "sync/da_client.h"

/*
 * {listed, held (of them, as this master's), missing, arrived (of them, pushed at since or later), conflicts: [{zone, owner}]
 * (held as another master's)}. since: RFC 3339; "": all.
 */
MUST_CHECK int da_zones_compare(const struct client *client, const struct da_list *list, const char *identity, const char *since,
	json_t **out, struct err *err);
