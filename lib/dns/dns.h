/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One question to one name server: by UDP, and by TCP where the answer is
 * truncated (RFC 1035 4.2, RFC 7766). The answer is what the server says of
 * the question's own name and type; nothing is cached, nothing is followed.
 *
 * Any thread; an answer belongs to whoever asked. dns_ask blocks up to 2 s by
 * UDP and 3 s by TCP, and calls tick at least five times a second.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { DNS_QUERY_MAX = 512, DNS_TYPE_SOA = 6, DNS_RCODE_NOERROR = 0, DNS_RCODE_SERVFAIL = 2, DNS_RCODE_NXDOMAIN = 3 };

struct dns_server {
	const char *address;       /* numeric */
	uint16_t port;
	bool (*tick)(void *ctx);   /* false: give up */
	void *ctx;
};

struct dns_question {
	const char *name;          /* absolute, in presentation form, and valid */
	uint16_t type;             /* class IN */
};

/* The data of one record, in wire form, no name in it compressed. */
struct dns_data {
	const uint8_t *data;
	size_t size;
};

struct dns_answer {
	unsigned rcode;
	bool authoritative;        /* AA */
	struct dns_data *records;  /* of the answer section, as far as they are of the question's name and type */
	size_t count;
};

void dns_answer_clear(struct dns_answer *answer);
/* Of an answer to a question of type SOA; false: it has no SOA, or several. */
bool dns_answer_serial(const struct dns_answer *answer, uint32_t *serial);

/*
 * Asks once more if nothing comes in 1 s. ERR_OK: it answers, whatever it says. ERR_TIMEOUT: nobody answers there.
 * ERR_LIMIT: its answer is truncated, and by TCP nobody answers. ERR_INVALID: what it sends by TCP is no answer.
 * ERR_CLOSED: given up. The answer is empty then. The error's text leaves it to the caller to name the server.
 */
MUST_CHECK int dns_ask(const struct dns_server *server, const struct dns_question *question, struct dns_answer *answer,
	struct err *err);

/* ---- pure: messages ---- */

/* The query; its size. */
size_t dns_write_query(const struct dns_question *question, uint16_t id, uint8_t out[DNS_QUERY_MAX]);
/* Reads an answer to such a query. ERR_INVALID: it is none, wait for another. ERR_LIMIT: truncated, ask by TCP. */
MUST_CHECK int dns_read_answer(const struct dns_question *question, uint16_t id, const uint8_t *wire, size_t size,
	struct dns_answer *answer, struct err *err);
