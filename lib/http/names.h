/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which zones are held and whose they are, in memory, for the panel's exists
 * checks (one per key press: no disk, no thread is asked). 50 to 57 bytes a
 * zone, for names of 20 characters and three zones to a user: names, users and
 * hosts are kept once each, and counted (base/strmap.h). One owner; never
 * blocks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct names;

/* Good until the next change. */
struct names_owner {
	const char *hostname; /* "": unknown */
	const char *username; /* "": none */
};

struct names *names_create(void);
void names_destroy(struct names *names);
/* A name with or without final dot, any case. NULL for an owner's part counts as "". */
void names_set(struct names *names, const char *name, const char *hostname, const char *username);
void names_remove(struct names *names, const char *name);
size_t names_count(const struct names *names);
/* Bytes that it holds. */
size_t names_memory(const struct names *names);
/* Any text: odd ones are just not there. False: not held, and owner is as it was. */
bool names_find(const struct names *names, const char *name, struct names_owner *owner);
/*
 * The nearest proper parent that is held: labels are taken from the left, at any depth, and a single remaining label
 * is never asked for (directadmin-protocol.md 3.3).
 */
bool names_find_parent(const struct names *names, const char *name, struct names_owner *owner);
