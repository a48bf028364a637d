/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * TLS on a connection. libevent reads and writes the records; the gate sees
 * what was in them at the input buffer, as of any connection. Here is the
 * rest: how it begins, how it ends, and why it failed.
 */
#include "http/internal.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/sslerr.h>

#include "base/log.h"
#include "http/tls.h"

/*
 * A client that does not turn Nagle's algorithm off sends its request when we have acknowledged the last of its handshake: the
 * kernel would do so with our answer, which there is not, or 40 ms later.
 */
static void on_progress(const SSL *ssl, int where, int ret UNUSED)
{
	int on = 1;

	if (where & SSL_CB_HANDSHAKE_DONE)
		setsockopt(SSL_get_fd(ssl), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
}

struct bufferevent *session_open(struct conn *conn)
{
	conn->ssl = tls_session(conn->http->tls);
	SSL_set_info_callback(conn->ssl, on_progress);
	return bufferevent_openssl_socket_new(conn->http->base, -1, conn->ssl, BUFFEREVENT_SSL_ACCEPTING,
		BEV_OPT_CLOSE_ON_FREE);
}

bool session_greeted(const struct conn *conn)
{
	OSSL_HANDSHAKE_STATE state = SSL_get_state(conn->ssl);

	return state != TLS_ST_BEFORE && state != TLS_ST_SR_CLNT_HELLO;
}

bool session_send(struct conn *conn, const char *data, size_t size)
{
	ERR_clear_error();
	return SSL_write(conn->ssl, data, (int)size) == (int)size;
}

void session_end(struct conn *conn)
{
	ERR_clear_error();
	if (SSL_is_init_finished(conn->ssl))
		SSL_shutdown(conn->ssl); /* says so, and waits for no answer */
	ERR_clear_error();
}

/* In the clear: whoever speaks HTTP here reads no TLS. What it has sent is read first, or the answer would be lost with it. */
static void answer_plain(const struct conn *conn)
{
	struct buf answer = { 0 };

	net_discard(conn->fd);
	refuse_build(&answer, &conn->gate, 400, "", "this port speaks TLS alone: use https", true);
	if (send(conn->fd, answer.data, answer.size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		log_debug("no answer to plain HTTP", LOG_STR("address", conn->client.text));
	buf_free(&answer);
}

/* Why there was no handshake, if there is more to say than that the client has gone. */
static void tell_failure(const struct conn *conn)
{
	struct http *http = conn->http;
	unsigned long code = bufferevent_get_openssl_error(conn->bev); /* the newest one */
	const char *reason = ERR_reason_error_string(code);
	uint64_t count;

	if (ERR_GET_LIB(code) != ERR_LIB_SSL || reason == NULL)
		return;
	http->counts.handshakes_failed++;
	if (ERR_GET_REASON(code) == SSL_R_HTTP_REQUEST)
		answer_plain(conn);
	if (http_limit_pass(&http->log_tls, &count))
		log_warn("TLS refused", LOG_STR("address", conn->client.text), LOG_STR("reason", reason),
			LOG_UINT("times", count));
}

void session_close(struct conn *conn)
{
	if (conn->fd < 0)
		return;
	if (SSL_is_init_finished(conn->ssl))
		session_end(conn);
	else
		tell_failure(conn);
}
