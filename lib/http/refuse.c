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

static void on_read(struct bufferevent *bev UNUSED, void *arg UNUSED)
{
	/* The input buffer's callback has thrown it away already. */
}

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

void refuse_send(struct conn *conn, int status, const char *headers, const char *text, bool with_body)
{
	struct buf answer = { 0 };
	uint64_t count;

	CHECK(conn->phase == CONN_HEAD || conn->phase == CONN_BODY);
	if (status != 401 && status != 429 && http_limit_pass(&conn->http->log_refused, &count))
		log_info("request refused", LOG_STR("address", conn->client.text), LOG_INT("status", status),
			LOG_STR("reason", text), LOG_UINT("times", count));
	conn->http->counts.answers[status / 100]++;
	conn_give_up(conn);
	refuse_build(&answer, &conn->gate, status, headers, text, with_body);
	bufferevent_setcb(conn->bev, on_read, on_written, on_event, conn);
	bufferevent_enable(conn->bev, EV_READ | EV_WRITE);
	bufferevent_write(conn->bev, answer.data, answer.size);
	buf_free(&answer);
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

/* Who goes first when there are too many: the lower. */
enum rank {
	RANK_REFUSED,
	RANK_BEGINNER, /* no login yet */
	RANK_GREETED,  /* nor this one, but it has said a whole hello of TLS */
	RANK_IDLE,
	RANK_BUSY      /* not at all: it works for somebody with the password */
};

static enum rank rank(const struct conn *conn)
{
	if (conn->phase == CONN_REFUSED)
		return RANK_REFUSED;
	if (conn->phase == CONN_NEW)
		return RANK_BUSY; /* not before it was looked at */
	/* Also with a request in hand: who asks what is open to everybody, and does not read, shall not sit here. */
	if (!conn->authenticated)
		return conn->ssl != NULL && session_greeted(conn) ? RANK_GREETED : RANK_BEGINNER;
	return conn_is_idle(conn) ? RANK_IDLE : RANK_BUSY;
}

/*
 * The oldest of the lowest rank; of this one's address only, if same_address. But beginners have some room for themselves, which
 * those that said hello and no more don't take from them: who comes lives at least until its first bytes are read.
 */
static struct conn *find_victim(const struct conn *newcomer, bool same_address, size_t most)
{
	size_t room = most / 2 < HTTP_BEGINNERS ? most / 2 : HTTP_BEGINNERS;
	struct conn *conn, *oldest[RANK_BUSY] = { NULL };
	size_t beginners = 0, first = RANK_REFUSED;

	TAILQ_FOREACH(conn, &newcomer->http->conns, link) {
		enum rank own = rank(conn);

		if (conn == newcomer || conn->door->crowd != newcomer->door->crowd || own == RANK_BUSY ||
			(same_address && memcmp(conn->peer.key, newcomer->peer.key, NET_KEY_SIZE) != 0))
			continue;
		if (oldest[own] == NULL)
			oldest[own] = conn;
		beginners += own == RANK_BEGINNER;
	}
	if (oldest[RANK_REFUSED] == NULL && oldest[RANK_GREETED] != NULL && beginners <= room)
		return oldest[RANK_GREETED];
	while (first < RANK_IDLE && oldest[first] == NULL)
		first++;
	return oldest[first];
}

static bool make_room(struct conn *newcomer, bool same_address, size_t most)
{
	struct conn *victim = find_victim(newcomer, same_address, most);

	if (victim != NULL) {
		conn_close(victim);
		return true;
	}
	conn_close(newcomer);
	return false;
}

static unsigned count_address(const struct conn *newcomer)
{
	const struct conn *conn;
	unsigned count = 0;

	TAILQ_FOREACH(conn, &newcomer->http->conns, link) {
		if (!conn->door->control && conn->phase != CONN_NEW && conn != newcomer &&
			memcmp(conn->peer.key, newcomer->peer.key, NET_KEY_SIZE) == 0)
			count++;
	}
	return count + 1; /* the newcomer */
}

bool refuse_crowd(struct conn *conn)
{
	struct http *http = conn->http;
	const struct crowd *crowd = conn->door->crowd;

	if (conn->door->control) {
		if (crowd->counted <= crowd->most)
			return true;
		conn_close(conn);
		return false;
	}
	/* A trusted proxy brings everybody by one address. */
	if (!cidr_list_contains(&http->trusted, conn->peer.bytes) &&
		count_address(conn) > http->params.max_connections_per_address &&
		!make_room(conn, true, http->params.max_connections_per_address))
		return false;
	return crowd->counted <= crowd->most || make_room(conn, false, crowd->most);
}
