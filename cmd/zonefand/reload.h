/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The configuration, read again while zonefand runs: on SIGHUP, on order
 * (POST /api/v1/reload), and when a file of a secret that it names has changed.
 *
 * A thread of its own. It reads everything anew, and puts it in force wholly or
 * not at all: first the front's part, then the engine's; if either refuses, the
 * old one stays, and an event, the log and the answer say why. What a process
 * that runs can't change (conf_diff_restart) is named, and waits for a restart.
 */
#pragma once

#include "beside.h"
#include "http/http.h"
#include "setup.h"

struct reload_params {
	const char *path;      /* of the file; NULL: it is searched for */
	struct engine *engine;
	struct http *http;
	struct beside *beside;
	struct setup *setup;   /* what runs now */
};

struct reload;

/* Starts the thread; what params points to outlives it. */
struct reload *reload_start(const struct reload_params *params);
/* After http_run, before beside_stop. */
void reload_stop(struct reload *reload);
/* After engine_stop: what the engine may still have pointed to. */
void reload_destroy(struct reload *reload);
