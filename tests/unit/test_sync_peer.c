/* SPDX-License-Identifier: GPL-3.0-or-later */
/* No peer takes the others' time. Stand-ins give their pages one by one; no time at all is left to any, so nobody waits. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/thread.h"
#include "sync/peer_internal.h"

enum { ASKED_MOST = 16, WAIT_S = 30, ROOM = 4096 };

#define NODE "\"store_id\": \"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\", \"now\": 1790000000000000"
#define EMPTY_PAGE(next) "{" NODE ", \"next\": " next ", \"zones\": []}"
#define FIELDS(name) "{\"domain\": \"" name "\", \"hostname\": \"h\", \"username\": \"u\", \"zone_updated_at\": "
#define PLAIN(name) FIELDS(name) "\"2026-01-01T00:00:00\"}"
#define SOA "$TTL 60\\n@ IN SOA ns. host. ( 1 2 3 4 5 )\\n@ IN NS ns.\\n"
#define WHOLE(name) FIELDS(name) "null, \"zone_data\": \"" SOA "\"}"

struct answer {
	const char *path;          /* its end; NULL behind the last one */
	const char *body;          /* NULL: 404; TROUBLE: 500 */
};

#define TROUBLE "{\"error\": \"its text is damaged\"}"

struct stand_in {
	int listener;
	pthread_t thread;
	const struct answer *answers;
	const char *name;
	char url[64];
};

/* Who was asked for what, by the order of time. */
static struct {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	char asked[ASKED_MOST][128];
	size_t count;
} book = { .mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static struct {
	char folder[64];
	char path[128];
	struct engine *engine;
} rig;

static void note(const char *name, const char *path)
{
	pthread_mutex_lock(&book.mutex);
	if (book.count < ASKED_MOST)
		snprintf(book.asked[book.count++], sizeof(book.asked[0]), "%s %.100s", name, path);
	pthread_cond_signal(&book.changed);
	pthread_mutex_unlock(&book.mutex);
}

static void await_asked(size_t count)
{
	struct timespec end;
	int ret = 0;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += WAIT_S;
	pthread_mutex_lock(&book.mutex);
	while (ret == 0 && book.count < count)
		ret = pthread_cond_timedwait(&book.changed, &book.mutex, &end);
	pthread_mutex_unlock(&book.mutex);
	assert_int_equal(ret, 0);
}

static const char *body_of(const struct stand_in *peer, const char *path)
{
	for (const struct answer *answer = peer->answers; answer->path != NULL; answer++) {
		size_t size = strlen(answer->path);

		if (strlen(path) >= size && strcmp(path + strlen(path) - size, answer->path) == 0)
			return answer->body;
	}
	return NULL;
}

static void serve(const struct stand_in *peer, int connection)
{
	char request[ROOM + 1] = "", path[ROOM + 1] = "";
	size_t size = 0;
	ssize_t got;

	while (strstr(request, "\r\n\r\n") == NULL && (got = recv(connection, request + size, ROOM - size, 0)) > 0) {
		size += (size_t)got;
		request[size] = '\0';
	}
	if (sscanf(request, "GET %4096s", path) != 1)
		return;
	const char *body = body_of(peer, path);
	note(peer->name, path + strlen("/internal/"));
	const char *status = body == NULL ? "404 Not Found" : strcmp(body, TROUBLE) == 0 ? "500 Internal Server Error" : "200 OK";
	char *sent = xasprintf("HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s", status, body == NULL ? 0 : strlen(body), body == NULL ? "" : body);
	(void)!send(connection, sent, strlen(sent), MSG_NOSIGNAL);
	free(sent);
}

static void *stand_in_run(void *arg)
{
	const struct stand_in *peer = arg;
	int connection;

	while ((connection = accept(peer->listener, NULL, NULL)) >= 0) {
		serve(peer, connection);
		close(connection);
	}
	return NULL;
}

static void stand_in_start(struct stand_in *peer, const char *name, const struct answer *answers)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);

	peer->name = name;
	peer->answers = answers;
	peer->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(peer->listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(peer->listener, 16), 0);
	assert_int_equal(getsockname(peer->listener, (struct sockaddr *)&address, &size), 0);
	snprintf(peer->url, sizeof(peer->url), "http://127.0.0.1:%u", ntohs(address.sin_port));
	peer->thread = thread_start("stand-in", stand_in_run, peer);
}

static void stand_in_stop(struct stand_in *peer)
{
	shutdown(peer->listener, SHUT_RDWR);
	thread_join(peer->thread);
	close(peer->listener);
}

static int set_up(void **state)
{
	static const int64_t backoff_ms[] = { 1000 };
	struct engine_params params = { .store_path = rig.path, .backoff_ms = backoff_ms, .backoff_count = 1, .max_attempts = 5,
		.probe_initial_ms = 1000, .probe_max_ms = 1000, .queue_capacity = 64, .queue_bytes = 1 << 20,
		.clock = clock_system(), .peers = true };
	struct err err;

	(void)state;
	book.count = 0;
	snprintf(rig.folder, sizeof(rig.folder), "/tmp/zonefan-peer-XXXXXX");
	assert_non_null(mkdtemp(rig.folder));
	snprintf(rig.path, sizeof(rig.path), "%s/store.db", rig.folder);
	if (engine_start(&params, &rig.engine, &err) != ERR_OK)
		fail_msg("%s", err.text);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	engine_stop(rig.engine, 1000);
	engine_destroy(rig.engine);
	unlink(rig.path);
	rmdir(rig.folder);
	return 0;
}

/* What a visit needs, without the thread. */
struct visitor {
	struct stand_in peer;
	struct peer_params params;
	struct peer_sync sync;
	struct peer_node node;
};

static void visitor_open(struct visitor *visitor, const struct answer *answers, uint64_t zones_most)
{
	const struct peer_address address = { .url = visitor->peer.url, .username = "", .password = "" };

	*visitor = (struct visitor){ .params = { .visit_ms = 0, .zones_most = zones_most } };
	stand_in_start(&visitor->peer, "peer", answers);
	visitor->sync.params = &visitor->params;
	visitor->sync.engine = rig.engine;
	visitor->sync.pass = 1;
	snprintf(visitor->sync.store_id, sizeof(visitor->sync.store_id), "ours");
	visitor->node.url = xstrdup(visitor->peer.url);
	visitor->node.client = peer_client_create(&address, &visitor->sync.stopping);
}

static void visitor_close(struct visitor *visitor)
{
	free(visitor->node.url);
	free(visitor->node.after);
	strmap_free(&visitor->node.left);
	peer_client_destroy(visitor->node.client);
	stand_in_stop(&visitor->peer);
}

static void a_long_list_goes_on_when_the_others_had_their_turn(void **state)
{
	static const struct answer pages[] = { { "limit=1000", EMPTY_PAGE("\"a\"") }, { "after=a", EMPTY_PAGE("\"b\"") },
		{ "after=b", EMPTY_PAGE("null") }, { NULL, NULL } };
	static const struct answer one[] = { { "limit=1000", EMPTY_PAGE("null") }, { NULL, NULL } };
	struct stand_in slow, other;

	(void)state;
	stand_in_start(&slow, "slow", pages);
	stand_in_start(&other, "other", one);
	struct peer_address peers[] = { { .url = slow.url, .username = "", .password = "" },
		{ .url = other.url, .username = "", .password = "" } };
	struct peer_params params = { .interval_minutes = 10080, .peers = peers, .peer_count = 2, .visit_ms = 0, .zones_most = 100 };
	struct peer_sync *sync = peer_start(&params, rig.engine);
	await_asked(4);
	peer_stop(sync);
	stand_in_stop(&slow);
	stand_in_stop(&other);
	assert_int_equal(book.count, 4);
	assert_string_equal(book.asked[0], "slow zones?v=2&limit=1000");
	assert_string_equal(book.asked[1], "other zones?v=2&limit=1000");
	assert_string_equal(book.asked[2], "slow zones?v=2&limit=1000&after=a");
	assert_string_equal(book.asked[3], "slow zones?v=2&limit=1000&after=b");
}

static void a_list_without_end_ends(void **state)
{
	static const struct answer pages[] = { { "limit=1000", EMPTY_PAGE("\"a\"") }, { "after=a", EMPTY_PAGE("\"b\"") },
		{ "after=b", EMPTY_PAGE("\"c\"") }, { NULL, NULL } };
	struct visitor visitor;
	struct err err;

	(void)state;
	visitor_open(&visitor, pages, 2);
	assert_int_equal(peer_visit(&visitor.sync, &visitor.node, &err), ERR_OK);
	assert_string_equal(visitor.node.after, "a");
	assert_int_equal(peer_visit(&visitor.sync, &visitor.node, &err), ERR_OK);
	assert_string_equal(visitor.node.after, "b");
	assert_int_equal(peer_visit(&visitor.sync, &visitor.node, &err), ERR_LIMIT);
	/* The next walk begins anew. */
	assert_null(visitor.node.after);
	visitor_close(&visitor);
}

static void texts_go_on_within_a_page(void **state)
{
	static const struct answer good[] = { { "limit=1000", "[" PLAIN("a.example") "," PLAIN("b.example") "]" },
		{ "domain=a.example", WHOLE("a.example") }, { "domain=b.example", WHOLE("b.example") }, { NULL, NULL } };
	struct visitor visitor;
	struct err err;

	(void)state;
	visitor_open(&visitor, good, 100);
	assert_int_equal(peer_visit(&visitor.sync, &visitor.node, &err), ERR_OK);
	assert_int_equal(visitor.node.found.taken, 1);
	assert_string_equal(visitor.node.after, "");
	assert_int_equal(peer_visit(&visitor.sync, &visitor.node, &err), ERR_OK);
	assert_int_equal(visitor.node.found.taken, 2);
	assert_int_equal(visitor.node.found.zones, 2);
	assert_null(visitor.node.after);
	assert_int_equal(book.count, 4);
	visitor_close(&visitor);
}

static void a_visit_that_brings_nothing_has_failed(void **state)
{
	static const struct answer bad[] = { { "limit=1000", "[" PLAIN("a.example") "," PLAIN("b.example") "]" }, { NULL, NULL } };
	struct visitor visitor;
	struct err err;

	(void)state;
	visitor_open(&visitor, bad, 100);
	assert_int_equal(peer_visit(&visitor.sync, &visitor.node, &err), ERR_TIMEOUT);
	assert_null(visitor.node.after);
	assert_int_equal(book.count, 2);
	visitor_close(&visitor);
}

/* A zone whose text a peer can't give stops no other of its zones. */
static void a_text_that_fails_there_is_passed_over(void **state)
{
	static const struct answer sick[] = { { "limit=1000", "[" PLAIN("a.example") "," PLAIN("b.example") "]" },
		{ "domain=a.example", TROUBLE }, { "domain=b.example", WHOLE("b.example") }, { NULL, NULL } };
	struct visitor visitor;
	struct err err;

	(void)state;
	visitor_open(&visitor, sick, 100);
	visitor.params.visit_ms = WAIT_S * 1000;
	assert_int_equal(peer_visit(&visitor.sync, &visitor.node, &err), ERR_OK);
	assert_int_equal(visitor.node.found.failed, 1);
	assert_int_equal(visitor.node.found.taken, 1);
	visitor_close(&visitor);
}

/* directdnsonly tells no id of its store: that it is not ours is known all the same. */
static void who_does_not_know_itself_takes_nobody_for_itself(void **state)
{
	static const struct answer good[] = { { "limit=1000", "[" PLAIN("a.example") "]" },
		{ "domain=a.example", WHOLE("a.example") }, { NULL, NULL } };
	struct visitor visitor;
	struct err err;

	(void)state;
	visitor_open(&visitor, good, 100);
	visitor.sync.store_id[0] = '\0';
	assert_int_equal(peer_visit(&visitor.sync, &visitor.node, &err), ERR_OK);
	assert_int_equal(visitor.node.found.taken, 1);
	visitor_close(&visitor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_long_list_goes_on_when_the_others_had_their_turn, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_list_without_end_ends, set_up, tear_down),
		cmocka_unit_test_setup_teardown(texts_go_on_within_a_page, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_visit_that_brings_nothing_has_failed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_text_that_fails_there_is_passed_over, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_does_not_know_itself_takes_nobody_for_itself, set_up, tear_down),
	};

	log_setup((enum log_level)(LOG_LEVEL_ERROR + 1), LOG_FORMAT_LOGFMT, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
