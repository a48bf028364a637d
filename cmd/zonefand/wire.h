/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The wiring: what the configuration says, in the words of the engine, of the
 * HTTP front and of sync. With cmd/wiring the only place that knows all sides.
 */
#pragma once

#include "conf/conf.h"
#include "http/auth.h"
#include "http/http.h"
#include "sync/sync.h"
#include "wire_engine.h"
#include "sync/peer.h"

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
};

/* Before threads start: client libraries are initialised here. conf must outlive it. ERR_INVALID names a back end of a type that is not built in. */
MUST_CHECK int wire_create(const struct conf *conf, struct wire *out, struct err *err);
void wire_clear(struct wire *wire);
