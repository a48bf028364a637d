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

struct wire {
	struct engine_params engine;
	struct http_params http;
	void *backends; /* owned; engine.backends and their settings point into it */
	void *settings;
	struct auth_login *logins; /* owned */
};

/* Before threads start: client libraries are initialised here. conf must outlive it. ERR_INVALID names a back end of a type that is not built in. */
MUST_CHECK int wire_create(const struct conf *conf, struct wire *out, struct err *err);
void wire_clear(struct wire *wire);
