/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the configuration says of store and back ends, in the words of the
 * engine and of the back ends: for zonefand, and for what zonefanctl does
 * without it.
 */
#pragma once

#include "conf/conf.h"
#include "engine/engine.h"

struct wire_engine {
	struct engine_params params;
	void *backends; /* owned; params.backends and their settings point into it */
	void *settings;
};

/*
 * The first time before threads start: client libraries are initialised then. conf must outlive it. ERR_INVALID names a back end of a type
 * that is not built in.
 */
MUST_CHECK int wire_engine_create(const struct conf *conf, struct wire_engine *out, struct err *err);
void wire_engine_clear(struct wire_engine *wire);
