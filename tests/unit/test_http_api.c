/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The operators' interface: shapes, paging, errors, and the control socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <jansson.h>

#include "http/json.h"
#include "test_http_fake.h"
#include "test_http_client.h"

static json_t *get_json(const struct served *served, const char *target, int status)
{
	struct answer answer = { 0 };
	json_error_t error;
	json_t *json;

	client_get(served, target, &answer);
	if (answer.status != status)
		fail_msg("%s: %d %s", target, answer.status, answer.body.data);
	assert_string_equal(answer_header(&answer, "Content-Type"), "application/json");
	json = json_loadb(answer.body.data, answer.body.size, JSON_REJECT_DUPLICATES, &error);
	if (json == NULL)
		fail_msg("%s: %s in %s", target, error.text, answer.body.data);
	buf_free(&answer.body);
	return json;
}

static const char *text_at(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text != NULL ? text : "(none)";
}

static void test_status(void **state UNUSED)
{
	struct served *served = serve_start(default_params());
	json_t *json = get_json(served, "/status", 200);
	json_t *backend = json_array_get(json_object_get(json, "backends"), 1);
	int save, retry, dead, total, pending, enabled;
	double oldest;

	assert_string_equal(text_at(json, "status"), "degraded");
	assert_int_equal(json_unpack(json, "{s:{s:i,s:i,s:i},s:{s:i},s:{s:b},s:{s:b}}", "queues", "save", &save, "retry",
		&retry, "dead_letters", &dead, "zones", "total", &total, "reconciler", "enabled", &enabled, "peer_sync",
		"enabled", &enabled), 0);
	assert_int_equal(total, 2);
	assert_int_equal(retry, 3);
	assert_true(json_is_true(json_object_get(json_object_get(json, "workers"), "save")));
	assert_string_equal(text_at(backend, "name"), "dc2");
	assert_string_equal(text_at(backend, "state"), "down");
	assert_string_equal(text_at(backend, "since"), "2023-11-14T22:13:20.000000Z");
	assert_string_equal(text_at(backend, "last_error"), "connection refused?"); /* it was no UTF-8 */
	assert_int_equal(json_unpack(backend, "{s:i,s:f,s:i}", "pending", &pending, "oldest_pending_seconds", &oldest,
		"dead", &dead), 0);
	assert_int_equal(pending, 3);
	assert_float_equal(oldest, 65.0, 0.001);
	backend = json_array_get(json_object_get(json, "backends"), 0);
	assert_true(json_is_null(json_object_get(backend, "last_error")));
	assert_true(json_is_null(json_object_get(backend, "oldest_pending_seconds")));
	json_decref(json);
	serve_stop(served);
}

static const char *word_of(const struct engine_lane *lane)
{
	struct engine_lane copy = *lane;
	struct engine_status status = { .store_ok = true, .lanes = &copy, .lane_count = 1 };
	json_t *json = json_status(&status);
	static char word[32];

	snprintf(word, sizeof(word), "%s", text_at(json, "status"));
	json_decref(json);
	return word;
}

/* A back end that takes connections and writes nothing is up, but behind. */
static void test_status_of_a_back_end_behind(void **state UNUSED)
{
	struct engine_lane lane = { .backend = (char[]){ "dc1" }, .type = (char[]){ "coredns_mysql" }, .state = "up",
		.pending = 400 };

	assert_string_equal(word_of(&lane), "ok");
	lane.oldest_pending_us = 15 * 1000000;
	assert_string_equal(word_of(&lane), "ok");
	lane.oldest_pending_us++;
	assert_string_equal(word_of(&lane), "degraded");
	lane.oldest_pending_us = 0;
	lane.suspect = 1;
	assert_string_equal(word_of(&lane), "degraded");
}

/* A refused text is whatever came: every reader of JSON must be able to take it. */
static void test_refused_text_with_nul(void **state UNUSED)
{
	static const struct {
		const char *text, *shown;
		size_t size;
	} cases[] = {
		{ "a\0b\0", "a\xef\xbf\xbd" "b\xef\xbf\xbd", 4 },
		{ "\0\xff\xc3\xbc", "\xef\xbf\xbd" "???", 4 },
		{ "\0", "\xef\xbf\xbd", 1 },
		{ "\xc3\xbc\x1b\r\n", "\xc3\xbc\x1b\r\n", 5 },
		{ "", "", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct engine_refused refused = { .zone = (char[]){ "a." }, .error = (char[]){ "line 1: NUL byte" },
			.text = (char *)cases[i].text, .text_size = cases[i].size };
		json_t *json = json_refused(&refused, true), *again;
		char *text = json_dumps(json, JSON_COMPACT);
		json_error_t error;

		again = json_loads(text, 0, &error); /* strict: no \u0000 */
		if (again == NULL)
			fail_msg("%s: %s", error.text, text);
		assert_string_equal(text_at(again, "text"), cases[i].shown);
		assert_int_equal(json_integer_value(json_object_get(again, "size")), cases[i].size);
		json_decref(again);
		json_decref(json);
		free(text);
	}
}

/* Follows "next" and gathers all names. */
static void walk(struct served *served, const char *list, const char *key, const char *name_key)
{
	char target[300], after[200] = "";
	int seen = 0;

	for (;;) {
		json_t *json, *items;

		snprintf(target, sizeof(target), "%s?limit=2%s%s", list, *after != '\0' ? "&after=" : "", after);
		json = get_json(served, target, 200);
		items = json_object_get(json, key);
		assert_true(json_array_size(items) <= 2);
		for (size_t i = 0; i < json_array_size(items); i++) {
			char name[32];

			snprintf(name, sizeof(name), "z%03d.example", seen++);
			assert_string_equal(text_at(json_array_get(items, i), name_key), name);
		}
		if (json_is_null(json_object_get(json, "next"))) {
			json_decref(json);
			break;
		}
		snprintf(after, sizeof(after), "%s", text_at(json, "next"));
		json_decref(json);
	}
	assert_int_equal(seen, 5);
}

static void test_lists(void **state UNUSED)
{
	struct served *served = serve_start(default_params());
	json_t *json;

	walk(served, "/api/v1/zones", "zones", "name");
	walk(served, "/api/v1/rejected", "rejected", "zone");
	json_decref(get_json(served, "/api/v1/zones", 200));
	assert_int_equal(served->fake->last_limit, 1000);
	json_decref(get_json(served, "/api/v1/zones?limit=1000&after=x.y", 200));
	assert_string_equal(served->fake->last_after, "x.y");
	json = get_json(served, "/api/v1/events?before=77&zone=shop.example&limit=5", 200);
	assert_int_equal(served->fake->last_before, 77);
	assert_int_equal(served->fake->last_limit, 5);
	assert_string_equal(served->fake->last_zone, "shop.example");
	assert_int_equal(json_integer_value(json_object_get(json, "next")), 41);
	assert_string_equal(text_at(json_array_get(json_object_get(json, "events"), 0), "zone"), "shop.example");
	json_decref(json);
	serve_stop(served);
}

static void test_one_zone(void **state UNUSED)
{
	struct served *served = serve_start(default_params());
	json_t *json = get_json(served, "/api/v1/zones/shop%2Eexample", 200);
	json_t *delivery = json_array_get(json_object_get(json, "deliveries"), 0);

	assert_string_equal(text_at(json, "name"), "shop.example");
	assert_int_equal(json_integer_value(json_object_get(json, "generation")), 3);
	assert_int_equal(json_integer_value(json_object_get(json, "serial")), 2026030401);
	assert_string_equal(text_at(json, "digest"), "0123456789abcdef0123456789abcdef");
	assert_string_equal(text_at(json, "hostname"), "da1.host.example");
	assert_string_equal(text_at(json, "username"), "fred");
	assert_string_equal(text_at(json, "updated_at"), "2023-11-14T22:13:20.123456Z");
	assert_string_equal(text_at(delivery, "backend"), "dc1");
	assert_string_equal(text_at(delivery, "state"), "wait");
	assert_int_equal(json_integer_value(json_object_get(delivery, "wanted_generation")), 3);
	assert_int_equal(json_integer_value(json_object_get(delivery, "applied_generation")), 2);
	assert_true(json_is_null(json_object_get(delivery, "next_try")));
	assert_true(json_is_null(json_object_get(delivery, "applied_at")));
	json_decref(json);
	json = get_json(served, "/api/v1/rejected/shop.example", 200);
	assert_string_equal(text_at(json, "text"), "@ A \"?\"\n");
	json_decref(json);
	serve_stop(served);
}

/* The path says whose dead letters; nothing in the query can say otherwise. */
static void test_path_counts(void **state UNUSED)
{
	struct served *served = serve_start(default_params());

	json_decref(get_json(served, "/api/v1/dead/shop.example?zone=other.example&backend=dc1", 200));
	assert_string_equal(served->fake->last_zone, "shop.example");
	assert_string_equal(served->fake->last_backend, "dc1");
	serve_stop(served);
}

static void test_errors(void **state UNUSED)
{
	static const struct {
		const char *target;
		int status;
	} cases[] = {
		{ "/api/v1/zones/other.example", 404 },
		{ "/api/v1/rejected/other.example", 404 },
		{ "/api/v1/zones/%zz", 400 },
		{ "/api/v1/zones?limit=0", 400 },
		{ "/api/v1/zones?limit=1001", 400 },
		{ "/api/v1/zones?limit=x", 400 },
		{ "/api/v1/zones?limit=", 400 },
		{ "/api/v1/zones?limit=1&limit=2", 400 },
		{ "/api/v1/zones?limit=99999999999999999999999", 400 },
		{ "/api/v1/zones?after=%00", 400 },
		{ "/api/v1/events?before=-1", 400 },
		{ "/api/v1/zones/", 404 },
		{ "/api/v1/zone", 404 },
		{ "/api/v1/", 404 },
		{ "/nothing", 404 },
		{ "/api/v1/retry", 405 },
	};
	struct served *served = serve_start(default_params());
	struct answer answer = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *json = get_json(served, cases[i].target, cases[i].status);

		assert_string_not_equal(text_at(json, "error"), "(none)");
		json_decref(json);
	}
	client_post(served, "/api/v1/zones", "", &answer);
	assert_answer(&answer, 405, "{\"error\":\"use GET\"}");
	client_post(served, "/healthz", "", &answer);
	assert_int_equal(answer.status, 404);
	client_post(served, "/api/v1/zone", "", &answer);
	assert_int_equal(answer.status, 404);
	buf_free(&answer.body);
	serve_stop(served);
}

static void test_retry(void **state UNUSED)
{
	struct served *served = serve_start(default_params());
	struct answer answer = { 0 };

	client_ask(served, "POST /api/v1/retry?zone=shop.example HTTP/1.0\r\n" LOGIN "\r\n", &answer);
	assert_answer(&answer, 200, "{\"retried\":4}");
	assert_string_equal(served->fake->last_zone, "shop.example");
	client_post(served, "/api/v1/retry", "", &answer);
	assert_answer(&answer, 200, "{\"retried\":4}");
	assert_string_equal(served->fake->last_zone, "");
	assert_int_equal(served->fake->retries, 2);
	buf_free(&answer.body);
	serve_stop(served);
}

static void be_busy(struct served *served, unsigned queues)
{
	pthread_mutex_lock(&served->fake->lock);
	served->fake->busy = queues;
	pthread_mutex_unlock(&served->fake->lock);
}

/* A request that waits for a place in one of the engine's queues. */
static int begin_to_wait(struct served *served, const char *request)
{
	size_t refusals = fake_count(served->fake, &served->fake->refusals);
	int fd = client_connect(served);

	client_send(fd, request, strlen(request));
	wait_until(fake_count(served->fake, &served->fake->refusals) > refusals);
	return fd;
}

/* Neither orders nor questions that wait for a place hold up a push, or each other. */
static void test_full_queues_are_full_apart(void **state UNUSED)
{
	enum { PEERS = 1U << ENGINE_QUEUE_PEERS, QUESTIONS = 1U << ENGINE_QUEUE_QUESTIONS };
	struct served *served = serve_start(default_params());
	struct answer answer = { 0 };

	be_busy(served, PEERS | QUESTIONS);
	int order = begin_to_wait(served, "POST /api/v1/peers/sync HTTP/1.0\r\n" LOGIN "Content-Length: 0\r\n\r\n");
	int question = begin_to_wait(served, "GET /api/v1/zones HTTP/1.0\r\n" LOGIN "\r\n");
	client_post(served, "/CMD_API_DNS_ADMIN?action=rawsave&domain=a.example", "zone", &answer);
	assert_answer(&answer, 200, "error=0&text=Saved&details=");
	be_busy(served, PEERS);
	client_read(question, &answer);
	assert_int_equal(answer.status, 200);
	be_busy(served, 0);
	client_read(order, &answer);
	assert_int_equal(answer.status, 200);
	close(question);
	close(order);
	buf_free(&answer.body);
	serve_stop(served);
}

/* A list of which the second page could not be had is no part of the next one. */
static void test_half_a_list_is_forgotten(void **state UNUSED)
{
	static const char ask[] = "GET /internal/zones HTTP/1.1\r\nHost: zf.example\r\nAuthorization: Basic cGVlcjpmb3Vy\r\n\r\n";
	struct served *served = serve_start(default_params());
	struct answer answer = { 0 };
	int fd = client_connect(served);

	served->fake->busy_behind_a_page = true;
	client_send(fd, ask, sizeof(ask) - 1);
	client_read(fd, &answer);
	assert_int_equal(answer.status, 503);
	pthread_mutex_lock(&served->fake->lock);
	served->fake->busy_behind_a_page = false;
	served->fake->busy = 0;
	pthread_mutex_unlock(&served->fake->lock);
	client_send(fd, ask, sizeof(ask) - 1);
	client_read(fd, &answer);
	assert_answer(&answer, 200, "[{\"page\":2},{\"page\":3}]");
	close(fd);
	buf_free(&answer.body);
	serve_stop(served);
}

/* Each role: the DA dialect, a look, a change; who it is goes along. */
static void test_roles(void **state UNUSED)
{
	static const struct {
		const char *login; /* name:password */
		int push, look, change;
		const char *identities;
	} cases[] = {
		{ "ZG5zOnNlY3JldA==", 200, 200, 200, "" },                              /* dns */
		{ "ZGExOm9uZQ==", 200, 403, 403, "da1.example,da1-old.example" },       /* da1 */
		{ "b3BzOnR3bw==", 403, 200, 200, "" },                                  /* ops */
		{ "ZXllOnRocmVl", 403, 200, 403, "" },                                  /* eye */
		{ "cGVlcjpmb3Vy", 403, 403, 403, "" },                                  /* peer */
	};
	static const char *const names[] = { "dns", "da1", "ops", "eye", "peer" };
	struct served *served = serve_start(default_params());
	struct answer answer = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct {
			const char *line, *tail;
			int status;
		} asks[] = {
			{ "POST /CMD_API_DNS_ADMIN?action=rawsave&domain=a.example", "Content-Length: 4\r\n\r\nzone", cases[i].push },
			{ "GET /api/v1/zones", "\r\n", cases[i].look },
			{ "POST /api/v1/retry", "\r\n", cases[i].change },
		};

		for (size_t k = 0; k < ARRAY_SIZE(asks); k++) {
			char *request = xasprintf("%s HTTP/1.0\r\nAuthorization: Basic %s\r\n%s", asks[k].line, cases[i].login,
				asks[k].tail);

			served->fake->last_actor[0] = '\0';
			client_ask(served, request, &answer);
			free(request);
			if (answer.status != asks[k].status)
				fail_msg("%s: %s was answered %d", names[i], asks[k].line, answer.status);
			assert_string_equal(served->fake->last_actor, answer.status == 200 ? names[i] : "");
			if (k == 0 && answer.status == 200)
				assert_string_equal(served->fake->last_identities, cases[i].identities);
			if (k == 0 && answer.status == 403)
				assert_answer(&answer, 403, "error=1&text=this+login+may+not+push");
		}
	}
	buf_free(&answer.body);
	serve_stop(served);
}

static void test_pause(void **state UNUSED)
{
	struct served *served = serve_start(default_params());
	struct answer answer = { 0 };

	client_post(served, "/api/v1/backends/dc1/pause", "", &answer);
	assert_answer(&answer, 200, "{\"paused\":true,\"changed\":true}");
	client_post(served, "/api/v1/backends/dc%31/resume", "", &answer);
	assert_answer(&answer, 200, "{\"paused\":false,\"changed\":false}");
	assert_string_equal(served->fake->last_backend, "dc1");
	client_post(served, "/api/v1/backends/dc9/pause", "", &answer);
	assert_answer(&answer, 404, "{\"error\":\"there is no back end dc9; there is dc1\"}");
	client_post(served, "/api/v1/backends/dc%3/pause", "", &answer);
	assert_answer(&answer, 400, "{\"error\":\"the back end's name is badly encoded\"}");
	client_get(served, "/api/v1/backends/dc1/pause", &answer);
	assert_answer(&answer, 405, "{\"error\":\"use POST\"}");
	client_get(served, "/api/v1/backends//pause", &answer);
	assert_int_equal(answer.status, 404);
	client_get(served, "/api/v1/backends", &answer);
	assert_int_equal(answer.status, 404);
	buf_free(&answer.body);
	serve_stop(served);
}

static void test_heal(void **state UNUSED)
{
	struct served *served = serve_start(default_params());
	struct answer answer = { 0 };

	client_post(served, "/api/v1/heal", "", &answer);
	assert_answer(&answer, 200, "{\"pass\":1700000000000001,\"backends\":2}");
	assert_string_equal(served->fake->last_backend, "");
	assert_false(served->fake->last_dry_run);
	client_post(served, "/api/v1/heal?backend=dc1&dry_run=1", "", &answer);
	assert_answer(&answer, 200, "{\"pass\":1700000000000001,\"backends\":1}");
	assert_string_equal(served->fake->last_backend, "dc1");
	assert_true(served->fake->last_dry_run);
	client_post(served, "/api/v1/heal?dry_run=0", "", &answer);
	assert_int_equal(answer.status, 200);
	assert_false(served->fake->last_dry_run);
	client_post(served, "/api/v1/heal?dry_run=maybe", "", &answer);
	assert_answer(&answer, 400, "{\"error\":\"dry_run must be 0 or 1\"}");
	client_post(served, "/api/v1/heal?backend=dc2", "", &answer);
	assert_answer(&answer, 409, "{\"error\":\"a healing pass is under way at dc2\"}");
	buf_free(&answer.body);
	json_t *json = get_json(served, "/api/v1/heal", 200);
	json_t *backends = json_object_get(json, "backends");
	json_t *heal = json_object_get(json_array_get(backends, 1), "heal");
	assert_string_equal(text_at(json_array_get(backends, 0), "name"), "dc1");
	assert_true(json_is_null(json_object_get(json_array_get(backends, 0), "heal")));
	assert_string_equal(text_at(heal, "state"), "comparing");
	assert_string_equal(text_at(heal, "started_at"), "2023-11-14T22:13:20.000001Z");
	assert_true(json_is_null(json_object_get(heal, "ended_at")));
	assert_true(json_is_null(json_object_get(heal, "error")));
	assert_int_equal(json_integer_value(json_object_get(heal, "pass")), 1700000000000001);
	assert_int_equal(json_integer_value(json_object_get(heal, "compared")), 4);
	assert_int_equal(json_integer_value(json_object_get(heal, "missing")), 1);
	assert_float_equal(json_real_value(json_object_get(heal, "seconds")), 1.5, 0.001);
	json_decref(json);
	serve_stop(served);
}

static void test_store_state(void **state UNUSED)
{
	struct served *served = serve_start(default_params());
	struct answer answer = { 0 };
	struct engine_message *message = fake_message(ENGINE_STORE_STATE);

	err_set(&message->err, ERR_NOSPACE, "disk full");
	fake_post(served->fake, message);
	do
		client_ask(served, "GET /readyz HTTP/1.0\r\n\r\n", &answer);
	while (answer.status == 200);
	assert_answer(&answer, 503, "not ready: the store cannot be written\n");
	client_ask(served, "GET /healthz HTTP/1.0\r\n\r\n", &answer);
	assert_int_equal(answer.status, 200);
	message = fake_message(ENGINE_STORE_STATE);
	message->store_ok = true;
	fake_post(served->fake, message);
	do
		client_ask(served, "GET /readyz HTTP/1.0\r\n\r\n", &answer);
	while (answer.status == 503);
	assert_answer(&answer, 200, "ready\n");
	buf_free(&answer.body);
	serve_stop(served);
}

/* reliability.md P05: a thread that hangs is named, and it is over when it turns again. */
static void test_stalled_thread(void **state UNUSED)
{
	static const char *const threads[] = { "engine", "intake" };
	struct served *served = serve_start(default_params());
	struct answer answer = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		char wanted[64];

		pthread_mutex_lock(&served->fake->lock);
		served->fake->stalled = threads[i];
		pthread_mutex_unlock(&served->fake->lock);
		do
			client_ask(served, "GET /readyz HTTP/1.0\r\n\r\n", &answer);
		while (answer.status == 200);
		snprintf(wanted, sizeof(wanted), "not ready: the thread %s does not turn\n", threads[i]);
		assert_answer(&answer, 503, wanted);
		client_ask(served, "GET /healthz HTTP/1.0\r\n\r\n", &answer);
		assert_int_equal(answer.status, 200);
		pthread_mutex_lock(&served->fake->lock);
		served->fake->stalled = NULL;
		pthread_mutex_unlock(&served->fake->lock);
		do
			client_ask(served, "GET /readyz HTTP/1.0\r\n\r\n", &answer);
		while (answer.status == 503);
		assert_answer(&answer, 200, "ready\n");
	}
	buf_free(&answer.body);
	serve_stop(served);
}

static void test_control_socket(void **state UNUSED)
{
	struct http_params params = default_params();
	char path[64];
	struct served *served;
	struct answer answer = { 0 };
	struct stat st;
	struct http *second = NULL;
	struct err err;
	const char *status = "GET /status HTTP/1.1\r\nHost: zonefan\r\n\r\n";
	int fd;

	snprintf(path, sizeof(path), "/tmp/http-%d.sock", (int)getpid());
	params.control_socket = path;
	for (int round = 0; round < 2; round++) {
		served = serve_start(params);
		assert_int_equal(stat(path, &st), 0);
		assert_true(S_ISSOCK(st.st_mode));
		assert_int_equal(st.st_mode & 0777, 0660);
		fd = client_connect_control(served);
		for (int i = 0; i < 3; i++) { /* no login, and kept alive */
			client_send(fd, status, strlen(status));
			client_read(fd, &answer);
			assert_int_equal(answer.status, 200);
			assert_memory_equal(answer.body.data, "{\"status\":", 10);
		}
		close(fd);
		assert_string_equal(served->fake->last_source, "control");
		client_ask(served, status, &answer);
		assert_int_equal(answer.status, 401);
		/* A second process must not take it away. */
		assert_int_equal(http_create(&params, served->fake, &second, &err), ERR_IO);
		assert_non_null(strstr(err.text, path));
		serve_stop(served);
		assert_int_equal(stat(path, &st), -1);
		if (round == 0) { /* a dead one's is replaced */
			struct sockaddr_un address = { .sun_family = AF_UNIX };

			fd = socket(AF_UNIX, SOCK_STREAM, 0);
			snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
			assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
			close(fd);
		}
	}
	buf_free(&answer.body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_status_of_a_back_end_behind),
		cmocka_unit_test(test_refused_text_with_nul),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_one_zone),
		cmocka_unit_test(test_path_counts),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_retry),
		cmocka_unit_test(test_full_queues_are_full_apart),
		cmocka_unit_test(test_half_a_list_is_forgotten),
		cmocka_unit_test(test_roles),
		cmocka_unit_test(test_pause),
		cmocka_unit_test(test_heal),
		cmocka_unit_test(test_store_state),
		cmocka_unit_test(test_stalled_thread),
		cmocka_unit_test(test_control_socket),
	};

	return cmocka_run_group_tests_name("http_api", tests, NULL, NULL);
}
