/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The request in hand: evhttp has delivered it; it is answered at once, or the
 * engine is asked and it is answered when the reply comes. A request has a
 * ticket, never a pointer, at the engine: the connection may be gone by then.
 */
#include "http/internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <jansson.h>

#include "base/log.h"
#include "base/supervisor.h"
#include "http/form.h"
#include "http/page_view.h"

/* The ticket's low bits are the descriptor, for finding the connection; the rest tells whether it is still the same. */
enum { ID_FD_BITS = 20 };

enum { ANSWER_PARTS_MAX = 8 };

/* An answer up to this size is always given: that of a push, an error. */
enum { ANSWER_SHORT = 4096 };

const char *request_reason(int status)
{
	switch (status) {
	case 200: return "OK";
	case 303: return "See Other";
	case 400: return "Bad Request";
	case 401: return "Unauthorized";
	case 403: return "Forbidden";
	case 404: return "Not Found";
	case 405: return "Method Not Allowed";
	case 408: return "Request Timeout";
	case 409: return "Conflict";
	case 413: return "Content Too Large";
	case 417: return "Expectation Failed";
	case 429: return "Too Many Requests";
	case 500: return "Internal Server Error";
	case 503: return "Service Unavailable";
	case 505: return "HTTP Version Not Supported";
	default: WRONG("a status without a reason phrase");
	}
}

static void stop_waiting(struct conn *conn)
{
	if (conn->wait == WAIT_NONE)
		return;
	TAILQ_REMOVE(&conn->http->waiting, conn, wait_link);
	conn->wait = WAIT_NONE;
	engine_request_destroy(conn->waiting_request);
	conn->waiting_request = NULL;
}

void request_forget(struct conn *conn)
{
	stop_waiting(conn);
	buf_free(&conn->gathered);
	page_view_destroy(conn->view);
	conn->view = NULL;
	request_hold(conn, 0);
	conn->id = 0;
	/* evhttp has let go of a request that was with us, so nobody else frees it. */
	if (conn->request != NULL && evhttp_request_get_connection(conn->request) == NULL)
		evhttp_request_free(conn->request);
	conn->request = NULL;
}

bool request_hold(struct conn *conn, size_t bytes)
{
	struct http *http = conn->http;
	size_t others = http->answer_bytes - conn->answer_bytes;

	if (bytes > ANSWER_SHORT && others > http->params.max_inflight_bytes)
		return false;
	http->answer_bytes = others + bytes;
	conn->answer_bytes = bytes;
	return true;
}

static void on_complete(struct evhttp_request *request UNUSED, void *arg)
{
	request_hold(arg, 0);
	conn_answered(arg);
}

static void add_headers(struct evkeyvalq *out, const char *headers)
{
	while (*headers != '\0') {
		const char *colon = strchr(headers, ':');
		const char *end = strstr(headers, "\r\n");
		char *name = xmemdup(headers, (size_t)(colon - headers));
		char *value = xmemdup(colon + 2, (size_t)(end - colon - 2));

		evhttp_add_header(out, name, value);
		free(name);
		free(value);
		headers = end + 2;
	}
}

/*
 * Sends the answer that evhttp has put into the output buffer, without waiting for the loop to find the socket writable.
 * An answer that ends the connection is held back until it is shut down, in a moment: then both are one packet. What
 * does not go now, for whatever reason, is left to the library.
 */
static void send_now(struct conn *conn)
{
	struct evbuffer *output = bufferevent_get_output(conn->bev);
	struct evbuffer_iovec parts[ANSWER_PARTS_MAX];
	int count = evbuffer_peek(output, -1, NULL, parts, ANSWER_PARTS_MAX);
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = (size_t)count };
	ssize_t sent;

	if (count > ANSWER_PARTS_MAX)
		return;
	sent = sendmsg(conn->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL | (conn->keep_alive ? 0 : MSG_MORE));
	if (sent <= 0)
		return;
	evbuffer_unfreeze(output, 1); /* the library lets nobody but its own writing drain */
	evbuffer_drain(output, (size_t)sent);
	evbuffer_freeze(output, 1);
	if (evbuffer_get_length(output) > 0)
		return;
	bufferevent_disable(conn->bev, EV_WRITE);
	bufferevent_trigger(conn->bev, EV_WRITE, BEV_TRIG_DEFER_CALLBACKS); /* all is written: as if the library had */
}

static bool is_panels(const char *path, size_t size)
{
	return size >= 5 && memcmp(path, "/CMD_", 5) == 0;
}

static void fail(struct conn *conn, int status, const char *text)
{
	struct gate_head head = gate_head(&conn->gate);

	if (is_panels(head.target, strcspn(head.target, "?")))
		request_fail(conn, status, text);
	else if (page_owns(head.target))
		page_fail(conn, status, text);
	else
		request_fail_json(conn, status, text);
}

void request_reply(struct conn *conn, int status, const char *type, const char *headers, const void *body, size_t size)
{
	struct evhttp_request *request = conn->request;
	struct evkeyvalq *out = evhttp_request_get_output_headers(request);
	struct evbuffer *buffer = evbuffer_new();
	char length[24];

	CHECK(conn->phase == CONN_HAND && request != NULL && buffer != NULL);
	if (!request_hold(conn, size)) {
		evbuffer_free(buffer);
		fail(conn, 503, "too much at once");
		return;
	}
	stop_waiting(conn);
	conn->http->counts.answers[status / 100]++;
	page_view_destroy(conn->view);
	conn->view = NULL;
	conn->request = NULL;
	conn->id = 0;
	conn->phase = CONN_REPLY;
	if (conn->http->stopping || conn->door->removed)
		conn->keep_alive = false;
	evhttp_add_header(out, "Content-Type", type);
	evutil_snprintf(length, sizeof(length), "%zu", size);
	evhttp_add_header(out, "Content-Length", length); /* evhttp adds it for HTTP/1.1 only */
	add_headers(out, headers);
	if (!conn->keep_alive)
		evhttp_add_header(out, "Connection", "close");
	evbuffer_add(buffer, body, size);
	buf_free(&conn->gathered); /* the body, or of a request that ended in another answer */
	evhttp_request_set_on_complete_cb(request, on_complete, conn);
	evhttp_send_reply(request, status, request_reason(status), buffer);
	evbuffer_free(buffer);
	/*
	 * evhttp reads on, to see the client go: but a client that has only shut down its sending side wants its answer,
	 * and one that sends without reading must not fill our memory.
	 */
	bufferevent_disable(conn->bev, EV_READ);
	if (conn->ssl == NULL)
		send_now(conn);
}

void request_fail(struct conn *conn, int status, const char *text)
{
	struct buf body = { 0 };

	buf_puts(&body, "error=1&text=");
	form_encode(&body, text);
	request_reply(conn, status, "text/plain", status == 503 ? "Retry-After: 5\r\n" : "", body.data, body.size);
	buf_free(&body);
}

void request_fail_json(struct conn *conn, int status, const char *text)
{
	json_t *error = json_pack("{s:s}", "error", text);
	char *body;

	if (error == NULL) /* a text that is no UTF-8, from a remote */
		error = json_pack("{s:s}", "error", "an error whose text cannot be shown");
	body = json_dumps(error, JSON_COMPACT);
	CHECK(body != NULL);
	request_reply(conn, status, "application/json", status == 503 ? "Retry-After: 5\r\n" : "", body, strlen(body));
	free(body);
	json_decref(error);
}

bool request_allow(struct conn *conn, enum auth_act act)
{
	if (conn->door->serves != 0 && (conn->door->serves & AUTH_SERVES(act)) == 0) {
		fail(conn, 403, "this listener does not serve that");
		return false;
	}
	if (conn->login == NULL || auth_may(conn->login->role, act))
		return true;
	fail(conn, 403, act == AUTH_PUSH ? "this login may not push" : "this login may not do that");
	return false;
}

struct engine_request *request_create(const struct conn *conn, enum engine_op op)
{
	struct engine_request *request = engine_request_create(op, 0);

	request->source = xstrdup(conn->client.text);
	request->actor = xstrdup(conn->login == NULL ? NULL : conn->login->name);
	return request;
}

char *request_take_body(struct conn *conn, size_t *size)
{
	struct evbuffer *body = evhttp_request_get_input_buffer(conn->request);
	char *text;

	*size = evbuffer_get_length(body);
	text = xmalloc(*size + 1);
	CHECK(evbuffer_remove(body, text, *size) == (int)*size);
	text[*size] = '\0';
	return text;
}

static void dispatch(struct conn *conn)
{
	struct gate_head head = gate_head(&conn->gate);
	const char *target = head.target;
	size_t path_size = strcspn(target, "?");
	const char *query = target[path_size] == '?' ? target + path_size + 1 : "";

	/* A browser sends its login along, whoever wrote the form: no other site may change anything by it. */
	if (head.method == GATE_POST && !origin_is_own(&head)) {
		fail(conn, 403, "this request comes from a page of another site");
		return;
	}
	if (da_handle(conn, target, path_size, query) || api_handle(conn, target, path_size, query) ||
		page_handle(conn, target, path_size, query))
		return;
	if (is_panels(target, path_size))
		request_fail(conn, 404, "no such command");
	else
		request_fail_json(conn, 404, "no such page");
}

void request_arrived(struct evhttp_request *request, void *arg)
{
	struct http *http = ((struct door *)arg)->http;
	struct evhttp_connection *evcon = evhttp_request_get_connection(request);
	struct conn *conn = conn_by_fd(http, bufferevent_getfd(evhttp_connection_get_bufferevent(evcon)));

	CHECK(conn != NULL && conn->evcon == evcon && conn->phase == CONN_HAND);
	conn->request = request;
	bufferevent_disable(conn->bev, EV_READ); /* evhttp does not for every kind of request */
	dispatch(conn);
}

static void wait_for(struct conn *conn, enum conn_wait what)
{
	struct http *http = conn->http;
	struct timeval tv = http_timeval(HTTP_QUEUE_RETRY_MS);

	conn->wait = what;
	conn->wait_until_ms = http_now_ms() + HTTP_QUEUE_WAIT_MS;
	TAILQ_INSERT_TAIL(&http->waiting, conn, wait_link);
	if (!evtimer_pending(http->wait_timer, NULL))
		evtimer_add(http->wait_timer, &tv);
}

/* Of one that waits for a place in it. */
static enum engine_queue queue_of(const struct conn *conn)
{
	return engine_queue_of(conn->waiting_request->op);
}

void request_submit(struct conn *conn, struct engine_request *request)
{
	struct http *http = conn->http;
	struct conn *other;
	int ret = 0;

	CHECK(conn->fd < 1 << ID_FD_BITS);
	conn->id = ++http->last_id << ID_FD_BITS | (uint64_t)conn->fd;
	request->id = conn->id;
	TAILQ_FOREACH(other, &http->waiting, wait_link) {
		if (other->wait == WAIT_QUEUE && queue_of(other) == engine_queue_of(request->op))
			ret = ERR_BUSY; /* no overtaking */
	}
	if (ret == 0)
		ret = engine_submit(http->engine, request);
	if (ret == 0)
		return;
	conn->waiting_request = request;
	if (ret == ERR_BUSY) {
		wait_for(conn, WAIT_QUEUE);
		return;
	}
	engine_request_destroy(request);
	conn->waiting_request = NULL;
	fail(conn, 503, "shutting down");
}

void request_await_names(struct conn *conn)
{
	wait_for(conn, WAIT_NAMES);
}

/* Tries one that waits. True: its queue is still full. */
static bool retry(struct conn *conn, bool queue_full)
{
	int64_t now_ms = http_now_ms();
	int ret = ERR_BUSY;

	if (conn->wait == WAIT_NAMES && conn->http->names_loaded) {
		stop_waiting(conn);
		dispatch(conn);
		return queue_full;
	}
	if (conn->wait == WAIT_QUEUE && !queue_full) {
		ret = engine_submit(conn->http->engine, conn->waiting_request);
		if (ret == 0) {
			conn->waiting_request = NULL;
			stop_waiting(conn);
			return false;
		}
	}
	if (ret == ERR_CLOSED)
		fail(conn, 503, "shutting down");
	else if (now_ms >= conn->wait_until_ms)
		fail(conn, 503, conn->wait == WAIT_NAMES ? "starting, try again later" : "busy, try again later");
	return true;
}

static void retry_waiting(struct http *http)
{
	struct timeval tv = http_timeval(HTTP_QUEUE_RETRY_MS);
	struct conn *conn, *next;
	bool full[ENGINE_QUEUES] = { false };

	for (conn = TAILQ_FIRST(&http->waiting); conn != NULL; conn = next) {
		next = TAILQ_NEXT(conn, wait_link);
		if (conn->wait == WAIT_QUEUE) {
			enum engine_queue queue = queue_of(conn);

			full[queue] = retry(conn, full[queue]);
		} else {
			retry(conn, false);
		}
	}
	if (!TAILQ_EMPTY(&http->waiting) && !evtimer_pending(http->wait_timer, NULL))
		evtimer_add(http->wait_timer, &tv);
}

void request_on_wait_timer(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	retry_waiting(arg);
}

static void on_reply(struct http *http, struct engine_message *message)
{
	struct conn *conn;

	if (message->id == HTTP_OWN_TICKET) {
		page_on_sample(http, message);
		return;
	}
	conn = conn_by_fd(http, (int)(message->id & ((1 << ID_FD_BITS) - 1)));

	if (conn == NULL || conn->id != message->id || conn->wait != WAIT_NONE)
		return; /* the client has gone */
	if (message->op == ENGINE_PUSH || message->op == ENGINE_DELETE)
		da_reply(conn, message);
	else if (conn->view != NULL)
		page_reply(conn, message);
	else
		api_reply(conn, message);
}

void request_on_message(struct http *http, struct engine_message *message)
{
	struct engine_name name;
	size_t at = 0;

	switch (message->kind) {
	case ENGINE_REPLY:
		on_reply(http, message);
		if (!TAILQ_EMPTY(&http->waiting))
			retry_waiting(http); /* there is room now */
		break;
	case ENGINE_NAME_SET:
		while (engine_message_next_name(message, &at, &name))
			names_set(http->names, name.name, name.hostname, name.username);
		break;
	case ENGINE_NAME_GONE:
		while (engine_message_next_name(message, &at, &name))
			names_remove(http->names, name.name);
		break;
	case ENGINE_NAMES_LOADED:
		http->names_loaded = true;
		supervisor_ready(HTTP_SERVES);
		retry_waiting(http);
		break;
	case ENGINE_STORE_STATE:
		http->store_ok = message->store_ok;
		evutil_snprintf(http->store_error, sizeof(http->store_error), "%s", message->err.text);
		break;
	case ENGINE_FATAL:
		http->fatal = true;
		http->fatal_err = message->err;
		/* Not at once: who was refused a moment ago gets the answer, and what libevent frees later is freed. */
		event_base_loopexit(http->base, NULL);
		break;
	}
}
