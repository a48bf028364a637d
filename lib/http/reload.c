/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Other settings while it serves: first everything that can fail, then what
 * can't, so that a reload happens wholly or not at all.
 */
#include "http/internal.h"

#include <string.h>

#include "http/setup.h"

static bool is_wanted(const struct http_setup *setup, const struct door *door)
{
	for (size_t i = 0; i < setup->count; i++) {
		if (setup->listeners[i].port == door->port && strcmp(setup->listeners[i].address, door->address) == 0)
			return true;
	}
	return false;
}

static void replace_doors(struct http *http, struct http_setup *setup)
{
	struct door *door, *next;

	for (door = TAILQ_FIRST(&http->doors); door != NULL; door = next) {
		next = TAILQ_NEXT(door, link);
		if (!door->removed && !is_wanted(setup, door))
			door_remove(door);
	}
	for (size_t i = 0; i < setup->count; i++) {
		struct setup_listener *listener = &setup->listeners[i];

		door = door_at(http, listener->address, listener->port);
		if (door != NULL)
			door_settle(door, listener);
		else
			door_open(http, listener);
	}
}

static void replace_certificate(struct http *http, struct http_setup *setup)
{
	struct tls *old = http->tls;

	if (setup->keeps_tls)
		return;
	http->tls = setup->tls;
	setup->tls = old;
}

static void replace_proxies(struct http *http, struct http_setup *setup)
{
	struct cidr_list old = http->trusted;

	http->trusted = setup->trusted;
	setup->trusted = old;
}

int http_reload(struct http *http, const struct http_params *params, struct err *err)
{
	struct http_setup *setup;
	int ret = setup_create(params, http, &setup, err);

	if (ret != ERR_OK)
		return ret;
	ret = setup_listen(setup, err);
	if (ret == ERR_OK)
		ret = http_share_files(http, params, err);
	if (ret == ERR_OK) {
		auth_replace(http->auth, params->logins, params->login_count);
		http->params = *params;
		if (setup->listeners[0].bound_port != 0)
			http->port = setup->listeners[0].bound_port;
		replace_certificate(http, setup);
		http_show_certificate(http);
		replace_proxies(http, setup);
		replace_doors(http, setup);
		doors_update(http);
	}
	setup_destroy(setup);
	return ret;
}
