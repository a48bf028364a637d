/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The yardstick of bench_backend: the same zones by a plain client, as loader.c
 * writes them. One connection, text protocol, plain literals, 100 zones per
 * COMMIT; no stamps, no digests, nothing compared. Blocks.
 */
#pragma once

#include "backends/coredns_mysql/coredns_mysql.h"
#include "zone/zone.h"

/* One INSERT for each zone and one for its records; with rewrite: DELETE by zone_id and one INSERT instead. */
void backend_plain_write(const struct coredns_mysql_settings *settings, struct zone *const *zones, size_t count,
	bool rewrite);
/* Statements without answers, each ended by a semicolon, with or without a database chosen. */
void backend_plain_run(const struct coredns_mysql_settings *settings, bool in_database, const char *sql);
