/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "manual.h"

#include "../zonefanctl/commands.h"
#include "../zonefand/arguments.h"
#include "complete.h"
#include "offers.h"

static const struct offers_shell bash = {
	.indent = "\t\t",
	.words_before = "COMPREPLY=($(compgen -W \"",
	.words_behind = "\" -- \"$cur\"))",
	.zones = "_zonefanctl_names zones",
	.backends = "_zonefanctl_names backends",
	.masters = "_zonefanctl_names masters",
	.files = "_zonefan_files",
};

static const char functions[] =
	"# bash: completions of zonefanctl and zonefand. Made with their manual pages.\n"
	"\n"
	"_zonefan_files()\n"
	"{\n"
	"\tcompopt -o filenames 2>/dev/null\n"
	"\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
	"}\n"
	"\n"
	"_zonefanctl_names()\n"
	"{\n"
	"\tmapfile -t COMPREPLY < <(\"${COMP_WORDS[0]}\" \"${through[@]}\" complete \"$1\" \"$cur\" 2>/dev/null)\n"
	"}\n"
	"\n"
	"_zonefanctl()\n"
	"{\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} option= options i\n"
	"\tlocal -a words=() through=()\n"
	"\n"
	"\tCOMPREPLY=()\n"
	"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	"\t\toption=${COMP_WORDS[i]}\n"
	"\t\tcase $option in\n";

static const char after_options[] =
	"\t\t-*) ;;\n"
	"\t\t*) words+=(\"$option\") ;;\n"
	"\t\tesac\n"
	"\tdone\n"
	"\tif ((i > COMP_CWORD)); then\n"
	"\t\tcase $option in\n";

static const char after_words[] =
	"\t\tesac\n"
	"\tfi\n"
	"}\n"
	"complete -F _zonefanctl zonefanctl\n";

/* "-c | --config | --url" of those with an argument, from one row to another. */
static void put_patterns(struct buf *out, size_t from, size_t to)
{
	const char *between = "\t\t";

	for (size_t i = from; i < to; i++) {
		if (zonefanctl_program.options[i].argument == NULL)
			continue;
		buf_puts(out, between);
		complete_put_names(out, &zonefanctl_program.options[i], " | ");
		between = " | ";
	}
}

/* What an option's argument may be, a branch for each option. */
static void put_arguments(struct buf *out, const struct program *program)
{
	for (size_t i = 0; i < program->option_count; i++) {
		const struct option_row *row = &program->options[i];
		struct buf action = { 0 };

		if (row->name != NULL && offers_put_argument(&action, &bash, row)) {
			buf_puts(out, bash.indent);
			complete_put_names(out, row, " | ");
			buf_printf(out, ") %s ;;\n", action.data);
		}
		buf_free(&action);
	}
}

/* The options that any command takes. */
static void put_common(struct buf *out, const struct program *program)
{
	for (size_t i = 0; i < program->option_count; i++) {
		const struct option_row *row = &program->options[i];

		if (row->name != NULL && row->help != NULL)
			buf_printf(out, "%s--%s", i == 0 ? "" : " ", row->name);
	}
}

static void put_command_options(struct buf *out)
{
	for (size_t i = 0; i < commands_count; i++) {
		const struct command_option *option = commands_table[i].options;

		if (option->help == NULL)
			continue;
		buf_printf(out, "\t\t%s) options+=\"", commands_table[i].name);
		for (; option->help != NULL; option++)
			buf_printf(out, " --%s", zonefanctl_program.options[option->option].name);
		buf_puts(out, "\" ;;\n");
	}
}

static void put_zonefand(struct buf *out)
{
	buf_puts(out, "\n_zonefand()\n{\n\tlocal cur=${COMP_WORDS[COMP_CWORD]}\n\n"
		      "\tcase ${COMP_WORDS[COMP_CWORD - 1]} in\n");
	put_arguments(out, &zonefand_program);
	buf_printf(out, "%s*) %s", bash.indent, bash.words_before);
	put_common(out, &zonefand_program);
	buf_printf(out, "%s ;;\n\tesac\n}\ncomplete -F _zonefand zonefand\n", bash.words_behind);
}

void manual_bash(struct buf *out)
{
	buf_puts(out, functions);
	put_patterns(out, 0, OPTION_OF_COMMANDS);
	buf_puts(out, ") through+=(\"$option\" \"${COMP_WORDS[++i]}\") ;;\n");
	put_patterns(out, OPTION_OF_COMMANDS, OPTION_COUNT);
	buf_puts(out, ") ((++i)) ;;\n");
	buf_puts(out, after_options);
	put_arguments(out, &zonefanctl_program);
	buf_puts(out, "\t\tesac\n\telif [[ $cur == -* ]]; then\n\t\toptions=\"");
	put_common(out, &zonefanctl_program);
	buf_puts(out, "\"\n\t\tcase ${words[0]} in\n");
	put_command_options(out);
	buf_puts(out, "\t\tesac\n\t\tCOMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n\telse\n\t\tcase ${words[*]} in\n");
	buf_printf(out, "%s\"\") %s", bash.indent, bash.words_before);
	complete_put_commands(out, " ");
	buf_printf(out, "%s ;;\n", bash.words_behind);
	offers_put_words(out, &bash);
	buf_puts(out, after_words);
	put_zonefand(out);
}
