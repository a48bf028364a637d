/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "commands.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/privilege.h"
#include "conf/conf.h"
#include "exit.h"

extern char **environ;

/* ---- what all have in common ---- */

int commands_failed(const struct err *err)
{
	fprintf(stderr, "zonefanctl: %s\n", err->text);
	return err->code == ERR_NOTFOUND ? EXIT_MISSING : EXIT_FAILED;
}

void commands_print_json(const json_t *json)
{
	json_dumpf(json, stdout, JSON_INDENT(2));
	putchar('\n');
}

char *commands_absolute(const char *path)
{
	char *here, *whole;

	if (path[0] == '/')
		return xstrdup(path);
	here = getcwd(NULL, 0);
	whole = xasprintf("%s/%s", here == NULL ? "" : here, path);
	free(here);
	return whole;
}

int commands_finish(const struct call *call, int ret, const struct err *err, json_t *answer,
	void (*show)(const json_t *answer))
{
	if (ret != ERR_OK)
		return commands_failed(err);
	if (call_has(call, OPTION_JSON))
		commands_print_json(answer);
	else
		show(answer);
	json_decref(answer);
	return EXIT_WELL;
}

/*
 * Root goes on as zonefand's user: what is made of the store, its lock and its log must not be root's, and a check must find
 * what zonefand will find.
 */
static int step_down(const struct conf *conf, struct err *err)
{
	return geteuid() == 0 ? privilege_become(conf->user, err) : ERR_OK;
}

struct conf *commands_load_conf(const char *const *options)
{
	struct buf notices = { 0 };
	struct conf *conf = NULL;
	struct err err;

	if (conf_load(options[OPTION_CONFIG], environ, &conf, &notices, &err) != ERR_OK) {
		if (notices.size > 0)
			fputs(notices.data, stderr);
		commands_failed(&err);
		conf = NULL;
	} else if (step_down(conf, &err) != ERR_OK) {
		commands_failed(&err);
		conf_destroy(conf);
		conf = NULL;
	}
	buf_free(&notices);
	return conf;
}

/* ---- the table ---- */

const struct command *commands_find(const char *name)
{
	for (size_t i = 0; i < commands_count; i++) {
		if (strcmp(commands_table[i].name, name) == 0)
			return &commands_table[i];
	}
	return NULL;
}

static bool takes(const struct command *command, enum ctl_option option)
{
	for (const struct command_option *taken = command->options; taken->help != NULL; taken++) {
		if (taken->option == option)
			return true;
	}
	return false;
}

bool commands_take(const struct command *command, const char *const *options)
{
	for (enum ctl_option i = OPTION_OF_COMMANDS; i < OPTION_COUNT; i++) {
		if (options[i] == NULL || takes(command, i))
			continue;
		fprintf(stderr, "zonefanctl: %s has no use for --%s\n", command->name, zonefanctl_program.options[i].name);
		return false;
	}
	return true;
}

enum { INDENT = 2, OPTION_INDENT = 4, WIDTH = 20 };

void commands_print(const struct command *command, FILE *to)
{
	char *title = xasprintf("%s%s%s", command->name, command->arguments == NULL ? "" : " ",
		command->arguments == NULL ? "" : command->arguments);

	program_print_entry(to, INDENT, WIDTH, title, command->help);
	free(title);
	for (const struct command_option *option = command->options; option->help != NULL; option++) {
		const struct option_row *row = &zonefanctl_program.options[option->option];

		title = xasprintf("--%s%s%s", row->name, row->argument == NULL ? "" : " ",
			row->argument == NULL ? "" : row->argument);
		program_print_entry(to, OPTION_INDENT, WIDTH - OPTION_INDENT + INDENT, title, option->help);
		free(title);
	}
}
