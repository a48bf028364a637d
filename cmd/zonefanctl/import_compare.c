/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "import_compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "table.h"
#include "zone/diff.h"

enum { RECORDS_SHOWN = 6 };

static void add_line(json_t *lines, struct buf *line)
{
	/* Rows are anything, JSON is not. */
	for (size_t i = 0; i < line->size; i++) {
		if ((unsigned char)line->data[i] < ' ' || (unsigned char)line->data[i] > '~')
			line->data[i] = '?';
	}
	if (json_array_size(lines) < RECORDS_SHOWN)
		json_array_append_new(lines, json_string(line->data));
	buf_clear(line);
}

static const char *field(const char *text)
{
	return text == NULL ? "NULL" : text;
}

static void add_row(json_t *lines, const struct diff_row *row)
{
	struct buf line = { 0 };

	buf_printf(&line, "- %s %s IN %s %s%s", field(row->owner), field(row->ttl), field(row->type), field(row->data),
		row->online == NULL || strcmp(row->online, "1") != 0 ? " (not online)" : "");
	add_line(lines, &line);
	buf_free(&line);
}

static void add_record(json_t *lines, const struct zone_record *record)
{
	struct buf line = { 0 };

	buf_printf(&line, "+ %s %u IN %s %s", record->owner, (unsigned)record->ttl, record->type, record->data);
	add_line(lines, &line);
	buf_free(&line);
}

static json_t *list_records(const struct diff *diff, const struct backend_rows *rows, const struct zone_record *records)
{
	json_t *lines = json_array();

	for (size_t i = 0; i < diff->count && json_array_size(lines) < RECORDS_SHOWN; i++) {
		if (diff->ops[i].kind != DIFF_INSERT)
			add_row(lines, &rows->rows[diff->ops[i].have]);
		if (diff->ops[i].kind != DIFF_DELETE)
			add_record(lines, &records[diff->ops[i].want]);
	}
	return lines;
}

json_t *import_compare(const char *backend, const struct backend_rows *rows, const struct zone *zone)
{
	size_t count, kinds[] = { [DIFF_UPDATE] = 0, [DIFF_DELETE] = 0, [DIFF_INSERT] = 0 };
	const struct zone_record *records = zone_records(zone, &count);
	json_t *out = NULL;
	struct diff diff;

	diff_make(rows->rows, rows->cut ? 0 : (size_t)rows->count, records, count, &diff);
	for (size_t i = 0; i < diff.count; i++)
		kinds[diff.ops[i].kind]++;
	if (diff.count > 0 || !rows->exists) {
		out = json_pack("{s:s, s:s, s:I, s:I, s:I, s:o}", "name", backend, "state", rows->exists ? "differs" : "missing",
			"added", (json_int_t)kinds[DIFF_INSERT], "changed", (json_int_t)kinds[DIFF_UPDATE], "removed",
			(json_int_t)kinds[DIFF_DELETE], "records",
			rows->exists ? list_records(&diff, rows, records) : json_array());
		CHECK(out != NULL);
	}
	diff_free(&diff);
	return out;
}

void import_compare_show(const json_t *zone)
{
	size_t index, k;
	json_t *backend, *line;
	char *name = cell_text(zone, "zone");

	json_array_foreach(json_object_get(zone, "backends"), index, backend) {
		bool missing = strcmp(cell_text_at(backend, "state"), "missing") == 0;

		printf("%s at %s: %s%" JSON_INTEGER_FORMAT " to add, %" JSON_INTEGER_FORMAT " to change, %" JSON_INTEGER_FORMAT
		       " to remove\n",
			name, cell_text_at(backend, "name"), missing ? "missing, " : "", cell_number_at(backend, "added"),
			cell_number_at(backend, "changed"), cell_number_at(backend, "removed"));
		json_array_foreach(json_object_get(backend, "records"), k, line)
			printf("  %s\n", json_string_value(line));
	}
	free(name);
}
