/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What zonefanctl says of itself: its options, one row each, and its exit codes. */
#include "base/check.h"
#include "commands.h"
#include "exit.h"

static const struct option_row options[OPTION_COUNT] = {
	[OPTION_CONFIG] = { "config", 'c', "FILE", "zonefand's configuration, which tells where its control socket is; default:\n" PROGRAM_CONFIG_FILES },
	[OPTION_JSON] = { "json", 'j', NULL, "for programs" },
	[OPTION_URL] = { "url", '\0', "URL", "speak to this address with a login, instead of the control socket" },
	[OPTION_USER] = { "user", '\0', "LOGIN", "the login" },
	[OPTION_PASSWORD_FILE] = { "password-file", '\0', "FILE", "file that holds its password" },
	[OPTION_CA] = { "ca", '\0', "FILE", "file of the certificate that signed zonefand's (PEM), for https; default: the system's" },
	[OPTION_VERSION] = { "version", '\0', NULL, "print the version" },
	[OPTION_HELP] = { "help", 'h', NULL, "print this, or what is to be said of COMMAND" },
	/* What these mean is the command's to say. */
	[OPTION_ADDRESS] = { .name = "address", .argument = "ADDRESS" },
	[OPTION_ALL] = { .name = "all" },
	[OPTION_BACKEND] = { .name = "backend", .argument = "BACKEND" },
	[OPTION_CONFIRM] = { .name = "confirm" },
	[OPTION_DRY_RUN] = { .name = "dry-run" },
	[OPTION_FOLLOW] = { .name = "follow" },
	[OPTION_KIND] = { .name = "kind", .argument = "KIND" },
	[OPTION_LAST] = { .name = "last" },
	[OPTION_NO_WAIT] = { .name = "no-wait" },
	[OPTION_ONCE] = { .name = "once" },
	[OPTION_OVERWRITE] = { .name = "overwrite" },
	[OPTION_PREFER] = { .name = "prefer", .argument = "BACKEND" },
	[OPTION_STOP] = { .name = "stop" },
	[OPTION_ZONE] = { .name = "zone", .argument = "NAME" },
};

static const struct exit_row exits[] = {
	{ EXIT_WELL, "done and well" },
	{ EXIT_FAILED, "failed: zonefand does not answer, or answered an error" },
	{ EXIT_BEHIND, "status: something is behind; heal, reconcile, plan: something differed; import: something was left out; doctor: no\n"
		       "fault, but something should be looked at; da: something is missing, or in conflict" },
	{ EXIT_MISSING, "there is no such zone or back end" },
	{ EXIT_USAGE, "misuse" },
};

static const struct program_section sections[] = {
	{ "HOW IT REACHES ZONEFAND",
	  "By default over zonefand's control socket, whose place the configuration tells (app.control_socket); so it must be able to read that. Who is root or zonefand's user may use the socket, and who is of its group where app.control_socket is /run/zonefan/zonefan.sock (its usual place, the store's folder, is closed to the group).\n"
	  "With --url by HTTP, as a login of role operator (or read-only, for what only looks); no configuration is read then." },
};

const struct program zonefanctl_program = {
	.name = "zonefanctl",
	.purpose = "the operator's command line of zonefand",
	.usage = "[--config FILE] [--json] [--url URL --user LOGIN --password-file FILE [--ca FILE]] COMMAND\n"
		 "--help [COMMAND] | --version",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.exits = exits,
	.exit_count = ARRAY_SIZE(exits),
	.sections = sections,
	.section_count = ARRAY_SIZE(sections),
};
