/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Other settings while requests are in hand and connections are open: nothing is dropped, and a bad reload changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "http/internal.h"
#include "test_http_fake.h"
#include "test_http_client.h"
#include "test_http_reloader.h"

#define SAVE "/CMD_API_DNS_ADMIN?action=rawsave&domain=example.org"
#define TEST "/CMD_API_LOGIN_TEST"
#define SAVED "error=0&text=Saved&details="

/* dns:other */
#define OTHER_LOGIN "Authorization: Basic ZG5zOm90aGVy\r\n"

static const struct auth_login other_logins[] = { { "dns", "other", AUTH_ALL, NULL } };

static int ask_with(const struct served *served, const char *login)
{
	struct answer answer = { 0 };
	char *request = xasprintf("GET " TEST " HTTP/1.0\r\n%s\r\n", login);

	client_ask(served, request, &answer);
	free(request);
	buf_free(&answer.body);
	return answer.status;
}

/* A push that waits for the engine is answered, and the events name who sent it; the next one needs the new password. */
static void test_other_logins(void **state UNUSED)
{
	struct http_params params = default_params();
	struct reloader *reloader = reloader_start(params);
	struct served *served = &reloader->served;
	struct answer answer = { 0 };
	int hand = client_connect(served);

	served->fake->hold = true;
	const char *push = "POST " SAVE " HTTP/1.1\r\n" LOGIN "Content-Length: 5\r\n\r\n@ SOA";
	client_send(hand, push, strlen(push));
	wait_until(fake_count(served->fake, &served->fake->pushes) == 1);
	params.logins = other_logins;
	params.login_count = 1;
	assert_int_equal(reloader_reload(reloader, &params), ERR_OK);
	fake_release(served->fake);
	client_read(hand, &answer);
	assert_answer(&answer, 200, SAVED);
	assert_string_equal(served->fake->last_actor, "dns");
	client_send(hand, push, strlen(push)); /* the connection lives on, the login does not */
	client_read(hand, &answer);
	assert_int_equal(answer.status, 401);
	close(hand);
	assert_int_equal(ask_with(served, LOGIN), 401);
	assert_int_equal(ask_with(served, OTHER_LOGIN), 200);
	buf_free(&answer.body);
	reloader_stop(reloader);
}

/* Who guessed too often stays limited: a reload is no pardon. */
static void test_guesses_stay_counted(void **state UNUSED)
{
	struct http_params params = default_params();
	struct reloader *reloader = reloader_start(params);

	for (int i = 0; i < AUTH_ADDRESS_BURST; i++)
		assert_int_equal(ask_with(&reloader->served, OTHER_LOGIN), 401);
	/* One comes back every two seconds. */
	for (int more = 0; ask_with(&reloader->served, OTHER_LOGIN) != 429; more++)
		assert_true(more < AUTH_ADDRESS_BURST);
	assert_int_equal(reloader_reload(reloader, &params), ERR_OK);
	for (int more = 0; ask_with(&reloader->served, OTHER_LOGIN) != 429; more++)
		assert_true(more < AUTH_ADDRESS_BURST / 2); /* with a pardon all of them would be back */
	reloader_stop(reloader);
}

static int post_of(int fd, size_t size)
{
	struct answer answer = { 0 };
	struct buf request = { 0 };

	buf_printf(&request, "POST " SAVE " HTTP/1.1\r\n" LOGIN "Content-Length: %zu\r\n\r\n", size);
	for (size_t i = 0; i < size; i++)
		buf_puts(&request, "z");
	client_send(fd, request.data, request.size);
	client_read(fd, &answer);
	buf_free(&request);
	buf_free(&answer.body);
	return answer.status;
}

/* A larger body on a connection that was there before, then none of that size any more. */
static void test_limits(void **state UNUSED)
{
	struct http_params params = default_params();
	params.max_body_bytes = 1000;
	struct reloader *reloader = reloader_start(params);
	int fd = client_connect(&reloader->served);

	assert_int_equal(post_of(fd, 1000), 200);
	params.max_body_bytes = 100000;
	assert_int_equal(reloader_reload(reloader, &params), ERR_OK);
	assert_int_equal(post_of(fd, 1000), 200); /* the limit is looked at between two requests */
	assert_int_equal(post_of(fd, 100000), 200);
	params.max_body_bytes = 1000;
	params.max_connections = 1;
	assert_int_equal(reloader_reload(reloader, &params), ERR_OK);
	assert_int_equal(post_of(fd, 1000), 200);
	assert_int_equal(post_of(fd, 1001), 413);
	close(fd);
	fd = client_connect(&reloader->served);
	client_send(fd, "G", 1);
	int second = client_connect(&reloader->served);
	client_send(second, "G", 1);
	assert_true(client_closed(fd)); /* one at a time now */
	close(fd);
	close(second);
	reloader_stop(reloader);
}

/* What can't be: the error says why, and all is as it was. */
static void test_refused(void **state UNUSED)
{
	struct http_params params = default_params();
	struct reloader *reloader = reloader_start(params);
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	params.logins = other_logins;
	params.login_count = 1;
	params.reserved_files = (unsigned)limit.rlim_max;
	assert_int_equal(reloader_reload(reloader, &params), ERR_LIMIT);
	assert_non_null(strstr(reloader->err.text, "the limit of open files"));
	assert_int_equal(ask_with(&reloader->served, LOGIN), 200);
	assert_int_equal(ask_with(&reloader->served, OTHER_LOGIN), 401);
	reloader_stop(reloader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_other_logins),
		cmocka_unit_test(test_guesses_stay_counted),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
