/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * HTTP Basic authentication (RFC 7617) against one user and password, and a
 * limit on wrong ones.
 *
 * Both sides are hashed with SHA-256 and compared in constant time; a wrong
 * user takes the same path as a wrong password. A token bucket per address and
 * one for all are charged by wrong passwords only and looked at after one
 * only: correct credentials are never refused or delayed, for a proxy can give
 * everyone one address (decisions.md 14). A request without credentials costs
 * nothing and is not counted.
 *
 * Bounded memory; one owner; never blocks.
 */
#pragma once

#include <stdint.h>

enum {
	AUTH_ADDRESS_SIZE = 16,
	AUTH_ADDRESS_BURST = 10,       /* wrong passwords answered 401 at once, per address */
	AUTH_ADDRESS_PER_MINUTE = 30,  /* ... and then as many a minute */
	AUTH_GLOBAL_BURST = 100,
	AUTH_GLOBAL_PER_MINUTE = 1200
};

enum auth_verdict {
	AUTH_GOOD,
	AUTH_ABSENT,  /* no Authorization header: 401 */
	AUTH_WRONG,   /* 401 */
	AUTH_LIMITED  /* wrong, and too often: 429 */
};

struct auth;

struct auth *auth_create(const char *username, const char *password);
void auth_destroy(struct auth *auth);
/* authorization: the header's value or NULL. now_ms: monotonic. */
enum auth_verdict auth_check(struct auth *auth, const char *authorization, const uint8_t address[AUTH_ADDRESS_SIZE],
	int64_t now_ms);
