/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Settings of one coredns_mysql back end; what each means is in backends/coredns_mysql/README.md. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "backends/backend.h"

enum coredns_mysql_signed { COREDNS_MYSQL_SIGNED_WARN, COREDNS_MYSQL_SIGNED_REFUSE };

struct coredns_mysql_settings {
	const char *host;             /* name or address; "" with unix_socket */
	uint16_t port;
	const char *unix_socket;      /* "": TCP */
	const char *database;
	const char *username;
	const char *password;
	const char *zones_table;      /* ^[A-Za-z0-9_]{1,64}$ */
	const char *records_table;
	const char *state_table;
	bool manage_schema;
	bool catch_all_zone;          /* decisions.md 26: keep the row zone_name = '' (with manage_schema) */
	enum coredns_mysql_signed signed_zones;
	int64_t connect_timeout_ms;   /* 3000, name resolution, TLS and login included */
	int64_t query_timeout_ms;     /* 10000, one statement's answer */
	int64_t transaction_stall_ms; /* 15000 */
	int64_t transaction_max_ms;   /* 120000 */
	const char *ssl_ca;           /* "": not set, each */
	const char *ssl_cert;
	const char *ssl_key;
	bool ssl;                     /* TLS is demanded (any ssl_* setting demands it) */
	bool ssl_verify;              /* the certificate must be the CA's and bear the host's name */
};

extern const struct backend_ops coredns_mysql_ops;

/*
 * Once, in main, before threads start: libmariadb's own initialisation, after the environment variables by which it
 * can be led astray (passwords, plug-ins) are gone. SIGPIPE must be ignored.
 */
void coredns_mysql_global_init(void);
