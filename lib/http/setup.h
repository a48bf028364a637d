/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What settings ask for and may not get: places to listen at, the certificate,
 * lists of addresses. All of it is had before any of it is used, at the start
 * and at a reload.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cidr.h"
#include "http/http.h"
#include "http/tls.h"

struct http;

struct setup_listener {
	char *address;
	uint16_t port;
	uint16_t bound_port;  /* the same, but for 0 */
	int fd;               /* -1: a door is there already, or has it */
	bool ssl;
	struct cidr_list allow;
	unsigned serves;
};

struct http_setup {
	struct tls *tls;      /* NULL: no listener wants it, or: */
	bool keeps_tls;       /* what http has stays */
	struct cidr_list trusted;
	struct setup_listener *listeners; /* the main one first */
	size_t count;
};

/* Binds what http (NULL: nothing yet) has no door at. Errors as of http_bind. */
MUST_CHECK int setup_create(const struct http_params *params, const struct http *http, struct http_setup **out,
	struct err *err);
/* From here on who connects is heard. */
MUST_CHECK int setup_listen(struct http_setup *setup, struct err *err);
/* With what nobody has taken out of it. NULL is fine. */
void setup_destroy(struct http_setup *setup);
