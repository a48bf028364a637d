/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The statements of a transaction, put together in as few packets as the
 * server takes. Thread of the back end; blocks when a packet is full and sent.
 */
#pragma once

#include "backends/coredns_mysql/target.h"
#include "backends/coredns_mysql/work.h"

/* Statements gathered for one packet. Zero-initialise all but target; free sql. */
struct compose {
	struct target *target;
	struct buf sql;
};

/*
 * START TRANSACTION; zone rows FOR UPDATE; stamps FOR UPDATE; no row of records, but its metadata; the engines of the
 * three tables; digests of the zones to be checked. Five result sets; no digests asked for: four.
 */
void compose_lock(struct compose *compose, struct work *const *works, size_t count);
/* The rows of all WORK_READ. One result set: zone_id, id, hostname, type, data, ttl, online. */
void compose_read(struct compose *compose, struct work *const *works, size_t count);
/*
 * All writes of all works, the stamps last, then the ids of new zones and the digests of all zones that have rows:
 * two result sets. Full packets are sent meanwhile (-1: the link says why); the last one is left in compose->sql.
 */
MUST_CHECK int compose_write(struct compose *compose, struct work *const *works, size_t count);
