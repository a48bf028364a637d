/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http/setup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "http/internal.h"

static int add_listener(struct http_setup *setup, const struct http_listener *from, const struct http *http,
	struct err *err)
{
	struct setup_listener *listener = &setup->listeners[setup->count];
	int ret = cidr_list_parse(from->allow, from->allow_count, &listener->allow, err);

	if (ret != ERR_OK)
		return ret;
	listener->address = xstrdup(from->address);
	listener->port = listener->bound_port = from->port;
	listener->fd = -1;
	listener->ssl = from->ssl;
	listener->serves = from->serves;
	setup->count++;
	if (http != NULL && door_at(http, from->address, from->port) != NULL)
		return ERR_OK;
	return net_bind_tcp(from->address, &listener->bound_port, &listener->fd, err);
}

static bool wants_tls(const struct http_params *params)
{
	bool wanted = params->main.ssl;

	for (size_t i = 0; i < params->listener_count; i++)
		wanted = wanted || params->listeners[i].ssl;
	return wanted;
}

static int load_certificate(struct http_setup *setup, const struct http_params *params, const struct http *http, struct err *err)
{
	struct tls_files files = { .cert = params->ssl_cert, .key = params->ssl_key, .bundle = params->ssl_bundle };
	int ret = wants_tls(params) ? tls_load(&files, &setup->tls, err) : ERR_OK;

	/* What root alone may read was read at the start, before the step down: other settings can be reloaded all the same. */
	if (ret != ERR_DENIED || http == NULL || http->tls == NULL || !tls_is_of(http->tls, &files))
		return ret;
	log_warn("the certificate is not read anew, the one that is used stays", LOG_ERR(err));
	setup->keeps_tls = true;
	return ERR_OK;
}

int setup_create(const struct http_params *params, const struct http *http, struct http_setup **out, struct err *err)
{
	struct http_setup *setup = xcalloc(1, sizeof(*setup));
	int ret = cidr_list_parse(params->trusted_proxies, params->trusted_proxy_count, &setup->trusted, err);

	setup->listeners = xcalloc(params->listener_count + 1, sizeof(*setup->listeners));
	if (ret == ERR_OK)
		ret = load_certificate(setup, params, http, err);
	if (ret == ERR_OK)
		ret = add_listener(setup, &params->main, http, err);
	for (size_t i = 0; ret == ERR_OK && i < params->listener_count; i++)
		ret = add_listener(setup, &params->listeners[i], http, err);
	if (ret != ERR_OK) {
		setup_destroy(setup);
		return ret;
	}
	*out = setup;
	return ERR_OK;
}

int setup_listen(struct http_setup *setup, struct err *err)
{
	for (size_t i = 0; i < setup->count; i++) {
		struct setup_listener *listener = &setup->listeners[i];

		if (listener->fd < 0)
			continue;
		int ret = net_listen_tcp(listener->fd, listener->address, listener->bound_port, err);
		if (ret != ERR_OK)
			return ret;
	}
	return ERR_OK;
}

void setup_destroy(struct http_setup *setup)
{
	if (setup == NULL)
		return;
	for (size_t i = 0; i < setup->count; i++) {
		struct setup_listener *listener = &setup->listeners[i];

		free(listener->address);
		cidr_list_free(&listener->allow);
		if (listener->fd >= 0)
			close(listener->fd);
	}
	free(setup->listeners);
	cidr_list_free(&setup->trusted);
	tls_free(setup->tls);
	free(setup);
}

int http_bind(struct http_params *params, struct err *err)
{
	return setup_create(params, NULL, &params->setup, err);
}

void http_unbind(struct http_params *params)
{
	setup_destroy(params->setup);
	params->setup = NULL;
}

void http_check_rights(const struct http_params *params)
{
	const char *const files[] = { params->ssl_cert, params->ssl_key, params->ssl_bundle };

	for (size_t i = 0; wants_tls(params) && i < ARRAY_SIZE(files); i++) {
		if (*files[i] != '\0' && eaccess(files[i], R_OK) != 0)
			log_warn("a reload will not be able to read this file: the certificate of the start stays until a restart",
				LOG_STR("file", files[i]), LOG_UINT("user", geteuid()), LOG_STR("error", strerror(errno)));
	}
}
