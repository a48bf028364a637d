/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "manual.h"

#include <string.h>

#include "../zonefanctl/commands.h"
#include "../zonefand/arguments.h"
#include "complete.h"
#include "offers.h"

static const struct offers_shell of_words = {
	.indent = "\t",
	.words_before = "compadd ",
	.words_behind = "",
	.zones = "_zonefanctl_names zones",
	.backends = "_zonefanctl_names backends",
	.masters = "_zonefanctl_names masters",
	.files = "_files",
};

static const struct offers_shell of_arguments = {
	.indent = "",
	.words_before = "(",
	.words_behind = ")",
	/* A blank in front: no arguments of _arguments's own are added. */
	.zones = " _zonefanctl_names zones",
	.backends = " _zonefanctl_names backends",
	.masters = " _zonefanctl_names masters",
	.files = "_files",
};

static const char functions[] =
	"#compdef zonefanctl zonefand\n"
	"# Completions of zonefanctl and zonefand. Made with their manual pages.\n"
	"\n"
	"_zonefanctl_names()\n"
	"{\n"
	"\tlocal -a through names\n"
	"\tlocal option\n"
	"\n"
	"\tfor option in ${(k)opt_args[(I)(-c|--config|--url|--user|--password-file|--ca)]}; do\n"
	"\t\tthrough+=($option ${(Q)opt_args[$option]})\n"
	"\tdone\n"
	"\tnames=(${(f)\"$($program $through complete $1 \"$PREFIX\" 2>/dev/null)\"})\n"
	"\tcompadd -a names\n"
	"}\n"
	"\n"
	"_zonefanctl_word()\n"
	"{\n"
	"\tlocal -a commands\n"
	"\n"
	"\tcase ${(j: :)line[1,-2]} in\n"
	"\t\"\")\n"
	"\t\tcommands=(\n";

/* Of one line, within single quotes, with a backslash before what means something to _arguments or _describe. */
static void put_text(struct buf *out, const char *text)
{
	for (; *text != '\0' && *text != '\n'; text++) {
		if (*text == '\'')
			buf_puts(out, "'\\'");
		else if (strchr("[]:\\", *text) != NULL)
			buf_puts(out, "\\");
		buf_append(out, text, 1);
	}
}

static void put_option(struct buf *out, const struct option_row *row, const char *help)
{
	buf_puts(out, "\t\t'");
	if (row->letter != '\0')
		buf_printf(out, "(-%c --%s)'{-%c,--%s}'[", row->letter, row->name, row->letter, row->name);
	else
		buf_printf(out, "--%s[", row->name);
	put_text(out, help);
	buf_puts(out, "]");
	if (row->argument != NULL) {
		buf_printf(out, ":%s:", row->argument);
		offers_put_argument(out, &of_arguments, row);
	}
	buf_puts(out, "'\n");
}

static void put_common(struct buf *out, const struct program *program)
{
	for (size_t i = 0; i < program->option_count; i++) {
		const struct option_row *row = &program->options[i];

		if (row->name != NULL && row->help != NULL)
			put_option(out, row, row->help);
	}
}

static void put_commands(struct buf *out)
{
	for (size_t i = 0; i < commands_count; i++) {
		buf_printf(out, "\t\t'%s:", commands_table[i].name);
		put_text(out, commands_table[i].help);
		buf_puts(out, "'\n");
	}
}

static void put_command_options(struct buf *out)
{
	for (size_t i = 0; i < commands_count; i++) {
		const struct command_option *option = commands_table[i].options;

		if (option->help == NULL)
			continue;
		buf_printf(out, "\t%s)\n\t\toptions+=(\n", commands_table[i].name);
		for (; option->help != NULL; option++)
			put_option(out, &zonefanctl_program.options[option->option], option->help);
		buf_puts(out, "\t\t)\n\t\t;;\n");
	}
}

void manual_zsh(struct buf *out)
{
	buf_puts(out, functions);
	put_commands(out);
	buf_puts(out, "\t\t)\n\t\t_describe command commands\n\t\t;;\n");
	offers_put_words(out, &of_words);
	buf_puts(out, "\tesac\n}\n\n_zonefanctl_arguments()\n{\n\tlocal program=$words[1]\n\tlocal -a options\n\n\toptions=(\n");
	put_common(out, &zonefanctl_program);
	buf_puts(out, "\t)\n\tcase ${words[(r)(");
	complete_put_commands(out, "|");
	buf_puts(out, ")]} in\n");
	put_command_options(out);
	buf_puts(out, "\tesac\n\t_arguments -S $options '*:word:_zonefanctl_word'\n}\n\n_zonefand_arguments()\n{\n\tlocal -a options\n\n\toptions=(\n");
	put_common(out, &zonefand_program);
	buf_puts(out, "\t)\n\t_arguments -S $options\n}\n\n_${service}_arguments\n");
}
