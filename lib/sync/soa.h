/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The SOA serial of a zone, asked of one name server: UDP, and TCP where the
 * answer is truncated (RFC 1035 4.2, RFC 7766). One owner; soa_ask blocks up to
 * 2 s by UDP and 3 s by TCP, and calls tick at least twice a second.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { SOA_QUERY_MAX = 512 };

struct soa_server {
	const char *address;       /* numeric */
	uint16_t port;
	bool (*tick)(void *ctx);   /* false: give up */
	void *ctx;
};

/*
 * Asks once more if nothing comes in 1 s. ERR_TIMEOUT: nobody answers there. ERR_NOTFOUND: it answers, but does not have
 * the zone, or not with authority. ERR_CLOSED: given up.
 */
MUST_CHECK int soa_ask(const struct soa_server *server, const char *zone, uint32_t *serial, struct err *err);

/* ---- pure: messages ---- */

/* The query for a canonical zone name; its size. */
size_t soa_write_query(const char *zone, uint16_t id, uint8_t out[SOA_QUERY_MAX]);
/*
 * Reads an answer to such a query. ERR_INVALID: it is none, wait for another. ERR_LIMIT: truncated, ask by TCP. ERR_NOTFOUND
 * as above.
 */
MUST_CHECK int soa_read_answer(const char *zone, uint16_t id, const uint8_t *wire, size_t size, uint32_t *serial,
	struct err *err);
