/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pair.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "now.h"
#include "relay.h"

enum { HELD_MAX = 64 * 1024 * 1024 };

/* One piece of data; of size 0: the sender has ended. */
struct chunk {
	STAILQ_ENTRY(chunk) link;
	struct pair *pair;
	int way;
	int64_t due_ns;
	size_t size;
	size_t sent;
	char data[];
};

/* ---- connections ---- */

static void drop_chunks(struct chunk_list *list)
{
	struct chunk *chunk;

	while ((chunk = STAILQ_FIRST(list)) != NULL) {
		STAILQ_REMOVE_HEAD(list, link);
		free(chunk);
	}
}

void pair_close(struct pair *pair, bool reset)
{
	struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	if (pair->closed)
		return;
	pair->closed = true;
	for (int side = 0; side < WAYS; side++) {
		if (reset)
			setsockopt(pair->ends[side].fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		close(pair->ends[side].fd);
		drop_chunks(&pair->ways[side].due);
	}
	LIST_REMOVE(pair, link);
	LIST_INSERT_HEAD(&pair->relay->dead, pair, link);
}

void pair_bury(struct relay *relay)
{
	struct pair *pair, *next;

	for (pair = LIST_FIRST(&relay->dead); pair != NULL; pair = next) {
		next = LIST_NEXT(pair, link);
		if (pair->travelling > 0)
			continue;
		LIST_REMOVE(pair, link);
		free(pair);
	}
}

/* Reads while there is room, writes while there is something to write. */
static void set_interest(struct pair *pair, int side)
{
	struct end *end = &pair->ends[side];
	const struct way *in = &pair->ways[side];
	const struct way *out = &pair->ways[!side];
	struct epoll_event event = { .data.ptr = end };
	int operation = EPOLL_CTL_MOD;

	if (!in->ended && in->held < HELD_MAX)
		event.events |= EPOLLIN;
	if (!STAILQ_EMPTY(&out->due))
		event.events |= EPOLLOUT;
	if (event.events == end->interest)
		return;
	/* Where nothing is wanted a hang-up would still be told, again and again. */
	if (event.events == 0)
		operation = EPOLL_CTL_DEL;
	else if (end->interest == 0)
		operation = EPOLL_CTL_ADD;
	end->interest = event.events;
	CHECK(epoll_ctl(pair->relay->epoll, operation, end->fd, &event) == 0);
}

static void set_up_end(struct pair *pair, int side, int fd)
{
	int one = 1;

	pair->ends[side] = (struct end){ .pair = pair, .side = side, .fd = fd };
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	set_interest(pair, side);
}

void pair_take(struct relay *relay)
{
	struct sockaddr_in target = { .sin_family = AF_INET, .sin_port = htons(relay->target_port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int client = accept4(relay->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (client < 0)
		return;

	struct pair *pair = xcalloc(1, sizeof(*pair));
	int server = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	CHECK(server >= 0);
	pair->relay = relay;
	STAILQ_INIT(&pair->ways[UP].due);
	STAILQ_INIT(&pair->ways[DOWN].due);
	LIST_INSERT_HEAD(&relay->pairs, pair, link);
	relay->connections++;
	/* A failure shows as an error of that end. */
	int ret UNUSED = connect(server, (struct sockaddr *)&target, sizeof(target));
	set_up_end(pair, UP, client);
	set_up_end(pair, DOWN, server);
}

/* ---- data ---- */

static void count_read(struct pair *pair, int way, size_t size)
{
	pair->ways[way].bytes += size;
	pair->relay->bytes[way] += size;
	if (way == UP && pair->given && size > 0) {
		pair->given = false;
		pair->round_trips++;
		pair->relay->round_trips++;
	}
}

static void send_on_its_way(struct pair *pair, int way, const char *data, size_t size)
{
	struct chunk *chunk = xmalloc(sizeof(*chunk) + size);

	*chunk = (struct chunk){ .pair = pair, .way = way, .due_ns = now_ns() + pair->relay->delay_ns, .size = size };
	memcpy(chunk->data, data, size);
	pair->ways[way].held += size;
	pair->travelling++;
	STAILQ_INSERT_TAIL(&pair->relay->travelling, chunk, link);
}

static void read_end(struct pair *pair, int way)
{
	struct relay *relay = pair->relay;
	ssize_t got = recv(pair->ends[way].fd, relay->buffer, RELAY_READ_MAX, 0);

	if (got < 0) {
		if (errno != EAGAIN && errno != EINTR)
			pair_close(pair, true);
		return;
	}
	if (got == 0)
		pair->ways[way].ended = true;
	count_read(pair, way, (size_t)got);
	if (relay->swallowing)
		pair->doomed = true;
	else
		send_on_its_way(pair, way, relay->buffer, (size_t)got);
	set_interest(pair, way);
}

/* Writes one chunk as far as it goes. False: the other end takes no more now, or the pair is closed. */
static bool write_chunk(struct pair *pair, struct chunk *chunk)
{
	int fd = pair->ends[!chunk->way].fd;

	if (chunk->size == 0) {
		shutdown(fd, SHUT_WR);
		return true;
	}

	ssize_t sent = send(fd, chunk->data + chunk->sent, chunk->size - chunk->sent, MSG_NOSIGNAL);

	if (sent < 0) {
		if (errno != EAGAIN && errno != EINTR)
			pair_close(pair, true);
		return false;
	}
	if (chunk->way == DOWN)
		pair->given = true;
	chunk->sent += (size_t)sent;
	pair->ways[chunk->way].held -= (size_t)sent;
	return chunk->sent == chunk->size;
}

/* Both have ended, and all that they sent was handed on. */
static bool has_ended(const struct pair *pair)
{
	for (int way = 0; way < WAYS; way++) {
		if (!pair->ways[way].ended || !STAILQ_EMPTY(&pair->ways[way].due))
			return false;
	}
	return pair->travelling == 0;
}

static void write_due(struct pair *pair, int way)
{
	struct chunk_list *due = &pair->ways[way].due;
	struct chunk *chunk;

	while ((chunk = STAILQ_FIRST(due)) != NULL && write_chunk(pair, chunk)) {
		STAILQ_REMOVE_HEAD(due, link);
		free(chunk);
	}
	if (pair->closed)
		return;
	if (has_ended(pair)) {
		pair_close(pair, false);
		return;
	}
	set_interest(pair, UP);
	set_interest(pair, DOWN);
}

void pair_arrive(struct relay *relay)
{
	struct chunk *chunk;

	while ((chunk = STAILQ_FIRST(&relay->travelling)) != NULL && chunk->due_ns <= now_ns()) {
		struct pair *pair = chunk->pair;

		STAILQ_REMOVE_HEAD(&relay->travelling, link);
		pair->travelling--;
		if (relay->swallowing)
			pair->doomed = true;
		if (pair->closed || pair->doomed) {
			free(chunk);
			continue;
		}
		STAILQ_INSERT_TAIL(&pair->ways[chunk->way].due, chunk, link);
		write_due(pair, chunk->way);
	}
}

int64_t pair_next_due_ns(const struct relay *relay)
{
	const struct chunk *first = STAILQ_FIRST(&relay->travelling);

	return first != NULL ? first->due_ns : -1;
}

void pair_forget_travelling(struct relay *relay)
{
	struct chunk *chunk;

	STAILQ_FOREACH(chunk, &relay->travelling, link)
		chunk->pair->travelling--;
	drop_chunks(&relay->travelling);
}

void pair_on_event(struct end *end, uint32_t events)
{
	struct pair *pair = end->pair;

	if (pair->closed)
		return;
	if (events & EPOLLERR) {
		pair_close(pair, true);
		return;
	}
	if (events & EPOLLOUT && !pair->relay->swallowing)
		write_due(pair, !end->side);
	if (events & (EPOLLIN | EPOLLHUP) && !pair->closed && !pair->ways[end->side].ended)
		read_end(pair, end->side);
}
