/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * HTTP Basic authentication (RFC 7617): the logins, what each may do, and a
 * limit on wrong ones.
 *
 * Both sides are hashed with SHA-256 and compared in constant time with all
 * logins; a wrong user takes the same path as a wrong password. A token bucket per address and
 * one for all are charged by wrong passwords only and looked at after one
 * only: correct credentials are never refused or delayed, for a proxy can give
 * everyone one address (decisions.md 14). A request without credentials costs
 * nothing and is not counted.
 *
 * Bounded memory; one owner; never blocks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
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

enum auth_role {
	AUTH_ALL,      /* the single login of app.auth_username: pushes for any master, and operates */
	AUTH_MASTER,   /* the DA dialect, for its identities */
	AUTH_OPERATOR, /* the operators' interface */
	AUTH_READER,   /* of it, what changes nothing */
	AUTH_PEER      /* what peers exchange */
};

/* What is asked for. */
enum auth_act { AUTH_PUSH, AUTH_LOOK, AUTH_CHANGE, AUTH_EXCHANGE };

/* A set of acts is a sum of these. */
#define AUTH_SERVES(act) (1U << (act))

struct auth_login {
	const char *name;
	const char *password;
	enum auth_role role;
	const char *identities; /* MASTER: host names, separated by commas; NULL: all */
};

struct auth;

/* The logins are copied, their passwords only as hashes. Which one wins if two have one name and password is not said. */
struct auth *auth_create(const struct auth_login *logins, size_t count);
/* Other logins from now on. What was wrong too often stays counted. */
void auth_replace(struct auth *auth, const struct auth_login *logins, size_t count);
/* Logins that are held live on. */
void auth_destroy(struct auth *auth);
/*
 * authorization: the header's value or NULL. now_ms: monotonic. *login with AUTH_GOOD: who it is, without a password; it
 * lives until auth_replace or auth_destroy, or as long as somebody holds it.
 */
enum auth_verdict auth_check(struct auth *auth, const char *authorization, const uint8_t address[AUTH_ADDRESS_SIZE],
	int64_t now_ms, const struct auth_login **login);
/* Each hold needs its release. */
void auth_hold(const struct auth_login *login);
void auth_release(const struct auth_login *login);
bool auth_may(enum auth_role role, enum auth_act act);
