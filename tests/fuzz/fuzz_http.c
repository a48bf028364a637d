/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bytes of a client against the real front (evhttp and our gate before it) with the tests' fake engine behind it: the
 * answers are well formed and say nothing of ours that they should not, behind the answer that ends a connection nothing
 * follows, no push is taken that was not answered as one, and how the bytes come in pieces changes nothing for the gate.
 *
 * The input: a byte that chooses the door (1: the control socket, which needs no login) and what the engine does while the
 * first part of the bytes comes (2: it is busy, 4: it does not answer), one that tells where they are cut in two, then the
 * bytes.
 */
#include "fuzz.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "http/internal.h"
#include "tests/unit/test_http_fake.h"

enum { BODY_MOST = 64 * 1024, QUIET_TURNS = 3 };

static const struct auth_login logins[] = {
	{ "dns", "secret", AUTH_ALL, NULL },
	{ "da1", "one", AUTH_MASTER, "da1.example" },
};

static struct engine *fake;
static struct http *http;
static char control[64];

/* ---- the server ---- */

static void stop(void)
{
	http_destroy(http);
	fake_destroy(fake);
}

static void start(void)
{
	struct http_params params = { .main = { .address = "127.0.0.1" }, .control_socket = control, .logins = logins,
		.login_count = ARRAY_SIZE(logins), .exists_parent = 3, .max_body_bytes = BODY_MOST,
		.max_inflight_bytes = BODY_MOST / 2, .max_connections = 8, .max_connections_per_address = 8,
		.header_deadline_ms = 60000, .body_deadline_ms = 60000, .connection_deadline_ms = 600000,
		.stop_deadline_ms = 1000 };
	struct err err;

	signal(SIGPIPE, SIG_IGN);
	snprintf(control, sizeof(control), "/tmp/zonefan-fuzz-http.%d", (int)getpid());
	log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, false);
	fake = fake_create();
	FUZZ_REQUIRE(http_create(&params, fake, &http, &err) == 0, "%s", err.text);
	atexit(stop);
	event_add(http->engine_event, NULL);
	fake_post(fake, fake_message(ENGINE_NAMES_LOADED));
}

static void turn(void)
{
	CHECK(event_base_loop(http->base, EVLOOP_NONBLOCK) >= 0);
}

/* Each input meets the same server. */
static void forget_zones(void)
{
	while (fake->zone_count > 0) {
		struct fake_zone *zone = &fake->zones[--fake->zone_count];

		fake_post_name(fake, ENGINE_NAME_GONE, zone->name, "", "");
		fake_free_zone(zone);
	}
	fake->pushes = 0;
	turn();
}

/* ---- the client ---- */

/* From another address each time: the ports of a single one are used up, as closed connections keep theirs for a minute. */
static void take_address(int fd)
{
	static uint32_t number;
	struct sockaddr_in source = { .sin_family = AF_INET };
	int yes = 1;

	source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + number++ % 60000);
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof(yes));
	CHECK(bind(fd, (struct sockaddr *)&source, sizeof(source)) == 0);
}

/* libFuzzer's clock is a signal; what was interrupted goes on when Linux is asked again. */
static void connect_to(int fd, const void *to, socklen_t size)
{
	int ret;

	do
		ret = connect(fd, to, size);
	while (ret != 0 && errno == EINTR);
	FUZZ_REQUIRE(ret == 0, "no connection: %s", strerror(errno));
}

static int dial(bool to_control)
{
	struct sockaddr_in front = { .sin_family = AF_INET, .sin_port = htons(http_port(http)) };
	struct sockaddr_un local = { .sun_family = AF_UNIX };
	int fd = socket(to_control ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0);
	memcpy(local.sun_path, control, sizeof(control));
	front.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (to_control) {
		connect_to(fd, &local, sizeof(local));
	} else {
		take_address(fd);
		connect_to(fd, &front, sizeof(front));
	}
	return fd;
}

/* Turns the loop and reads what is answered until nothing more comes. True: the server closed the connection. */
static bool collect(int fd, struct buf *answers)
{
	char piece[16384];

	for (int quiet = 0; quiet < QUIET_TURNS;) {
		turn();
		ssize_t got = recv(fd, piece, sizeof(piece), MSG_DONTWAIT);
		if (got == 0 || (got < 0 && errno != EAGAIN))
			return true;
		quiet = got > 0 ? 0 : quiet + 1;
		if (got > 0)
			buf_append(answers, piece, (size_t)got);
	}
	return false;
}

/* Sends all that is taken; what is not read is not written. */
static bool deliver(int fd, const uint8_t *data, size_t size, struct buf *answers)
{
	bool closed = false;

	while (size > 0 && !closed) {
		ssize_t sent = send(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent < 0 && errno != EAGAIN)
			return true;
		data += sent < 0 ? 0 : sent;
		size -= sent < 0 ? 0 : (size_t)sent;
		closed = collect(fd, answers);
	}
	return closed;
}

static void hang_up(int fd)
{
	struct linger abort = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
	close(fd);
	for (int i = 0; i < 100 && !TAILQ_EMPTY(&http->conns); i++) {
		/* As if its time had come: to wait for it would cost most of the inputs. */
		if (!TAILQ_EMPTY(&http->refused))
			refuse_on_drain_timer(-1, EV_TIMEOUT, http);
		turn();
	}
	FUZZ_REQUIRE(TAILQ_EMPTY(&http->conns), "a connection outlives its client");
	FUZZ_REQUIRE(http->inflight_bytes == 0, "%zu bytes are counted with nobody there", http->inflight_bytes);
	FUZZ_REQUIRE(http->crowd.open == 0 && http->crowd.counted == 0 && http->control_crowd.open == 0 &&
		http->control_crowd.counted == 0, "nobody is there and counted");
}

/* ---- answers ---- */

struct answer {
	int status;
	bool close;
	size_t length;
};

/* The size of the head, 0: it is not whole. */
static size_t read_head(const char *text, struct answer *out)
{
	const char *end = strstr(text, "\r\n\r\n");
	const char *line = strstr(text, "\r\n");
	int minor;

	if (end == NULL)
		return 0;
	*out = (struct answer){ .status = 0 };
	FUZZ_REQUIRE(sscanf(text, "HTTP/1.%d %3d ", &minor, &out->status) == 2, "an answer begins with %.80s", text);
	if (out->status != 100)
		FUZZ_REQUIRE(request_reason(out->status) != NULL, "status %d", out->status);
	for (; line < end; line = strstr(line + 2, "\r\n")) {
		size_t size = strcspn(line + 2, "\r\n");

		FUZZ_REQUIRE(memchr(line + 2, ':', size) != NULL, "a header without a name: %.*s", (int)size, line + 2);
		out->close |= strncasecmp(line + 2, "Connection: close", 17) == 0;
		if (strncasecmp(line + 2, "Content-Length: ", 16) == 0)
			out->length = strtoul(line + 18, NULL, 10);
	}
	return (size_t)(end - text) + 4;
}

/* Answers one behind the other; the number of those that say that all went well. */
static size_t require_answers(const struct buf *answers, bool closed, bool head_method)
{
	size_t at = 0, good = 0;
	bool ended = false;

	while (at < answers->size) {
		struct answer answer;
		size_t head = read_head(answers->data + at, &answer);

		FUZZ_REQUIRE(head > 0, "an answer is cut off");
		FUZZ_REQUIRE(!ended, "an answer follows the last one:\n%s", answers->data);
		at += head;
		if (head_method && at == answers->size)
			answer.length = 0;
		FUZZ_REQUIRE(answers->size - at >= answer.length, "a body of %zu bytes is cut off", answer.length);
		at += answer.length;
		good += answer.status == 200;
		ended = answer.close;
	}
	FUZZ_REQUIRE(!ended || closed, "a connection stays open behind its last answer:\n%s", answers->data);
	return good;
}

/* ---- the gate alone ---- */

/* What the gate says to the bytes, step after step, however they come. */
static void walk_gate(const uint8_t *data, size_t size, size_t piece, struct buf *out)
{
	struct gate gate;
	enum gate_step step = GATE_MORE;

	gate_init(&gate, BODY_MOST);
	for (size_t at = 0; step != GATE_REFUSED && (at < size || step == GATE_HEAD);) {
		size_t room = size - at < piece ? size - at : piece;
		size_t used = gate_feed(&gate, (const char *)data + at, room, &step);

		FUZZ_REQUIRE(used <= room, "the gate takes more than there is");
		FUZZ_REQUIRE((step != GATE_MORE && step != GATE_BODY) || used == room, "the gate leaves bytes");
		at += used;
		if (step == GATE_HEAD)
			buf_printf(out, "head %s at %zu\n", gate_head(&gate).target, at);
		else if (step == GATE_END)
			buf_printf(out, "end at %zu\n", at);
		else if (step == GATE_REFUSED)
			buf_printf(out, "refused %d %s\n", gate.status, gate.reason);
		if (step == GATE_END)
			gate_reset(&gate);
	}
	gate_free(&gate);
}

static void require_same_steps(const uint8_t *data, size_t size, size_t piece)
{
	struct buf whole = { 0 }, pieces = { 0 };

	walk_gate(data, size, size, &whole);
	walk_gate(data, size, piece, &pieces);
	buf_puts(&whole, "");
	buf_puts(&pieces, "");
	FUZZ_REQUIRE(strcmp(whole.data, pieces.data) == 0, "in pieces of %zu the bytes mean something else:\n%s\n%s", piece,
		whole.data, pieces.data);
	buf_free(&whole);
	buf_free(&pieces);
}

void fuzz_one(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	uint8_t how = fuzz_byte(&input);
	size_t cut = fuzz_byte(&input) * 4u;
	struct buf answers = { 0 };

	if (http == NULL)
		start();
	require_same_steps(input.at, input.left, cut % 7 + 1);
	cut = cut < input.left ? cut : input.left;
	int fd = dial((how & 1) != 0);
	fake->busy = (how & 2) != 0;
	fake->hold = (how & 4) != 0;
	bool closed = deliver(fd, input.at, cut, &answers);
	fake->busy = false;
	fake_release(fake);
	request_on_wait_timer(-1, EV_TIMEOUT, http);
	if (!closed)
		closed = deliver(fd, input.at + cut, input.left - cut, &answers) || collect(fd, &answers);
	/* HEAD is refused, and that answer has a length and no body. */
	size_t good = require_answers(&answers, closed, input.left > 0 && memmem(input.at, input.left, "HEAD ", 5) != NULL);
	FUZZ_REQUIRE(fake->pushes <= good, "%zu pushes were taken, %zu requests were answered well", fake->pushes, good);
	hang_up(fd);
	forget_zones();
	buf_free(&answers);
}
