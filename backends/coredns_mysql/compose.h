/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The statements of a transaction, put together in as few packets as the
 * server takes. A server executes a packet up to the first error, so all of a
 * transaction's writes, their verification and its COMMIT may be one packet:
 * COMMIT is never executed after an error. Thread of the back end; blocks when
 * a packet is full and sent, or sent by compose_send().
 *
 * All that adds statements is 0, or -1 after a packet failed: the link says
 * why, and compose.failed where.
 */
#pragma once

#include "backends/coredns_mysql/target.h"
#include "backends/coredns_mysql/work.h"

enum compose_stage { COMPOSE_WRITING, COMPOSE_VERIFYING, COMPOSE_STAMPING, COMPOSE_COMMITTING, COMPOSE_STAGES };

/* Zero-initialise all but target; free sql. */
struct compose {
	struct target *target;
	enum compose_stage stage;           /* of the statements to come */
	struct buf sql;                     /* gathered for the next packet */
	size_t statements;                  /* in sql */
	size_t first[COMPOSE_STAGES];       /* of them, counted from 1, the first one of each stage; 0: there is none */
	enum compose_stage failed;          /* of the statement that ended the last packet */
};

/* Before a statement of about size bytes: behind the others if it fits in, else in a packet of its own. */
MUST_CHECK int compose_begin(struct compose *compose, size_t size);
/* Has the packet no room for so many bytes more? */
bool compose_is_full(const struct compose *compose, size_t more);
/* Sends what is gathered, and takes all answers. */
MUST_CHECK int compose_send(struct compose *compose);
/* The same, and keeps the result sets, of which there must be so many, the caller's to free; on -1 none. */
MUST_CHECK int compose_fetch(struct compose *compose, struct result **rows, size_t results);
/* The same, and gives each result set to take, as link_stream() does. */
MUST_CHECK int compose_stream(struct compose *compose, void (*take)(void *ctx, size_t at, struct result *rows), void *ctx);
/* The zone's id, as a number if it is known, else as what compose_zones() left in the session. */
void compose_add_id(struct compose *compose, const struct work *work);

/* The zones that go, with their records, the records of those that are written anew, and the zones that come. */
MUST_CHECK int compose_zones(struct compose *compose, struct work *const *works, size_t count);
/*
 * Sends what is gathered; where compose_zones() made zones *rows are their columns id and zone_name, the caller's to free,
 * else NULL.
 */
MUST_CHECK int compose_fetch_ids(struct compose *compose, struct work *const *works, size_t count, struct result **rows);
/* The stamps of all, in the last statement before COMMIT (decisions.md 29), and COMMIT. */
MUST_CHECK int compose_end(struct compose *compose, struct work *const *works, size_t count);
