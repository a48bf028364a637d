/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "page_program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

void page_program_begin(struct buf *out, const struct program *program, const struct roff_page *page)
{
	roff_begin(out, page);
	roff_section(out, "SYNOPSIS");
	for (const char *line = program->usage; *line != '\0';) {
		size_t size = strcspn(line, "\n");
		char *form = xmemdup(line, size);

		if (line != program->usage)
			buf_puts(out, ".br\n");
		buf_printf(out, "\\fB%s\\fR ", program->name);
		roff_text(out, form);
		free(form);
		line += size + (line[size] == '\n');
	}
}

void page_program_option(struct buf *out, const struct option_row *row, const char *help)
{
	char *name = row->letter == '\0' ? xasprintf("--%s", row->name) : xasprintf("-%c, --%s", row->letter, row->name);

	roff_entry(out, name, row->argument);
	roff_text(out, help);
	free(name);
}

void page_program_options(struct buf *out, const struct program *program)
{
	roff_section(out, "OPTIONS");
	for (size_t i = 0; i < program->option_count; i++) {
		const struct option_row *row = &program->options[i];

		if (row->name != NULL && row->help != NULL)
			page_program_option(out, row, row->help);
	}
}

void page_program_end(struct buf *out, const struct program *program, const struct roff_page *page)
{
	for (size_t i = 0; i < program->section_count; i++) {
		roff_section(out, program->sections[i].title);
		roff_paragraphs(out, program->sections[i].text);
	}
	roff_section(out, "EXIT STATUS");
	for (size_t i = 0; i < program->exit_count; i++) {
		char code[16];

		snprintf(code, sizeof(code), "%d", program->exits[i].code);
		roff_entry(out, code, NULL);
		roff_text(out, program->exits[i].meaning);
	}
	roff_see_also(out, page);
}
