/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "http/gate.h"

struct seen {
	int status;           /* 0: no refusal */
	unsigned requests;    /* ended */
	char target[GATE_TARGET_MAX + 1];
	char authorization[64];
	struct gate_head head;
	struct buf body;      /* with chunk framing */
	size_t rest;          /* bytes not taken */
};

/* Feeds the bytes in parts of at most part bytes, requests one after the other. */
static void run(const char *data, size_t size, size_t part, struct rng *rng, struct seen *seen)
{
	struct gate gate;
	size_t at = 0;

	gate_init(&gate, 1000);
	while (at < size && seen->status == 0) {
		size_t most = size - at < part ? size - at : part;
		size_t give = rng != NULL ? (size_t)rng_between(rng, 1, (int64_t)most) : most;
		size_t used = 0;
		enum gate_step step;

		do {
			size_t took = gate_feed(&gate, data + at + used, give - used, &step);
			if (step == GATE_BODY || step == GATE_END)
				buf_append(&seen->body, data + at + used, took);
			used += took;
			assert_true(used <= give);
			if (step == GATE_MORE || step == GATE_BODY)
				assert_int_equal(used, give);
			if (step == GATE_HEAD) {
				seen->head = gate_head(&gate);
				strcpy(seen->target, seen->head.target);
				if (seen->head.authorization != NULL)
					strcpy(seen->authorization, seen->head.authorization);
			}
			if (step == GATE_END) {
				seen->requests++;
				gate_reset(&gate);
			}
			if (step == GATE_REFUSED) {
				seen->status = gate.status;
				assert_non_null(gate.reason);
				assert_true(gate.status >= 400);
			}
		} while (step != GATE_REFUSED && (used < give || step == GATE_HEAD));
		at += used;
	}
	seen->rest = size - at;
	gate_free(&gate);
}

static void run_text(const char *text, struct seen *seen)
{
	*seen = (struct seen){ 0 };
	run(text, strlen(text), SIZE_MAX, NULL, seen);
}

static void test_fields_of_head(void **state UNUSED)
{
	struct seen seen;

	run_text("\r\n\r\nPOST /a?b=c HTTP/1.1\r\nhOST:x\r\nauthorization: \t Basic abc \t\r\nX-Other:\r\n"
		 "Content-Length: 005\r\nExpect: 100-Continue\r\nConnection: Upgrade, CLOSE\r\n\r\nhello", &seen);
	assert_int_equal(seen.status, 0);
	assert_int_equal(seen.requests, 1);
	assert_string_equal(seen.target, "/a?b=c");
	assert_string_equal(seen.authorization, "Basic abc");
	assert_int_equal(seen.head.length, 5);
	assert_true(seen.head.expect_continue);
	assert_false(seen.head.keep_alive);
	assert_int_equal(seen.head.method, GATE_POST);
	assert_int_equal(seen.head.minor, 1);
	assert_string_equal(seen.body.data, "hello");
	buf_free(&seen.body);
}

/* What somebody types comes unencoded from some clients: the query takes it, and nothing else of the line changes. */
static void test_odd_queries(void **state UNUSED)
{
	static const struct {
		const char *line, *target;
		int status;
	} cases[] = {
		{ "GET /a?d=m\xc3\xbcller HTTP/1.0", "/a?d=m\xc3\xbcller", 0 },
		{ "GET /a?\x80\xff HTTP/1.1", "/a?\x80\xff", 0 },
		{ "POST /a?\xff HTTP/1.1", "/a?\xff", 0 },
		{ "GET /a?d=#x?y#z HTTP/1.1", "/a?d=#x?y#z", 0 },
		{ "GET /a?d=foo bar HTTP/1.0", "/a?d=foo bar", 0 },
		{ "GET /a?d=  b  &x=y  HTTP/1.1", "/a?d=  b  &x=y ", 0 },
		{ "GET /a?d=x HTTP/1.0 HTTP/1.1", "/a?d=x HTTP/1.0", 0 },
		{ "GET /a\xc3\xbc?d=x HTTP/1.1", "", 400 },
		{ "GET /a b?d=x HTTP/1.1", "", 400 },
		{ "GET /a#?d=x HTTP/1.1", "", 400 },
		{ "GET /a?d=x\ty HTTP/1.1", "", 400 },
		{ "GET /a?d=x\x7f HTTP/1.1", "", 400 },
		{ "GET /a?d=x y", "", 400 },
		{ "GET /a?d=x HTTP/1.1 ", "", 400 },
		{ "GET /a?d=x y HTTP/2.0", "", 505 },
		{ "POST /a?d=x y HTTP/1.1", "", 400 },
		{ "get /a?d=x y HTTP/1.1", "", 400 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[128];
		struct seen seen;

		snprintf(text, sizeof(text), "%s\r\n\r\n", cases[i].line);
		run_text(text, &seen);
		if (seen.status != cases[i].status || strcmp(seen.target, cases[i].target) != 0)
			fail_msg("%s: %d, \"%s\"", cases[i].line, seen.status, seen.target);
		assert_int_equal(seen.requests, cases[i].status == 0 ? 1 : 0);
		assert_int_equal(seen.body.size, 0);
		buf_free(&seen.body);
	}
}

static void test_keep_alive(void **state UNUSED)
{
	struct seen seen;

	run_text("GET / HTTP/1.1\r\n\r\n", &seen);
	assert_true(seen.head.keep_alive);
	assert_null(seen.head.authorization);
	buf_free(&seen.body);
	run_text("GET / HTTP/1.0\r\n\r\n", &seen);
	assert_false(seen.head.keep_alive);
	buf_free(&seen.body);
	run_text("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", &seen);
	assert_true(seen.head.keep_alive);
	buf_free(&seen.body);
	run_text("GET / HTTP/1.1\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n", &seen);
	assert_false(seen.head.keep_alive);
	buf_free(&seen.body);
}

static void test_refusals(void **state UNUSED)
{
	static const struct {
		const char *text;
		int status;
	} cases[] = {
		{ "\x16\x03\x01", 400 },                                /* a TLS hello, before any line end */
		{ "GET /\r\n", 400 },                                   /* HTTP/0.9 */
		{ "GET / HTTP/1.0\n", 400 },
		{ "GET / HTTP/1.0 \r\n", 505 },
		{ "GET  / HTTP/1.0\r\n", 400 },
		{ "GET /\tx HTTP/1.0\r\n", 400 },
		{ "GET / HTTP/2.0\r\n", 505 },
		{ "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505 },
		{ "GET / http/1.1\r\n", 400 },
		{ "GET / HTTP/1.1\r\r\n", 400 },
		{ "get / HTTP/1.1\r\n", 405 },
		{ "HEAD / HTTP/1.1\r\n", 405 },
		{ "OPTIONS * HTTP/1.1\r\n", 405 },
		{ "CONNECT a:1 HTTP/1.1\r\n", 405 },
		{ "GET http://a/ HTTP/1.1\r\n", 400 },
		{ "GET /a#b HTTP/1.1\r\n", 400 },
		{ "GET /\x80 HTTP/1.1\r\n", 400 },
		{ "GET / HTTP/1.1\r\n folded: x\r\n", 400 },
		{ "GET / HTTP/1.1\r\nA: x\r\n\tfolded\r\n", 400 },
		{ "GET / HTTP/1.1\r\n: x\r\n", 400 },
		{ "GET / HTTP/1.1\r\nA : x\r\n", 400 },
		{ "GET / HTTP/1.1\r\nA\r\n", 400 },
		{ "GET / HTTP/1.1\r\nA: x\ry\r\n", 400 },
		{ "GET / HTTP/1.1\r\nA: x\x01\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n", 400 },
		{ "GET / HTTP/1.1\r\nAuthorization: a\r\nAuthorization: a\r\n", 400 },
		{ "GET / HTTP/1.1\r\nExpect: something\r\n", 417 },
		{ "POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n", 400 },
		{ "POST / HTTP/1.1\r\nContent-Length: +5\r\n", 400 },
		{ "POST / HTTP/1.1\r\nContent-Length: -5\r\n", 400 },
		{ "POST / HTTP/1.1\r\nContent-Length: 5,5\r\n", 400 },
		{ "POST / HTTP/1.1\r\nContent-Length: 5 5\r\n", 400 },
		{ "POST / HTTP/1.1\r\nContent-Length: 0x5\r\n", 400 },
		{ "POST / HTTP/1.1\r\nContent-Length:\r\n", 400 },
		{ "POST / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n", 413 },
		{ "POST / HTTP/1.1\r\nContent-Length: 9223372036854775808\r\n\r\n", 413 },
		{ "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999999999\r\n\r\n", 413 },
		{ "POST / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n", 400 },
		{ "POST / HTTP/1.1\r\nTransfer-Encoding: chunked, identity\r\n", 400 },
		{ "POST / HTTP/1.1\r\nTransfer-Encoding: identity\r\n", 400 },
		{ "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400 },
		{ "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 400 },
		{ "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\nContent-Length: 1\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
		{ "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\n", 400 },
		{ "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n+5\r\n", 400 },
		{ "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n 5\r\n", 400 },
		{ "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5 \r\n", 400 },
		{ "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\n", 400 },
		{ "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", 400 },
		{ "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\n", 400 },
		{ "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhellothere", 400 },
		{ "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n", 413 },
		{ "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n100000000\r\n", 400 },
		{ "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n\r\n", 400 },
		{ "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n", 400 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct seen seen;

		run_text(cases[i].text, &seen);
		if (seen.status != cases[i].status || seen.requests != 0)
			fail_msg("case %zu (%s): %d and %u requests", i, cases[i].text, seen.status, seen.requests);
		buf_free(&seen.body);
	}
}

static void test_nul_in_head(void **state UNUSED)
{
	static const char in_value[] = "GET / HTTP/1.1\r\nA: x\0y";
	static const char in_target[] = "GET /\0 HT";
	struct seen seen = { 0 };

	run(in_value, sizeof(in_value) - 1, SIZE_MAX, NULL, &seen);
	assert_int_equal(seen.status, 400);
	seen = (struct seen){ 0 };
	run(in_target, sizeof(in_target) - 1, SIZE_MAX, NULL, &seen);
	assert_int_equal(seen.status, 400);
}

/* A head of just the limit passes, one byte or header more does not. */
static void test_head_limits(void **state UNUSED)
{
	for (size_t extra = 0; extra < 2; extra++) {
		struct buf text = { 0 };
		struct seen seen;

		buf_puts(&text, "GET /");
		for (size_t i = 0; i < GATE_TARGET_MAX - 1 + extra; i++)
			buf_puts(&text, "x");
		buf_puts(&text, " HTTP/1.1\r\n\r\n");
		run_text(text.data, &seen);
		assert_int_equal(seen.status, extra ? 400 : 0);
		assert_int_equal(seen.requests, 1 - extra);
		buf_free(&seen.body);

		buf_clear(&text);
		buf_puts(&text, "GET / HTTP/1.1\r\nA: ");
		for (size_t i = 0; i < GATE_HEADERS_SIZE_MAX - 3 - 2 - 2 + extra; i++)
			buf_puts(&text, "x");
		buf_puts(&text, "\r\n\r\n");
		run_text(text.data, &seen);
		assert_int_equal(seen.status, extra ? 400 : 0);
		buf_free(&seen.body);

		buf_clear(&text);
		buf_puts(&text, "GET / HTTP/1.1\r\n");
		for (size_t i = 0; i < GATE_HEADERS_MAX + extra; i++)
			buf_puts(&text, "A: x\r\n");
		buf_puts(&text, "\r\n");
		run_text(text.data, &seen);
		assert_int_equal(seen.status, extra ? 400 : 0);
		buf_free(&seen.body);
		buf_free(&text);
	}
}

/* Lines that never end must be refused at the limit, not collected. */
static void test_endless_lines(void **state UNUSED)
{
	static const char *const starts[] = { "GET /", "GET / HTTP/1.1\r\nA: " };

	for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
		struct gate gate;
		enum gate_step step;
		size_t fed = 0;

		gate_init(&gate, 1000);
		gate_feed(&gate, starts[i], strlen(starts[i]), &step);
		while (step == GATE_MORE && fed < 100000)
			fed += gate_feed(&gate, "xxxxxxxx", 8, &step);
		assert_int_equal(step, GATE_REFUSED);
		assert_true(fed <= GATE_HEADERS_SIZE_MAX + 64);
		gate_free(&gate);
	}
}

static void test_pipelined_in_any_parts(void **state UNUSED)
{
	static const char text[] = "POST /1 HTTP/1.1\r\nContent-Length: 11\r\n\r\nGET / HTTP\r\n\r\n\r\n"
				   "POST /2 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n00A\r\n0123456789\r\n0\r\n\r\n"
				   "GET /3 HTTP/1.1\r\n\r\nPOST /4 HTTP/1.1\r\n\r\nPOST /5 HTTP/1.0\r\nContent-Length: 0\r\n\r\n";
	static const char body[] = "GET / HTTP\r5\r\nhello\r\n00A\r\n0123456789\r\n0\r\n\r\n";
	struct rng rng = { .state = 7 };

	for (size_t round = 0; round < 500; round++) {
		struct seen seen = { 0 };

		run(text, sizeof(text) - 1, round % 40 + 1, round < 40 ? NULL : &rng, &seen);
		assert_int_equal(seen.status, 0);
		assert_int_equal(seen.requests, 5);
		assert_string_equal(seen.target, "/5");
		assert_string_equal(seen.body.data, body);
		buf_free(&seen.body);
	}
}

/* Whatever comes, and however it is cut, the verdict is the same and nothing breaks (ASan and UBSan watch). */
static void test_random_changes(void **state UNUSED)
{
	static const char good[] = "POST /CMD_API_DNS_ADMIN?action=rawsave&domain=a.b HTTP/1.1\r\nHost: x\r\n"
				   "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
	static const char spice[] = "\r\n\0 :\t+-,;0x5\x80GPH/1";
	struct rng rng = { .state = 11 };
	unsigned refused = 0;

	for (size_t round = 0; round < 20000; round++) {
		char text[sizeof(good)];
		struct seen whole = { 0 }, cut = { 0 };

		memcpy(text, good, sizeof(good));
		for (int64_t k = rng_between(&rng, 1, 3); k > 0; k--)
			text[rng_between(&rng, 0, sizeof(good) - 2)] =
				spice[rng_between(&rng, 0, sizeof(spice) - 2)];
		run(text, sizeof(good) - 1, SIZE_MAX, NULL, &whole);
		run(text, sizeof(good) - 1, 9, &rng, &cut);
		assert_int_equal(whole.status, cut.status);
		assert_int_equal(whole.requests, cut.requests);
		refused += whole.status != 0;
		buf_free(&whole.body);
		buf_free(&cut.body);
	}
	assert_true(refused > 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields_of_head),
		cmocka_unit_test(test_odd_queries),
		cmocka_unit_test(test_keep_alive),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_nul_in_head),
		cmocka_unit_test(test_head_limits),
		cmocka_unit_test(test_endless_lines),
		cmocka_unit_test(test_pipelined_in_any_parts),
		cmocka_unit_test(test_random_changes),
	};

	return cmocka_run_group_tests_name("http_gate", tests, NULL, NULL);
}
