/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What was written into a database is not yet an answer on port 53: the name
 * servers that read it are asked (product-table.md V1-V3, V11). After each
 * delivery for the SOA and one name that changed, until they answer what was
 * written; after a delete until the zone is gone; and a sample of all zones
 * from time to time. Questions to one name server are serial and sparse
 * (decisions.md 27), for the public CoreDNS plugin may crash of more.
 *
 * One thread that asks the engine and posts what it found out as commands,
 * which the engine checks against its state of now; and one for each name
 * server, which asks and nothing else.
 */
#pragma once

#include <stddef.h>

#include "engine/engine.h"

struct verify_backend {
	const char *name;              /* as the engine knows it; it must be `verified` there */
	const char *const *servers;    /* "HOST:PORT" or "[IPV6]:PORT"; none stands twice anywhere */
	unsigned server_count;
	unsigned interval_seconds;     /* of a sample of all zones */
};

struct verify_params {
	const struct verify_backend *backends; /* without name servers: left out of it */
	size_t backend_count;
	unsigned deadline_seconds;     /* what is not answered then is told */
	const char *canary;            /* a zone to change every minute; "": none */
	size_t follow_most;            /* what is waited for at once, at all back ends; 0: 20000 */
};

struct verify;

/* Starts the threads. All in params, and the engine, must outlive it. */
struct verify *verify_start(const struct verify_params *params, struct engine *engine);
/* Gives up what is under way, within two seconds or so; before engine_stop. NULL is allowed. */
void verify_stop(struct verify *verify);
