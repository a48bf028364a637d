/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From a host name to a logged-in connection within connect_timeout_ms, name
 * resolution, TLS and login included (reliability.md 3.2). Resolver and
 * connecting each run on a thread of their own (offload.h): getaddrinfo()
 * knows no deadline, nor does libmariadb's TLS handshake.
 */
#pragma once

#include <mysql.h>
#include <netdb.h>

#include "backends/coredns_mysql/coredns_mysql.h"
#include "base/err.h"

struct connect_target {
	const char *backend;                    /* for messages */
	const struct coredns_mysql_settings *settings;
	int cancel_fd;
	char last_address[NI_MAXHOST];          /* in and out: where it last worked, for when the resolver is dead; "" */
};

/*
 * The connection, its socket set up (non-blocking, closed by RST, TCP_USER_TIMEOUT) and its waits obeying wait_use(),
 * or NULL: then err says what an operator needs, and *code is the server's or the library's (0: neither).
 */
MYSQL *connect_open(struct connect_target *target, unsigned *code, struct err *err);
/* RST instead of FIN when the socket is closed: nothing queued can still arrive (reliability.md 1.3 b). */
void connect_set_abortive(MYSQL *mysql, bool abortive);
