/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Refusals: answers of our own, written around evhttp, which would answer
 * HTML. After one, the connection is closed and no byte of it is read as HTTP.
 */
#include "http/internal.h"

#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "http/form.h"
#include "http/page_draw.h"

static void on_written(struct bufferevent *bev UNUSED, void *arg)
{
	struct conn *conn = arg;

	if (conn->ssl != NULL)
		session_end(conn);
	/* Not closed yet: closing with unread bytes resets the connection, and the client may never see the answer. */
	shutdown(conn->fd, SHUT_WR);
}

static void on_event(struct bufferevent *bev UNUSED, short what UNUSED, void *arg)
{
	struct timeval now = { 0, 0 };
	struct conn *conn = arg;

	evtimer_add(conn->timer, &now); /* gone or broken: closed from the loop, not from within the bufferevent */
}

void refuse_build(struct buf *out, const struct gate *gate, int status, const char *headers, const char *text, bool with_body)
{
	/* Somebody looks at it: a browser shows this when its user has no password. */
	bool people = gate->target_at != 0 && page_owns(gate->text.data + gate->target_at);
	struct buf body = { 0 };

	if (people) {
		page_draw_failure(&body, status, request_reason(status), text);
	} else {
		buf_puts(&body, "error=1&text=");
		form_encode(&body, text);
	}
	buf_printf(out, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%sConnection: close\r\n\r\n", status,
		request_reason(status), people ? "text/html; charset=utf-8" : "text/plain", body.size, headers);
	if (with_body)
		buf_append(out, body.data, body.size);
	buf_free(&body);
}

/* A refusal is short: the socket takes all of it, unless its client does not read. How many bytes it took. */
static size_t send_at_once(const struct conn *conn, const struct buf *answer)
{
	ssize_t sent;

	if (conn->ssl != NULL || evbuffer_get_length(bufferevent_get_output(conn->bev)) > 0)
		return 0;
	sent = send(conn->fd, answer->data, answer->size, MSG_DONTWAIT | MSG_NOSIGNAL);
	return sent > 0 ? (size_t)sent : 0; /* what is wrong is the bufferevent's to find */
}

static void drain_soon(struct http *http)
{
	struct timeval drain = http_timeval(HTTP_DRAIN_MS);

	if (!evtimer_pending(http->drain_timer, NULL))
		evtimer_add(http->drain_timer, &drain);
}

void refuse_send(struct conn *conn, int status, const char *headers, const char *text, bool with_body)
{
	struct buf answer = { 0 };
	uint64_t count;
	size_t sent;

	CHECK(conn->phase == CONN_HEAD || conn->phase == CONN_BODY);
	if (status != 401 && status != 429 && http_limit_pass(&conn->http->log_refused, &count))
		log_info("request refused", LOG_STR("address", conn->client.text), LOG_INT("status", status),
			LOG_STR("reason", text), LOG_UINT("times", count));
	conn->http->counts.answers[status / 100]++;
	conn_give_up(conn);
	refuse_build(&answer, &conn->gate, status, headers, text, with_body);
	bufferevent_setcb(conn->bev, NULL, on_written, on_event, conn);
	sent = send_at_once(conn, &answer);
	if (sent == answer.size) {
		on_written(conn->bev, conn);
	} else {
		bufferevent_enable(conn->bev, EV_WRITE);
		bufferevent_write(conn->bev, answer.data + sent, answer.size - sent);
	}
	buf_free(&answer);
	drain_soon(conn->http);
}

void refuse_on_drain_timer(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct http *http = arg;
	struct conn *conn, *last = TAILQ_LAST(&http->refused, conn_list);
	bool all = last == NULL;
	ssize_t bytes = 0;

	for (size_t i = 0; i < HTTP_DRAIN_CONNECTIONS && bytes < HTTP_DRAIN_BYTES && !all; i++) {
		conn = TAILQ_FIRST(&http->refused);
		all = conn == last;
		TAILQ_REMOVE(&http->refused, conn, refused_link);
		TAILQ_INSERT_TAIL(&http->refused, conn, refused_link);
		ssize_t got = net_discard(conn->fd);
		if (got < 0)
			conn_close(conn);
		else
			bytes += got;
	}
	if (!TAILQ_EMPTY(&http->refused))
		drain_soon(http);
}

void refuse_excess(struct http *http)
{
	while (http->inflight_bytes > http->params.max_inflight_bytes) {
		struct conn *conn, *largest = NULL;

		TAILQ_FOREACH(conn, &http->conns, link) {
			if ((conn->phase == CONN_HEAD || conn->phase == CONN_BODY) &&
				(largest == NULL || conn->bytes > largest->bytes))
				largest = conn;
		}
		if (largest == NULL || largest->bytes == 0)
			return; /* all of it belongs to requests in hand */
		refuse_send(largest, 503, "Retry-After: 5\r\n", "too much at once", true);
	}
}
