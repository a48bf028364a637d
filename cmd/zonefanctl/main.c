/* SPDX-License-Identifier: GPL-3.0-or-later */
/* zonefanctl: the operator's command line over the operator API. Exit codes are in usage_tail. */
#include <curl/curl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/privilege.h"
#include "commands.h"
#include "conf/conf.h"
#include "exit.h"

extern char **environ;

static const char usage_head[] =
	"usage: zonefanctl [--config FILE] [--json] [--url URL --user NAME --password-file FILE] COMMAND\n"
	"\n";

static const char usage_tail[] =
	"  check              check the configuration and print the effective one (works without zonefand)\n"
	"\n"
	"  --config FILE      default: as zonefand's; tells where the control socket is\n"
	"  --json             for programs\n"
	"  --url URL          speak to this address with a login, instead of the control socket\n"
	"\n"
	"exit codes: 0 done and well; 1 failed (zonefand does not answer, or answered an error); 2 status: something is behind,\n"
	"            heal, reconcile, plan: something differed, import: something was left out; 3 there is no such zone or back end;\n"
	"            64 misuse\n";

static void print_usage(FILE *to)
{
	fputs(usage_head, to);
	commands_print(to);
	fputs(usage_tail, to);
}

static int misuse(void)
{
	print_usage(stderr);
	return EXIT_USAGE;
}

/* ---- where zonefand is ---- */

/*
 * Root goes on as zonefand's user: what is made of the store, its lock and its log must not be root's, and a check must find
 * what zonefand will find.
 */
static int step_down(const struct conf *conf, struct err *err)
{
	return geteuid() == 0 ? privilege_become(conf->user, err) : ERR_OK;
}

static struct conf *load_conf(const struct options *options)
{
	struct buf notices = { 0 };
	struct conf *conf = NULL;
	struct err err;

	if (conf_load(options->config, environ, &conf, &notices, &err) != ERR_OK) {
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

static int check(const struct options *options)
{
	struct conf *conf = load_conf(options);
	struct buf text = { 0 };
	struct err err;

	if (conf == NULL)
		return EXIT_FAILED;
	bool fits = conf_check_host(conf, &err) == ERR_OK;
	if (fits) {
		(options->json ? conf_print_json : conf_print)(conf, &text);
		fputs(text.data, stdout);
		buf_free(&text);
	} else {
		fprintf(stderr, "zonefanctl: %s\n", err.text);
	}
	conf_destroy(conf);
	return fits ? EXIT_WELL : EXIT_FAILED;
}

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

static int run_by_url(const struct options *options, const struct command *command, struct call *call)
{
	char *password = options->password_file == NULL ? NULL : read_password(options->password_file);
	struct client client = { .url = options->url, .username = options->user, .password = password };

	if (options->user == NULL || password == NULL) {
		fputs("zonefanctl: --url needs --user and --password-file with a readable file\n", stderr);
		free(password);
		return EXIT_USAGE;
	}
	call->client = &client;
	int code = command->run(call);
	if (code == EXIT_USAGE)
		print_usage(stderr);
	call->client = NULL;
	explicit_bzero(password, strlen(password));
	free(password);
	return code;
}

static int run_by_socket(const struct options *options, const struct command *command, struct call *call)
{
	struct conf *conf = load_conf(options);

	if (conf == NULL)
		return EXIT_FAILED;
	struct client client = { .socket_path = conf->control_socket };
	int code = EXIT_FAILED;
	call->conf = conf;
	call->client = &client;
	if (conf->control_socket[0] == '\0' && (command->options & COMMAND_ALONE) == 0)
		fputs("zonefanctl: app.control_socket is off: use --url\n", stderr);
	else
		code = command->run(call);
	if (code == EXIT_USAGE)
		print_usage(stderr);
	call->client = NULL;
	call->conf = NULL;
	conf_destroy(conf);
	return code;
}

static int run(const struct options *options, size_t count, char **words)
{
	if (count == 1 && strcmp(words[0], "check") == 0 && options->given == 0)
		return check(options);
	const struct command *command = count > 0 ? commands_find(words[0]) : NULL;
	if (command == NULL || count - 1 < command->least || count - 1 > command->most ||
		(options->given & ~command->options) != 0)
		return misuse();
	struct call call = { .options = options, .words = words + 1, .word_count = count - 1 };
	return options->url != NULL ? run_by_url(options, command, &call) : run_by_socket(options, command, &call);
}

int main(int argc, char **argv)
{
	static const struct option known[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{ "url", required_argument, NULL, 'u' },
		{ "user", required_argument, NULL, 'n' },
		{ "password-file", required_argument, NULL, 'p' },
		{ "backend", required_argument, NULL, 'b' },
		{ "dry-run", no_argument, NULL, 'd' },
		{ "confirm", no_argument, NULL, 'y' },
		{ "follow", no_argument, NULL, 'f' },
		{ "zone", required_argument, NULL, 'z' },
		{ "kind", required_argument, NULL, 'k' },
		{ "all", no_argument, NULL, 'a' },
		{ "no-wait", no_argument, NULL, 'w' },
		{ "stop", no_argument, NULL, 's' },
		{ "prefer", required_argument, NULL, 'P' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct options options = { 0 };
	int option;

	while ((option = getopt_long(argc, argv, "c:jh", known, NULL)) != -1) {
		switch (option) {
		case 'c':
			options.config = optarg;
			break;
		case 'j':
			options.json = true;
			break;
		case 'b':
			options.backend = optarg;
			options.given |= OPTION_BACKEND;
			break;
		case 'd':
			options.dry_run = true;
			options.given |= OPTION_DRY_RUN;
			break;
		case 'y':
			options.given |= OPTION_CONFIRM;
			break;
		case 'f':
			options.given |= OPTION_FOLLOW;
			break;
		case 'z':
			options.zone = optarg;
			options.given |= OPTION_ZONE;
			break;
		case 'k':
			options.kind = optarg;
			options.given |= OPTION_KIND;
			break;
		case 'a':
			options.given |= OPTION_ALL;
			break;
		case 'w':
			options.no_wait = true;
			options.given |= OPTION_NO_WAIT;
			break;
		case 's':
			options.stop = true;
			options.given |= OPTION_STOP;
			break;
		case 'u':
			options.url = optarg;
			break;
		case 'n':
			options.user = optarg;
			break;
		case 'p':
			options.password_file = optarg;
			break;
		case 'P':
			options.prefer = optarg;
			options.given |= OPTION_PREFER;
			break;
		case 'v':
			puts("zonefanctl " ZONEFAN_VERSION);
			return EXIT_WELL;
		case 'h':
			print_usage(stdout);
			return EXIT_WELL;
		default:
			return misuse();
		}
	}
	privilege_protect();
	curl_global_init(CURL_GLOBAL_DEFAULT);
	int code = run(&options, (size_t)(argc - optind), argv + optind);
	curl_global_cleanup();
	return code;
}
