/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Connections: what is read goes through the gate, and only whole, checked
 * requests reach evhttp. See README.md for why it is done at the input buffer.
 */
#include "http/internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"

enum { READ_EARLY_MAX = 16 * 1024 };

static void set_timer(struct conn *conn, int64_t ms)
{
	struct timeval tv = http_timeval(ms > 0 ? ms : 0);

	evtimer_add(conn->timer, &tv);
}

void conn_deadline(struct conn *conn, int64_t ms)
{
	int64_t left = conn->opened_ms + conn->http->params.connection_deadline_ms - http_now_ms();

	set_timer(conn, ms < left ? ms : left);
}

bool conn_is_idle(const struct conn *conn)
{
	return conn->phase == CONN_HEAD && !gate_started(&conn->gate) && evbuffer_get_length(conn->held) == 0;
}

static void count_bytes(struct conn *conn, size_t bytes)
{
	conn->http->inflight_bytes += bytes - conn->bytes;
	conn->bytes = bytes;
}

void conn_give_up(struct conn *conn)
{
	conn->phase = CONN_REFUSED;
	bufferevent_disable(conn->bev, EV_READ);
	TAILQ_INSERT_TAIL(&conn->http->refused, conn, refused_link);
	evbuffer_drain(conn->held, evbuffer_get_length(conn->held));
	evbuffer_drain(conn->body, evbuffer_get_length(conn->body));
	count_bytes(conn, 0);
	set_timer(conn, HTTP_REFUSAL_MS);
}

static void take_head(struct conn *conn)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct gate_head head = gate_head(&conn->gate);
	bool sent;

	if (!admit(conn, &head))
		return;
	conn->phase = CONN_BODY;
	conn_deadline(conn, conn->http->params.body_deadline_ms);
	/* Straight to the socket: nothing else is under way on it, and evhttp knows nothing of this request yet. */
	if (!head.expect_continue || (!head.chunked && head.length == 0) || evbuffer_get_length(conn->held) > 0)
		return;
	sent = conn->ssl != NULL ? session_send(conn, go_on, sizeof(go_on) - 1) :
		send(conn->fd, go_on, sizeof(go_on) - 1, MSG_DONTWAIT | MSG_NOSIGNAL) > 0;
	if (!sent)
		log_debug("no 100-continue", LOG_STR("address", conn->client.text));
}

/*
 * Gives the whole request to evhttp, under a head of our own making: it never sees a byte of the client's head, so it
 * cannot read it differently. The target stays with the gate.
 */
static void pass_request(struct conn *conn)
{
	struct evbuffer *input = bufferevent_get_input(conn->bev);
	struct gate_head head = gate_head(&conn->gate);

	conn->phase = CONN_HAND;
	/* A connection in its second half is not worth keeping: its end must not cut off an answer. */
	conn->keep_alive = head.keep_alive && !conn->http->stopping && !conn->door->removed &&
		http_now_ms() - conn->opened_ms < conn->http->params.connection_deadline_ms / 2;
	conn_deadline(conn, conn->http->params.connection_deadline_ms);
	conn->passing = true;
	evbuffer_unfreeze(input, 0); /* the library lets nobody but its own reading append */
	evbuffer_add_printf(input, "%s / HTTP/1.%u\r\nConnection: %s\r\n", head.method == GATE_GET ? "GET" : "POST",
		head.minor, conn->keep_alive ? "keep-alive" : "close");
	if (head.chunked)
		evbuffer_add_printf(input, "Transfer-Encoding: chunked\r\n\r\n");
	else if (head.method == GATE_POST)
		evbuffer_add_printf(input, "Content-Length: %zu\r\n\r\n", evbuffer_get_length(conn->body));
	else
		evbuffer_add_printf(input, "\r\n");
	evbuffer_add_buffer(input, conn->body);
	if (conn->ssl == NULL) /* one with TLS is never frozen */
		evbuffer_freeze(input, 0);
	conn->passing = false;
}

/* One step of the gate. False: no further one now. */
static bool step_gate(struct conn *conn)
{
	size_t size = evbuffer_get_contiguous_space(conn->held);
	const char *data = size > 0 ? (const char *)evbuffer_pullup(conn->held, (ev_ssize_t)size) : "";
	enum gate_step step;
	size_t used = gate_feed(&conn->gate, data, size, &step);

	/* Copied, not moved: what was read by itself sits in a block of a kilobyte, were it one byte. */
	if (step == GATE_BODY || step == GATE_END)
		evbuffer_add(conn->body, data, used);
	evbuffer_drain(conn->held, used);
	switch (step) {
	case GATE_MORE:
	case GATE_BODY:
		break;
	case GATE_HEAD:
		take_head(conn);
		return conn->phase == CONN_BODY; /* even without a further byte: it may have ended */
	case GATE_END:
		pass_request(conn);
		return false;
	case GATE_REFUSED:
		refuse_send(conn, conn->gate.status, conn->gate.status == 405 ? "Allow: GET, POST\r\n" : "",
			conn->gate.reason, !conn->gate.body_unwanted);
		return false;
	}
	return evbuffer_get_length(conn->held) > 0;
}

static void pump(struct conn *conn)
{
	if (conn->phase != CONN_HEAD && conn->phase != CONN_BODY)
		return;
	if (evbuffer_get_length(conn->held) == 0)
		return;
	while (step_gate(conn))
		;
}

/* What was read, into held. own: bytes before it in the input that we have passed and evhttp has not taken yet (TLS reads on to the end of a record). */
static void take_input(struct conn *conn, struct evbuffer *input, size_t own)
{
	struct evbuffer *passed = own > 0 ? evbuffer_new() : NULL;

	if (own > 0) {
		CHECK(passed != NULL && evbuffer_remove_buffer(input, passed, own) == (int)own);
		evbuffer_add_buffer(conn->held, input);
		evbuffer_add_buffer(input, passed);
		evbuffer_free(passed);
	} else {
		evbuffer_add_buffer(conn->held, input);
	}
}

/* Called by the input buffer when the socket was read, before evhttp is told. */
static void on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg)
{
	struct conn *conn = arg;

	if (conn->passing || info->n_added == 0)
		return;
	conn->passing = true;
	if (conn->phase == CONN_REFUSED) { /* the rest of a record (TLS) */
		evbuffer_drain(input, evbuffer_get_length(input));
	} else {
		count_bytes(conn, conn->bytes + info->n_added);
		take_input(conn, input, info->orig_size);
	}
	conn->passing = false;
	pump(conn);
	refuse_excess(conn->http);
}

static void on_timer(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct linger abort = { .l_onoff = 1, .l_linger = 0 };
	struct conn *conn = arg;

	if ((conn->phase == CONN_HEAD && !conn_is_idle(conn)) || conn->phase == CONN_BODY) {
		refuse_send(conn, 408, "", "the request took too long", true);
		return;
	}
	/* A client that does not read: let the kernel forget what it holds for it, too. */
	if (conn->phase == CONN_REPLY)
		setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
	conn_close(conn);
}

static void table_put(struct http *http, int fd, struct conn *conn)
{
	if ((size_t)fd >= http->by_fd_size) {
		size_t size = (size_t)fd * 2 + 64;

		http->by_fd = xrealloc(http->by_fd, size * sizeof(*http->by_fd));
		memset(http->by_fd + http->by_fd_size, 0, (size - http->by_fd_size) * sizeof(*http->by_fd));
		http->by_fd_size = size;
	}
	http->by_fd[fd] = conn;
}

struct conn *conn_by_fd(struct http *http, int fd)
{
	return fd >= 0 && (size_t)fd < http->by_fd_size ? http->by_fd[fd] : NULL;
}

static void free_conn(struct conn *conn)
{
	struct http *http = conn->http;

	evbuffer_remove_cb(bufferevent_get_input(conn->bev), on_input, conn);
	if (conn->ssl != NULL)
		session_close(conn);
	request_forget(conn);
	admit_forget(conn);
	count_bytes(conn, 0);
	if (conn->fd >= 0)
		http->by_fd[conn->fd] = NULL;
	TAILQ_REMOVE(&http->conns, conn, link);
	if (conn->phase == CONN_REFUSED)
		TAILQ_REMOVE(&http->refused, conn, refused_link);
	crowd_leave(conn);
	door_left(conn->door);
	event_free(conn->kick);
	event_free(conn->timer);
	evbuffer_free(conn->held);
	evbuffer_free(conn->body);
	gate_free(&conn->gate);
	bufferevent_decref(conn->bev);
	free(conn);
	/* The last one has gone: nothing is in hand any more. */
	if (http->stopping && TAILQ_EMPTY(&http->conns))
		event_base_loopbreak(http->base);
}

static void on_closed(struct evhttp_connection *evcon UNUSED, void *arg)
{
	free_conn(arg);
}

void conn_close(struct conn *conn)
{
	evhttp_connection_free(conn->evcon); /* calls on_closed */
}

void conn_close_idle(struct http *http, const struct door *door)
{
	struct conn *conn, *next;

	for (conn = TAILQ_FIRST(&http->conns); conn != NULL; conn = next) {
		next = TAILQ_NEXT(conn, link);
		if ((door == NULL || conn->door == door) && conn_is_idle(conn))
			conn_close(conn);
	}
}

/*
 * What has come already: in a crowd of newcomers one with a good login shall be known before the next one is looked at,
 * which may push out whoever has none yet.
 */
static void read_early(struct conn *conn)
{
	char piece[READ_EARLY_MAX];
	ssize_t size = recv(conn->fd, piece, sizeof(piece), MSG_DONTWAIT);

	if (size <= 0)
		return; /* evhttp's own reading will see what it is */
	evbuffer_add(conn->held, piece, (size_t)size);
	count_bytes(conn, (size_t)size);
	pump(conn);
	refuse_excess(conn->http);
}

/* A whole request that was not read by evhttp's own reading: it must be told. */
static void serve_held(struct conn *conn)
{
	if (conn->phase == CONN_HAND)
		bufferevent_trigger(conn->bev, EV_READ, 0);
}

/* For the next request: the limit may be another one since the last. */
static void limit_body(struct conn *conn)
{
	conn->gate.max_body = conn->http->params.max_body_bytes;
	/* The gate has checked it; this only bounds what a fault of ours could do. */
	evhttp_connection_set_max_body_size(conn->evcon, (ev_ssize_t)conn->gate.max_body);
}

/*
 * evhttp has by now attached itself to the bufferevent, with its connection as the callbacks' argument: the only way
 * to that before a first request (2.1 has no callback for new connections).
 */
static void introduce(struct conn *conn)
{
	bufferevent_event_cb event_cb;
	void *evcon;

	bufferevent_getcb(conn->bev, NULL, NULL, &event_cb, &evcon);
	if (event_cb == NULL) { /* evhttp could not make a connection of it, and has freed its part */
		free_conn(conn);
		return;
	}
	CHECK(evhttp_connection_get_bufferevent(evcon) == conn->bev);
	conn->evcon = evcon;
	evhttp_connection_set_closecb(conn->evcon, on_closed, conn);
	conn->fd = bufferevent_getfd(conn->bev);
	CHECK(conn->fd >= 0);
	table_put(conn->http, conn->fd, conn);
	bool there = net_peer(conn->fd, &conn->peer);
	conn->client = conn->peer;
	if (!there || !admit_peer(conn)) {
		conn_close(conn);
		return;
	}
	/* Counted here, not when accepted: a batch of newcomers shall crowd out each other, not those that are served. */
	crowd_enter(conn);
	conn->http->counts.connections++;
	doors_update(conn->http);
	conn->phase = CONN_HEAD;
	limit_body(conn);
	conn_deadline(conn, conn->http->params.header_deadline_ms);
	if (conn->ssl == NULL)
		read_early(conn);
	if (crowd_has_room(conn))
		serve_held(conn);
}

static void on_kick(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct conn *conn = arg;

	if (conn->phase == CONN_NEW) {
		introduce(conn);
		return;
	}
	if (conn->phase != CONN_HEAD)
		return;
	if (conn->http->stopping && conn_is_idle(conn)) {
		conn_close(conn);
		return;
	}
	/* A further request was read together with the one just answered. */
	pump(conn);
	serve_held(conn);
}

struct bufferevent *conn_open(struct event_base *base, void *arg)
{
	struct door *door = arg;
	struct http *http = door->http;
	struct conn *conn = xcalloc(1, sizeof(*conn));

	conn->http = http;
	conn->door = door;
	door_entered(door);
	conn->fd = -1;
	conn->opened_ms = http_now_ms();
	conn->bev = door->ssl ? session_open(conn) : bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	conn->kick = event_new(base, -1, 0, on_kick, conn);
	conn->timer = evtimer_new(base, on_timer, conn);
	conn->held = evbuffer_new();
	conn->body = evbuffer_new();
	CHECK(conn->bev != NULL && conn->kick != NULL && conn->timer != NULL && conn->held != NULL &&
		conn->body != NULL);
	gate_init(&conn->gate, http->params.max_body_bytes);
	/* evhttp would take it out of epoll again, as soon as it is in. */
	if (conn->ssl == NULL)
		bufferevent_disable(conn->bev, EV_WRITE);
	bufferevent_incref(conn->bev);
	CHECK(evbuffer_add_cb(bufferevent_get_input(conn->bev), on_input, conn) != NULL);
	TAILQ_INSERT_TAIL(&http->conns, conn, link);
	/* The socket is not known yet; it will be when the loop comes to this, before anything is read from it. */
	event_active(conn->kick, EV_TIMEOUT, 0);
	return conn->bev;
}

void conn_answered(struct conn *conn)
{
	conn->phase = CONN_HEAD;
	gate_reset(&conn->gate);
	count_bytes(conn, evbuffer_get_length(conn->held));
	if (!conn->keep_alive) {
		(void)net_discard(conn->fd);
		return; /* evhttp closes it now */
	}
	limit_body(conn);
	conn_deadline(conn, conn->http->params.header_deadline_ms);
	event_active(conn->kick, EV_TIMEOUT, 0);
}
