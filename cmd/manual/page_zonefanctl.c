/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "manual.h"

#include "../zonefanctl/commands.h"
#include "page_program.h"

static void put_command(struct buf *out, const struct command *command)
{
	roff_entry(out, command->name, command->arguments);
	roff_text(out, command->help);
	if (command->options[0].help == NULL)
		return;
	buf_puts(out, ".RS\n");
	for (const struct command_option *option = command->options; option->help != NULL; option++)
		page_program_option(out, &zonefanctl_program.options[option->option], option->help);
	buf_puts(out, ".RE\n");
}

void manual_page_zonefanctl(struct buf *out)
{
	const struct roff_page page = { zonefanctl_program.name, 1, zonefanctl_program.purpose };

	page_program_begin(out, &zonefanctl_program, &page);
	roff_section(out, "COMMANDS");
	for (size_t i = 0; i < commands_count; i++)
		put_command(out, &commands_table[i]);
	page_program_options(out, &zonefanctl_program);
	page_program_end(out, &zonefanctl_program, &page);
}
