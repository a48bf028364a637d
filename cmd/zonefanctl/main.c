/* SPDX-License-Identifier: GPL-3.0-or-later */
/* zonefanctl: the operator's command line over the operator API. Arguments, and where zonefand is. */
#include <curl/curl.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/privilege.h"
#include "commands.h"
#include "conf/conf.h"
#include "exit.h"

/* ---- help ---- */

static void print_usage(FILE *to)
{
	program_print_usage(&zonefanctl_program, to);
	fputs("\n", to);
	for (size_t i = 0; i < commands_count; i++)
		commands_print(&commands_table[i], to);
	fputs("\n", to);
	program_print_options(&zonefanctl_program, to);
	fputs("\n", to);
	program_print_exits(&zonefanctl_program, to);
}

static int misuse(const struct command *command)
{
	commands_print(command, stderr);
	return EXIT_USAGE;
}

/* What is wrong must not scroll away. */
static int point_to_help(void)
{
	fputs("zonefanctl: --help lists commands and options\n", stderr);
	return EXIT_USAGE;
}

static int help(const struct command *command)
{
	if (command != NULL)
		commands_print(command, stdout);
	else
		print_usage(stdout);
	return EXIT_WELL;
}

/* ---- where zonefand is ---- */

static char *read_password(const char *path)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t room = 0;

	if (file == NULL)
		return NULL;
	ssize_t size = getline(&line, &room, file);
	fclose(file);
	if (size < 0) {
		free(line);
		return NULL;
	}
	line[strcspn(line, "\r\n")] = '\0';
	return line;
}

/* A command refuses words that it does not know by EXIT_USAGE alone. */
static int run_command(const struct command *command, const struct call *call)
{
	int code = command->run(call);

	if (code != EXIT_USAGE)
		return code;
	fprintf(stderr, "zonefanctl: there is no such use: %s", command->name);
	for (size_t i = 0; i < call->word_count; i++)
		fprintf(stderr, " %s", call->words[i]);
	fputc('\n', stderr);
	return misuse(command);
}

static int run_by_url(const struct command *command, struct call *call)
{
	const char *user = call->options[OPTION_USER];
	const char *file = call->options[OPTION_PASSWORD_FILE];
	char *password = file == NULL ? NULL : read_password(file);
	struct client client = { .url = call->options[OPTION_URL], .username = user, .password = password,
		.ca_file = call->options[OPTION_CA] };

	if (user == NULL || password == NULL) {
		fputs("zonefanctl: --url needs --user and --password-file with a readable file\n", stderr);
		free(password);
		return point_to_help();
	}
	call->client = &client;
	int code = run_command(command, call);
	call->client = NULL;
	explicit_bzero(password, strlen(password));
	free(password);
	return code;
}

static int run_by_socket(const struct command *command, struct call *call)
{
	struct conf *conf = commands_load_conf(call->options);

	if (conf == NULL)
		return EXIT_FAILED;
	struct client client = { .socket_path = conf->control_socket };
	int code = EXIT_FAILED;
	call->conf = conf;
	call->client = &client;
	if (conf->control_socket[0] == '\0' && (command->traits & COMMAND_ALONE) == 0)
		fputs("zonefanctl: app.control_socket is off: use --url\n", stderr);
	else
		code = run_command(command, call);
	call->client = NULL;
	call->conf = NULL;
	conf_destroy(conf);
	return code;
}

static int run(const struct command *command, const char *const *options, char **words, size_t word_count)
{
	struct call call = { .options = options, .words = words, .word_count = word_count };

	if (!commands_take(command, options))
		return misuse(command);
	if (word_count < command->least || word_count > command->most) {
		fprintf(stderr, "zonefanctl: %s%s%s\n", command->name, word_count < command->least ? " wants more than that" :
			" has no use for ", word_count < command->least ? "" : words[command->most]);
		return misuse(command);
	}
	if ((command->traits & COMMAND_BARE) != 0)
		return run_command(command, &call);
	return options[OPTION_URL] != NULL ? run_by_url(command, &call) : run_by_socket(command, &call);
}

/* What did not get where it was to go is no success. */
static int close_output(int code)
{
	return !program_close_output(&zonefanctl_program) && code == EXIT_WELL ? EXIT_FAILED : code;
}

int main(int argc, char **argv)
{
	const char *options[OPTION_COUNT];

	if (!program_read_options(&zonefanctl_program, argc, argv, options))
		return point_to_help();
	char **words = argv + optind;
	size_t count = (size_t)(argc - optind);
	const struct command *command = count > 0 ? commands_find(words[0]) : NULL;
	if (options[OPTION_VERSION] != NULL) {
		puts("zonefanctl " ZONEFAN_VERSION);
		return close_output(EXIT_WELL);
	}
	if (options[OPTION_HELP] != NULL)
		return close_output(help(command));
	if (command == NULL) {
		fprintf(stderr, count > 0 ? "zonefanctl: there is no command %s\n" : "zonefanctl: a command is missing\n",
			count > 0 ? words[0] : "");
		return point_to_help();
	}
	privilege_protect();
	curl_global_init(CURL_GLOBAL_DEFAULT);
	int code = run(command, options, words + 1, count - 1);
	curl_global_cleanup();
	return close_output(code);
}
