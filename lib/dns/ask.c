/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "dns/dns.h"

enum { UDP_TRIES = 2, UDP_MS = 1000, TCP_MS = 3000, TICK_MS = 200 };

static int64_t now_ms(void)
{
	return clock_mono_ms(clock_system());
}

static int open_socket(const struct dns_server *server, int type, struct err *err)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(server->port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(server->port) };
	bool is_v4 = inet_pton(AF_INET, server->address, &v4.sin_addr) == 1;

	if (!is_v4 && inet_pton(AF_INET6, server->address, &v6.sin6_addr) != 1)
		return err_set(err, ERR_TIMEOUT, "%s is no address", server->address);
	int fd = socket(is_v4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(err, ERR_TIMEOUT, "no socket: %m");
	int ret = is_v4 ? connect(fd, (struct sockaddr *)&v4, sizeof(v4)) : connect(fd, (struct sockaddr *)&v6, sizeof(v6));
	if (ret != 0 && errno != EINPROGRESS) {
		close(fd);
		return err_set(err, ERR_TIMEOUT, "%m");
	}
	return fd;
}

/* Waits until the socket is ready for events. */
static int await(const struct dns_server *server, int fd, short events, int64_t until_ms, struct err *err)
{
	struct pollfd poller = { .fd = fd, .events = events };

	for (;;) {
		int64_t left_ms = until_ms - now_ms();

		if (!server->tick(server->ctx))
			return err_set(err, ERR_CLOSED, "given up");
		if (left_ms <= 0)
			return err_set(err, ERR_TIMEOUT, "does not answer");
		if (poll(&poller, 1, left_ms < TICK_MS ? (int)left_ms : TICK_MS) > 0)
			return ERR_OK;
	}
}

static int ask_udp(const struct dns_server *server, int fd, const struct dns_question *question,
	struct dns_answer *answer, struct err *err)
{
	uint8_t wire[DNS_QUERY_MAX * 8];
	int64_t until_ms = now_ms() + UDP_MS;
	uint16_t id;

	hash_random(&id, sizeof(id));
	size_t size = dns_write_query(question, id, wire);
	if (send(fd, wire, size, 0) != (ssize_t)size)
		return err_set(err, ERR_TIMEOUT, "%m");
	for (;;) {
		int ret = await(server, fd, POLLIN, until_ms, err);
		if (ret != ERR_OK)
			return ret;
		ssize_t got = recv(fd, wire, sizeof(wire), 0);
		if (got < 0 && errno != EAGAIN && errno != EINTR)
			return err_set(err, ERR_TIMEOUT, "%m");
		/* What is no answer of ours is passed over: somebody may be guessing. */
		ret = got < 0 ? ERR_INVALID : dns_read_answer(question, id, wire, (size_t)got, answer, err);
		if (ret != ERR_INVALID)
			return ret;
	}
}

/* All of it, however the pieces come. */
static int transfer(const struct dns_server *server, int fd, bool out, uint8_t *data, size_t size, int64_t until_ms,
	struct err *err)
{
	while (size > 0) {
		int ret = await(server, fd, out ? POLLOUT : POLLIN, until_ms, err);
		if (ret != ERR_OK)
			return ret;
		ssize_t done = out ? send(fd, data, size, MSG_NOSIGNAL) : recv(fd, data, size, 0);
		if (done == 0 || (done < 0 && errno != EAGAIN && errno != EINTR))
			return err_set(err, ERR_TIMEOUT, "the connection ended");
		data += done < 0 ? 0 : done;
		size -= done < 0 ? 0 : (size_t)done;
	}
	return ERR_OK;
}

static int ask_tcp(const struct dns_server *server, int fd, const struct dns_question *question,
	struct dns_answer *answer, struct err *err)
{
	int64_t until_ms = now_ms() + TCP_MS;
	uint8_t query[2 + DNS_QUERY_MAX];
	uint16_t id;

	hash_random(&id, sizeof(id));
	size_t size = dns_write_query(question, id, query + 2);
	query[0] = (uint8_t)(size >> 8);
	query[1] = (uint8_t)size;
	int ret = transfer(server, fd, true, query, 2 + size, until_ms, err);
	if (ret == ERR_OK)
		ret = transfer(server, fd, false, query, 2, until_ms, err);
	if (ret != ERR_OK)
		return ret;
	size = (size_t)query[0] << 8 | query[1];
	uint8_t *wire = xmalloc(size + 1);
	ret = transfer(server, fd, false, wire, size, until_ms, err);
	if (ret == ERR_OK)
		ret = dns_read_answer(question, id, wire, size, answer, err);
	free(wire);
	/* By TCP there is no other answer to wait for. */
	return ret == ERR_LIMIT ? err_set(err, ERR_INVALID, "the answer by TCP is truncated") : ret;
}

int dns_ask(const struct dns_server *server, const struct dns_question *question, struct dns_answer *answer,
	struct err *err)
{
	*answer = (struct dns_answer){ 0 };
	int fd = open_socket(server, SOCK_DGRAM, err);
	int ret = fd < 0 ? fd : ERR_TIMEOUT;

	for (int i = 0; fd >= 0 && ret == ERR_TIMEOUT && i < UDP_TRIES; i++)
		ret = ask_udp(server, fd, question, answer, err);
	if (fd >= 0)
		close(fd);
	if (ret != ERR_LIMIT)
		return ret;
	fd = open_socket(server, SOCK_STREAM, err);
	ret = fd < 0 ? fd : ask_tcp(server, fd, question, answer, err);
	if (fd >= 0)
		close(fd);
	if (ret != ERR_TIMEOUT)
		return ret;
	/* By UDP it did answer: it is not silent. */
	const struct err why = *err;
	return err_set(err, ERR_LIMIT, "the answer is truncated, and by TCP: %s", why.text);
}
