/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ways in: a listener each, with an evhttp of its own, by which a new
 * connection knows where it came in.
 */
#include "http/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "http/setup.h"

/* Newcomers wait in the kernel, where they take no descriptor of ours, while there are enough, or enough to look at. */
static void update(struct door *door)
{
	const struct crowd *crowd = door->crowd;

	if (door->listener == NULL)
		return;
	bool wanted = crowd->open < crowd->most + crowd->newcomers && crowd->open - crowd->counted < crowd->newcomers &&
		!evtimer_pending(door->resume, NULL);
	if (wanted == door->accepts)
		return;
	door->accepts = wanted;
	if (wanted)
		evconnlistener_enable(door->listener);
	else
		evconnlistener_disable(door->listener);
}

void doors_update(struct http *http)
{
	struct door *door;

	TAILQ_FOREACH(door, &http->doors, link)
		update(door);
	if (http->control != NULL)
		update(http->control);
}

static void on_resume(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct door *door = arg;

	if (door->removed && door->open == 0)
		door_free(door);
	else
		update(door);
}

void door_entered(struct door *door)
{
	struct door_list *all = &door->http->doors;

	/* The crowd at this one shall not take every turn: the others listen again before it does. */
	if (!door->control) {
		TAILQ_REMOVE(all, door, link);
		TAILQ_INSERT_TAIL(all, door, link);
	}
	door->open++;
	door->crowd->open++;
	doors_update(door->http);
}

void door_left(struct door *door)
{
	door->open--;
	door->crowd->open--;
	doors_update(door->http);
	/* Not at once: evhttp is still about its connection. */
	if (door->removed && door->open == 0)
		event_active(door->resume, EV_TIMEOUT, 0);
}

/*
 * All doors of the process. evhttp_bind_listener makes evhttp the argument of all the listener's callbacks, so that
 * the one for errors cannot know its door otherwise.
 */
static LIST_HEAD(, door) doors = LIST_HEAD_INITIALIZER(doors);

static struct door *find_door(const struct evconnlistener *listener)
{
	struct door *door;

	LIST_FOREACH(door, &doors, known) {
		if (door->listener == listener)
			return door;
	}
	WRONG("a listener without a door");
}

/* accept failed, mostly for want of descriptors: a listener that stays ready would spin (reliability.md 10.1 L7). */
static void on_accept_error(struct evconnlistener *listener, void *arg UNUSED)
{
	struct timeval tv = http_timeval(HTTP_ACCEPT_PAUSE_MS);
	int error = errno;
	struct door *door = find_door(listener);
	uint64_t count;

	evtimer_add(door->resume, &tv);
	update(door);
	if (http_limit_pass(&door->http->log_accept, &count))
		log_error("cannot accept connections", LOG_STR("error", strerror(error)), LOG_UINT("times", count));
}

/* What all doors have. */
static struct door *make(struct http *http, struct crowd *crowd, int fd)
{
	struct door *door = xcalloc(1, sizeof(*door));

	door->http = http;
	door->crowd = crowd;
	door->resume = evtimer_new(http->base, on_resume, door);
	door->evhttp = evhttp_new(http->base);
	/* Without a callback it does not accept yet; evhttp_bind_listener sets one. */
	door->listener = evconnlistener_new(http->base, NULL, door,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	CHECK(door->resume != NULL && door->evhttp != NULL && door->listener != NULL);
	evhttp_set_bevcb(door->evhttp, conn_open, door);
	evhttp_set_gencb(door->evhttp, request_arrived, door);
	evhttp_set_allowed_methods(door->evhttp, EVHTTP_REQ_GET | EVHTTP_REQ_POST);
	/* The gate has checked them; this only bounds what a fault of ours could do. */
	evhttp_set_max_headers_size(door->evhttp, GATE_HEADERS_SIZE_MAX);
	door->socket = evhttp_bind_listener(door->evhttp, door->listener);
	CHECK(door->socket != NULL);
	door->accepts = true;
	evconnlistener_set_error_cb(door->listener, on_accept_error);
	LIST_INSERT_HEAD(&doors, door, known);
	return door;
}

void door_settle(struct door *door, struct setup_listener *from)
{
	if (door->ssl != from->ssl)
		conn_close_idle(door->http, door); /* they speak the other one */
	door->ssl = from->ssl;
	door->serves = from->serves;
	cidr_list_free(&door->allow);
	door->allow = from->allow;
	from->allow = (struct cidr_list){ 0 };
}

struct door *door_open(struct http *http, struct setup_listener *from)
{
	struct door *door = make(http, &http->crowd, from->fd);

	from->fd = -1;
	door->address = xstrdup(from->address);
	door->port = from->port;
	door_settle(door, from);
	TAILQ_INSERT_TAIL(&http->doors, door, link);
	return door;
}

struct door *door_open_control(struct http *http, int fd)
{
	struct door *door = make(http, &http->control_crowd, fd);

	door->control = true;
	return door;
}

struct door *door_at(const struct http *http, const char *address, uint16_t port)
{
	struct door *door;

	TAILQ_FOREACH(door, &http->doors, link) {
		if (!door->removed && door->port == port && strcmp(door->address, address) == 0)
			return door;
	}
	return NULL;
}

void door_close(struct door *door)
{
	if (door->listener == NULL)
		return;
	event_del(door->resume);
	evhttp_del_accept_socket(door->evhttp, door->socket); /* frees the listener and closes its descriptor */
	door->listener = NULL;
}

void door_remove(struct door *door)
{
	door_close(door);
	door->removed = true;
	conn_close_idle(door->http, door);
	if (door->open == 0)
		door_free(door);
}

void door_free(struct door *door)
{
	struct http *http = door->http;

	LIST_REMOVE(door, known);
	door->removed = false;
	door->listener = NULL; /* its connections count themselves off */
	evhttp_free(door->evhttp); /* with its listener and connections */
	if (door->control)
		http->control = NULL;
	else
		TAILQ_REMOVE(&http->doors, door, link);
	event_free(door->resume);
	cidr_list_free(&door->allow);
	free(door->address);
	free(door);
}
