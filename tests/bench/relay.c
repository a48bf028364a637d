/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "now.h"
#include "pair.h"

enum { EVENTS_MAX = 64, BACKLOG = 512 };

static int listen_on(uint16_t port, int *out, struct err *err)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)
	};
	int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, BACKLOG) != 0) {
		err_set(err, ERR_IO, "port %u: %s", port, strerror(errno));
		close(fd);
		return ERR_IO;
	}
	*out = fd;
	return 0;
}

static void watch(struct relay *relay, int fd, void *mark)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = mark };

	CHECK(epoll_ctl(relay->epoll, EPOLL_CTL_ADD, fd, &event) == 0);
}

int relay_create(uint16_t listen_port, uint16_t target_port, int64_t delay_ns, struct relay **out, struct err *err)
{
	struct relay *relay;
	int listener;
	int ret = listen_on(listen_port, &listener, err);

	if (ret != 0)
		return ret;
	relay = xcalloc(1, sizeof(*relay));
	*relay = (struct relay){ .epoll = epoll_create1(EPOLL_CLOEXEC), .listener = listener, .watched = -1,
		.target_port = target_port, .delay_ns = delay_ns, .buffer = xmalloc(RELAY_READ_MAX) };
	CHECK(relay->epoll >= 0);
	STAILQ_INIT(&relay->travelling);
	LIST_INIT(&relay->pairs);
	LIST_INIT(&relay->dead);
	watch(relay, listener, &relay->listener);
	*out = relay;
	return 0;
}

void relay_destroy(struct relay *relay)
{
	while (!LIST_EMPTY(&relay->pairs))
		pair_close(LIST_FIRST(&relay->pairs), true);
	pair_forget_travelling(relay);
	pair_bury(relay);
	close(relay->listener);
	close(relay->epoll);
	free(relay->buffer);
	free(relay);
}

bool relay_turn(struct relay *relay, int watched_fd)
{
	int64_t due_ns = pair_next_due_ns(relay);
	int64_t left_ns = due_ns - now_ns();
	struct timespec wait = timespec_of_ns(left_ns > 0 ? left_ns : 0);
	struct epoll_event events[EVENTS_MAX];
	bool quiet = true;

	if (relay->watched < 0) {
		relay->watched = watched_fd;
		watch(relay, watched_fd, &relay->watched);
	}

	int count = epoll_pwait2(relay->epoll, events, EVENTS_MAX, due_ns < 0 ? NULL : &wait, NULL);

	for (int i = 0; i < count; i++) {
		if (events[i].data.ptr == &relay->listener)
			pair_take(relay);
		else if (events[i].data.ptr == &relay->watched)
			quiet = false;
		else
			pair_on_event(events[i].data.ptr, events[i].events);
	}
	pair_arrive(relay);
	pair_bury(relay);
	return quiet;
}

void relay_swallow(struct relay *relay, bool on)
{
	struct pair *pair, *next;

	relay->swallowing = on;
	for (pair = LIST_FIRST(&relay->pairs); pair != NULL && !on; pair = next) {
		next = LIST_NEXT(pair, link);
		if (pair->doomed)
			pair_close(pair, true);
	}
}

void relay_reset(struct relay *relay)
{
	struct pair *pair;

	relay->connections = 0;
	relay->round_trips = 0;
	memset(relay->bytes, 0, sizeof(relay->bytes));
	LIST_FOREACH(pair, &relay->pairs, link) {
		pair->round_trips = 0;
		pair->ways[UP].bytes = 0;
		pair->ways[DOWN].bytes = 0;
	}
}

void relay_print(const struct relay *relay, FILE *out)
{
	const struct pair *pair;
	const char *comma = "";

	fprintf(out, "{\"connections\": %llu, \"round_trips\": %llu, \"bytes_up\": %llu, \"bytes_down\": %llu, \"open\": [",
		(unsigned long long)relay->connections, (unsigned long long)relay->round_trips,
		(unsigned long long)relay->bytes[UP], (unsigned long long)relay->bytes[DOWN]);
	LIST_FOREACH(pair, &relay->pairs, link) {
		fprintf(out, "%s{\"round_trips\": %llu, \"bytes_up\": %llu, \"bytes_down\": %llu}", comma,
			(unsigned long long)pair->round_trips, (unsigned long long)pair->ways[UP].bytes,
			(unsigned long long)pair->ways[DOWN].bytes);
		comma = ", ";
	}
	fprintf(out, "]}\n");
	fflush(out);
}
