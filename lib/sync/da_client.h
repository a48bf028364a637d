/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One DirectAdmin master, asked over HTTP(S): directadmin-protocol.md 8.1, 8.3,
 * 8.4 and, for zonefanctl da, 8.5. Basic first; where the master answers that with a redirect, a web
 * page or 404, a session by CMD_LOGIN and its cookie, renewed once when it
 * dies. No redirect is ever followed, and no other host ever sees a password.
 *
 * One owner. Calls block: up to 60 s for a list (and 64 MiB), 30 s for a zone
 * (16 MiB); tick is called at least once a second meanwhile.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "sync/da_list.h"

struct da_settings {
	const char *hostname;
	uint16_t port;
	const char *username;
	const char *password;
	bool ssl;
	bool verify_ssl;
	unsigned ipp;            /* rows per page */
	bool (*tick)(void *ctx); /* false: give up what is under way */
	void *ctx;
};

struct da_client;

/* All in settings must outlive it. curl_global_init was called. */
struct da_client *da_client_create(const struct da_settings *settings);
void da_client_destroy(struct da_client *client);

/* The complete list into out, which is empty; or an error that says what is odd. */
MUST_CHECK int da_client_list(struct da_client *client, struct da_list *out, struct err *err);
/*
 * The text of one zone (a canonical name). ERR_INVALID: what came is none, or DA reports an error; anything else: the
 * master did not answer as it should.
 */
MUST_CHECK int da_client_pull(struct da_client *client, const char *zone, struct buf *out, struct err *err);
/*
 * The answer of another command of the panel, path with its query. form: posted, url-encoded; NULL: it is a GET.
 */
MUST_CHECK int da_client_command(struct da_client *client, const char *path, const char *form, struct buf *out, struct err *err);
/* The address that the master answered from last; "": it did not yet. */
const char *da_client_address(const struct da_client *client);
