/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Zones of 20 records of DirectAdmin's kinds, made in memory, no two with the
 * same data: as zones.py, for measuring a back end without zonefand. Pure.
 */
#pragma once

#include <stddef.h>

#include "zone/zone.h"

enum { BACKEND_ZONE_RECORDS = 20 };

/*
 * Zone number of the run: salt makes the data of every record another one, version that of one TXT record only;
 * owners and types stay. The caller has the reference.
 */
struct zone *backend_zone_make(size_t number, unsigned salt, unsigned version);
void backend_zone_name(size_t number, char out[ZONE_NAME_SIZE]);
