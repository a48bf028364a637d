/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Are the rows of zones, after they were written, what was asked for? Found
 * out in two ways.
 *
 * verify_add(): the server compares digests, computed from what it holds.
 * Where a digest, a name or a number of rows is another one the statement
 * fails with VERIFY_CODE and ends the packet, so that neither stamps nor
 * COMMIT behind it are executed.
 * verify_read(): the rows come here. It costs a round trip and bytes, but the
 * server less work, and relies on nothing.
 *
 * Thread of the back end; blocks as compose.h does.
 */
#pragma once

#include "backends/coredns_mysql/compose.h"
#include "backends/coredns_mysql/roster.h"

enum {
	VERIFY_CODE = 1690,     /* "BIGINT value is out of range", in every sql_mode */
	VERIFY_TEXT = 256 * 1024 /* what group_concat_max_len must allow */
};

/* Behind the writes of these works, which may be of any kind. */
MUST_CHECK int verify_add(struct compose *compose, struct work *const *works, size_t count);
/* Sends what is gathered and sets right of each work that has rows. Their ids must be known; their diffs are gone then. */
MUST_CHECK int verify_read(struct compose *compose, const struct roster *roster, struct work *const *works, size_t count);
/* Does this server fail at what verify_add() fails by? 0, or -1: the link says why. */
MUST_CHECK int verify_try(struct link *link, bool *stops);
