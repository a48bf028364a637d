/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How many connections there are, all together and of each address, and who
 * goes first when there are too many.
 */
#include "http/internal.h"

#include <string.h>

/* ---- how many ---- */

static uint32_t of_address(const struct conn *conn)
{
	const struct strmap *addresses = &conn->http->addresses;
	uint32_t entry = strmap_find(addresses, conn->peer.key, NET_KEY_SIZE);

	return entry == 0 ? 0 : strmap_get(addresses, entry);
}

void crowd_enter(struct conn *conn)
{
	struct strmap *addresses = &conn->http->addresses;

	conn->counted = true;
	conn->door->crowd->counted++;
	if (conn->door->control)
		return;
	uint32_t entry = strmap_find(addresses, conn->peer.key, NET_KEY_SIZE);
	if (entry == 0)
		strmap_add(addresses, conn->peer.key, NET_KEY_SIZE, 1);
	else
		++*strmap_value(addresses, entry);
}

void crowd_leave(struct conn *conn)
{
	struct strmap *addresses = &conn->http->addresses;

	if (!conn->counted)
		return;
	conn->door->crowd->counted--;
	if (conn->door->control)
		return;
	uint32_t entry = strmap_find(addresses, conn->peer.key, NET_KEY_SIZE);
	if (--*strmap_value(addresses, entry) == 0)
		strmap_remove(addresses, entry);
}

/* ---- who goes ---- */

/* The lower goes first. */
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

bool crowd_has_room(struct conn *conn)
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
		of_address(conn) > http->params.max_connections_per_address &&
		!make_room(conn, true, http->params.max_connections_per_address))
		return false;
	return crowd->counted <= crowd->most || make_room(conn, false, crowd->most);
}
