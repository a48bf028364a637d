/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The zones that are looked at together, found by name and by id, and what the
 * server's answers say of them. One owner; never blocks. Answers may be NULL:
 * there was none.
 */
#pragma once


#include "backends/coredns_mysql/result.h"
#include "backends/coredns_mysql/work.h"

struct roster_id {
	uint64_t id;
	struct work *work;
};

struct roster {
	struct work **works;     /* sorted by name */
	size_t count;
	struct roster_id *ids;   /* of those that exist, sorted by id */
	size_t id_count;
	char other[ZONE_NAME_SIZE]; /* a name that came with the zones and is none of theirs, but for the collation; or "" */
};

/* Works are borrowed; what was found of them before is forgotten. */
void roster_init(struct roster *roster, struct work *const *works, size_t count);
void roster_free(struct roster *roster);
/*
 * Columns id, zone_name. Names may be found in another spelling (work.misnamed). Ids are found from then on; a zone that
 * exists with none that is a positive BIGINT has 0.
 */
void roster_take_zones(struct roster *roster, struct result *rows);
/* Columns zone_name, store_id, generation, digest, record_count, deleted. */
void roster_take_stamps(const struct roster *roster, struct result *rows);
/*
 * Columns zone_id, id, hostname, type, data, ttl, online; rows must live as long as the works use them. Only of works that
 * are taking: a collation may find other zones by their names.
 */
void roster_take_rows(const struct roster *roster, struct result *rows);
/* Columns zone_id, count, high, low, into work.actual. A zone that is not among them keeps what it has. */
void roster_take_digests(const struct roster *roster, struct result *rows);
