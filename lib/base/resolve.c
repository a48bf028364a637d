/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/resolve.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/offload.h"

struct resolving {
	char *host;
	int outcome; /* of getaddrinfo */
	char addresses[RESOLVE_MOST][NI_MAXHOST];
	size_t count;
};

static void look_up(struct resolving *resolving, int flags)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags };
	struct addrinfo *found = NULL;

	resolving->count = 0;
	resolving->outcome = getaddrinfo(resolving->host, NULL, &hints, &found);
	if (resolving->outcome != 0)
		return;
	for (struct addrinfo *at = found; at != NULL && resolving->count < RESOLVE_MOST; at = at->ai_next)
		if (getnameinfo(at->ai_addr, at->ai_addrlen, resolving->addresses[resolving->count], NI_MAXHOST,
			    NULL, 0, NI_NUMERICHOST) == 0)
			resolving->count++;
	freeaddrinfo(found);
}

static void work(void *arg)
{
	look_up(arg, AI_ADDRCONFIG);
}

static void release(void *arg)
{
	struct resolving *resolving = arg;

	free(resolving->host);
	free(resolving);
}

static const struct offload_job job = { work, NULL, release };

static const char *reason_of(enum offload_end end, const struct resolving *resolving)
{
	switch (end) {
	case OFFLOAD_DONE:
		return gai_strerror(resolving->outcome);
	case OFFLOAD_CANCELLED:
		return "cancelled";
	case OFFLOAD_BUSY:
		return "too many look-ups hang already";
	default:
		return "no answer from the resolver in time";
	}
}

int resolve_host(const char *host, int64_t deadline_ms, int cancel_fd, char out[RESOLVE_MOST][NI_MAXHOST], size_t *count,
	struct err *err)
{
	struct resolving *resolving = xcalloc(1, sizeof(*resolving));
	enum offload_end end = OFFLOAD_DONE;
	int ret = ERR_OK;

	resolving->host = xstrdup(host);
	look_up(resolving, AI_NUMERICHOST);
	if (resolving->outcome != 0)
		end = offload_run("resolve", &job, resolving, deadline_ms, cancel_fd);
	bool ours = end == OFFLOAD_DONE || end == OFFLOAD_BUSY;
	if (end != OFFLOAD_DONE || resolving->outcome != 0 || resolving->count == 0) {
		ret = err_set(err, end == OFFLOAD_CANCELLED ? ERR_CLOSED : ERR_IO, "host %s: %s", host,
			reason_of(end, ours ? resolving : NULL));
	} else {
		*count = resolving->count;
		memcpy(out, resolving->addresses, sizeof(resolving->addresses));
	}
	if (ours)
		release(resolving);
	return ret;
}
