/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One POST of JSON to the webhook, by libcurl. Redirects are not followed and
 * no proxy is asked: the login goes where it was configured for, and nowhere
 * else. One owner; blocks up to POST_MS.
 */
#pragma once

#include <stdatomic.h>

#include "base/err.h"
#include "notify/notify.h"

enum { POST_MS = 10000 };

struct post;

struct post *post_create(const struct notify_params *params, const atomic_bool *stopping);
void post_destroy(struct post *post);
/* 0: the receiver said 2xx. Else err says why not; it names neither path nor query of the URL, for they may be a secret. */
MUST_CHECK int post_send(struct post *post, const char *json, struct err *err);
