/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who may come in, by which listener, and for what: lists of addresses, trusted proxies, roles; and all of it changed by reloads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/internal.h"
#include "test_http_fake.h"
#include "test_http_client.h"
#include "test_http_reloader.h"

#define TEST "/CMD_API_LOGIN_TEST"
#define WRONG_LOGIN "Authorization: Basic ZG5zOndyb25n\r\n"

static const char *const loopback[] = { "127.0.0.0/8" };
static const char *const elsewhere[] = { "203.0.113.0/24", "2001:db8::/32" };
static const char *const own[] = { "127.0.0.1" };

/* The status of a GET; 0: closed without an answer. */
static int ask_at(uint16_t port, const char *target, const char *headers)
{
	struct served to = { .port = port };
	struct answer answer = { 0 };
	char *request = xasprintf("GET %s HTTP/1.1\r\nConnection: close\r\n%s\r\n", target, headers);

	client_ask(&to, request, &answer);
	free(request);
	buf_free(&answer.body);
	return answer.status;
}

static uint16_t port_of(const struct reloader *reloader, const char *address)
{
	struct sockaddr_storage bound;
	socklen_t size = sizeof(bound);
	const struct door *door = door_at(reloader->served.http, address, 0);

	assert_non_null(door);
	assert_int_equal(getsockname(evconnlistener_get_fd(door->listener), (struct sockaddr *)&bound, &size), 0);
	return ntohs(((struct sockaddr_in *)&bound)->sin_port);
}

/* Two listeners; at each a list of its own. */
static void test_allowed_addresses(void **state UNUSED)
{
	struct http_listener more = { .address = "127.0.0.2", .allow = elsewhere, .allow_count = 2 };
	struct http_params params = default_params();
	params.main.allow = loopback;
	params.main.allow_count = 1;
	params.listeners = &more;
	params.listener_count = 1;
	struct reloader *reloader = reloader_start(params);
	struct served second = { .port = port_of(reloader, "127.0.0.2") };

	assert_int_equal(ask_at(reloader->served.port, TEST, LOGIN), 200);
	/* client_connect goes to 127.0.0.1, where the second does not listen. */
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(second.port) };
	assert_int_equal(inet_pton(AF_INET, "127.0.0.2", &address.sin_addr), 1);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_true(client_closed(fd)); /* without a word, before anything was read */
	close(fd);
	assert_int_equal(reloader_reload(reloader, &params), ERR_OK); /* behind it the loop's counts can be looked at */
	/* A list that shuts out who is connected. */
	fd = client_connect(&reloader->served);
	struct answer answer = { 0 };
	const char *test = "GET " TEST " HTTP/1.1\r\n" LOGIN "\r\n";
	client_send(fd, test, strlen(test));
	client_read(fd, &answer);
	assert_int_equal(answer.status, 200);
	params.main.allow = elsewhere;
	params.main.allow_count = 2;
	assert_int_equal(reloader_reload(reloader, &params), ERR_OK);
	assert_int_equal(reloader->served.http->counts.addresses_refused, 1); /* the loop's, which has just waited for us */
	client_send(fd, test, strlen(test));
	client_read(fd, &answer);
	assert_answer(&answer, 403, "error=1&text=this+address+is+not+allowed+here");
	close(fd);
	assert_int_equal(ask_at(reloader->served.port, "/healthz", ""), 0);
	params.main.allow_count = 0;
	assert_int_equal(reloader_reload(reloader, &params), ERR_OK);
	assert_int_equal(ask_at(reloader->served.port, TEST, LOGIN), 200);
	buf_free(&answer.body);
	reloader_stop(reloader);
}

/* Of a proxy that is trusted the clients are looked at, in lists, buckets and events; of anybody else the header is nothing. */
static void test_forwarded_addresses(void **state UNUSED)
{
	struct http_params params = default_params();
	struct reloader *reloader = reloader_start(params);
	params.trusted_proxies = own;
	params.trusted_proxy_count = 1;
	params.main.allow = elsewhere;
	params.main.allow_count = 2;
	params.max_connections_per_address = 1; /* which a proxy is not held to */
	assert_int_equal(reloader_reload(reloader, &params), ERR_OK);
	uint16_t port = reloader->served.port;
	int idle = client_connect(&reloader->served);
	const char *test = "GET " TEST " HTTP/1.1\r\n" LOGIN "X-Forwarded-For: 203.0.113.9\r\n\r\n";

	client_send(idle, test, 3); /* or it would not be let in yet */
	assert_int_equal(ask_at(port, TEST, LOGIN "X-Forwarded-For: 203.0.113.9\r\n"), 200);
	assert_int_equal(ask_at(port, TEST, LOGIN "X-Forwarded-For: 198.51.100.1\r\n"), 403);
	assert_int_equal(ask_at(port, TEST, LOGIN "X-Forwarded-For: 203.0.113.9, 198.51.100.1\r\n"), 403);
	assert_int_equal(ask_at(port, TEST, LOGIN "X-Forwarded-For: 198.51.100.1\r\nX-Forwarded-For: 203.0.113.9\r\n"), 200);
	assert_int_equal(ask_at(port, TEST, LOGIN "x-forwarded-for: [2001:db8::7]:80, 127.0.0.1\r\n"), 200);
	assert_int_equal(ask_at(port, TEST, LOGIN), 403); /* the proxy itself is not in the list */
	for (int i = 0; i < AUTH_ADDRESS_BURST; i++)
		assert_int_equal(ask_at(port, TEST, WRONG_LOGIN "X-Forwarded-For: 203.0.113.9\r\n"), 401);
	assert_int_equal(ask_at(port, TEST, WRONG_LOGIN "X-Forwarded-For: 203.0.113.9\r\n"), 429);
	assert_int_equal(ask_at(port, TEST, WRONG_LOGIN "X-Forwarded-For: 203.0.113.10\r\n"), 401);
	assert_int_equal(ask_at(port, "/CMD_API_DNS_ADMIN?action=rawsave&domain=a.example", LOGIN "X-Forwarded-For: 203.0.113.9\r\n"),
		200); /* refused, for it is no POST; no matter */
	assert_int_equal(ask_at(port, "/status", LOGIN "X-Forwarded-For: 203.0.113.9\r\n"), 200);
	assert_string_equal(reloader->served.fake->last_source, "203.0.113.9");
	struct answer answer = { 0 };
	client_send(idle, test + 3, strlen(test) - 3); /* nobody has pushed it out */
	client_read(idle, &answer);
	assert_int_equal(answer.status, 200);
	buf_free(&answer.body);
	/* Trusted no more: the header is nothing, and the bucket is that of the connection. */
	params.trusted_proxy_count = 0;
	params.main.allow_count = 0;
	params.max_connections_per_address = 512;
	assert_int_equal(reloader_reload(reloader, &params), ERR_OK);
	assert_int_equal(ask_at(port, "/status", LOGIN "X-Forwarded-For: 203.0.113.9\r\n"), 200);
	assert_string_equal(reloader->served.fake->last_source, "127.0.0.1");
	assert_int_equal(ask_at(port, TEST, WRONG_LOGIN "X-Forwarded-For: 203.0.113.9\r\n"), 401);
	close(idle);
	reloader_stop(reloader);
}

/* What a listener serves: login by login, path by path. */
static void test_roles(void **state UNUSED)
{
	static const struct {
		unsigned serves;
		int push, look, change, exchange;
	} cases[] = {
		{ 0, 200, 200, 405, 200 },
		{ AUTH_SERVES(AUTH_PUSH), 200, 403, 405, 403 },
		{ AUTH_SERVES(AUTH_EXCHANGE), 403, 403, 405, 200 },
		{ AUTH_SERVES(AUTH_LOOK) | AUTH_SERVES(AUTH_CHANGE), 403, 200, 405, 403 },
		{ AUTH_SERVES(AUTH_PUSH) | AUTH_SERVES(AUTH_EXCHANGE), 200, 403, 405, 200 },
	};
	struct http_params params = default_params();
	struct reloader *reloader = reloader_start(params);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		params.main.serves = cases[i].serves;
		assert_int_equal(reloader_reload(reloader, &params), ERR_OK);
		uint16_t port = reloader->served.port;
		assert_int_equal(ask_at(port, TEST, LOGIN), cases[i].push);
		assert_int_equal(ask_at(port, "/status", LOGIN), cases[i].look);
		assert_int_equal(ask_at(port, "/internal/peers", LOGIN), cases[i].exchange);
		assert_int_equal(ask_at(port, "/status", ""), 401);
		assert_int_equal(ask_at(port, "/healthz", ""), 200);
	}
	reloader_stop(reloader);
}

/* Listeners come and go; what is open at one that goes is answered, and then ends. */
static void test_listeners_come_and_go(void **state UNUSED)
{
	struct http_listener more = { .address = "" };
	struct http_params params = default_params();
	struct reloader *reloader = reloader_start(params);
	struct answer answer = { 0 };
	const char *test = "GET " TEST " HTTP/1.1\r\n" LOGIN "\r\n";
	const char *push = "POST /CMD_API_DNS_ADMIN?action=rawsave&domain=a.example HTTP/1.1\r\n" LOGIN "Content-Length: 5\r\n\r\n@ SOA";

	params.listeners = &more;
	params.listener_count = 1;
	assert_int_equal(reloader_reload(reloader, &params), ERR_OK);
	struct served second = { .port = port_of(reloader, "") };
	assert_int_equal(ask_at(second.port, TEST, LOGIN), 200);
	int idle = client_connect(&second), hand = client_connect(&second), late = client_connect(&second);
	client_send(idle, test, strlen(test));
	client_read(idle, &answer);
	assert_int_equal(answer.status, 200);
	reloader->served.fake->hold = true;
	client_send(hand, push, strlen(push));
	client_send(late, push, strlen(push) - 1);
	wait_until(fake_count(reloader->served.fake, &reloader->served.fake->pushes) == 1);
	params.listener_count = 0;
	assert_int_equal(reloader_reload(reloader, &params), ERR_OK);
	assert_true(client_closed(idle));
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(second.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	close(idle);
	idle = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(idle, (struct sockaddr *)&address, sizeof(address)), -1);
	client_send(late, push + strlen(push) - 1, 1);
	wait_until(fake_count(reloader->served.fake, &reloader->served.fake->pushes) == 2);
	fake_release(reloader->served.fake);
	client_read(hand, &answer);
	assert_answer(&answer, 200, "error=0&text=Saved&details=");
	assert_string_equal(answer_header(&answer, "Connection"), "close");
	assert_true(client_closed(hand));
	client_read(late, &answer);
	assert_answer(&answer, 200, "error=0&text=Saved&details=");
	assert_string_equal(answer_header(&answer, "Connection"), "close");
	assert_true(client_closed(late));
	close(hand);
	close(late);
	close(idle);
	/* The same place again, while a connection of the door before may still be there. */
	params.listener_count = 1;
	assert_int_equal(reloader_reload(reloader, &params), ERR_OK);
	assert_int_equal(ask_at(port_of(reloader, ""), TEST, LOGIN), 200);
	assert_int_equal(ask_at(reloader->served.port, TEST, LOGIN), 200);
	buf_free(&answer.body);
	reloader_stop(reloader);
}

/* A place that another has, a list that is none: the error says so, and nothing has changed. */
static void test_what_cannot_be_had(void **state UNUSED)
{
	static const char *const wrong[] = { "all" };
	struct http_params params = default_params(), other = default_params();
	struct reloader *reloader = reloader_start(params);
	uint16_t port = 0;
	struct err err;
	int taken;

	assert_int_equal(net_bind_tcp("127.0.0.1", &port, &taken, &err), ERR_OK);
	assert_int_equal(net_listen_tcp(taken, "127.0.0.1", port, &err), ERR_OK);
	struct http_listener more[] = { { .address = "127.0.0.2" }, { .address = "127.0.0.1", .port = port } };
	other.logins = NULL;
	other.login_count = 0;
	other.listeners = more;
	other.listener_count = 2;
	assert_int_equal(reloader_reload(reloader, &other), ERR_BUSY);
	assert_non_null(strstr(reloader->err.text, "Address already in use"));
	assert_null(door_at(reloader->served.http, "127.0.0.2", 0));
	assert_int_equal(ask_at(reloader->served.port, TEST, LOGIN), 200);
	other.listener_count = 1;
	other.main.allow = wrong;
	other.main.allow_count = 1;
	assert_int_equal(reloader_reload(reloader, &other), ERR_INVALID);
	assert_string_equal(reloader->err.text, "\"all\" is neither an address nor a network");
	assert_int_equal(ask_at(reloader->served.port, TEST, LOGIN), 200);
	close(taken);
	reloader_stop(reloader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_allowed_addresses),
		cmocka_unit_test(test_forwarded_addresses),
		cmocka_unit_test(test_roles),
		cmocka_unit_test(test_listeners_come_and_go),
		cmocka_unit_test(test_what_cannot_be_had),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
