/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who is let in: by the address of the connection, by that of the client whose
 * proxy we trust, and by login.
 */
#include "http/internal.h"

#include "base/log.h"
#include "http/forwarded.h"

/* By the list of its door. False: it is counted and told. */
static bool is_allowed(struct conn *conn, const struct net_address *address)
{
	const struct door *door = conn->door;
	struct http *http = conn->http;
	uint64_t count;

	if (door->control || door->allow.count == 0 || cidr_list_contains(&door->allow, address->bytes))
		return true;
	http->counts.addresses_refused++;
	if (http_limit_pass(&http->log_address, &count))
		log_warn("address refused", LOG_STR("address", address->text), LOG_UINT("port", door->port),
			LOG_UINT("times", count));
	return false;
}

bool admit_peer(struct conn *conn)
{
	/* A proxy's clients are looked at one by one. */
	return cidr_list_contains(&conn->http->trusted, conn->peer.bytes) || is_allowed(conn, &conn->peer);
}

/* Whose request it is: the connection's other end, or whom that names if it is a trusted proxy. */
static void find_client(struct conn *conn, const char *forwarded)
{
	uint8_t bytes[CIDR_ADDRESS_SIZE];

	conn->client = conn->peer;
	if (!conn->door->control && *forwarded != '\0' && cidr_list_contains(&conn->http->trusted, conn->peer.bytes) &&
		forwarded_client(forwarded, &conn->http->trusted, bytes))
		net_address_fill(bytes, &conn->client);
}

static void refuse_login(struct conn *conn, enum auth_verdict verdict)
{
	uint64_t count;

	conn->http->counts.logins_refused += verdict == AUTH_WRONG;
	conn->http->counts.logins_limited += verdict == AUTH_LIMITED;
	if (verdict != AUTH_ABSENT && http_limit_pass(&conn->http->log_auth, &count))
		log_warn("login refused", LOG_STR("address", conn->client.text), LOG_UINT("times", count));
	if (verdict == AUTH_LIMITED) {
		refuse_send(conn, 429, "Retry-After: 5\r\n", "too many wrong passwords", true);
		return;
	}
	refuse_send(conn, 401, "WWW-Authenticate: Basic realm=\"zonefan\"\r\nX-DirectAdmin: unauthorized\r\n",
		"login failed", true);
}

static void set_login(struct conn *conn, const struct auth_login *login)
{
	if (conn->door->control) {
		conn->login = login;
		return;
	}
	if (login != NULL)
		auth_hold(login);
	if (conn->login != NULL)
		auth_release(conn->login);
	conn->login = login;
}

bool admit(struct conn *conn, const struct gate_head *head)
{
	/* Who may open the socket is root's business: its mode and group. */
	static const struct auth_login control = { .name = "control socket", .role = AUTH_ALL };
	const struct auth_login *login;
	enum auth_verdict verdict;

	set_login(conn, conn->door->control ? &control : NULL);
	if (conn->http->stopping) {
		refuse_send(conn, 503, "Retry-After: 5\r\n", "shutting down", true);
		return false;
	}
	find_client(conn, head->forwarded);
	if (!is_allowed(conn, &conn->client)) {
		refuse_send(conn, 403, "", "this address is not allowed here", true);
		return false;
	}
	/* What is open to everybody takes no body: nobody fills memory without a login. */
	if (conn->door->control || (api_is_open(conn->http, head->target) && !head->chunked && head->length == 0))
		return true;
	verdict = auth_check(conn->http->auth, head->authorization, conn->client.key, http_now_ms(), &login);
	if (verdict != AUTH_GOOD) {
		refuse_login(conn, verdict);
		return false;
	}
	set_login(conn, login);
	conn->authenticated = true;
	return true;
}

void admit_forget(struct conn *conn)
{
	set_login(conn, NULL);
}
