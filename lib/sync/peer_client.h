/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * HTTP to one peer: GET alone, over one connection that is kept. Bounded in
 * time and size; follows nothing, trusts no proxy of the environment.
 * One owner; blocks, until the answer is there or stopping becomes true.
 */
#pragma once

#include <stdatomic.h>

#include "base/buf.h"
#include "base/err.h"
#include "sync/peer.h"

struct peer_client;

struct peer_answer {
	long status;
	struct buf body;
	int64_t asked_us;          /* wall clock */
	int64_t answered_us;
	int64_t date_us;           /* of the header Date; 0: there was none */
};

struct peer_client *peer_client_create(const struct peer_address *address, const atomic_bool *stopping);
void peer_client_destroy(struct peer_client *client);
/*
 * path: with its query, encoded. At most so many bytes of body. Free out with peer_answer_clear, also after an error.
 * ERR_TIMEOUT, ERR_LIMIT (too large), ERR_CLOSED (stopping), ERR_DENIED (401, 403), ERR_INVALID (a redirect); else
 * ERR_IO: not reached.
 */
MUST_CHECK int peer_client_get(struct peer_client *client, const char *path, size_t most, struct peer_answer *out,
	struct err *err);
void peer_answer_clear(struct peer_answer *answer);
/* For a path's query; the caller frees it. */
char *peer_client_encode(const char *text);
