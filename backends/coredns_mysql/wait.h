/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every wait of libmariadb, bounded by the wall clock and cancellable. The
 * library's own time-outs bound one recv, not a call; but it lets us wait in
 * its stead (MARIADB_OPT_IO_WAIT), for connect, send and recv alike. That
 * callback has no argument of ours, hence the thread's own pointer. Where
 * bytes come so fast that no read waits, each read is looked at instead.
 */
#pragma once

#include <mysql.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WAIT_SAID_MOST = 1 << 20 }; /* bytes of one answer but for its rows: a server's greeting, its columns, an error */

struct wait {
	int64_t deadline_ms; /* of the system's monotonic clock */
	int cancel_fd;       /* -1: none */
	bool timed_out;      /* answered: why the last call failed */
	bool cancelled;
	bool too_much;
	size_t taken;        /* bytes that were read; counted on from what it was */
	size_t most;         /* of them; 0: any number */
	int connect_errno;   /* answered: what connect() came to; the library loses it */
	int at_least;        /* bytes that are surely to come: up to then there is no need to wake up; 0: not known */
	void (*seen)(void *ctx, int fd); /* if not NULL: told of the descriptor at each wait */
	void *seen_ctx;
};

/* It was given up, if by the last read of all: the connection is of no use any more. */
bool wait_is_over(const struct wait *wait);
/* For mysql_optionsv(mysql, MARIADB_OPT_IO_WAIT, wait_for_io). 1: go on; -1: give up, and the library closes. */
int wait_for_io(int fd, char is_read, int timeout_ms);
/* It is too much: no more comes than the socket holds already, and the connection is at its end. */
void wait_give_up(struct wait *wait, MYSQL *mysql);
/* Once in the process, before its first connection; any thread, any number of times. */
void wait_watch_reads(void);
/* What wait_for_io and each read on this thread obeys until the next call; NULL: nothing (it would wait for ever). */
void wait_use(struct wait *wait);
