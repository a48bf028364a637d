/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every wait of libmariadb, bounded by the wall clock and cancellable. The
 * library's own time-outs bound one recv, not a call; but it lets us wait in
 * its stead (MARIADB_OPT_IO_WAIT), for connect, send and recv alike. That
 * callback has no argument of ours, hence the thread's own pointer.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct wait {
	int64_t deadline_ms; /* of the system's monotonic clock */
	int cancel_fd;       /* -1: none */
	bool timed_out;      /* answered: why the last call failed */
	bool cancelled;
	int connect_errno;   /* answered: what connect() came to; the library loses it */
	int at_least;        /* bytes that are surely to come: up to then there is no need to wake up; 0: not known */
	void (*seen)(void *ctx, int fd); /* if not NULL: told of the descriptor at each wait */
	void *seen_ctx;
};

/* For mysql_optionsv(mysql, MARIADB_OPT_IO_WAIT, wait_for_io). 1: go on; -1: give up, and the library closes. */
int wait_for_io(int fd, char is_read, int timeout_ms);
/* What wait_for_io on this thread obeys until the next call; NULL: nothing (it would wait for ever). */
void wait_use(struct wait *wait);
