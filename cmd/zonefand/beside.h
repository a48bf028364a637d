/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The threads beside the engine that a configuration may switch on: those that
 * ask masters, peers and name servers, and the webhook. Each is stopped and started anew when its part
 * of the configuration changes, and left alone when it does not. One thread
 * calls; stopping blocks for a second or so.
 */
#pragma once

#include "engine/engine.h"
#include "setup.h"

enum { BESIDE_MASTERS, BESIDE_PEERS, BESIDE_VERIFY, BESIDE_NOTIFY, BESIDE_COUNT };

struct beside {
	struct engine *engine;
	struct beside_room {
		struct setup *setup; /* what it runs with, or would */
		void *thread;        /* NULL: it is switched off */
	} rooms[BESIDE_COUNT];
};

void beside_start(struct beside *beside, struct engine *engine, struct setup *setup);
void beside_change(struct beside *beside, struct setup *setup);
/* Before engine_stop. */
void beside_stop(struct beside *beside);
