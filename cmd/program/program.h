/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a program says of itself: one description, from which come the parsing of its options, --help, the manual page and
 * the completions of shells. Immutable. One thread; never blocks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct option_row {
	const char *name;      /* without the dashes */
	char letter;           /* short form; '\0': there is none */
	const char *argument;  /* for people, "FILE"; NULL: it is a switch */
	const char *help;      /* may have several lines */
};

struct exit_row {
	int code;
	const char *meaning;
};

/* What else the manual page tells; each line of text is a paragraph. */
struct program_section {
	const char *title;
	const char *text;
};

struct program {
	const char *name;
	const char *purpose;   /* one line, without a full stop */
	const char *usage;     /* one line or several, without the name */
	const struct option_row *options;
	size_t option_count;   /* rows without a name are skipped */
	const struct exit_row *exits;
	size_t exit_count;
	const struct program_section *sections;
	size_t section_count;
};

/* What is taken where no --config is given, in that order; for --help and the manual. */
#define PROGRAM_CONFIG_FILES "/etc/zonefan/app.yml, ./app.yml, ./config/app.yml, /etc/directdnsonly/app.yml"

/*
 * Reads the options; the words that are none are moved behind them, argv[optind] is the first. values has option_count
 * elements: what an option was given ("" for a switch), NULL: nothing. Of an option that is given twice the last one counts.
 * false: there is no such option, or it lacks its argument; said on stderr.
 */
bool program_read_options(const struct program *program, int argc, char **argv, const char **values);
/* Parts of --help. */
void program_print_usage(const struct program *program, FILE *to);
void program_print_options(const struct program *program, FILE *to);
void program_print_exits(const struct program *program, FILE *to);
/* Flushes stdout. false: not all of it, ever, got where it was to go; said on stderr. */
bool program_close_output(const struct program *program);
/* A title, and text beside it or, where the title is longer than width, below it. Further lines are indented alike. */
void program_print_entry(FILE *to, int indent, int width, const char *title, const char *text);
