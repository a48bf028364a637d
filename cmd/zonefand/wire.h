/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The wiring: what the configuration says, in the words of the engine, of the
 * HTTP front, of sync and of verify. With cmd/wiring the only place that knows all sides.
 */
#pragma once

#include "conf/conf.h"
#include "http/auth.h"
#include "http/http.h"
#include "notify/notify.h"
#include "sync/sync.h"
#include "wire_engine.h"
#include "sync/peer.h"
#include "verify/verify.h"

struct wire {
	struct wire_engine engine;
	struct http_params http;
	struct sync_params sync;
	bool reconciles;  /* sync is wanted */
	struct sync_master *masters; /* owned; of sync */
	struct auth_login *logins; /* owned */
	struct http_listener *listeners; /* owned; of http */
	struct peer_params peers;
	bool peers_enabled;
	struct notify_params notify;
	bool notifies;             /* there is a webhook */
	struct verify_params verify;
	bool verifies;             /* some back end has name servers that are asked */
	struct verify_backend *verified; /* owned; of verify */
};

/* The first time before threads start: client libraries are initialised then. conf must outlive it. ERR_INVALID names a back end of a type that is not built in. */
MUST_CHECK int wire_create(const struct conf *conf, struct wire *out, struct err *err);
void wire_clear(struct wire *wire);
