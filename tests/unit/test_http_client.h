/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * For the tests of lib/http over sockets: a server with the fake engine in a
 * thread of its own, and a raw client. Included behind test_http_fake.h and
 * cmocka.h.
 */
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/thread.h"
#include "http/auth.h"
#include "http/http.h"

#ifdef TEST_HTTP_TLS
#include "test_http_certificate.h"
#include "test_http_relay.h"
#endif

/* The limit of every wait; far above what anything here takes. */
enum { PATIENCE_MS = 20000 };

#define LOGIN "Authorization: Basic ZG5zOnNlY3JldA==\r\n" /* dns:secret */
#define ZONE_TEXT "\n\n$TTL 60\n@ IN SOA a b ( 1 2 3 4 5 )\nwww\t60\tIN\tTXT\t\"a=1&b=2+3%41;~\"\n\n"

struct served {
	struct engine *fake;
	struct http *http;
	pthread_t thread;
	uint16_t port;
	int ret;
	struct err err;
	volatile bool done;
	char control[64];
};

struct answer {
	int status;
	char head[4096];
	struct buf body;
	bool closed; /* the server closed the connection behind it */
};

static void *serve(void *arg)
{
	struct served *served = arg;
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_UNBLOCK, &signals, NULL); /* threads of base block them all; this one plays main */
	served->ret = http_run(served->http, &served->err);
	__atomic_store_n(&served->done, true, __ATOMIC_RELEASE);
	return NULL;
}

/* "dns" may do all; the others are of one role each. */
static const struct auth_login test_logins[] = {
	{ "dns", "secret", AUTH_ALL, NULL },
	{ "da1", "one", AUTH_MASTER, "da1.example,da1-old.example" },
	{ "ops", "two", AUTH_OPERATOR, NULL },
	{ "eye", "three", AUTH_READER, NULL },
	{ "peer", "four", AUTH_PEER, NULL },
};

#ifdef TEST_HTTP_TLS /* the same tests once more, with TLS between */
static struct certificate test_certificate;

static void forget_certificate(void)
{
	certificate_free(&test_certificate);
}
#endif

static struct http_params default_params(void)
{
#ifdef TEST_HTTP_TLS
	if (test_certificate.x509 == NULL) {
		test_certificate = certificate_make("test", -1, 1, NULL);
		atexit(forget_certificate);
	}
#endif
	return (struct http_params){
#ifdef TEST_HTTP_TLS
		.main = { .address = "127.0.0.1", .ssl = true },
		.ssl_cert = test_certificate.cert,
		.ssl_key = test_certificate.key,
		.ssl_bundle = "",
#else
		.main = { .address = "127.0.0.1" },
#endif
		.control_socket = "",
		.logins = test_logins,
		.login_count = ARRAY_SIZE(test_logins),
		.exists_parent = 3,
		.max_body_bytes = 1 << 20,
		.max_inflight_bytes = 4 << 20,
		.max_connections = 512,
		.max_connections_per_address = 512,
		.header_deadline_ms = 10000,
		.body_deadline_ms = 30000,
		.connection_deadline_ms = 60000,
		.stop_deadline_ms = 5000,
	};
}

#define wait_until(condition)                                                                                \
	do {                                                                                                 \
		int64_t wait_end = clock_mono_ms(clock_system()) + PATIENCE_MS;                              \
		while (!(condition)) {                                                                       \
			if (clock_mono_ms(clock_system()) > wait_end)                                        \
				fail_msg("waited in vain for %s", #condition);                               \
			poll(NULL, 0, 2);                                                                    \
		}                                                                                            \
	} while (0)

static size_t UNUSED fake_count(struct engine *fake, const size_t *counter)
{
	pthread_mutex_lock(&fake->lock);
	size_t count = *counter;
	pthread_mutex_unlock(&fake->lock);
	return count;
}

/* To speak plain bytes on a connected socket, whatever the server speaks. */
static int client_of(int fd)
{
#ifdef TEST_HTTP_TLS
	return relay_wrap(fd);
#else
	return fd;
#endif
}

static int client_connect(const struct served *served)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(served->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return client_of(fd);
}

static int UNUSED client_connect_control(const struct served *served)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", served->control);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* All of it, or up to the point where the server has closed. */
static void client_send(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);

		if (sent < 0)
			return;
		data += sent;
		size -= (size_t)sent;
	}
}

static void UNUSED client_send_slowly(int fd, const char *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		client_send(fd, data + i, 1);
		if (i % 64 == 0)
			poll(NULL, 0, 1);
	}
}

/* One byte more. False: the end, or a reset. */
static bool client_byte(int fd, char *out)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	if (poll(&ready, 1, PATIENCE_MS) != 1)
		fail_msg("no byte and no end from the server");
	return recv(fd, out, 1, 0) == 1;
}

static bool client_closed(int fd)
{
	char byte;

	return !client_byte(fd, &byte);
}

static const char *answer_header(const struct answer *answer, const char *name)
{
	static char value[512];
	const char *line = strcasestr(answer->head, name);

	if (line == NULL || line[-1] != '\n' || line[strlen(name)] != ':')
		return NULL;
	line += strlen(name) + 2;
	snprintf(value, sizeof(value), "%.*s", (int)strcspn(line, "\r"), line);
	return value;
}

/* Reads one answer by its Content-Length. status 0: the connection ended without. */
static void client_read(int fd, struct answer *answer)
{
	size_t used = 0, length;
	char byte;

	answer->status = 0;
	buf_clear(&answer->body);
	memset(answer->head, 0, sizeof(answer->head));
	while (strstr(answer->head, "\r\n\r\n") == NULL) {
		if (!client_byte(fd, &byte))
			return;
		answer->head[used++] = byte;
		assert_true(used < sizeof(answer->head) - 1);
	}
	assert_int_equal(sscanf(answer->head, "HTTP/1.%*d %d ", &answer->status), 1);
	if (answer->status == 100)
		return;
	assert_non_null(answer_header(answer, "Content-Length"));
	length = (size_t)atol(answer_header(answer, "Content-Length"));
	buf_puts(&answer->body, "");
	while (answer->body.size < length && client_byte(fd, &byte))
		buf_append(&answer->body, &byte, 1);
	assert_int_equal(answer->body.size, length);
}

/* Sends it, reads an answer, and looks whether the connection is closed then. */
static void client_ask_on(int fd, const char *data, size_t size, struct answer *answer)
{
	client_send(fd, data, size);
	client_read(fd, answer);
	answer->closed = client_closed(fd);
	close(fd);
}

static void client_ask(const struct served *served, const char *request, struct answer *answer)
{
	client_ask_on(client_connect(served), request, strlen(request), answer);
}

static void serve_create(struct served *served, struct http_params params)
{
	served->fake = fake_create();
	snprintf(served->control, sizeof(served->control), "%s", params.control_socket);
	params.control_socket = served->control;
	if (http_create(&params, served->fake, &served->http, &served->err) != 0)
		fail_msg("http_create: %s", served->err.text);
	served->port = http_port(served->http);
}

static void serve_begin(struct served *served)
{
	struct answer answer = { 0 };

	served->thread = thread_start("loop", serve, served);
	/* Served once, it is in its loop and takes signals. */
	client_ask(served, "GET /healthz HTTP/1.0\r\n\r\n", &answer);
	assert_int_equal(answer.status, 200);
	buf_free(&answer.body);
}

static struct served *serve_start_unloaded(struct http_params params)
{
	struct served *served = xcalloc(1, sizeof(*served));

	serve_create(served, params);
	serve_begin(served);
	return served;
}

static UNUSED struct served *serve_start(struct http_params params)
{
	struct served *served = serve_start_unloaded(params);

	fake_post(served->fake, fake_message(ENGINE_NAMES_LOADED));
	return served;
}

static void UNUSED serve_join(struct served *served)
{
	thread_join(served->thread);
	http_destroy(served->http);
	fake_destroy(served->fake);
	free(served);
}

static void UNUSED serve_stop(struct served *served)
{
	pthread_kill(served->thread, SIGTERM);
	thread_join(served->thread);
	assert_int_equal(served->ret, 0);
	http_destroy(served->http);
	fake_destroy(served->fake);
	free(served);
}

/* GET of a target over HTTP/1.0 with the login. */
static void UNUSED client_get(const struct served *served, const char *target, struct answer *answer)
{
	char *request = xasprintf("GET %s HTTP/1.0\r\n" LOGIN "Host: ns3.dns-host.example\r\n\r\n", target);

	client_ask(served, request, answer);
	free(request);
}

static void UNUSED client_post(const struct served *served, const char *target, const char *body,
	struct answer *answer)
{
	char *request = xasprintf("POST %s HTTP/1.0\r\n" LOGIN "Host: ns3.dns-host.example\r\nContent-Length: %zu\r\n\r\n%s",
		target, strlen(body), body);

	client_ask(served, request, answer);
	free(request);
}

static void UNUSED assert_answer(struct answer *answer, int status, const char *body)
{
	assert_int_equal(answer->status, status);
	assert_string_equal(answer->body.data, body);
}
