/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One CoreDNS MySQL database as one lane thread sees it: its connection, made
 * ready (session variables, fence, schema) before anything is asked of it.
 * One thread; blocks within the deadlines of the settings.
 */
#pragma once

#include "backends/coredns_mysql/coredns_mysql.h"
#include "backends/coredns_mysql/link.h"
#include "backends/coredns_mysql/schema.h"

/* A connection that was lost inside a transaction: its thread on the server may still be at it. */
struct target_fence {
	bool up;
	unsigned long thread_id;
	char server[128];         /* which server, and which run of it: ids begin anew after a restart */
	int64_t server_started_s; /* of our monotonic clock, give or take a few seconds */
};

struct target {
	struct backend backend; /* first: struct backend * and struct target * are one */
	struct backend_params params;
	const struct coredns_mysql_settings *settings;
	int cancel_fd;
	struct link link;
	bool fresh;               /* this operation connected */
	bool bare;                /* the connection is there, but the tables were not looked at */
	struct schema schema;
	struct target_fence fence;
	char server[128];         /* as in the fence, of this connection */
	int64_t server_started_s;
	uint64_t packet_limit;    /* bytes of SQL that are sent at once */
	char version[65];         /* "" before the first connection; under describe's thread */
	bool stops;               /* the server ends a packet where verify.h makes it */
	unsigned false_alarms;    /* in a row, on this connection: what verify.h found wrong was right */
	bool hasty;               /* wait for locks as short as can be: it is found out which zones have to wait */
	bool session_hasty;       /* what the session was told of that */
	int64_t pruned_ms;        /* when old tombstones were last removed; 0: never */
};

/* Connected and ready, or not: err. target->fresh says whether a connection was made for it. */
MUST_CHECK int target_ready(struct target *target, struct err *err);
/* Connected, for questions alone: nothing is known of the tables, nor made. */
MUST_CHECK int target_connected(struct target *target, struct err *err);
/*
 * After link_* failed: fills err from the link ("dc2: server is read-only (1290), while writing") and gives the class.
 * Whoever gets a class whose verdict is DOWN closes the connection, so that the next one starts afresh.
 */
enum classify_class target_failed(struct target *target, const char *doing, struct err *err);
/* The outcome of a transaction is unknown: before the next one its thread is killed. */
void target_raise_fence(struct target *target, unsigned long thread_id);
/* Before the statements of a transaction: tells the session how long to wait for locks, if that is not what it was. */
void target_add_haste(struct target *target, struct buf *sql);
void target_notice(struct target *target, const char *kind, const char *zone, const char *text);
