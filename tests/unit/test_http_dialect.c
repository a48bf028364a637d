/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The test vectors of directadmin-protocol.md 10, and what else a panel may send, over sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_http_fake.h"
#include "test_http_client.h"

/* How a request is dressed: all of them must be understood alike. */
struct dress {
	int minor;
	const char *content_type; /* header line or "" */
	bool slowly;              /* byte by byte */
	bool chunked;
	const char *behind;       /* bytes behind a counted body */
};

static const struct dress dresses[] = {
	{ 0, "", false, false, "" },
	{ 0, "", true, false, "" },
	{ 0, "", false, false, "\r\n\r\n" },
	{ 0, "Content-Type: application/x-www-form-urlencoded\r\n", false, false, "" },
	{ 0, "Content-Type: text/plain\r\n", true, false, "\r\n" },
	{ 1, "", false, false, "" },
	{ 1, "", true, false, "\r\n\r\n" },
	{ 1, "", false, true, "" },
	{ 1, "", true, true, "" },
	{ 1, "Content-Type: application/x-www-form-urlencoded\r\n", false, false, "" },
	{ 1, "Content-Type: text/plain; charset=utf-8\r\n", false, true, "" },
	{ 1, "content-type: multipart/form-data; boundary=x\r\nUser-Agent: DirectAdmin/1.695\r\n", false, false, "" },
};

static void add_chunked(struct buf *out, const char *body, size_t size)
{
	size_t at = 0;

	while (at < size) {
		size_t part = size - at < 7 ? size - at : 7;

		buf_printf(out, "%zx\r\n", part);
		buf_append(out, body + at, part);
		buf_puts(out, "\r\n");
		at += part;
	}
	buf_puts(out, "0\r\n\r\n");
}

static void ask(struct served *served, const struct dress *dress, const char *method, const char *target,
	const char *body, struct answer *answer)
{
	struct buf request = { 0 };
	int fd = client_connect(served);

	buf_printf(&request, "%s %s HTTP/1.%d\r\nHost: ns3.dns-host.example\r\n" LOGIN "%s%s", method, target,
		dress->minor, body != NULL ? dress->content_type : "", dress->minor == 1 ? "Connection: close\r\n" : "");
	if (body != NULL && dress->chunked) {
		buf_puts(&request, "Transfer-Encoding: chunked\r\n\r\n");
		add_chunked(&request, body, strlen(body));
	} else if (body != NULL) {
		buf_printf(&request, "Content-Length: %zu\r\n\r\n%s%s", strlen(body), body, dress->behind);
	} else {
		buf_puts(&request, "\r\n");
	}
	if (dress->slowly)
		client_send_slowly(fd, request.data, request.size);
	else
		client_send(fd, request.data, request.size);
	client_read(fd, answer);
	answer->closed = client_closed(fd);
	close(fd);
	buf_free(&request);
	assert_true(answer->closed);
}

static void expect(struct served *served, const struct dress *dress, const char *method, const char *target,
	const char *body, const char *expected)
{
	struct answer answer = { 0 };

	ask(served, dress, method, target, body, &answer);
	if (answer.status != 200 || strcmp(answer.body.data, expected) != 0)
		fail_msg("%s %s (1.%d %s%s): %d %s, not %s", method, target, dress->minor, dress->content_type,
			dress->chunked ? "chunked" : "", answer.status, answer.body.data, expected);
	assert_string_equal(answer_header(&answer, "Content-Type"), "text/plain");
	buf_free(&answer.body);
}

static void expect_error(struct served *served, const struct dress *dress, const char *method, const char *target,
	const char *body)
{
	struct answer answer = { 0 };

	ask(served, dress, method, target, body, &answer);
	assert_int_equal(answer.status, 200);
	assert_memory_equal(answer.body.data, "error=1&text=", 13);
	assert_true(answer.body.size > 13);
	buf_free(&answer.body);
}

static void assert_zone(struct served *served, const char *name, const char *username, const char *text)
{
	pthread_mutex_lock(&served->fake->lock);
	struct fake_zone *zone = fake_find(served->fake, name);
	if (text == NULL) {
		assert_null(zone);
	} else {
		assert_non_null(zone);
		assert_string_equal(zone->username, username);
		assert_int_equal(zone->size, strlen(text));
		assert_memory_equal(zone->text, text, zone->size);
	}
	pthread_mutex_unlock(&served->fake->lock);
}

#define ADMIN "/CMD_API_DNS_ADMIN"
#define SAVE ADMIN "?action=rawsave&domain="

static void test_vectors(void **state UNUSED)
{
	struct served *served = serve_start(default_params());

	for (size_t i = 0; i < ARRAY_SIZE(dresses); i++) {
		const struct dress *d = &dresses[i];

		expect(served, d, "GET", "/CMD_API_LOGIN_TEST", NULL, "error=0&text=Login+OK&details=none");
		expect(served, d, "GET", ADMIN "?action=exists&domain=x", NULL, "error=0&exists=0");
		expect(served, d, "POST", SAVE "shop.example&username=fred&hostname=da1.host.example", ZONE_TEXT,
			"error=0&text=Saved&details=");
		assert_zone(served, "shop.example", "fred", ZONE_TEXT);
		expect(served, d, "GET", ADMIN "?action=exists&domain=SHOP.example.", NULL,
			"error=0&exists=1&details=Domain+exists+on+da1.host.example");
		expect(served, d, "GET",
			ADMIN "?action=exists&domain=a.b.shop.example&check_for_parent_domain=true", NULL,
			"error=0&exists=3&hostname=da1.host.example&username=fred");
		expect(served, d, "GET", ADMIN "?action=exists&domain=a.b.shop.example", NULL, "error=0&exists=0");
		expect(served, d, "POST", ADMIN, "action=exists&domain=shop.example",
			"error=0&exists=1&details=Domain+exists+on+da1.host.example");
		expect(served, d, "POST", SAVE "admin.example&hostname=da1.host.example", ZONE_TEXT,
			"error=0&text=Saved&details=");
		assert_zone(served, "admin.example", "", ZONE_TEXT);
		size_t urgent = served->fake->urgent;
		expect(served, d, "POST", SAVE "acme.example&named_reload=yes&username=a&hostname=da1.host.example&later=1",
			ZONE_TEXT, "error=0&text=Saved&details=");
		assert_int_equal(served->fake->urgent, urgent + 1);
		expect(served, d, "POST", ADMIN, "action=delete&cluster=yes&hostname=da2.host.example&select0=shop.example",
			"error=0&text=Deleted&details=");
		assert_zone(served, "shop.example", "fred", ZONE_TEXT);
		expect(served, d, "POST", ADMIN,
			"action=delete&cluster=yes&hostname=da1.host.example&select0=shop.example&select1=admin.example"
			"&select7=acme.example",
			"error=0&text=Deleted&details=");
		assert_zone(served, "shop.example", "", NULL);
		assert_zone(served, "admin.example", "", NULL);
		assert_zone(served, "acme.example", "", NULL);
		expect(served, d, "POST", SAVE "shop.example&hostname=da1.host.example", "@ SOA new",
			"error=0&text=Saved&details=");
		assert_zone(served, "shop.example", "", "@ SOA new");
		expect(served, d, "POST", ADMIN "?action=delete&domain=shop.example&hostname=da1.host.example", "",
			"error=0&text=Deleted&details=");
		assert_zone(served, "shop.example", "", NULL);
		expect(served, d, "POST", ADMIN, "action=delete&hostname=da1.host.example&select0=never.there",
			"error=0&text=Deleted&details=");
		expect_error(served, d, "POST", ADMIN, "");
		expect_error(served, d, "POST", ADMIN, NULL);
	}
	serve_stop(served);
}

/* A form body that carries action=rawsave itself, as the predecessor took it. */
static void test_save_by_form(void **state UNUSED)
{
	struct served *served = serve_start(default_params());

	for (size_t i = 0; i < ARRAY_SIZE(dresses); i++) {
		expect(served, &dresses[i], "POST", ADMIN,
			"action=rawsave&domain=form.example&hostname=h&username=u&zone_file=%40+SOA%09%22a%2Bb%22%0A",
			"error=0&text=Saved&details=");
		assert_zone(served, "form.example", "u", "@ SOA\t\"a+b\"\n");
		expect_error(served, &dresses[i], "POST", ADMIN, "action=rawsave&domain=form.example&hostname=h");
		assert_zone(served, "form.example", "u", "@ SOA\t\"a+b\"\n");
	}
	serve_stop(served);
}

static void test_body_is_kept_byte_for_byte(void **state UNUSED)
{
	struct served *served = serve_start(default_params());
	struct answer answer = { 0 };
	struct buf request = { 0 };
	char body[1024];

	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (char)i; /* NUL too: the zone parser shall say what it thinks of that */
	buf_printf(&request, "POST " SAVE "raw.example HTTP/1.0\r\n" LOGIN
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %zu\r\n\r\n", sizeof(body));
	buf_append(&request, body, sizeof(body));
	client_ask_on(client_connect(served), request.data, request.size, &answer);
	assert_answer(&answer, 200, "error=0&text=Saved&details=");
	assert_int_equal(served->fake->zones[0].size, sizeof(body));
	assert_memory_equal(served->fake->zones[0].text, body, sizeof(body));
	buf_free(&answer.body);
	buf_free(&request);
	serve_stop(served);
}

static void test_parents_by_configuration(void **state UNUSED)
{
	static const struct {
		unsigned how;
		const char *expected;
	} cases[] = {
		{ 0, "error=0&exists=0" },
		{ 2, "error=0&exists=2&details=Parent+domain+exists+on+da1.host%26x" },
		{ 3, "error=0&exists=3&hostname=da1.host%26x&username=fr+ed%25" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct http_params params = default_params();
		struct answer answer = { 0 };
		struct served *served;

		params.exists_parent = cases[i].how;
		served = serve_start_unloaded(params);
		fake_post_name(served->fake, ENGINE_NAME_SET, "shop.example", "da1.host&x", "fr ed%");
		fake_post_name(served->fake, ENGINE_NAME_SET, "top", "da1.host", "root");
		fake_post(served->fake, fake_message(ENGINE_NAMES_LOADED));
		client_get(served, ADMIN "?action=exists&domain=x.y.shop.example&check_for_parent_domain=true", &answer);
		assert_answer(&answer, 200, cases[i].expected);
		client_get(served, ADMIN "?action=exists&domain=x.y.shop.example&check_for_parent_domain=yes", &answer);
		assert_answer(&answer, 200, "error=0&exists=0");
		client_get(served, ADMIN "?action=exists&domain=x.top&check_for_parent_domain=true", &answer);
		assert_answer(&answer, 200, "error=0&exists=0");
		buf_free(&answer.body);
		serve_stop(served);
	}
}

/* Whatever somebody types, and however it is encoded: never an error. */
static void test_exists_of_odd_names(void **state UNUSED)
{
	static const char *const names[] = { "", ".", "..", "a", "add.hos", "a%20b", "a/b", "%27%3B%20DROP", "%00", "%zz",
		"%", "a+b", "*.x", "xn--%C3%A4", "-", "a..b", "%FF%FE", "a&domain=b", "a%0d%0aX:+y",
		"m\xc3\xbcller.example", "\xff\xfe", "foo bar", " ", "shop.example  HTTP/1.0", "a#b", "shop.example\xc2\xa0" };
	struct served *served = serve_start(default_params());
	struct buf target = { 0 };
	struct answer answer = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		buf_clear(&target);
		buf_printf(&target, ADMIN "?action=exists&domain=%s&check_for_parent_domain=true", names[i]);
		client_get(served, target.data, &answer);
		assert_answer(&answer, 200, "error=0&exists=0");
	}
	buf_clear(&target);
	buf_puts(&target, ADMIN "?action=exists&domain=");
	for (int i = 0; i < 4000; i++)
		buf_puts(&target, "a.");
	client_get(served, target.data, &answer);
	assert_answer(&answer, 200, "error=0&exists=0");
	buf_free(&target);
	buf_free(&answer.body);
	serve_stop(served);
}

static void test_refused_requests(void **state UNUSED)
{
	static const struct {
		const char *target;
		const char *body;
		const char *expected;
	} cases[] = {
		{ ADMIN "?action=rawsave", ZONE_TEXT, "error=1&text=domain+is+missing" },
		{ ADMIN "?action=rawsave&domain=a&domain=b", ZONE_TEXT,
			"error=1&text=domain+is+given+twice+with+different+values" },
		{ ADMIN "?action=rawsave&domain=%zz", ZONE_TEXT, "error=1&text=domain+is+badly+encoded" },
		{ ADMIN "?action=rawsave&domain=%00", ZONE_TEXT, "error=1&text=domain+is+badly+encoded" },
		{ ADMIN "?action=rawsave&domain=a.example", "", "error=1&text=line+1%3A+no+SOA+%26+no+text" },
		{ ADMIN "?action=rawsave&action=delete&domain=a", "", "error=1&text=action+is+given+twice+with+different+values" },
		{ ADMIN, "action=delete&hostname=h", "error=1&text=select0+or+domain+is+missing" },
		{ ADMIN, "action=delete&hostname=h&select0=%zz", "error=1&text=a+domain+is+badly+encoded" },
		{ ADMIN, "action=delete&hostname=h&selectx=a", "error=1&text=select0+or+domain+is+missing" },
		{ ADMIN, "action=delete&hostname=h&hostname=i&select0=a",
			"error=1&text=hostname+is+given+twice+with+different+values" },
		{ ADMIN, "action=create&domain=a", "error=1&text=this+action+is+not+supported" },
		{ ADMIN "?domain=a", "x=y", "error=1&text=action+is+missing" },
		{ ADMIN, ZONE_TEXT, "error=1&text=action+is+missing" },
		{ "/CMD_API_POP?action=create", "", "error=1&text=Not+supported" },
		{ "/CMD_EMAIL_POP", "", "error=1&text=Not+supported" },
		{ "/CMD_API_USER_EXISTS?user=x", "", "error=0&exists=0" },
		{ "/CMD_API_LOGIN_TEST", "", "error=0&text=Login+OK&details=none" },
	};
	struct served *served = serve_start(default_params());
	struct answer answer = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		client_post(served, cases[i].target, cases[i].body, &answer);
		assert_answer(&answer, 200, cases[i].expected);
	}
	client_get(served, ADMIN "?action=delete&domain=a&hostname=h", &answer);
	assert_answer(&answer, 200, "error=1&text=this+action+needs+POST");
	client_get(served, ADMIN "?action=rawsave&domain=a&hostname=h", &answer);
	assert_answer(&answer, 200, "error=1&text=this+action+needs+POST");
	client_get(served, ADMIN "?action=exists", &answer);
	assert_answer(&answer, 200, "error=1&text=domain+is+missing");
	client_get(served, "/CMD_API_SHOW_ALL_USERS", &answer);
	assert_answer(&answer, 404, "error=1&text=no+such+command");
	assert_int_equal(served->fake->pushes, 0);
	assert_int_equal(served->fake->deletes, 0);
	buf_free(&answer.body);
	serve_stop(served);
}

/* Trouble of ours is a 503 with Retry-After; trouble of the zone is a 200 with error=1. */
static void test_engine_errors(void **state UNUSED)
{
	static const struct {
		enum err_code code;
		int status;
	} cases[] = { { ERR_INVALID, 200 }, { ERR_LIMIT, 200 }, { ERR_DENIED, 200 }, { ERR_NOSPACE, 503 }, { ERR_IO, 503 },
		{ ERR_BUSY, 503 }, { ERR_CLOSED, 503 } };
	struct served *served = serve_start(default_params());
	struct answer answer = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		served->fake->push_code = cases[i].code;
		client_post(served, SAVE "a.example", ZONE_TEXT, &answer);
		assert_answer(&answer, cases[i].status, "error=1&text=line+1%3A+no+SOA+%26+no+text");
		assert_int_equal(answer_header(&answer, "Retry-After") != NULL, cases[i].status == 503);
	}
	buf_free(&answer.body);
	serve_stop(served);
}

/* Before all names are known, an answer could be wrong: it waits. */
static void test_exists_waits_for_the_names(void **state UNUSED)
{
	struct served *served = serve_start_unloaded(default_params());
	struct answer answer = { 0 };
	int fd = client_connect(served);
	const char *request = "POST " ADMIN " HTTP/1.0\r\n" LOGIN
			      "Content-Length: 33\r\n\r\naction=exists&domain=shop.example";
	struct pollfd early = { .fd = fd, .events = POLLIN };

	client_send(fd, request, strlen(request));
	client_get(served, "/readyz", &answer);
	assert_answer(&answer, 503, "not ready: loading the zones\n");
	assert_int_equal(poll(&early, 1, 100), 0);
	fake_post_name(served->fake, ENGINE_NAME_SET, "shop.example", "", "");
	fake_post(served->fake, fake_message(ENGINE_NAMES_LOADED));
	client_read(fd, &answer);
	assert_answer(&answer, 200, "error=0&exists=1&details=Domain+exists");
	close(fd);
	client_get(served, "/readyz", &answer);
	assert_answer(&answer, 200, "ready\n");
	buf_free(&answer.body);
	serve_stop(served);
}

static void test_full_queue(void **state UNUSED)
{
	struct served *served = serve_start(default_params());
	struct answer answer = { 0 };
	const char *request = "POST " SAVE "a.example HTTP/1.0\r\n" LOGIN "Content-Length: 5\r\n\r\n@ SOA";
	int64_t begin = clock_mono_ms(clock_system());
	int first, second;

	served->fake->busy = true;
	client_post(served, SAVE "a.example", ZONE_TEXT, &answer);
	assert_answer(&answer, 503, "error=1&text=busy%2C+try+again+later");
	assert_string_equal(answer_header(&answer, "Retry-After"), "5");
	assert_true(clock_mono_ms(clock_system()) - begin >= 5000);
	/* Room again: those that wait are taken, in their order. */
	first = client_connect(served);
	client_send(first, request, strlen(request));
	size_t refusals = fake_count(served->fake, &served->fake->refusals);
	wait_until(fake_count(served->fake, &served->fake->refusals) > refusals);
	second = client_connect(served);
	client_send(second, request, strlen(request));
	/* An exists needs no queue. */
	client_get(served, ADMIN "?action=exists&domain=x", &answer);
	assert_answer(&answer, 200, "error=0&exists=0");
	pthread_mutex_lock(&served->fake->lock);
	served->fake->busy = false;
	pthread_mutex_unlock(&served->fake->lock);
	client_read(first, &answer);
	assert_answer(&answer, 200, "error=0&text=Saved&details=");
	client_read(second, &answer);
	assert_answer(&answer, 200, "error=0&text=Saved&details=");
	close(first);
	close(second);
	assert_int_equal(served->fake->pushes, 2);
	/* A closing engine is not waited for. */
	served->fake->closed = true;
	client_post(served, SAVE "a.example", ZONE_TEXT, &answer);
	assert_answer(&answer, 503, "error=1&text=shutting+down");
	buf_free(&answer.body);
	serve_stop(served);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_save_by_form),
		cmocka_unit_test(test_body_is_kept_byte_for_byte),
		cmocka_unit_test(test_parents_by_configuration),
		cmocka_unit_test(test_exists_of_odd_names),
		cmocka_unit_test(test_refused_requests),
		cmocka_unit_test(test_engine_errors),
		cmocka_unit_test(test_exists_waits_for_the_names),
		cmocka_unit_test(test_full_queue),
	};

	return cmocka_run_group_tests_name("http_dialect", tests, NULL, NULL);
}
