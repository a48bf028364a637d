/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The page "Multi Server Setup" of a master, CMD_MULTI_SERVER (directadmin-protocol.md 8.5): the entry of one server read,
 * added, switched. One thread; blocks as da_client.h says.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "sync/da_client.h"

/* How the master is to reach us. */
struct da_entry_wanted {
	const char *address;
	uint16_t port;
	bool ssl;
	const char *user;
	const char *password;
};

struct da_entry {
	bool cluster_on;       /* the whole page is switched on */
	bool there;            /* there is an entry for that address */
	bool right_port;       /* and it is as wanted: */
	bool right_user;
	bool right_ssl;
	bool dns;              /* Zone Transfer: pushes and deletes come */
	bool domain_check;     /* Domain Check: it asks before a domain is made */
	bool others;           /* a switch is on that asks for what only a DirectAdmin can answer */
};

MUST_CHECK int da_entry_read(struct da_client *client, const struct da_entry_wanted *wanted, struct da_entry *out, struct err *err);
/* As it should be, so that pushes arrive. */
bool da_entry_is_good(const struct da_entry *entry);
/* Adds it unless it is there, switches Zone Transfer and Domain Check on and everything else off, and gives it the password. */
MUST_CHECK int da_entry_write(struct da_client *client, const struct da_entry_wanted *wanted, bool there, struct err *err);
