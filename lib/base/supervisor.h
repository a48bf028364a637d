/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the supervisor that started us is told (sd_notify(3)): one datagram per
 * message to the Unix socket that $NOTIFY_SOCKET names, by which systemd, and
 * some container engines, learn that we serve, still turn, or stop. Without
 * that variable nothing is sent. One thread, but for supervisor_reloading and supervisor_reloaded: any; never blocks.
 */
#pragma once

#include <stdbool.h>

/* Opens the socket; before that, and where there is none, the others do nothing. In a process once, before rights are given up. */
void supervisor_open(void);
void supervisor_close(void);
/* Pushes are taken, and all zones known. May be called again and again: it is sent until it got there, once. */
void supervisor_ready(const char *status);
/* A line for `systemctl status`. */
void supervisor_status(const char *status);
/* A new configuration is being read, until supervisor_reloaded. Nothing is sent before supervisor_ready has told, nor after supervisor_stopping. */
void supervisor_reloading(void);
void supervisor_reloaded(const char *status);
void supervisor_stopping(void);
/* A sign of life, where the supervisor wants them ($WATCHDOG_USEC). To be called about once a second, while all is well. */
void supervisor_beat(void);
