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
struct http_setup;

/* A way in over TCP. */
struct http_listener {
	const char *address;           /* "": all, v6 and v4 */
	uint16_t port;                 /* 0: any free one (tests); see http_port */
	bool ssl;                      /* TLS alone */
	const char *const *allow;      /* who may connect: addresses and networks (base/cidr.h); none: everybody */
	unsigned allow_count;
	unsigned serves;               /* acts, AUTH_SERVES (http/auth.h); 0: all */
};

struct http_params {
	struct http_listener main;
	const struct http_listener *listeners; /* further ones */
	size_t listener_count;
	const char *ssl_cert;          /* files (PEM), for all that have ssl; may be NULL where none has */
	const char *ssl_key;
	const char *ssl_bundle;        /* "": the chain is in ssl_cert, if there is one */
	const char *const *trusted_proxies; /* whose X-Forwarded-For is believed, as allow */
	unsigned trusted_proxy_count;
	struct http_setup *setup;      /* by http_bind; http_create takes it over, also where it fails */
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
 * What the process may lose the right to: takes addresses and ports (below 1024: root's) and reads the certificate and its key; notes
 * them in params. Who connects is refused until http_create listens there. ERR_IO, or ERR_BUSY if another has the port, names address
 * and port; ERR_INVALID, ERR_DENIED, ERR_NOTFOUND name the file and the key of the configuration.
 */
MUST_CHECK int http_bind(struct http_params *params, struct err *err);
/* Gives it back, where http_create is never called. */
void http_unbind(struct http_params *params);
/* Tells in the log what of TLS a reload could not read, with the rights of now: to be called once they are those that stay. */
void http_check_rights(const struct http_params *params);
/*
 * Binds, if http_bind did not; serves nothing before http_run. Keeps nothing that params points at. Errors as of http_bind. Raises
 * the process's limit of open files as far as it may be, and holds fewer connections than max_connections if it must;
 * ERR_LIMIT: next to none.
 */
MUST_CHECK int http_create(const struct http_params *params, struct engine *engine, struct http **out,
	struct err *err);
/*
 * SIGHUP becomes the order ENGINE_RELOAD. Serves until SIGTERM or SIGINT (or ENGINE_FATAL, then the text is in err and the return is ERR_IO). On a signal it
 * stops accepting, answers what is in hand, and returns 0; the caller then stops the engine.
 */
MUST_CHECK int http_run(struct http *http, struct err *err);
/*
 * Other settings from now on. In the loop thread, but not while a request is handled; blocks on the files of TLS. Logins, limits, certificate, lists of addresses, listeners: all
 * that params say but for the control socket, which stays. What is open lives on: a request in hand keeps the login that it came with, a
 * connection its certificate and the deadline that runs; a listener that is gone takes nobody new and its idle connections are
 * closed. Files of TLS that may not be read any more, but are those that are used: the certificate stays, and the log says so. Where
 * something can't be had the error says why (as of http_bind and http_create) and all stays as it was. Keeps
 * nothing that params points at.
 */
MUST_CHECK int http_reload(struct http *http, const struct http_params *params, struct err *err);
/*
 * The same from another thread: the loop does it, which is waited for. ERR_CLOSED: it does not run, or not any more. One thread at a
 * time, after http_create and before http_destroy.
 */
MUST_CHECK int http_have_reloaded(struct http *http, const struct http_params *params, struct err *err);
void http_destroy(struct http *http);
/* Of the main listener. */
uint16_t http_port(const struct http *http);
