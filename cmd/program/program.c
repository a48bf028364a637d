/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "program.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"

enum {
	LONG_BASE = 256, /* behind all letters */
	OPTION_WIDTH = 20
};

/* ---- parsing ---- */

static void describe(const struct program *program, struct option *known, char *letters)
{
	size_t count = 0;

	for (size_t i = 0; i < program->option_count; i++) {
		const struct option_row *row = &program->options[i];

		if (row->name == NULL)
			continue;
		known[count++] = (struct option){ .name = row->name,
			.has_arg = row->argument == NULL ? no_argument : required_argument, .val = LONG_BASE + (int)i };
		if (row->letter == '\0')
			continue;
		*letters++ = row->letter;
		if (row->argument != NULL)
			*letters++ = ':';
	}
	*letters = '\0';
}

/* What getopt found as the number of a row. */
static size_t row_of(const struct program *program, int found)
{
	size_t i = 0;

	if (found >= LONG_BASE)
		return (size_t)(found - LONG_BASE);
	while (i < program->option_count && program->options[i].letter != found)
		i++;
	CHECK(i < program->option_count);
	return i;
}

bool program_read_options(const struct program *program, int argc, char **argv, const char **values)
{
	struct option *known = xcalloc(program->option_count + 1, sizeof(*known));
	char *letters = xcalloc(2 * program->option_count + 1, 1);
	int found;

	describe(program, known, letters);
	memset(values, 0, program->option_count * sizeof(*values));
	while ((found = getopt_long(argc, argv, letters, known, NULL)) != -1 && found != '?')
		values[row_of(program, found)] = optarg == NULL ? "" : optarg;
	free(letters);
	free(known);
	return found != '?';
}

/* ---- help ---- */

void program_print_entry(FILE *to, int indent, int width, const char *title, const char *text)
{
	int size = (int)strlen(title);
	int column = indent + width + 1;

	fprintf(to, "%*s%s", indent, "", title);
	if (size > width)
		fprintf(to, "\n%*s", column, "");
	else
		fprintf(to, "%*s", width + 1 - size, "");
	for (const char *line = text; *line != '\0';) {
		int length = (int)strcspn(line, "\n");

		fprintf(to, "%*s%.*s\n", line == text ? 0 : column, "", length, line);
		line += length + (line[length] == '\n');
	}
}

void program_print_usage(const struct program *program, FILE *to)
{
	const char *lead = "usage:";

	for (const char *line = program->usage; *line != '\0'; lead = "      ") {
		int length = (int)strcspn(line, "\n");

		fprintf(to, "%s %s %.*s\n", lead, program->name, length, line);
		line += length + (line[length] == '\n');
	}
}

void program_print_options(const struct program *program, FILE *to)
{
	for (size_t i = 0; i < program->option_count; i++) {
		const struct option_row *row = &program->options[i];

		if (row->name == NULL || row->help == NULL)
			continue;
		char *title = xasprintf("--%s%s%s", row->name, row->argument == NULL ? "" : " ",
			row->argument == NULL ? "" : row->argument);
		program_print_entry(to, 2, OPTION_WIDTH, title, row->help);
		free(title);
	}
}

void program_print_exits(const struct program *program, FILE *to)
{
	fputs("exit codes:\n", to);
	for (size_t i = 0; i < program->exit_count; i++) {
		char *code = xasprintf("%d", program->exits[i].code);

		program_print_entry(to, 2, 2, code, program->exits[i].meaning);
		free(code);
	}
}

bool program_close_output(const struct program *program)
{
	bool lost = ferror(stdout) != 0;

	errno = 0;
	lost = fflush(stdout) != 0 || lost;
	if (lost)
		fprintf(stderr, "%s: standard output: %s\n", program->name,
			errno != 0 ? strerror(errno) : "not all of it could be written");
	return !lost;
}
