/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "records.h"

#include <stdio.h>
#include <stdlib.h>

#include "table.h"

static void show_line(char sign, const json_t *record, const char *ttl, const char *data)
{
	char *owner = cell_text(record, "owner"), *value = cell_text(record, data);

	printf("%c %s %" JSON_INTEGER_FORMAT " IN %s %s\n", sign, owner, cell_number_at(record, ttl),
		cell_text_at(record, "type"), value);
	free(owner);
	free(value);
}

static void show_lines(const json_t *answer, const char *key, char sign)
{
	size_t index;
	json_t *record;

	json_array_foreach(json_object_get(answer, key), index, record)
		show_line(sign, record, "ttl", "data");
}

void records_show_diff(const json_t *answer)
{
	size_t index;
	json_t *record;

	json_array_foreach(json_object_get(answer, "changed"), index, record) {
		show_line('-', record, "old_ttl", "old_data");
		show_line('+', record, "ttl", "data");
	}
	show_lines(answer, "removed", '-');
	show_lines(answer, "added", '+');
}

void records_show_text(const char *text)
{
	for (const char *c = text; *c != '\0'; c++)
		putchar(((unsigned char)*c < ' ' && *c != '\n' && *c != '\t') || *c == 0x7f ? '?' : *c);
}
