/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * TLS between a test that speaks plain bytes and a server that speaks TLS: a
 * thread for each connection. What one end does, the other one sees: bytes, an
 * end of sending, a close. Included behind test_http_certificate.h.
 */
#pragma once

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/thread.h"

struct relay {
	int server; /* TLS */
	int client; /* plain, to the test */
	SSL *ssl;
	char down[16384]; /* read from the server, not yet taken by the test */
	size_t down_at, down_size;
};

static SSL_CTX *relay_context;

/* All of it, as far as the other end takes it. */
static bool relay_up(struct relay *relay)
{
	char data[16384];
	ssize_t size = recv(relay->client, data, sizeof(data), 0);

	if (size > 0)
		return SSL_write(relay->ssl, data, (int)size) == (int)size;
	SSL_shutdown(relay->ssl);
	return false;
}

/* Does not wait for a test that does not read: that the server gives up must still be seen. */
static bool relay_down(struct relay *relay)
{
	for (;;) {
		while (relay->down_at < relay->down_size) {
			ssize_t sent = send(relay->client, relay->down + relay->down_at, relay->down_size - relay->down_at,
				MSG_NOSIGNAL | MSG_DONTWAIT);
			if (sent < 0)
				return errno == EAGAIN;
			relay->down_at += (size_t)sent;
		}
		if (relay->down_size > 0 && SSL_pending(relay->ssl) == 0)
			break;
		int size = SSL_read(relay->ssl, relay->down, sizeof(relay->down));
		if (size <= 0)
			return false;
		relay->down_at = 0;
		relay->down_size = (size_t)size;
	}
	relay->down_size = relay->down_at = 0;
	return true;
}

static void *relay_run(void *arg)
{
	struct relay *relay = arg;
	struct pollfd ends[2] = { { .fd = relay->server, .events = POLLIN }, { .fd = relay->client, .events = POLLIN } };

	bool going = SSL_connect(relay->ssl) == 1, sent_all = false;

	while (going && poll(ends, 2, -1) > 0) {
		bool full = relay->down_size > 0;

		if (full && (ends[0].revents & (POLLERR | POLLHUP)) != 0)
			break;
		if ((ends[1].revents & ~POLLOUT) != 0 && (sent_all || !relay_up(relay))) {
			going = (ends[1].revents & POLLHUP) == 0; /* or it has sent all, and what comes back is still relayed */
			sent_all = true;
		}
		if ((full ? ends[1].revents & POLLOUT : ends[0].revents) != 0 && !relay_down(relay))
			going = false;
		ends[0].events = relay->down_size > 0 ? 0 : POLLIN;
		ends[1].events = (short)((sent_all ? 0 : POLLIN) | (relay->down_size > 0 ? POLLOUT : 0));
	}
	SSL_free(relay->ssl);
	close(relay->server);
	close(relay->client);
	free(relay);
	return NULL;
}

/* Takes a connected socket; returns one that speaks plain. */
static int relay_wrap(int server)
{
	struct relay *relay = xcalloc(1, sizeof(*relay));
	int ends[2];

	if (relay_context == NULL)
		relay_context = SSL_CTX_new(TLS_client_method());
	CHECK(relay_context != NULL && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	relay->server = server;
	relay->client = ends[0];
	relay->ssl = SSL_new(relay_context);
	CHECK(relay->ssl != NULL && SSL_set_fd(relay->ssl, server) == 1);
	pthread_detach(thread_start("relay", relay_run, relay));
	return ends[1];
}
