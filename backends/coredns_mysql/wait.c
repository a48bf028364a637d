/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/coredns_mysql/wait.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

#include "base/check.h"
#include "base/clock.h"

/* Should fewer bytes come than were to be expected, the wait is no longer than this. */
enum { GATHER_MS = 2 };

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

/*
 * A server sends the result of each statement of a packet by itself. To be woken by each of them costs more than to take
 * them, and keeps a processor from others. Whatever comes of it, the wait proper follows.
 */
static void gather(struct wait *wait, int fd)
{
	struct pollfd fds[] = { { .fd = fd, .events = POLLIN }, { .fd = wait->cancel_fd, .events = POLLIN } };
	const int any = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &wait->at_least, sizeof(wait->at_least)) == 0) {
		int ready UNUSED = poll(fds, 2, GATHER_MS);

		CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &any, sizeof(any)) == 0);
	}
	wait->at_least = 0;
}

/* Exported by libmariadb 3 for plugins that trace a connection, and in none of its headers. Behind each read and write. */
int STDCALL ma_pvio_register_callback(my_bool add, void (*callback)(int mode, MYSQL *mysql, const unsigned char *data, size_t size));

bool wait_is_over(const struct wait *wait)
{
	return wait->timed_out || wait->cancelled || wait->too_much;
}

static bool is_cancelled(const struct wait *wait)
{
	struct pollfd cancel = { .fd = wait->cancel_fd, .events = POLLIN };

	return poll(&cancel, 1, 0) > 0;
}

/*
 * Rows that come and come are never waited for, and the library takes them until there is no memory: it finds the
 * connection at its end instead. What the socket holds already it takes still.
 */
static void look_at_read(int mode, MYSQL *mysql, const unsigned char *data UNUSED, size_t size)
{
	struct wait *wait = in_use;

	if (wait == NULL || mode != 0 || (ssize_t)size <= 0)
		return;
	wait->taken += size;
	wait->too_much = wait->too_much || (wait->most != 0 && wait->taken > wait->most);
	wait->cancelled = wait->cancelled || is_cancelled(wait);
	wait->timed_out = wait->timed_out || clock_mono_ms(clock_system()) >= wait->deadline_ms;
	if (wait_is_over(wait))
		shutdown(mysql_get_socket(mysql), SHUT_RDWR);
}

void wait_give_up(struct wait *wait, MYSQL *mysql)
{
	wait->too_much = true;
	shutdown(mysql_get_socket(mysql), SHUT_RDWR);
}

static void watch_reads(void)
{
	CHECK(ma_pvio_register_callback(1, look_at_read) == 0);
}

void wait_watch_reads(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	CHECK(pthread_once(&once, watch_reads) == 0);
}

int wait_for_io(int fd, char is_read, int timeout_ms)
{
	struct wait *wait = in_use;

	(void)timeout_ms;
	CHECK(wait != NULL);
	if (wait->seen != NULL)
		wait->seen(wait->seen_ctx, fd);
	if (is_read && wait->at_least > 0)
		gather(wait, fd);
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
