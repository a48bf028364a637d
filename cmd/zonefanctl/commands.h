/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The commands that ask zonefand. One thread; each blocks until it is answered. */
#pragma once

#include <stdbool.h>

#include "client.h"
#include "heal.h"

struct options {
	const char *config;
	const char *url;
	const char *user;
	const char *password_file;
	bool json;
	struct heal_options heal;
};

struct command {
	const char *name;
	enum { NO_NAME, MAY_NAME, MUST_NAME } argument;
	/* Prints what came of it; the exit code. name is NULL if none was given. */
	int (*run)(const struct options *options, const struct client *client, const char *name);
};

/* NULL: there is none. */
const struct command *commands_find(const char *name);
/* Says why on stderr; the exit code. */
int commands_failed(const struct err *err);
