/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The HTTP front: DA dialect, probes, operator API. Owns the event loop; runs
 * in the thread that calls http_run (main). Never blocks, never touches store
 * or back ends: it posts requests to the engine and answers when messages
 * come. Dialect: directadmin-protocol.md 10; hygiene: reliability.md 10.1.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"

struct auth_login;
struct engine;

struct http_params {
	const char *listen_address;    /* "": all, v6 and v4 */
	uint16_t listen_port;          /* 0: any free one (tests); see http_port */
	bool bound;                    /* by http_bind: http_create takes the socket over, also where it fails */
	int socket;
	const char *control_socket;    /* path; "": none; mode 0660 */
	const struct auth_login *logins; /* http/auth.h */
	size_t login_count;
	bool metrics_public;           /* /metrics takes no login */
	unsigned exists_parent;        /* 0, 2 or 3 */
	size_t max_body_bytes;
	size_t max_inflight_bytes;
	unsigned max_connections;
	unsigned max_connections_per_address;
	unsigned reserved_files;       /* descriptors that the rest of the process may need */
	int64_t header_deadline_ms;
	int64_t body_deadline_ms;
	int64_t connection_deadline_ms;
	int64_t stop_deadline_ms;      /* how long SIGTERM waits for requests in hand */
};

struct http;

/*
 * Takes address and port, while the process still has the right to a port below 1024, and notes it in params. Who
 * connects is refused until http_create listens there. ERR_IO, or ERR_BUSY if another has the port, names address and port.
 */
MUST_CHECK int http_bind(struct http_params *params, struct err *err);
/*
 * Binds, if http_bind did not; serves nothing before http_run. Keeps nothing that params points at. ERR_IO or ERR_BUSY as of http_bind. Raises
 * the process's limit of open files as far as it may be, and holds fewer connections than max_connections if it must;
 * ERR_LIMIT: next to none.
 */
MUST_CHECK int http_create(const struct http_params *params, struct engine *engine, struct http **out,
	struct err *err);
/*
 * Serves until SIGTERM or SIGINT (or ENGINE_FATAL, then the text is in err and the return is ERR_IO). On a signal it
 * stops accepting, answers what is in hand, and returns 0; the caller then stops the engine.
 */
MUST_CHECK int http_run(struct http *http, struct err *err);
/*
 * Other settings from now on: logins and limits. In the loop thread. What is open lives on: a request in hand keeps the login that it
 * came with, a connection the deadline that runs. Where a new setting can't be had the error says why and all of the old ones stay. The
 * control socket stays where it is. Keeps nothing that params points at; never blocks.
 */
MUST_CHECK int http_reload(struct http *http, const struct http_params *params, struct err *err);
void http_destroy(struct http *http);
uint16_t http_port(const struct http *http);
