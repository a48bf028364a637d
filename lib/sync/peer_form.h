/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What peers answer, read strictly: JSON without doubled keys, each value of its
 * type, or the whole answer is refused (reliability.md 4.7 X01). The two forms
 * are told in lib/http/README.md. One thread; no I/O.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "engine/engine.h"

enum { PEER_FORM_ID_SIZE = 33 };

struct peer_form {
	bool versioned;               /* our own form */
	char store_id[PEER_FORM_ID_SIZE]; /* "" in directdnsonly's */
	int64_t now_us;               /* by the peer's clock; 0: it does not say */
	struct engine_peer_zone *zones; /* accepted_us by the peer's clock */
	size_t count;
	size_t room;
	size_t skipped;               /* of them no zones have such names */
	char *next;                   /* NULL: there are no more */
	char *text;                   /* of the one zone that was asked for; NULL: it is deleted */
	size_t text_size;
};

/* A list, in either form. */
MUST_CHECK int peer_form_list(const struct buf *body, struct peer_form *out, struct err *err);
/* One zone, in either form. */
MUST_CHECK int peer_form_zone(const struct buf *body, struct peer_form *out, struct err *err);
/* A list of URLs: calls each for every one. */
MUST_CHECK int peer_form_urls(const struct buf *body, void (*each)(void *ctx, const char *url), void *ctx,
	struct err *err);
/* Also after an error. */
void peer_form_clear(struct peer_form *form);
/* "2026-11-27T14:42:09[.123456]", UTC. ERR_INVALID: it is no such time since 1970. */
MUST_CHECK int peer_form_stamp(const char *text, int64_t *out_us, struct err *err);
