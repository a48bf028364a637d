/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Calls that cannot be bounded (a name resolver, a TLS handshake inside a
 * library) on a thread of their own, so that whoever needs the answer waits
 * for a limited time only. A call that comes back too late cleans up behind
 * itself. Any thread; blocks until the deadline at most.
 */
#pragma once

#include <stdint.h>

struct offload_job {
	void (*work)(void *arg);    /* runs on the thread */
	void (*abandon)(void *arg); /* by the waiter, when it stops waiting while work runs; NULL: nothing */
	void (*release)(void *arg); /* by the thread, behind work that nobody waits for any more */
};

enum offload_end {
	OFFLOAD_DONE,      /* work has returned; arg is the caller's again */
	OFFLOAD_LATE,      /* the deadline came first; arg is the thread's */
	OFFLOAD_CANCELLED, /* cancel_fd became readable; arg is the thread's */
	OFFLOAD_BUSY       /* too many late ones are still about: nothing was started, arg is the caller's */
};

/* deadline_ms: of the system's monotonic clock. cancel_fd: -1 for none. */
enum offload_end offload_run(const char *thread_name, const struct offload_job *job, void *arg, int64_t deadline_ms,
	int cancel_fd);
/* Calls still running that nobody waits for. */
int offload_late(void);
