/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/supervisor.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

enum { MESSAGE_SIZE = 512, BEAT_US = 1000000 };

static struct {
	int socket;        /* -1: nobody is told */
	struct sockaddr_un address;
	socklen_t address_size;
	bool wants_beats;
	atomic_bool told_ready;
	atomic_bool stopping;
} supervisor = { .socket = -1 };

/* A path, or with "@" a name without one (unix(7), abstract). */
static bool read_address(const char *name)
{
	size_t size = strlen(name);

	if ((*name != '/' && *name != '@') || size < 2 || size >= sizeof(supervisor.address.sun_path))
		return false;
	supervisor.address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(supervisor.address.sun_path, name, size);
	supervisor.address_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size + (*name == '/'));
	if (*name == '@')
		supervisor.address.sun_path[0] = '\0';
	return true;
}

/* The variables are those of the process that was started, but a child of it inherits them. */
static bool wants_beats(void)
{
	const char *interval = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");

	if (interval == NULL || (pid != NULL && strtoimax(pid, NULL, 10) != getpid()))
		return false;
	if (strtoimax(interval, NULL, 10) < INTMAX_C(3) * BEAT_US)
		log_warn("WatchdogSec is less than 3 s, and signs of life come once a second", LOG_STR("usec", interval));
	return true;
}

void supervisor_open(void)
{
	const char *name = getenv("NOTIFY_SOCKET");

	if (name == NULL || *name == '\0')
		return;
	if (!read_address(name)) {
		log_warn("NOTIFY_SOCKET is no path: the supervisor hears nothing", LOG_STR("socket", name));
		return;
	}
	supervisor.socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (supervisor.socket < 0)
		log_warn("no socket for the supervisor", LOG_STR("error", strerror(errno)));
	supervisor.wants_beats = wants_beats();
	supervisor.told_ready = false;
	supervisor.stopping = false;
}

void supervisor_close(void)
{
	if (supervisor.socket >= 0)
		close(supervisor.socket);
	supervisor.socket = -1;
}

/* False: it did not get there. Who listens there may be busy, or away for a moment: there is no more to be done about it. */
static bool tell(const char *text)
{
	return supervisor.socket >= 0 && sendto(supervisor.socket, text, strlen(text), MSG_NOSIGNAL,
		(const struct sockaddr *)&supervisor.address, supervisor.address_size) >= 0;
}

static bool tell_ready(const char *status)
{
	char text[MESSAGE_SIZE];

	snprintf(text, sizeof(text), "READY=1\nSTATUS=%s", status);
	return tell(text);
}

void supervisor_ready(const char *status)
{
	if (!supervisor.told_ready)
		supervisor.told_ready = tell_ready(status);
}

void supervisor_status(const char *status)
{
	char text[MESSAGE_SIZE];

	snprintf(text, sizeof(text), "STATUS=%s", status);
	(void)tell(text);
}

/* Before and after that READY=1 would tell of more than a configuration that was read. */
static bool is_serving(void)
{
	return supervisor.told_ready && !supervisor.stopping;
}

void supervisor_reloading(void)
{
	char text[MESSAGE_SIZE];

	if (!is_serving())
		return;
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRIi64 "\nSTATUS=reads its configuration anew",
		clock_mono_ms(clock_system()) * 1000);
	(void)tell(text);
}

void supervisor_reloaded(const char *status)
{
	if (is_serving())
		(void)tell_ready(status);
}

void supervisor_stopping(void)
{
	supervisor.stopping = true;
	(void)tell("STOPPING=1\nSTATUS=stopping");
	supervisor.told_ready = true; /* who stops is not ready any more, whatever comes in between */
}

void supervisor_beat(void)
{
	if (supervisor.wants_beats)
		(void)tell("WATCHDOG=1");
}
