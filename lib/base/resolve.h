/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The addresses of a host, in a bounded time: a resolver that hangs is left
 * behind on a thread of its own (offload.h). Any thread; blocks until the
 * deadline at most; nothing is cached.
 */
#pragma once

#include <netdb.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { RESOLVE_MOST = 8 };

/*
 * deadline_ms: of the system's monotonic clock. cancel_fd: given up when that becomes readable; -1 for none. ERR_CLOSED: so it
 * was; ERR_IO: there is no address, or none came in time. An address as host is its own answer, at once.
 */
MUST_CHECK int resolve_host(const char *host, int64_t deadline_ms, int cancel_fd, char out[RESOLVE_MOST][NI_MAXHOST],
	size_t *count, struct err *err);
