/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The commands of zonefanctl, one row each. One thread; each blocks until it is answered. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "client.h"
#include "program.h"

struct conf;

/* Every option of zonefanctl; those from OPTION_OF_COMMANDS on are taken by some commands alone. */
enum ctl_option {
	OPTION_CONFIG,
	OPTION_JSON,
	OPTION_URL,
	OPTION_USER,
	OPTION_PASSWORD_FILE,
	OPTION_CA,
	OPTION_VERSION,
	OPTION_HELP,
	OPTION_OF_COMMANDS,
	OPTION_ADDRESS = OPTION_OF_COMMANDS,
	OPTION_ALL,
	OPTION_BACKEND,
	OPTION_CONFIRM,
	OPTION_DRY_RUN,
	OPTION_FOLLOW,
	OPTION_KIND,
	OPTION_LAST,
	OPTION_NO_WAIT,
	OPTION_ONCE,
	OPTION_OVERWRITE,
	OPTION_PREFER,
	OPTION_STOP,
	OPTION_ZONE,
	OPTION_COUNT
};

/* Name, usage, options (one row per ctl_option) and exit codes: for --help, the manual and completions. */
extern const struct program zonefanctl_program;

struct call {
	const char *const *options;   /* [OPTION_COUNT]: what was given ("" for a switch); NULL: it was not */
	const struct conf *conf;      /* NULL with --url, and for COMMAND_BARE */
	const struct client *client;  /* NULL for COMMAND_BARE */
	char *const *words;           /* behind the command */
	size_t word_count;
};

static inline bool call_has(const struct call *call, enum ctl_option option)
{
	return call->options[option] != NULL;
}

/* An option of some commands, and what it means for this one. */
struct command_option {
	enum ctl_option option;
	const char *help;             /* lines; NULL: the end of the list */
};

enum command_trait {
	COMMAND_ALONE = 1, /* works without zonefand too, and sees to that itself: call->client may lead nowhere */
	COMMAND_BARE = 2   /* sees to the configuration itself, too, which may be broken or not there yet: no call->conf and client */
};

enum { COMMAND_OPTIONS_MOST = 8 };

struct command {
	const char *name;
	/* For people and for completions: words in capitals stand for something, others for themselves, what is in [ ] may be left
	   out, | is between forms. NULL: none. */
	const char *arguments;
	const char *help;             /* lines */
	struct command_option options[COMMAND_OPTIONS_MOST + 1];
	size_t least, most;           /* words */
	unsigned traits;              /* COMMAND_* */
	/* Prints what came of it; the exit code. */
	int (*run)(const struct call *call);
};

extern const struct command commands_table[];
extern const size_t commands_count;

/* NULL: there is none. */
const struct command *commands_find(const char *name);
/* Whether the command takes all that was given; what it has no use for is said. */
bool commands_take(const struct command *command, const char *const *options);
/* What it is for, with its options: a part of --help. */
void commands_print(const struct command *command, FILE *to);
/* Says why on stderr; the exit code. */
int commands_failed(const struct err *err);
/*
 * The end of most commands: ret and err are those of the call that got the answer. Prints it (as JSON if that is asked
 * for, else by show) and frees it.
 */
int commands_finish(const struct call *call, int ret, const struct err *err, json_t *answer,
	void (*show)(const json_t *answer));
void commands_print_json(const json_t *json);
/* A path that zonefand understands, too, which may be at home in another folder. To be freed. */
char *commands_absolute(const char *path);
/*
 * The configuration that --config names, or zonefand's usual one. Root goes on as zonefand's user from here on. NULL: it is
 * wrong, and everything about that was said on stderr.
 */
struct conf *commands_load_conf(const char *const *options);
