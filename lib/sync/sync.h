/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The DirectAdmin masters, asked for what they have: zones that they do not
 * list any more, zones that we lack, contents that changed while zonefan was
 * away (reliability.md 4.6, decisions.md 20, directadmin-protocol.md 8).
 *
 * One thread of its own, which changes nothing itself: it asks the engine, and
 * posts what it found out as commands that the engine checks against its state
 * of now. What is odd about a master makes it unknown: nothing of it is touched.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"

struct sync_master {
	const char *hostname;
	uint16_t port;
	const char *username;
	const char *password;
	bool ssl;
	const char *identity;      /* the hostname that it uses in its pushes */
	uint16_t dns_port;         /* of its own name server */
};

struct sync_params {
	bool dry_run;              /* passes only report */
	unsigned interval_minutes;
	unsigned initial_delay_minutes;
	bool verify_ssl;
	unsigned ipp;              /* rows per page of a list */
	struct engine_orphan_policy orphans; /* decide is set by each pass */
	const struct sync_master *masters;
	size_t master_count;
};

struct sync;

/* Starts the thread. All in params, and the engine, must outlive it. */
struct sync *sync_start(const struct sync_params *params, struct engine *engine);
/* Gives up what is under way, within a second or so whatever the masters do; before engine_stop. NULL is allowed. */
void sync_stop(struct sync *sync);
