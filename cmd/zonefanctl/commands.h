/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The commands of zonefanctl, one row each. One thread; each blocks until it is answered. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "client.h"

struct conf;

/* Options that only some commands take. */
enum { OPTION_BACKEND = 1, OPTION_DRY_RUN = 2, OPTION_NO_WAIT = 4, OPTION_STOP = 8, OPTION_ALL = 16,
	OPTION_FOLLOW = 32, OPTION_ZONE = 64, OPTION_KIND = 128, OPTION_CONFIRM = 256,
	OPTION_PREFER = 512 };
/* The command works without zonefand too, and sees to that itself. */
enum { COMMAND_ALONE = 1 << 16 };

struct options {
	const char *config;
	const char *url;
	const char *user;
	const char *password_file;
	bool json;
	unsigned given;       /* OPTION_* */
	const char *backend;
	const char *zone;
	const char *kind;
	bool dry_run;
	bool no_wait;
	bool stop;
	const char *prefer;
};

struct call {
	const struct options *options;
	const struct conf *conf;      /* NULL with --url */
	const struct client *client;
	char *const *words;           /* behind the command */
	size_t word_count;
};

struct command {
	const char *name;
	const char *arguments;        /* for people */
	const char *help;             /* lines that begin with a blank are options of the command */
	size_t least, most;           /* words */
	unsigned options;             /* OPTION_* that it takes, COMMAND_ALONE */
	/* Prints what came of it; the exit code. */
	int (*run)(const struct call *call);
};

/* NULL: there is none. */
const struct command *commands_find(const char *name);
/* What all of them are for. */
void commands_print(FILE *to);
/* Says why on stderr; the exit code. */
int commands_failed(const struct err *err);
/*
 * The end of most commands: ret and err are those of the call that got the answer. Prints it (as JSON if that is asked
 * for, else by show) and frees it.
 */
int commands_finish(const struct call *call, int ret, const struct err *err, json_t *answer,
	void (*show)(const json_t *answer));
