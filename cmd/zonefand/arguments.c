/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "arguments.h"

#include <sysexits.h>

#include "base/check.h"

static const struct option_row options[ARGUMENT_COUNT] = {
	[ARGUMENT_CONFIG] = { "config", 'c', "FILE", "default: " PROGRAM_CONFIG_FILES },
	[ARGUMENT_CHECK] = { "check", '\0', NULL, "check the configuration, print the effective one (secrets masked), leave" },
	[ARGUMENT_LOG_FORMAT] = { "log-format", '\0', "logfmt|json", "of the log on stderr; default: logfmt" },
	[ARGUMENT_VERSION] = { "version", '\0', NULL, "print the version, leave" },
	[ARGUMENT_HELP] = { "help", 'h', NULL, "print this, leave" },
};

static const struct exit_row exits[] = {
	{ EX_OK, "stopped on request" },
	{ EX_USAGE, "misuse" },
	{ EX_DATAERR, "the store is damaged, or newer than this release" },
	{ EX_SOFTWARE, "the disk under the store failed" },
	{ EX_IOERR, "what it was to print could not be written" },
	{ EX_CONFIG, "the configuration or its surroundings are wrong" },
};

static const struct program_section sections[] = {
	{ "SIGNALS",
	  "SIGTERM and SIGINT: no more pushes are taken, what was taken is answered, and zonefand leaves. Deliveries that are left go on at the next start. SIGHUP: the configuration, its secrets and certificates are read again and put in force; if anything is wrong the old ones stay, and the log says why." },
	{ "FILES",
	  "Nothing is written but within the folder of the store (datastore.db_location), at the control socket (app.control_socket), and where zonefanctl backup says; the log goes to stderr." },
};

const struct program zonefand_program = {
	.name = "zonefand",
	.purpose = "takes DNS zones that DirectAdmin pushes, and brings every data centre's database to them",
	.usage = "[--config FILE] [--check] [--log-format logfmt|json]\n"
		 "--version | --help",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.exits = exits,
	.exit_count = ARRAY_SIZE(exits),
	.sections = sections,
	.section_count = ARRAY_SIZE(sections),
};
