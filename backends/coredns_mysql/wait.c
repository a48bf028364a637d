/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/coredns_mysql/wait.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/check.h"
#include "base/clock.h"

static _Thread_local struct wait *in_use;

void wait_use(struct wait *wait)
{
	in_use = wait;
}

/*
 * A connect that failed wakes a writer too. The library would then report errno as connect() left it, EINPROGRESS;
 * asking here takes the true cause off the socket, so the failure must be ours to report.
 */
static bool connect_failed(struct wait *wait, int fd)
{
	int cause = 0;
	socklen_t size = sizeof(cause);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &cause, &size) != 0 || cause == 0)
		return false;
	wait->connect_errno = cause;
	return true;
}

int wait_for_io(int fd, char is_read, int timeout_ms)
{
	struct wait *wait = in_use;

	(void)timeout_ms;
	CHECK(wait != NULL);
	if (wait->seen != NULL)
		wait->seen(wait->seen_ctx, fd);
	for (;;) {
		struct pollfd fds[] = { { .fd = fd, .events = is_read ? POLLIN : POLLOUT },
			{ .fd = wait->cancel_fd, .events = POLLIN } };
		int64_t left = wait->deadline_ms - clock_mono_ms(clock_system());
		int ready = poll(fds, 2, left < 0 ? 0 : left > 60000 ? 60000 : (int)left);

		if (ready < 0 && errno != EINTR)
			return -1;
		if (ready > 0 && fds[1].revents != 0) {
			wait->cancelled = true;
			return -1;
		}
		if (ready > 0 && fds[0].revents != 0)
			return !is_read && connect_failed(wait, fd) ? -1 : 1;
		if (clock_mono_ms(clock_system()) >= wait->deadline_ms) {
			wait->timed_out = true;
			errno = ETIMEDOUT;
			return -1;
		}
	}
}
