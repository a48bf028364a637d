/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The front door over sockets: framing tricks, limits, deadlines, crowds, login, stopping (reliability.md 4.4). */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "http/setup.h"
#include "test_http_fake.h"
#include "test_http_client.h"

#define SAVE "/CMD_API_DNS_ADMIN?action=rawsave&domain=evil.example"
#define TEST "/CMD_API_LOGIN_TEST"
#define TEST_OK "error=0&text=Login+OK&details=none"
/* What an attacker would like to smuggle behind. */
#define SMUGGLED "POST " SAVE " HTTP/1.1\r\nHost: a\r\n" LOGIN "Content-Length: 5\r\n\r\n@ SOA"

struct oddity {
	const char *text;
	size_t size;
	int status; /* 0: closed without an answer */
};

#define ODDITY(text, status) { text, sizeof(text) - 1, status }
#define GET_WITH(headers) "GET " TEST " HTTP/1.1\r\nHost: a\r\n" LOGIN headers "\r\n"
#define POST_WITH(headers) "POST " SAVE " HTTP/1.1\r\nHost: a\r\n" LOGIN headers "\r\n"

/* reliability.md 10.1 L2, L3 and H06, H10: each is refused, with an answer the panel understands, and nothing behind it is read. */
static const struct oddity oddities[] = {
	ODDITY(POST_WITH("Content-Length: 5\r\nContent-Length: 5\r\n") "@ SOA", 400),
	ODDITY(POST_WITH("Content-Length: 5\r\nContent-Length: 105\r\n") "@ SOA", 400),
	ODDITY(POST_WITH("Content-Length: 5\r\ncontent-length: 0\r\n") "@ SOA", 400),
	ODDITY(POST_WITH("Content-Length: +5\r\n") "@ SOA", 400),
	ODDITY(POST_WITH("Content-Length: -5\r\n") "@ SOA", 400),
	ODDITY(POST_WITH("Content-Length: 5,5\r\n") "@ SOA", 400),
	ODDITY(POST_WITH("Content-Length: 0x5\r\n") "@ SOA", 400),
	ODDITY(POST_WITH("Content-Length: 5 5\r\n") "@ SOA", 400),
	ODDITY(POST_WITH("Content-Length: five\r\n") "@ SOA", 400),
	ODDITY(POST_WITH("Content-Length:\r\n") "@ SOA", 400),
	ODDITY(POST_WITH("Content-Length : 5\r\n") "@ SOA", 400),
	ODDITY(POST_WITH("Content-Length: 1048577\r\n") "@ SOA", 413),
	ODDITY(POST_WITH("Content-Length: 9223372036854775808\r\n") "@ SOA", 413),
	ODDITY(POST_WITH("Content-Length: 18446744073709551617\r\n") "@ SOA", 413),
	ODDITY(POST_WITH("Transfer-Encoding: xchunked\r\n") "5\r\n@ SOA\r\n0\r\n\r\n", 400),
	ODDITY(POST_WITH("Transfer-Encoding: Chunked\r\n") "5\r\n@ SOA\r\n0\r\n\r\n", 400),
	ODDITY(POST_WITH("Transfer-Encoding: identity\r\n") "@ SOA", 400),
	ODDITY(POST_WITH("Transfer-Encoding: identity, chunked\r\n") "5\r\n@ SOA\r\n0\r\n\r\n", 400),
	ODDITY(POST_WITH("Transfer-Encoding: \"chunked\"\r\n") "5\r\n@ SOA\r\n0\r\n\r\n", 400),
	ODDITY(POST_WITH("Transfer-Encoding : chunked\r\n") "5\r\n@ SOA\r\n0\r\n\r\n", 400),
	ODDITY(POST_WITH("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n") "5\r\n@ SOA\r\n0\r\n\r\n", 400),
	ODDITY(POST_WITH("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n") "5\r\n@ SOA\r\n0\r\n\r\n", 400),
	ODDITY(POST_WITH("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") "5\r\n@ SOA\r\n0\r\n\r\n", 400),
	ODDITY("POST " SAVE " HTTP/1.0\r\n" LOGIN "Transfer-Encoding: chunked\r\n\r\n5\r\n@ SOA\r\n0\r\n\r\n", 400),
	ODDITY(POST_WITH("Transfer-Encoding: chunked\r\n") "0x5\r\n@ SOA\r\n0\r\n\r\n", 400),
	ODDITY(POST_WITH("Transfer-Encoding: chunked\r\n") "+5\r\n@ SOA\r\n0\r\n\r\n", 400),
	ODDITY(POST_WITH("Transfer-Encoding: chunked\r\n") " 5\r\n@ SOA\r\n0\r\n\r\n", 400),
	ODDITY(POST_WITH("Transfer-Encoding: chunked\r\n") "-1\r\n@ SOA\r\n0\r\n\r\n", 400),
	ODDITY(POST_WITH("Transfer-Encoding: chunked\r\n") "5;x=y\r\n@ SOA\r\n0\r\n\r\n", 400),
	ODDITY(POST_WITH("Transfer-Encoding: chunked\r\n") "5\n@ SOA\n0\n\n", 400),
	ODDITY(POST_WITH("Transfer-Encoding: chunked\r\n") "4\r\n@ SOA\r\n0\r\n\r\n", 400),
	ODDITY(POST_WITH("Transfer-Encoding: chunked\r\n") "ffffffffffffffff\r\n@ SOA", 400),
	ODDITY(POST_WITH("Transfer-Encoding: chunked\r\n") "100001\r\n@ SOA", 413),
	ODDITY(POST_WITH("Transfer-Encoding: chunked\r\n") "5\r\n@ SOA\r\n0\r\nContent-Length: 3\r\n\r\n", 400),
	ODDITY("GET " TEST " HTTP/1.1\nHost: a\n" LOGIN "\n", 400),
	ODDITY("GET " TEST " HTTP/1.1\r\nHost: a\n" LOGIN "\r\n", 400),
	ODDITY(GET_WITH("X: a\r\n b\r\n"), 400),
	ODDITY(GET_WITH("X: a\r\n\tb\r\n"), 400),
	ODDITY(GET_WITH("X: a\0b\r\n"), 400),
	ODDITY("GET " TEST "\0 HTTP/1.1\r\n" LOGIN "\r\n", 400),
	ODDITY(GET_WITH("X: a\rb\r\n"), 400),
	ODDITY(GET_WITH("X: a\x7f\r\n"), 400),
	ODDITY(GET_WITH(": a\r\n"), 400),
	ODDITY(GET_WITH("X : a\r\n"), 400),
	ODDITY(GET_WITH("X Y: a\r\n"), 400),
	ODDITY(GET_WITH("X\r\n"), 400),
	ODDITY(GET_WITH("Host: b\r\n"), 400),
	ODDITY(GET_WITH("Host: a\r\n"), 400),
	ODDITY(GET_WITH(LOGIN), 400),
	ODDITY(GET_WITH("Content-Length: 5\r\n") "@ SOA", 400),
	ODDITY(GET_WITH("Transfer-Encoding: chunked\r\n") "0\r\n\r\n", 400),
	ODDITY(GET_WITH("Expect: 200-ok\r\n"), 417),
	ODDITY("GET http://a" TEST " HTTP/1.1\r\nHost: a\r\n" LOGIN "\r\n", 400),
	ODDITY("GET //a" TEST "#f HTTP/1.1\r\nHost: a\r\n" LOGIN "\r\n", 400),
	ODDITY("GET " TEST "\r\n", 400),
	ODDITY("GET " TEST " HTTP/1.1 x\r\nHost: a\r\n" LOGIN "\r\n", 505),
	ODDITY("GET " TEST " HTTP/1.2\r\nHost: a\r\n" LOGIN "\r\n", 505),
	ODDITY("GET " TEST " HTTP/2.0\r\nHost: a\r\n" LOGIN "\r\n", 505),
	ODDITY("GET " TEST " ICAP/1.0\r\nHost: a\r\n" LOGIN "\r\n", 400),
	ODDITY("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
	ODDITY("OPTIONS * HTTP/1.1\r\nHost: a\r\n" LOGIN "\r\n", 405),
	ODDITY("TRACE " TEST " HTTP/1.1\r\nHost: a\r\n" LOGIN "\r\n", 405),
	ODDITY("PUT " SAVE " HTTP/1.1\r\nHost: a\r\n" LOGIN "Content-Length: 5\r\n\r\n@ SOA", 405),
	ODDITY("DELETE " TEST " HTTP/1.1\r\nHost: a\r\n" LOGIN "\r\n", 405),
	ODDITY("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n" LOGIN "\r\n", 405),
	ODDITY("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
	ODDITY("\0", 400),
	ODDITY("{\"json\": true}\r\n", 400),
};

static void refuse_one(struct served *served, const struct oddity *oddity, size_t number, bool slowly)
{
	struct answer answer = { 0 };
	struct buf request = { 0 };
	int fd = client_connect(served);

	buf_append(&request, oddity->text, oddity->size);
	buf_puts(&request, SMUGGLED);
	if (slowly)
		client_send_slowly(fd, request.data, request.size);
	else
		client_send(fd, request.data, request.size);
	client_read(fd, &answer);
	if (answer.status != oddity->status)
		fail_msg("oddity %zu: %d instead of %d", number, answer.status, oddity->status);
	assert_memory_equal(answer.body.data, "error=1&text=", 13);
	assert_string_equal(answer_header(&answer, "Connection"), "close");
	if (!client_closed(fd))
		fail_msg("oddity %zu: something follows the refusal", number);
	close(fd);
	buf_free(&request);
	buf_free(&answer.body);
}

static void test_oddities(void **state UNUSED)
{
	struct served *served = serve_start(default_params());

	assert_true(ARRAY_SIZE(oddities) >= 43);
	for (size_t i = 0; i < ARRAY_SIZE(oddities); i++) {
		refuse_one(served, &oddities[i], i, false);
		refuse_one(served, &oddities[i], i, true);
	}
	assert_int_equal(fake_count(served->fake, &served->fake->submits), 0);
	serve_stop(served);
}

/* The same behind a good request on one connection: that one is answered, then comes the refusal. */
static void test_oddities_pipelined(void **state UNUSED)
{
	static const char good[] = "GET " TEST " HTTP/1.1\r\nHost: a\r\n" LOGIN "\r\n";
	struct served *served = serve_start(default_params());

	for (size_t i = 0; i < ARRAY_SIZE(oddities); i++) {
		struct answer answer = { 0 };
		struct buf request = { 0 };
		int fd = client_connect(served);

		buf_append(&request, good, sizeof(good) - 1);
		buf_append(&request, oddities[i].text, oddities[i].size);
		buf_puts(&request, SMUGGLED);
		client_send(fd, request.data, request.size);
		client_read(fd, &answer);
		assert_answer(&answer, 200, TEST_OK);
		client_read(fd, &answer);
		if (answer.status != oddities[i].status)
			fail_msg("oddity %zu: %d instead of %d", i, answer.status, oddities[i].status);
		assert_true(client_closed(fd));
		close(fd);
		buf_free(&request);
		buf_free(&answer.body);
	}
	assert_int_equal(fake_count(served->fake, &served->fake->submits), 0);
	serve_stop(served);
}

static void test_head_has_no_body(void **state UNUSED)
{
	struct served *served = serve_start(default_params());
	int fd = client_connect(served);
	char all[1024] = { 0 };
	size_t used = 0;

	client_send(fd, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", 28);
	while (used < sizeof(all) - 1 && client_byte(fd, &all[used]))
		used++;
	all[used] = '\0';
	assert_memory_equal(all, "HTTP/1.1 405 ", 13);
	assert_non_null(strstr(all, "\r\nAllow: GET, POST\r\n"));
	assert_string_equal(all + used - 4, "\r\n\r\n");
	close(fd);
	serve_stop(served);
}

static void test_large_heads(void **state UNUSED)
{
	struct served *served = serve_start(default_params());
	struct answer answer = { 0 };
	struct buf request = { 0 };

	buf_puts(&request, "GET " TEST "?");
	for (int i = 0; i < 8 * 1024; i++)
		buf_puts(&request, "x");
	buf_puts(&request, " HTTP/1.1\r\n" LOGIN "\r\n");
	client_ask(served, request.data, &answer);
	assert_answer(&answer, 400, "error=1&text=the+request+target+is+too+long");
	buf_clear(&request);
	buf_puts(&request, "GET " TEST " HTTP/1.1\r\n" LOGIN);
	for (int i = 0; i < 3000; i++)
		buf_puts(&request, "X: y\r\n");
	client_ask(served, request.data, &answer);
	assert_answer(&answer, 400, "error=1&text=too+many+headers");
	buf_clear(&request);
	buf_puts(&request, "GET " TEST " HTTP/1.1\r\n" LOGIN "X: ");
	for (int i = 0; i < 4 * 1024 * 1024; i++)
		buf_puts(&request, "y");
	client_ask(served, request.data, &answer);
	assert_answer(&answer, 400, "error=1&text=the+headers+are+too+large");
	buf_free(&request);
	buf_free(&answer.body);
	serve_stop(served);
}

/* A body of just the limit is taken; one byte more is refused before it is sent, and also while it is sent. */
static void test_large_bodies(void **state UNUSED)
{
	struct http_params params = default_params();
	struct served *served;
	struct answer answer = { 0 };
	struct buf request = { 0 };

	params.max_body_bytes = 300000;
	served = serve_start(params);
	for (size_t extra = 0; extra < 2; extra++) {
		buf_clear(&request);
		buf_printf(&request, "POST " SAVE " HTTP/1.0\r\n" LOGIN "Content-Length: %zu\r\n\r\n", 300000 + extra);
		for (size_t i = 0; i < 300000 + extra; i++)
			buf_puts(&request, "z");
		client_ask(served, request.data, &answer);
		assert_int_equal(answer.status, extra ? 413 : 200);
		buf_clear(&request);
		buf_puts(&request, "POST " SAVE " HTTP/1.1\r\nConnection: close\r\n" LOGIN "Transfer-Encoding: chunked\r\n\r\n");
		for (size_t i = 0; i < 3; i++) {
			buf_printf(&request, "%zx\r\n", 100000 + (i == 2 ? extra : 0));
			for (size_t k = 0; k < 100000 + (i == 2 ? extra : 0); k++)
				buf_puts(&request, "z");
			buf_puts(&request, "\r\n");
		}
		buf_puts(&request, "0\r\n\r\n");
		client_ask(served, request.data, &answer);
		assert_int_equal(answer.status, extra ? 413 : 200);
	}
	assert_int_equal(served->fake->pushes, 2);
	assert_int_equal(served->fake->zones[0].size, 300000);
	buf_free(&request);
	buf_free(&answer.body);
	serve_stop(served);
}

static void test_expect_continue(void **state UNUSED)
{
	struct served *served = serve_start(default_params());
	struct answer answer = { 0 };
	const char *head = "POST " SAVE " HTTP/1.1\r\nHost: a\r\n" LOGIN "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n";
	int fd = client_connect(served);

	client_send(fd, head, strlen(head));
	client_read(fd, &answer);
	assert_int_equal(answer.status, 100);
	client_send(fd, "@ SOA", 5);
	client_read(fd, &answer);
	assert_answer(&answer, 200, "error=0&text=Saved&details=");
	/* And a wrong login gets no invitation. */
	close(fd);
	fd = client_connect(served);
	head = "POST " SAVE " HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
	client_send(fd, head, strlen(head));
	client_read(fd, &answer);
	assert_answer(&answer, 401, "error=1&text=login+failed");
	close(fd);
	buf_free(&answer.body);
	serve_stop(served);
}

static void test_keep_alive(void **state UNUSED)
{
	struct served *served = serve_start(default_params());
	struct answer answer = { 0 };
	const char *request = "GET " TEST " HTTP/1.1\r\nHost: a\r\n" LOGIN "\r\n";
	int fd = client_connect(served);

	for (int i = 0; i < 50; i++) {
		client_send(fd, request, strlen(request));
		client_read(fd, &answer);
		assert_answer(&answer, 200, TEST_OK);
		assert_null(answer_header(&answer, "Connection"));
	}
	request = "GET " TEST " HTTP/1.1\r\nConnection: close\r\n" LOGIN "\r\n";
	client_ask_on(fd, request, strlen(request), &answer);
	assert_answer(&answer, 200, TEST_OK);
	assert_string_equal(answer_header(&answer, "Connection"), "close");
	assert_true(answer.closed);
	/* HTTP/1.0: closed, or kept when asked. */
	client_get(served, TEST, &answer);
	assert_string_equal(answer_header(&answer, "Connection"), "close");
	assert_true(answer.closed);
	fd = client_connect(served);
	request = "GET " TEST " HTTP/1.0\r\nConnection: keep-alive\r\n" LOGIN "\r\n";
	for (int i = 0; i < 3; i++) {
		client_send(fd, request, strlen(request));
		client_read(fd, &answer);
		assert_string_equal(answer_header(&answer, "Connection"), "keep-alive");
	}
	close(fd);
	buf_free(&answer.body);
	serve_stop(served);
}

/* Many requests in one write, some of which wait for the engine: answered in order, each once. */
static void test_pipelining(void **state UNUSED)
{
	enum { ROUNDS = 40 };
	struct served *served = serve_start(default_params());
	struct answer answer = { 0 };
	struct buf request = { 0 };
	int fd = client_connect(served);

	for (int i = 0; i < ROUNDS; i++)
		buf_printf(&request,
			"POST /CMD_API_DNS_ADMIN?action=rawsave&domain=z%d.example HTTP/1.1\r\n" LOGIN
			"Content-Length: 6\r\n\r\n@ SOA\n\r\n"
			"GET /CMD_API_DNS_ADMIN?action=exists&domain=z%d.example HTTP/1.1\r\n" LOGIN "\r\n"
			"GET /CMD_API_DNS_ADMIN?action=exists&domain=z%d.example HTTP/1.1\r\n" LOGIN "\r\n", i, i, i + 1);
	client_send(fd, request.data, request.size);
	shutdown(fd, SHUT_WR); /* a client that has said all */
	for (int i = 0; i < ROUNDS; i++) {
		client_read(fd, &answer);
		assert_answer(&answer, 200, "error=0&text=Saved&details=");
		client_read(fd, &answer);
		assert_answer(&answer, 200, "error=0&exists=1&details=Domain+exists");
		client_read(fd, &answer);
		assert_answer(&answer, 200, "error=0&exists=0");
	}
	assert_true(client_closed(fd));
	close(fd);
	buf_free(&request);
	buf_free(&answer.body);
	serve_stop(served);
}

/* Clients that leave at any moment: what was sent whole is saved, nothing breaks, no connection is left behind. */
static void test_clients_that_leave(void **state UNUSED)
{
#ifdef TEST_HTTP_TLS
	enum { LEAVING = 300 }; /* each a handshake, at both ends */
#else
	enum { LEAVING = 3000 };
#endif
	struct http_params params = default_params();
	struct served *served;
	struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	struct answer answer = { 0 };
	const char *request = "POST " SAVE " HTTP/1.1\r\n" LOGIN "Content-Length: 5\r\n\r\n@ SOA";
	size_t whole = 0;

	params.max_connections = params.max_connections_per_address = 5000; /* none shall be evicted */
	served = serve_start(params);
	for (size_t i = 0; i < LEAVING; i++) {
		size_t size = i % 3 == 0 ? strlen(request) : i % strlen(request);
		int fd = client_connect(served);

		client_send(fd, request, size);
		whole += size == strlen(request);
		/* A reset may overtake the bytes; a plain close does not. */
		if (i % 3 != 0)
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(fd);
	}
	wait_until(fake_count(served->fake, &served->fake->pushes) == whole);
	/* While the engine thinks. */
	pthread_mutex_lock(&served->fake->lock);
	served->fake->hold = true;
	pthread_mutex_unlock(&served->fake->lock);
	for (size_t i = 0; i < 200; i++) {
		int fd = client_connect(served);

		client_send(fd, request, strlen(request));
		wait_until(fake_count(served->fake, &served->fake->pushes) == whole + i + 1);
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(fd);
	}
	fake_release(served->fake);
	client_get(served, TEST, &answer);
	assert_answer(&answer, 200, TEST_OK);
	buf_free(&answer.body);
	serve_stop(served);
}

static void test_login(void **state UNUSED)
{
	struct served *served = serve_start(default_params());
	struct answer answer = { 0 };
	const char *wrong = "GET /status HTTP/1.1\r\nAuthorization: Basic ZG5zOndyb25n\r\n\r\n";
	int64_t since = clock_mono_ms(clock_system());
	int limited = 0, answered = 0;

	client_ask(served, "GET /status HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
	assert_answer(&answer, 401, "error=1&text=login+failed");
	assert_string_equal(answer_header(&answer, "WWW-Authenticate"), "Basic realm=\"zonefan\"");
	assert_string_equal(answer_header(&answer, "X-DirectAdmin"), "unauthorized");
	assert_true(answer.closed);
	while (limited < 40) { /* however slow the machine is: what was let through depends on the time that it took */
		client_ask(served, wrong, &answer);
		assert_true(answer.status == 401 || answer.status == 429);
		limited += answer.status == 429;
		answered += answer.status == 401;
		assert_memory_equal(answer.body.data, "error=1&text=", 13);
		client_get(served, TEST, &answer); /* from the same address, and never refused */
		assert_answer(&answer, 200, TEST_OK);
	}
	assert_in_range(answered, 1, AUTH_ADDRESS_BURST + AUTH_ADDRESS_PER_MINUTE * (clock_mono_ms(clock_system()) - since) / 60000);
	/* The probes are open. */
	client_ask(served, "GET /healthz HTTP/1.0\r\n\r\n", &answer);
	assert_answer(&answer, 200, "ok\n");
	client_ask(served, "GET /readyz HTTP/1.0\r\n\r\n", &answer);
	assert_answer(&answer, 200, "ready\n");
	client_ask(served, "GET /api/v1/zones HTTP/1.0\r\n\r\n", &answer);
	assert_int_equal(answer.status, 401);
	/* Not for a body: nobody fills memory without a login. */
	client_ask(served, "POST /healthz HTTP/1.1\r\nContent-Length: 100000\r\n\r\n", &answer);
	assert_int_equal(answer.status, 401);
	client_ask(served, "POST /readyz HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", &answer);
	assert_int_equal(answer.status, 401);
	client_ask(served, "GET /healthz/../status HTTP/1.0\r\n\r\n", &answer);
	assert_int_equal(answer.status, 401);
	assert_int_equal(fake_count(served->fake, &served->fake->submits), 0);
	buf_free(&answer.body);
	serve_stop(served);
}

/* How long until the server closes, in ms; an answer may come before. */
static int64_t lifetime(int fd, int *status)
{
	int64_t begin = clock_mono_ms(clock_system());
	struct answer answer = { 0 };

	client_read(fd, &answer);
	*status = answer.status;
	if (answer.status != 0)
		assert_true(client_closed(fd));
	close(fd);
	buf_free(&answer.body);
	return clock_mono_ms(clock_system()) - begin;
}

static void test_deadlines(void **state UNUSED)
{
	struct http_params params = default_params();
	struct served *served;
	struct answer answer = { 0 };
	const char *head = "POST " SAVE " HTTP/1.1\r\n" LOGIN "Content-Length: 500\r\n\r\n";
	const char *test = "GET " TEST " HTTP/1.1\r\n" LOGIN "\r\n";
	int status, fd;
	int64_t passed;

	/* A client that stands still for a moment is no slow one. */
	params.header_deadline_ms = 900;
	params.body_deadline_ms = 1800;
	params.connection_deadline_ms = 4500;
	served = serve_start(params);
	/* Nothing at all. */
	passed = lifetime(client_connect(served), &status);
	assert_int_equal(status, 0);
	assert_in_range(passed, 890, 9000);
	/* Part of a head. */
	fd = client_connect(served);
	client_send(fd, "GET / HT", 8);
	passed = lifetime(fd, &status);
	assert_int_equal(status, 408);
	assert_in_range(passed, 890, 9000);
	/* Part of a body. */
	fd = client_connect(served);
	client_send(fd, head, strlen(head));
	passed = lifetime(fd, &status);
	assert_int_equal(status, 408);
	assert_in_range(passed, 1790, 9000);
	/* Drops that would feed a timer that counts from the last byte: then it would be the connection's that ends it. */
	passed = clock_mono_ms(clock_system());
	fd = client_connect(served);
	client_send(fd, head, strlen(head));
	for (int i = 0; i < 500 && send(fd, "x", 1, MSG_NOSIGNAL) == 1; i++)
		poll(NULL, 0, 20);
	lifetime(fd, &status);
	assert_in_range(clock_mono_ms(clock_system()) - passed, 1790, params.connection_deadline_ms - 100);
	assert_int_equal(fake_count(served->fake, &served->fake->pushes), 0);
	/* Idle between requests. */
	fd = client_connect(served);
	passed = clock_mono_ms(clock_system());
	client_send(fd, test, strlen(test));
	client_read(fd, &answer);
	assert_int_equal(answer.status, 200);
	lifetime(fd, &status);
	assert_int_equal(status, 0);
	assert_in_range(clock_mono_ms(clock_system()) - passed, 890, 9000);
	/* A busy one ends too, with an answer that says so. */
	fd = client_connect(served);
	passed = clock_mono_ms(clock_system());
	do {
		client_send(fd, test, strlen(test));
		client_read(fd, &answer);
		assert_int_equal(answer.status, 200);
		poll(NULL, 0, 20);
	} while (answer_header(&answer, "Connection") == NULL);
	assert_true(client_closed(fd));
	assert_in_range(clock_mono_ms(clock_system()) - passed, 2100, 9000);
	close(fd);
	buf_free(&answer.body);
	serve_stop(served);
}

/* A client that takes no byte of a long answer. */
static void test_slow_reader(void **state UNUSED)
{
	struct http_params params = default_params();
	struct served *served;
	struct buf request = { 0 };
	int small = 4096, fd;
	char byte;

	params.header_deadline_ms = 500;
	params.connection_deadline_ms = 1000;
	served = serve_start(params);
	for (int i = 0; i < 40000; i++)
		buf_puts(&request, "GET /api/v1/zones HTTP/1.1\r\n" LOGIN "\r\n");
	fd = client_connect(served);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	for (size_t at = 0; at < request.size;) {
		ssize_t sent = send(fd, request.data + at, request.size - at, MSG_NOSIGNAL);

		if (sent <= 0)
			break;
		at += (size_t)sent;
	}
	struct pollfd gone = { .fd = fd, .events = 0 };
	wait_until(poll(&gone, 1, 10) == 1 && (gone.revents & (POLLHUP | POLLERR)) != 0);
	while (recv(fd, &byte, 1, 0) == 1)
		;
	close(fd);
	buf_free(&request);
	serve_stop(served);
}

/* A request that is answered, and in the same bytes the begin of another one: so it has been read, too. */
static void begin_request(int fd, const char *request, size_t size, struct answer *answer)
{
	char *both = xasprintf("GET " TEST " HTTP/1.1\r\n" LOGIN "\r\n%.*s", (int)size, request);

	client_send(fd, both, strlen(both));
	client_read(fd, answer);
	assert_int_equal(answer->status, 200);
	free(both);
}

/* With a part of a request and no login; those that are begun one after the other are accepted so. */
static int connect_begun(const struct served *served, struct answer *answer)
{
	int fd = client_connect(served);

#ifdef TEST_HTTP_TLS /* who has said hello goes before who has not, and the relay says it: each has before the next one comes */
	const char *open = "GET /healthz HTTP/1.1\r\n\r\n";
	client_send(fd, open, strlen(open));
	client_read(fd, answer);
	assert_int_equal(answer->status, 200);
#else
	(void)answer;
#endif
	client_send(fd, "GET", 3);
	return fd;
}

static void test_crowd(void **state UNUSED)
{
	struct http_params params = default_params();
	struct served *served;
	struct answer answer = { 0 };
	const char *test = "GET " TEST " HTTP/1.1\r\n" LOGIN "\r\n";
	const char *save = "POST " SAVE " HTTP/1.1\r\n" LOGIN "Content-Length: 5\r\n\r\n@ S";
	int idle[20], friend, busy;

	params.max_connections = 10;
	served = serve_start(params);
	busy = client_connect(served);
	begin_request(busy, save, strlen(save), &answer); /* its login is known when the others come */
	friend = client_connect(served);
	client_send(friend, test, strlen(test));
	client_read(friend, &answer);
	assert_int_equal(answer.status, 200);
	for (size_t i = 0; i < ARRAY_SIZE(idle); i++)
		idle[i] = connect_begun(served, &answer);
	/* The oldest of those without a login went; those with one are still there, and so are the newest. */
	for (size_t i = 0; i < 12; i++) {
		assert_true(client_closed(idle[i]));
		close(idle[i]);
	}
	client_send(friend, test, strlen(test));
	client_read(friend, &answer);
	assert_answer(&answer, 200, TEST_OK);
	client_send(busy, "OA", 2);
	client_read(busy, &answer);
	assert_answer(&answer, 200, "error=0&text=Saved&details=");
	/* A newcomer gets in. */
	client_get(served, TEST, &answer);
	assert_answer(&answer, 200, TEST_OK);
	close(friend);
	close(busy);
	for (size_t i = 12; i < ARRAY_SIZE(idle); i++)
		close(idle[i]);
	buf_free(&answer.body);
	serve_stop(served);
}

#ifndef TEST_HTTP_TLS /* with it the relay would read, and says hello at once */
/* Who says nothing at first, for want of a processor, is not pushed out by a crowd from its own address that speaks. */
static void test_slow_to_speak(void **state UNUSED)
{
	struct http_params params = default_params();
	struct served *served;
	struct answer answer = { 0 };
	const char *test = "GET " TEST " HTTP/1.1\r\n" LOGIN "\r\n";
	int crowd[20], master;
	int64_t silent;

	params.max_connections_per_address = 4;
	served = serve_start(params);
	do {
		int64_t since = clock_mono_ms(clock_system());

		master = client_connect(served);
		for (size_t i = 0; i < ARRAY_SIZE(crowd); i++) {
			crowd[i] = client_connect(served);
			client_send(crowd[i], "GET", 3);
		}
		for (size_t i = 0; i < ARRAY_SIZE(crowd) - params.max_connections_per_address; i++)
			assert_true(client_closed(crowd[i]));
		silent = clock_mono_ms(clock_system()) - since;
		client_send(master, test, strlen(test));
		client_read(master, &answer);
		close(master);
		for (size_t i = 0; i < ARRAY_SIZE(crowd); i++)
			close(crowd[i]);
	} while (silent > 500); /* a machine that stood still: the kernel may have lost its patience */
	assert_answer(&answer, 200, TEST_OK);
	buf_free(&answer.body);
	serve_stop(served);
}

/* Asks what is open to everybody, again and again, and reads nothing, until it can't send any more: its answers are stuck. */
static int connect_deaf(struct served *served)
{
	static const char ask[] = "GET /healthz HTTP/1.1\r\n\r\n";
	int fd = client_connect(served), little = 1024;
	struct pollfd writable = { .fd = fd, .events = POLLOUT };
	struct buf many = { 0 };
	ssize_t sent = 0;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &little, sizeof(little));
	for (size_t i = 0; i < 1000; i++)
		buf_puts(&many, ask);
	for (size_t at = 0; sent >= 0 && poll(&writable, 1, 500) > 0; at = (at + (size_t)sent) % many.size) {
		sent = send(fd, many.data + at, many.size - at, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent < 0)
			break;
	}
	buf_free(&many);
	return fd;
}

/* Who has no login makes room, also with an answer under way that it does not read. */
static void test_deaf_crowd(void **state UNUSED)
{
	struct http_params params = default_params();
	struct served *served;
	struct answer answer = { 0 };
	int deaf[4];

	params.max_connections = ARRAY_SIZE(deaf);
	served = serve_start(params);
	for (size_t i = 0; i < ARRAY_SIZE(deaf); i++)
		deaf[i] = connect_deaf(served);
	client_get(served, TEST, &answer);
	assert_answer(&answer, 200, TEST_OK);
	for (size_t i = 0; i < ARRAY_SIZE(deaf); i++)
		close(deaf[i]);
	buf_free(&answer.body);
	serve_stop(served);
}
#endif

/* Everybody at the cap works for somebody with the password: the newcomer is turned away. */
static void test_full_house(void **state UNUSED)
{
	struct http_params params = default_params();
	struct served *served;
	struct answer answer = { 0 };
	const char *save = "POST " SAVE " HTTP/1.1\r\n" LOGIN "Content-Length: 5\r\n\r\n@ SOA";
	int busy[4], fd;

	params.max_connections_per_address = 4;
	served = serve_start(params);
	served->fake->hold = true;
	for (size_t i = 0; i < 4; i++) {
		busy[i] = client_connect(served);
		client_send(busy[i], save, strlen(save));
		wait_until(fake_count(served->fake, &served->fake->pushes) == i + 1);
	}
	fd = client_connect(served);
	assert_true(client_closed(fd));
	close(fd);
	fake_release(served->fake);
	for (size_t i = 0; i < 4; i++) {
		client_read(busy[i], &answer);
		assert_answer(&answer, 200, "error=0&text=Saved&details=");
	}
	client_get(served, TEST, &answer); /* one of the now idle ones makes room */
	assert_answer(&answer, 200, TEST_OK);
	for (size_t i = 0; i < 4; i++)
		close(busy[i]);
	buf_free(&answer.body);
	serve_stop(served);
}

/* Over the bytes in memory, the largest unfinished request goes; the others are served. */
static void test_inflight_bytes(void **state UNUSED)
{
	struct http_params params = default_params();
	struct served *served;
	struct answer answer = { 0 };
	char head[256], *part = xcalloc(1, 170000);
	int fds[4];

	memset(part, 'z', 170000);
	params.max_inflight_bytes = 500000;
	served = serve_start(params);
	for (size_t i = 0; i < 4; i++) {
		size_t size = i == 1 ? 170000 : 100000;

		snprintf(head, sizeof(head), "POST /CMD_API_DNS_ADMIN?action=rawsave&domain=z%zu.example HTTP/1.1\r\n" LOGIN
			"Content-Length: %d\r\n\r\n", i, 200000);
		fds[i] = client_connect(served);
		client_send(fds[i], head, strlen(head));
		client_send(fds[i], part, size);
	}
	/* 470,000 bytes are there; these go beyond. */
	client_send(fds[0], part, 40000);
	client_read(fds[1], &answer);
	assert_answer(&answer, 503, "error=1&text=too+much+at+once");
	assert_true(client_closed(fds[1]));
	client_send(fds[0], part, 60000);
	client_read(fds[0], &answer);
	assert_answer(&answer, 200, "error=0&text=Saved&details=");
	client_send(fds[2], part, 100000);
	client_read(fds[2], &answer);
	assert_answer(&answer, 200, "error=0&text=Saved&details=");
	for (size_t i = 0; i < 4; i++)
		close(fds[i]);
	free(part);
	buf_free(&answer.body);
	serve_stop(served);
}

/* Out of descriptors: accepting pauses without spinning, and goes on when there are some again. */
static void test_no_descriptors(void **state UNUSED)
{
	struct served *served = serve_start(default_params());
	struct answer answer = { 0 };
	const char *request = "GET " TEST " HTTP/1.0\r\n" LOGIN "\r\n";
	struct rlimit old, none;
	struct rusage before, after;
	size_t said = 0;
	int fds[4];

#ifndef TEST_HTTP_TLS /* with it a first byte is for the relay to say, when there are descriptors for it */
	said = 1; /* or the kernel would not offer them */
#endif

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = socket(AF_INET, SOCK_STREAM, 0);
	none = old;
	none.rlim_cur = (rlim_t)fds[3] + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(served->port),
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		assert_int_equal(connect(fds[i], (struct sockaddr *)&address, sizeof(address)), 0);
		client_send(fds[i], request, said);
	}
	getrusage(RUSAGE_SELF, &before);
	poll(NULL, 0, 1000); /* the time over which the CPU is measured */
	getrusage(RUSAGE_SELF, &after);
	assert_true((after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1000000 + after.ru_utime.tv_usec -
		before.ru_utime.tv_usec < 300000);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		client_ask_on(client_of(fds[i]), request + said, strlen(request) - said, &answer);
		assert_answer(&answer, 200, TEST_OK);
	}
	buf_free(&answer.body);
	serve_stop(served);
}

/* The rest of the process has its descriptors, however many connections are configured. */
static void test_reserved_files(void **state UNUSED)
{
	struct http_params params = default_params();
	struct rlimit old, low;
	struct served *served;
	struct answer answer = { 0 };
	struct http *http;
	struct err err;
	int fds[30];

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = (struct rlimit){ .rlim_cur = 200, .rlim_max = old.rlim_max };
	params.max_connections = 100;
	params.reserved_files = 300;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	served = serve_start(params);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &low), 0);
	assert_int_equal(low.rlim_cur, old.rlim_max); /* as far as it may be */
	serve_stop(served);
	/* No room for more: ten connections, of which two are the control socket's; the oldest without a login goes. */
	params.reserved_files = (unsigned)old.rlim_max - 12;
	served = serve_start(params);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = connect_begun(served, &answer);
	client_get(served, TEST, &answer);
	assert_answer(&answer, 200, TEST_OK);
	for (size_t i = 0; i < ARRAY_SIZE(fds) - 8; i++)
		assert_true(client_closed(fds[i]));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	serve_stop(served);
	params.reserved_files += 3;
	struct engine *fake = fake_create();
	assert_int_equal(http_bind(&params, &err), 0);
	int bound = params.setup->listeners[0].fd;
	assert_int_equal(http_create(&params, fake, &http, &err), ERR_LIMIT);
	assert_non_null(strstr(err.text, "the limit of open files"));
	assert_int_equal(fcntl(bound, F_GETFD), -1); /* it was taken over, also here */
	fake_destroy(fake);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	buf_free(&answer.body);
}

/* SIGTERM: idle ones are closed, what is in hand is answered, new pushes are refused, then http_run returns. */
static void test_stop(void **state UNUSED)
{
	struct served *served = serve_start(default_params());
	struct answer answer = { 0 };
	const char *test = "GET " TEST " HTTP/1.1\r\n" LOGIN "\r\n";
	const char *save = "POST " SAVE " HTTP/1.1\r\n" LOGIN "Content-Length: 5\r\n\r\n@ SOA";
	int hand = client_connect(served), idle = client_connect(served), late = client_connect(served);
	int half = client_connect(served);
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(served->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	client_send(idle, test, strlen(test));
	client_read(idle, &answer);
	assert_answer(&answer, 200, TEST_OK);
	served->fake->hold = true;
	begin_request(late, save, 20, &answer);
	begin_request(half, save, strlen(save) - 2, &answer);
	client_send(hand, save, strlen(save));
	wait_until(fake_count(served->fake, &served->fake->pushes) == 1);
	pthread_kill(served->thread, SIGTERM);
	assert_true(client_closed(idle));
	client_send(late, save + 20, strlen(save) - 20);
	client_read(late, &answer);
	assert_answer(&answer, 503, "error=1&text=shutting+down");
	client_send(half, save + strlen(save) - 2, 2); /* its head was there before: it is finished */
	wait_until(fake_count(served->fake, &served->fake->pushes) == 2);
	close(idle);
	idle = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(idle, (struct sockaddr *)&address, sizeof(address)), -1);
	assert_false(__atomic_load_n(&served->done, __ATOMIC_ACQUIRE));
	fake_release(served->fake);
	client_read(hand, &answer);
	assert_answer(&answer, 200, "error=0&text=Saved&details=");
	assert_string_equal(answer_header(&answer, "Connection"), "close");
	assert_true(client_closed(hand));
	client_read(half, &answer);
	assert_answer(&answer, 200, "error=0&text=Saved&details=");
	close(hand);
	close(half);
	close(late);
	close(idle);
	wait_until(__atomic_load_n(&served->done, __ATOMIC_ACQUIRE));
	assert_int_equal(served->ret, 0);
	buf_free(&answer.body);
	serve_join(served);
}

static void test_stop_deadline_and_second_signal(void **state UNUSED)
{
	const char *save = "POST " SAVE " HTTP/1.1\r\n" LOGIN "Content-Length: 5\r\n\r\n@ SOA";

	for (int second = 0; second < 2; second++) {
		struct http_params params = default_params();
		int64_t begin;
		struct served *served;
		int hand;

		params.stop_deadline_ms = second ? 1000000 : 300;
		served = serve_start(params);
		served->fake->hold = true;
		hand = client_connect(served);
		client_send(hand, save, strlen(save));
		wait_until(fake_count(served->fake, &served->fake->pushes) == 1);
		begin = clock_mono_ms(clock_system());
		pthread_kill(served->thread, SIGTERM);
		if (second) {
			struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(served->port),
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
			int fd = -1;

			/* The first was seen when nobody can connect any more. */
			do {
				if (fd >= 0)
					close(fd);
				fd = socket(AF_INET, SOCK_STREAM, 0);
			} while (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
			close(fd);
			pthread_kill(served->thread, SIGINT);
		}
		wait_until(__atomic_load_n(&served->done, __ATOMIC_ACQUIRE));
		assert_int_equal(served->ret, 0);
		if (!second)
			assert_true(clock_mono_ms(clock_system()) - begin >= 290);
		serve_join(served); /* with the request still in hand */
		close(hand);
	}
}

static void test_fatal(void **state UNUSED)
{
	struct served *served = serve_start(default_params());
	struct engine_message *message = fake_message(ENGINE_FATAL);

	err_set(&message->err, ERR_IO, "the disk cannot be trusted");
	fake_post(served->fake, message);
	wait_until(__atomic_load_n(&served->done, __ATOMIC_ACQUIRE));
	assert_int_equal(served->ret, ERR_IO);
	assert_string_equal(served->err.text, "the disk cannot be trusted");
	serve_join(served);
}

static void test_port_in_use(void **state UNUSED)
{
	struct served *served = serve_start(default_params());
	struct http_params params = default_params();
	struct http *second = NULL;
	struct err err;

	params.main.port = served->port;
	assert_int_equal(http_create(&params, served->fake, &second, &err), ERR_BUSY);
	assert_non_null(strstr(err.text, "127.0.0.1"));
	assert_non_null(strstr(err.text, "in use"));
	params.main.address = "";
	params.main.port = 0;
	assert_int_equal(http_create(&params, served->fake, &second, &err), 0); /* all addresses */
	assert_int_not_equal(http_port(second), 0);
	http_destroy(second);
	serve_stop(served);
}

/* With an argument: only the tests of that name. */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_oddities),
		cmocka_unit_test(test_oddities_pipelined),
		cmocka_unit_test(test_head_has_no_body),
		cmocka_unit_test(test_large_heads),
		cmocka_unit_test(test_large_bodies),
		cmocka_unit_test(test_expect_continue),
		cmocka_unit_test(test_keep_alive),
		cmocka_unit_test(test_pipelining),
		cmocka_unit_test(test_clients_that_leave),
		cmocka_unit_test(test_login),
		cmocka_unit_test(test_deadlines),
		cmocka_unit_test(test_slow_reader),
		cmocka_unit_test(test_crowd),
#ifndef TEST_HTTP_TLS
		cmocka_unit_test(test_slow_to_speak),
		cmocka_unit_test(test_deaf_crowd),
#endif
		cmocka_unit_test(test_full_house),
		cmocka_unit_test(test_inflight_bytes),
		cmocka_unit_test(test_no_descriptors),
		cmocka_unit_test(test_reserved_files),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_stop_deadline_and_second_signal),
		cmocka_unit_test(test_fatal),
		cmocka_unit_test(test_port_in_use),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("http_door", tests, NULL, NULL);
}
