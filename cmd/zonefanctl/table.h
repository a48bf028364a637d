/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A table for a terminal, and the cells of it from an answer's values. One thread; never blocks. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { TABLE_COLUMNS_MAX = 12 };

struct table {
	size_t widths[TABLE_COLUMNS_MAX];
	size_t columns;
	size_t row_count;
	char ***all;
};

struct table table_of(size_t columns, const char *const *titles);
/* The cells are the table's from now on. */
void table_add(struct table *table, char *const *cells);
/* Prints and frees it. The last column is not padded: it may be long. */
void table_print(struct table *table);
void table_print_to(struct table *table, FILE *to);

/* "-" where there is none, or an empty one. */
const char *cell_text_at(const json_t *object, const char *key);
json_int_t cell_number_at(const json_t *object, const char *key);

/* What stands in paths, arguments and other people's answers need not be UTF-8, and jansson takes nothing else. Never NULL. */
json_t *text_json(const char *text);

/* Cells, to be freed. What a remote end sent goes to a terminal: control characters become blanks. */
char *cell_text(const json_t *object, const char *key);
char *cell_number(const json_t *object, const char *key);
char *cell_duration(double seconds);
/* How long from now to (ahead), or since, the RFC 3339 time at key; "-" if there is none. */
char *cell_age(const json_t *object, const char *key, bool ahead);
