/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "arguments.h"

#include <sysexits.h>

#include "base/check.h"

static const struct option_row options[OPTION_COUNT] = {
	[OPTION_CONFIG] = { "config", 'c', "FILE", "default: " PROGRAM_CONFIG_FILES },
	[OPTION_CHECK] = { "check", '\0', NULL, "check the configuration, print the effective one (secrets masked), leave" },
	[OPTION_LOG_FORMAT] = { "log-format", '\0', "FMT", "of the log on stderr: logfmt (default) or json" },
	[OPTION_VERSION] = { "version", '\0', NULL, "print the version, leave" },
	[OPTION_HELP] = { "help", 'h', NULL, "print this, leave" },
};

static const struct exit_row exits[] = {
	{ EX_OK, "stopped on request" },
	{ EX_USAGE, "misuse" },
	{ EX_DATAERR, "the store is damaged, or newer than this release" },
	{ EX_SOFTWARE, "the disk under the store failed" },
	{ EX_CONFIG, "the configuration or its surroundings are wrong" },
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
};
