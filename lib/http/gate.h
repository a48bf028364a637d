/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The gate: checks the bytes of a connection before the HTTP library sees
 * them. It takes exactly one form of request (RFC 9112 without its leniencies)
 * and refuses every oddity of reliability.md 10.1 L2-L3, so that framing can
 * never be read in two ways. It knows no sockets: bytes in, steps out.
 *
 * Accepted: GET or POST, HTTP/1.0 or 1.1, an origin-form target (in its query
 * any byte but controls; a blank in a GET's alone), CRLF line ends, header names of RFC 9110 tokens, no folding, no control characters, one
 * Host, one Authorization; a body by one Content-Length of digits, or on 1.1 by
 * Transfer-Encoding "chunked" in this very spelling, with plain chunk sizes and
 * no trailers. Blank lines before a request are skipped (DirectAdmin's PHP
 * client sends some behind the body).
 *
 * One owner; never blocks; memory is bounded by the limits below.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum {
	GATE_TARGET_MAX = 8 * 1024,
	GATE_HEADERS_SIZE_MAX = 16 * 1024, /* all header lines with their line ends */
	GATE_HEADERS_MAX = 100,
	GATE_BLANK_MAX = 16                /* bytes of blank lines before a request */
};

enum gate_step {
	GATE_MORE,   /* all bytes were taken and belong to the head; more are needed */
	GATE_HEAD,   /* the head is complete: see gate_head; nothing of it is to be passed on as it is */
	GATE_BODY,   /* the bytes taken are body (with chunk framing) */
	GATE_END,    /* likewise, and the request ends with them; gate_reset before the next */
	GATE_REFUSED /* see status and reason; the gate takes no further byte */
};

enum gate_method { GATE_GET, GATE_POST };

struct gate_head {
	enum gate_method method;
	const char *target;        /* lives until gate_reset */
	const char *authorization; /* NULL: none */
	const char *host;          /* likewise: of the browser's headers that say on whose behalf it asks */
	const char *origin;
	const char *fetch_site;
	const char *forwarded;     /* all X-Forwarded-For, joined by commas; "": none */
	unsigned minor;            /* of HTTP/1.minor */
	bool keep_alive;           /* wanted by the client and possible */
	bool expect_continue;
	bool chunked;
	uint64_t length;           /* of a counted body; 0: none */
};

/* Read-only for others, but for what gate_init takes. */
struct gate {
	size_t max_body;
	int state;
	int status;                /* GATE_REFUSED: the HTTP status to answer with */
	const char *reason;        /* ... and the text */
	bool body_unwanted;        /* ... and the answer must have no body (HEAD) */
	struct buf text;           /* the head; line ends have become NUL */
	size_t line_start;
	size_t blank;
	size_t headers_size;
	unsigned headers;
	enum gate_method method;
	unsigned minor;
	size_t target_at;
	size_t authorization_at;   /* 0: none */
	size_t host_at, origin_at, fetch_site_at;
	struct buf forwarded;      /* the values of X-Forwarded-For */
	bool has_length, has_coding;
	bool chunked, expect_continue, wants_close, wants_keep_alive;
	uint64_t length;
	uint64_t left;             /* of the body, or of the chunk */
	uint64_t taken;            /* body bytes of earlier chunks */
	unsigned digits;
};

void gate_init(struct gate *gate, size_t max_body);
/* For the next request of the connection. Not after GATE_REFUSED. */
void gate_reset(struct gate *gate);
void gate_free(struct gate *gate);
/*
 * Takes bytes up to the next step and returns how many. size may be 0: after GATE_HEAD that tells whether the request
 * has ended. GATE_MORE and GATE_BODY mean that all (size) bytes were taken.
 */
size_t gate_feed(struct gate *gate, const char *data, size_t size, enum gate_step *step);
/* After GATE_HEAD. */
struct gate_head gate_head(const struct gate *gate);
/* Bytes of a request (not mere blank lines) have come. */
bool gate_started(const struct gate *gate);
