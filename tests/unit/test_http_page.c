/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The status page over sockets: who sees it, who may act, and that no other site acts by a browser's login. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "test_http_fake.h"
#include "test_http_client.h"

#define OPS "Authorization: Basic b3BzOnR3bw==\r\n"      /* ops:two */
#define EYE "Authorization: Basic ZXllOnRocmVl\r\n"      /* eye:three */
#define MASTER "Authorization: Basic ZGExOm9uZQ==\r\n"   /* da1:one */
#define FORM "Content-Type: application/x-www-form-urlencoded\r\n"

static int get(const struct served *served, const char *login, const char *target, struct answer *answer)
{
	char *request = xasprintf("GET %s HTTP/1.0\r\nHost: zf.example:2222\r\n%s\r\n", target, login);

	client_ask(served, request, answer);
	free(request);
	return answer->status;
}

static int post(const struct served *served, const char *headers, const char *target, const char *body, struct answer *answer)
{
	char *request = xasprintf("POST %s HTTP/1.0\r\nHost: zf.example:2222\r\n" FORM "%sContent-Length: %zu\r\n\r\n%s", target,
		headers, strlen(body), body);

	client_ask(served, request, answer);
	free(request);
	return answer->status;
}

static void assert_has(const struct answer *answer, const char *text)
{
	if (strstr(answer->body.data, text) == NULL)
		fail_msg("no \"%s\" in %s", text, answer->body.data);
}

/* Of that login's forms. */
static char *token_of(const struct served *served, const char *login)
{
	static const char before[] = "name=\"token\" value=\"";
	struct answer answer = { 0 };
	char *token;

	assert_int_equal(get(served, login, "/", &answer), 200);
	assert_has(&answer, before);
	token = xasprintf("%.64s", strstr(answer.body.data, before) + strlen(before));
	buf_free(&answer.body);
	return token;
}

static void test_who_sees_it(void **state UNUSED)
{
	struct served *served = serve_start(default_params());
	struct answer answer = { 0 };

	assert_int_equal(get(served, "", "/", &answer), 401);
	assert_non_null(answer_header(&answer, "WWW-Authenticate"));
	assert_string_equal(answer_header(&answer, "Content-Type"), "text/html; charset=utf-8");
	assert_has(&answer, "login failed");
	assert_int_equal(get(served, "Authorization: Basic eDp5\r\n", "/", &answer), 401);
	assert_int_equal(get(served, MASTER, "/", &answer), 403);
	assert_has(&answer, "this login may not do that");
	assert_int_equal(get(served, LOGIN, "/", &answer), 200);
	assert_has(&answer, "method=\"post\"");
	assert_int_equal(get(served, EYE, "/", &answer), 200);
	assert_has(&answer, "<h1>dc2 is down");
	assert_has(&answer, "eye, looks only");
	assert_null(strstr(answer.body.data, "method=\"post\""));
	buf_free(&answer.body);
	serve_stop(served);
}

static void assert_permitted(const char *policy, const char *page, const char *begin, const char *end, const char *directive)
{
	const char *text = strstr(page, begin) + strlen(begin), *sources = strstr(policy, directive);
	char hash[HASH_BASE64_SIZE], *source, *part;

	hash_sha256_base64(text, (size_t)(strstr(text, end) - text), hash);
	source = xasprintf("'sha256-%s'", hash);
	part = xasprintf("%.*s", (int)strcspn(sources, ";"), sources);
	assert_non_null(strstr(part, source));
	free(part);
	free(source);
}

static void test_headers(void **state UNUSED)
{
	struct served *served = serve_start(default_params());
	struct answer answer = { 0 };

	get(served, OPS, "/", &answer);
	assert_string_equal(answer_header(&answer, "Cache-Control"), "no-store");
	assert_string_equal(answer_header(&answer, "X-Content-Type-Options"), "nosniff");
	assert_string_equal(answer_header(&answer, "X-Frame-Options"), "DENY");
	assert_string_equal(answer_header(&answer, "Referrer-Policy"), "same-origin");
	const char *policy = answer_header(&answer, "Content-Security-Policy");
	assert_non_null(strstr(policy, "default-src 'none'"));
	assert_non_null(strstr(policy, "frame-ancestors 'none'"));
	assert_null(strstr(policy, "unsafe"));
	/* What stands in the page is what the policy permits, to the byte. */
	assert_permitted(policy, answer.body.data, "<style>", "</style>", "style-src");
	assert_permitted(policy, answer.body.data, "<script>", "</script>", "script-src");
	/* Nothing is loaded from anywhere. */
	assert_null(strstr(answer.body.data, "src="));
	assert_null(strstr(answer.body.data, "@import"));
	get(served, OPS, "/page/pause", &answer);
	policy = answer_header(&answer, "Content-Security-Policy");
	assert_permitted(policy, answer.body.data, "<style>", "</style>", "style-src");
	buf_free(&answer.body);
	serve_stop(served);
}

static void test_views(void **state UNUSED)
{
	struct served *served = serve_start(default_params());
	struct answer answer = { 0 };

	assert_int_equal(get(served, OPS, "/?zone=+SHOP.example.", &answer), 200);
	assert_string_equal(served->fake->last_zone, "shop.example");
	assert_has(&answer, "<h2 class=\"name\">shop.example");
	assert_has(&answer, "1205 lock wait time-out");
	assert_int_equal(get(served, OPS, "/?zone=%3Cscript%3E%ff", &answer), 200);
	assert_has(&answer, "no such zone: &lt;script&gt;");
	assert_null(strstr(answer.body.data, "<script>%"));
	fake_post_name(served->fake, ENGINE_NAME_SET, "z000.example", "", "");
	do
		get(served, OPS, "/?zone=www.Z000.example", &answer);
	while (strstr(answer.body.data, "It is a name within") == NULL);
	assert_has(&answer, "It is a name within <a href=\"/?zone=z000.example\">");
	assert_has(&answer, "<a href=\"/?zone=z001.example\">"); /* what follows, as the fake lists it */
	assert_int_equal(get(served, OPS, "/?held=7", &answer), 200);
	assert_int_equal(get(served, OPS, "/?before=41", &answer), 200);
	assert_int_equal(served->fake->last_before, 41);
	assert_has(&answer, "Back to the first page");
	assert_int_equal(get(served, OPS, "/?dead=x", &answer), 400);
	assert_has(&answer, "dead must be a number");
	assert_int_equal(get(served, OPS, "/?zone=a&zone=b", &answer), 400);
	assert_int_equal(get(served, OPS, "/?zone=%zz", &answer), 400);
	buf_free(&answer.body);
	serve_stop(served);
}

static void test_an_action(void **state UNUSED)
{
	struct served *served = serve_start(default_params());
	struct answer answer = { 0 };
	char *token = token_of(served, OPS);
	char *body = xasprintf("token=%s&backend=dc1", token);

	assert_int_equal(post(served, OPS, "/page/pause", body, &answer), 303);
	assert_string_equal(served->fake->last_backend, "dc1");
	assert_string_equal(served->fake->last_actor, "ops");
	assert_memory_equal(answer_header(&answer, "Location"), "/?notice=", 9);
	char *location = xstrdup(answer_header(&answer, "Location"));
	get(served, OPS, location, &answer);
	assert_has(&answer, "class=\"good\">dc1 is now paused.</div>");
	get(served, EYE, location, &answer); /* another's is not shown */
	assert_null(strstr(answer.body.data, "dc1 is now paused."));
	free(location);
	free(body);
	/* The engine says no: that is told, too. */
	body = xasprintf("token=%s&backend=dc%%3C9&back=zone&zone=a.example", token);
	assert_int_equal(post(served, OPS, "/page/pause", body, &answer), 303);
	location = xstrdup(answer_header(&answer, "Location"));
	assert_memory_equal(location, "/?zone=a.example&notice=", 24);
	get(served, OPS, location, &answer);
	assert_has(&answer, "class=\"bad\">there is no back end dc&lt;9; there is dc1</div>");
	free(location);
	free(body);
	free(token);
	buf_free(&answer.body);
	serve_stop(served);
}

static void test_what_is_wrong_with_an_action(void **state UNUSED)
{
	struct served *served = serve_start(default_params());
	struct answer answer = { 0 };
	char *token = token_of(served, OPS), *body = xasprintf("token=%s", token);
	size_t before;

	assert_int_equal(get(served, OPS, "/page/pause", &answer), 405);
	assert_int_equal(post(served, OPS, "/", body, &answer), 405);
	assert_int_equal(post(served, OPS, "/page/nothing", body, &answer), 404);
	assert_int_equal(post(served, OPS, "/page/", body, &answer), 404);
	before = served->fake->submits;
	assert_int_equal(post(served, OPS, "/page/pause", body, &answer), 400);
	assert_has(&answer, "a field of the form is missing");
	assert_int_equal(post(served, OPS, "/page/drop", body, &answer), 400);
	assert_int_equal(post(served, OPS, "/page/approve", body, &answer), 400);
	free(body);
	body = xasprintf("token=%s&id=0", token);
	assert_int_equal(post(served, OPS, "/page/approve", body, &answer), 400);
	free(body);
	body = xasprintf("token=%s&zone=%%zz", token);
	assert_int_equal(post(served, OPS, "/page/retry", body, &answer), 400);
	free(body);
	body = xcalloc(1, 20001);
	memset(body, 'a', 20000);
	assert_int_equal(post(served, OPS, "/page/retry", body, &answer), 413);
	free(body);
	assert_int_equal(served->fake->submits, before);
	free(token);
	buf_free(&answer.body);
	serve_stop(served);
}

/* The login is good, as a browser sends it, but the form is somebody else's. */
static void test_forgery(void **state UNUSED)
{
	struct served *served = serve_start(default_params());
	struct answer answer = { 0 };
	char *token = token_of(served, OPS), *others = token_of(served, LOGIN);
	char *good = xasprintf("token=%s&backend=dc1", token), *wrong = xasprintf("token=%s&backend=dc1", others);
	size_t before = served->fake->submits;

	assert_int_equal(post(served, OPS, "/page/pause", "backend=dc1", &answer), 403);
	assert_int_equal(post(served, OPS, "/page/pause", "token=&backend=dc1", &answer), 403);
	assert_int_equal(post(served, OPS, "/page/pause", wrong, &answer), 403);
	assert_has(&answer, "Nothing was done");
	assert_int_equal(post(served, EYE, "/page/pause", good, &answer), 403);
	assert_int_equal(post(served, MASTER, "/page/pause", good, &answer), 403);
	static const char *const foreign[] = { "Origin: https://evil.example\r\n", "Origin: null\r\n", "Origin: http://zf.example\r\n",
		"Sec-Fetch-Site: cross-site\r\n", "Sec-Fetch-Site: same-site\r\n", "Sec-Fetch-Site: none\r\n",
		"Origin: http://zf.example:2222\r\nSec-Fetch-Site: cross-site\r\n", "Origin: zf.example:2222\r\n", "Origin:\r\n" };
	for (size_t i = 0; i < ARRAY_SIZE(foreign); i++) {
		char *headers = xasprintf(OPS "%s", foreign[i]), *all = xasprintf(LOGIN "%s", foreign[i]);

		assert_int_equal(post(served, headers, "/page/pause", good, &answer), 403);
		assert_has(&answer, "another site");
		/* Nor may it do anything else that changes something. */
		assert_int_equal(post(served, headers, "/api/v1/backends/dc1/pause", "", &answer), 403);
		assert_int_equal(post(served, all, "/CMD_API_DNS_ADMIN", "action=delete&select0=a.example", &answer), 403);
		free(headers);
		free(all);
	}
	assert_int_equal(served->fake->submits, before);
	assert_int_equal(served->fake->deletes, 0);
	free(token);
	free(others);
	free(good);
	free(wrong);
	buf_free(&answer.body);
	serve_stop(served);
}

static void test_own_forms(void **state UNUSED)
{
	static const char *const own[] = { "", "Origin: http://zf.example:2222\r\n", "Origin: https://ZF.example:2222\r\n",
		"Sec-Fetch-Site: same-origin\r\n", "Origin: https://outside.example\r\nSec-Fetch-Site: same-origin\r\n" };
	struct served *served = serve_start(default_params());
	struct answer answer = { 0 };
	char *token = token_of(served, OPS), *body = xasprintf("token=%s&backend=dc1", token);

	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		char *headers = xasprintf(OPS "%s", own[i]);

		assert_int_equal(post(served, headers, "/page/pause", body, &answer), 303);
		free(headers);
	}
	assert_int_equal(post(served, OPS "Origin: a\r\nOrigin: b\r\n", "/page/pause", body, &answer), 400);
	free(token);
	free(body);
	buf_free(&answer.body);
	serve_stop(served);
}

/* The queue is full: the page says so, as a page. */
static void test_busy(void **state UNUSED)
{
	struct served *served = serve_start(default_params());
	struct answer answer = { 0 };

	pthread_mutex_lock(&served->fake->lock);
	served->fake->closed = true;
	pthread_mutex_unlock(&served->fake->lock);
	assert_int_equal(get(served, OPS, "/", &answer), 503);
	assert_string_equal(answer_header(&answer, "Content-Type"), "text/html; charset=utf-8");
	assert_has(&answer, "shutting down");
	assert_non_null(answer_header(&answer, "Content-Security-Policy"));
	buf_free(&answer.body);
	serve_stop(served);
}

/* The client goes while the engine is asked: what was gathered goes with it. */
static void test_client_goes(void **state UNUSED)
{
	static const char ask[] = "GET / HTTP/1.1\r\nHost: zf.example\r\n" OPS "\r\n";
	struct served *served = serve_start(default_params());
	struct answer answer = { 0 };

	pthread_mutex_lock(&served->fake->lock);
	served->fake->hold = true;
	pthread_mutex_unlock(&served->fake->lock);
	int fd = client_connect(served);
	client_send(fd, ask, strlen(ask));
	wait_until(fake_count(served->fake, &served->fake->held_count) == 1);
	close(fd);
	fake_release(served->fake);
	assert_int_equal(get(served, OPS, "/", &answer), 200);
	buf_free(&answer.body);
	serve_stop(served);
}

/* Several on one connection: each has its own answers. */
static void test_kept_alive(void **state UNUSED)
{
	static const char *const asks[] = { "GET / HTTP/1.1\r\nHost: zf.example\r\n" OPS "\r\n",
		"GET /?zone=shop.example HTTP/1.1\r\nHost: zf.example\r\n" OPS "\r\n", "GET /status HTTP/1.1\r\nHost: zf.example\r\n" OPS "\r\n" };
	static const char *const wanted[] = { "id=\"backends\"", "id=\"history\"", "\"backends\":" };
	struct served *served = serve_start(default_params());
	struct answer answer = { 0 };
	int fd = client_connect(served);

	for (size_t i = 0; i < 6; i++) {
		client_send(fd, asks[i % 3], strlen(asks[i % 3]));
		client_read(fd, &answer);
		assert_int_equal(answer.status, 200);
		assert_has(&answer, wanted[i % 3]);
	}
	close(fd);
	buf_free(&answer.body);
	serve_stop(served);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_sees_it),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_views),
		cmocka_unit_test(test_an_action),
		cmocka_unit_test(test_what_is_wrong_with_an_action),
		cmocka_unit_test(test_forgery),
		cmocka_unit_test(test_own_forms),
		cmocka_unit_test(test_busy),
		cmocka_unit_test(test_client_goes),
		cmocka_unit_test(test_kept_alive),
	};

	return cmocka_run_group_tests_name("http_page", tests, NULL, NULL);
}
