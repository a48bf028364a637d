/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The wiring: what the configuration says, in the words of the engine and of
 * the HTTP front. The only place that knows both sides.
 */
#pragma once

#include "conf/conf.h"
#include "engine/engine.h"
#include "http/auth.h"
#include "http/http.h"
#include "sync/sync.h"

struct wire {
	struct engine_params engine;
	struct http_params http;
	struct sync_params sync;
	bool reconciles;  /* sync is wanted */
	void *backends; /* owned; engine.backends and their settings point into it */
	void *settings;
	struct sync_master *masters; /* owned; of sync */
	struct auth_login *logins; /* owned */
};

/* Before threads start: client libraries are initialised here. conf must outlive it. ERR_INVALID names a back end of a type that is not built in. */
MUST_CHECK int wire_create(const struct conf *conf, struct wire *out, struct err *err);
void wire_clear(struct wire *wire);
