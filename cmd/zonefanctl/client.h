/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The operator API as zonefanctl speaks to it: over the Unix control socket,
 * or over --url with a login. One thread; blocks up to 30 s per call.
 */
#pragma once

#include <jansson.h>

#include "base/err.h"

struct client {
	const char *socket_path;  /* used unless url is set */
	const char *url;          /* "http://host:2222"; NULL: the socket */
	const char *username;
	const char *password;
	const char *ca_file;      /* who is trusted for https; NULL: whom the system trusts */
};

/* path begins with "/". On success *out is the answer (json_decref it). ERR_NOTFOUND: 404. ERR_INVALID: 400, 413. ERR_CLOSED: nobody listens there. Texts are for people. */
MUST_CHECK int client_get(const struct client *client, const char *path, json_t **out, struct err *err);
MUST_CHECK int client_post(const struct client *client, const char *path, json_t **out, struct err *err);
/* An answer in plain text: its first line, which the caller frees; of one that is not 200 it is the text of the error. */
MUST_CHECK int client_get_line(const struct client *client, const char *path, char **out, struct err *err);
/* With a body: size bytes, any of them. */
MUST_CHECK int client_post_text(const struct client *client, const char *path, const char *text, size_t size, json_t **out,
	struct err *err);
/* A list, all its pages: path may have a query, key of the array in each page, most elements (0: all). */
MUST_CHECK int client_list(const struct client *client, const char *path, const char *key, const char *page_by,
	size_t most, json_t **out, struct err *err);
/* Percent-encodes one path segment or query value; the caller frees it. */
char *client_encode(const char *text);
