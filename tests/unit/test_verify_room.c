/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The room as a whole, on a whole engine: two back ends, whose name servers are sockets of this test. That of dc1 answers what was
 * written (of the zones x and y nothing, or what is truncated, and nobody listens there by TCP), that of dc2 says nothing.
 */
#include "test_engine_rig.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sqlite3.h>
#include <sys/socket.h>

#include "verify/asker.h"
#include "verify/verify.h"

enum { HEADER_SIZE = 12, ANSWER_MAX = 64, QUERY_MAX = 300 };
enum { DROPPED = 'x', TRUNCATED = 'y' }; /* first letters of zones */

struct name_server {
	int fd;
	char address[32];
	const char *servers[1];
	pthread_t thread;
	atomic_bool stopping;
	atomic_bool mute;
	atomic_int asked[256]; /* by the first letter of the name */
};

static struct name_server good, silent;
static struct verify *verify;

static void open_server(struct name_server *server)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval patience = { .tv_usec = 50000 };
	socklen_t size = sizeof(at);

	*server = (struct name_server){ .fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) };
	assert_true(server->fd >= 0);
	assert_int_equal(bind(server->fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(server->fd, (struct sockaddr *)&at, &size), 0);
	assert_int_equal(setsockopt(server->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	snprintf(server->address, sizeof(server->address), "127.0.0.1:%u", ntohs(at.sin_port));
	server->servers[0] = server->address;
}

/* What text_of(1) has: RFC 1035 3.3.13, 3.3.11, 3.4.1. */
static size_t data_of(uint8_t type, uint8_t *out)
{
	static const uint8_t soa[22] = { [5] = 1, [9] = 2, [13] = 3, [17] = 4, [21] = 5 };
	static const uint8_t ns[] = "\3ns1\3dns\7example";
	static const uint8_t a[] = { 192, 0, 2, 1 };
	const uint8_t *data = type == 6 ? soa : type == 2 ? ns : a;
	size_t size = type == 6 ? sizeof(soa) : type == 2 ? sizeof(ns) : sizeof(a);

	memcpy(out, data, size);
	return size;
}

/* The query becomes its answer: one record at the name that was asked for. */
static size_t answer(uint8_t *wire, size_t size)
{
	const uint8_t type = wire[size - 3];
	uint8_t *at = wire + size;

	wire[2] = wire[HEADER_SIZE + 1] == TRUNCATED ? 0x86 : 0x84;
	wire[7] = 1;
	memcpy(at, (const uint8_t[]){ 0xc0, HEADER_SIZE, 0, type, 0, 1, 0, 0, 0, 60, 0 }, 11);
	at[11] = (uint8_t)data_of(type, at + 12);
	return size + 12 + at[11];
}

static void *serve(void *arg)
{
	struct name_server *server = arg;
	uint8_t wire[QUERY_MAX + ANSWER_MAX];
	struct sockaddr_in from;

	while (!atomic_load(&server->stopping)) {
		socklen_t from_size = sizeof(from);
		ssize_t got = recvfrom(server->fd, wire, QUERY_MAX, 0, (struct sockaddr *)&from, &from_size);

		if (got <= HEADER_SIZE + 4)
			continue;
		atomic_fetch_add(&server->asked[wire[HEADER_SIZE + 1]], 1);
		if (wire[HEADER_SIZE + 1] != DROPPED && !atomic_load(&server->mute))
			sendto(server->fd, wire, answer(wire, (size_t)got), 0, (struct sockaddr *)&from, from_size);
	}
	return NULL;
}

static int begin_with(size_t follow_most)
{
	static struct verify_backend backends[2];

	set_up_with(2);
	stop();
	rig.verified = true;
	start();
	open_server(&good);
	open_server(&silent);
	assert_int_equal(pthread_create(&good.thread, NULL, serve, &good), 0);
	backends[0] = (struct verify_backend){ .name = "dc1", .servers = good.servers, .server_count = 1, .interval_seconds = 3600 };
	backends[1] = (struct verify_backend){ .name = "dc2", .servers = silent.servers, .server_count = 1, .interval_seconds = 3600 };
	const struct verify_params params = { .backends = backends, .backend_count = 2, .deadline_seconds = 3600, .canary = "",
		.follow_most = follow_most };
	verify = verify_start(&params, rig.engine);
	return 0;
}

static int begin_with_room(void **state)
{
	(void)state;
	return begin_with(100);
}

static int begin_with_room_for_one(void **state)
{
	(void)state;
	return begin_with(2);
}

static int end(void **state)
{
	verify_stop(verify);
	atomic_store(&good.stopping, true);
	pthread_join(good.thread, NULL);
	close(good.fd);
	close(silent.fd);
	return tear_down(state);
}

/* Whether dc1 has been asked for it: by the first letter. */
static void await_question(char zone)
{
	for (int waited_ms = 0; atomic_load(&good.asked[(unsigned char)zone]) == 0; waited_ms += 2) {
		if (waited_ms >= WAIT_MS)
			fail_msg("%c.example is not asked for at dc1", zone);
		nap();
	}
}

static void where_nothing_is_answered_the_others_do_not_wait(void **state)
{
	static const char *const zones[] = { "a.example", "b.example", "c.example", "d.example" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(zones); i++) {
		push(zones[i], 1);
		await_question(zones[i][0]);
	}
}

static void one_zone_without_an_answer_holds_up_no_other(void **state)
{
	(void)state;
	push("x.example", 1);
	await_question(DROPPED);
	push("a.example", 1);
	await_question('a');
}

static void a_truncated_answer_is_no_silence(void **state)
{
	(void)state;
	push("y.example", 1);
	await_question(TRUNCATED);
	push("a.example", 1);
	await_question('a');
}

/*
 * A name server answers a deleted zone while it may, and says nothing from then on: one question that is lost makes that no "still
 * answers", and two make it unanswered.
 */
static void a_word_in_time_is_no_late_one(void **state)
{
	static struct verify_backend backend;
	const struct verify_params params = { .backends = &backend, .backend_count = 1, .deadline_seconds = 6, .canary = "", .follow_most = 100 };
	int asked;

	(void)state;
	verify_stop(verify);
	backend = (struct verify_backend){ .name = "dc1", .servers = good.servers, .server_count = 1, .interval_seconds = 3600 };
	verify = verify_start(&params, rig.engine);
	push("a.example", 1);
	await_question('a');
	await_clean("a.example");
	delete_from("a.example", "da1.example");
	/* At once, and after 0.25, 0.75, 1.75 and 3.75 s; the next question is behind the deadline. */
	asked = atomic_load(&good.asked['a']);
	for (int waited_ms = 0; atomic_load(&good.asked['a']) < asked + 5; waited_ms += 2) {
		if (waited_ms >= WAIT_MS)
			fail_msg("the deleted zone is not asked for");
		nap();
	}
	atomic_store(&good.mute, true);
	for (int waited_ms = 0; count_events("unanswered") == 0; waited_ms += 2) {
		if (waited_ms >= 2 * WAIT_MS)
			fail_msg("nothing is told");
		nap();
	}
	assert_int_equal(count_events("still_answers"), 0);
}

/* The row of a customer's zone is damaged: whose it is can't be told, so it is not the canary. */
static void what_cannot_be_read_is_no_canary(void **state)
{
	const struct verify_params params = { .deadline_seconds = 3600, .canary = "mine.example" };
	sqlite3 *db;

	(void)state;
	push("mine.example", 7);
	await_clean("mine.example");
	assert_int_equal(sqlite3_open(rig.path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, WAIT_MS);
	assert_int_equal(sqlite3_exec(db, "UPDATE zone SET serial = serial + 1", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	verify_stop(verify);
	verify = verify_start(&params, rig.engine);
	for (int waited_ms = 0; count_events("canary_refused") == 0; waited_ms += 2) {
		if (waited_ms >= WAIT_MS)
			fail_msg("the canary is not refused");
		nap();
	}
	assert_int_equal(count_events("push"), 1);
}

static void have_come(void *ctx)
{
	atomic_store((atomic_bool *)ctx, true);
}

/* What is wrong at that server: nothing listens at its port. */
static void ask_nobody(const char *host, char text[ERR_TEXT_SIZE])
{
	struct name_server nobody;
	atomic_bool come = false;

	open_server(&nobody);
	close(nobody.fd);
	char *server = xasprintf("%s%s", host, strchr(nobody.address, ':'));
	struct asker *asker = asker_create(server, "dns", have_come, &come);
	struct ask *ask = xcalloc(1, sizeof(*ask));
	ask->question = (struct dns_question){ .name = xstrdup("a.example."), .type = DNS_TYPE_SOA };
	asker_ask(asker, ask);
	for (int waited_ms = 0; !atomic_load(&come) && waited_ms < WAIT_MS; waited_ms += 2)
		nap();
	ask = asker_take(asker);
	assert_non_null(ask);
	assert_int_equal(ask->ret, ERR_TIMEOUT);
	snprintf(text, ERR_TEXT_SIZE, "%s", ask->err.text);
	ask_destroy(ask);
	asker_destroy(asker);
	free(server);
}

/* The error stands beside the server as it is configured: its address is told only where that is a name. */
static void an_error_tells_no_address_twice(void **state)
{
	char text[ERR_TEXT_SIZE];

	(void)state;
	ask_nobody("127.0.0.1", text);
	assert_string_equal(text, "Connection refused");
	ask_nobody("localhost", text);
	assert_non_null(strstr(text, "1: Connection refused"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(where_nothing_is_answered_the_others_do_not_wait, begin_with_room_for_one, end),
		cmocka_unit_test_setup_teardown(one_zone_without_an_answer_holds_up_no_other, begin_with_room, end),
		cmocka_unit_test_setup_teardown(a_truncated_answer_is_no_silence, begin_with_room, end),
		cmocka_unit_test_setup_teardown(a_word_in_time_is_no_late_one, begin_with_room, end),
		cmocka_unit_test_setup_teardown(what_cannot_be_read_is_no_canary, begin_with_room, end),
		cmocka_unit_test(an_error_tells_no_address_twice),
	};

	log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
