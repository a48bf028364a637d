/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "file.h"

static bool split_line(char *line, char *fields[5])
{
	for (size_t i = 0; i < 5; i++) {
		fields[i] = line;
		line = strchr(line, '\t');
		if (i == 4)
			return line == NULL;
		if (line == NULL)
			return false;
		*line++ = '\0';
	}
	return false;
}

static void add_row(struct bench_rows *rows, char *fields[5])
{
	struct bench_zone *zone = rows->zone_count != 0 ? &rows->zones[rows->zone_count - 1] : NULL;
	struct bench_row *row = &rows->rows[rows->row_count++];

	if (zone == NULL || strcmp(zone->name, fields[0]) != 0) {
		zone = &rows->zones[rows->zone_count++];
		*zone = (struct bench_zone){ .name = fields[0], .rows = row };
	}
	*row = (struct bench_row){
		.hostname = fields[1], .type = fields[2], .data = fields[3], .ttl = fields[4]
	};
	zone->row_count++;
}

int rows_read(const char *path, struct bench_rows *out, struct err *err)
{
	struct buf text = { 0 };
	size_t lines = 0;

	*out = (struct bench_rows){ 0 };
	if (file_read(path, &text, err) != 0)
		return err->code;
	out->text = buf_take(&text);
	for (const char *c = out->text; *c != '\0'; c++)
		lines += *c == '\n';
	out->rows = xcalloc(lines + 1, sizeof(out->rows[0]));
	out->zones = xcalloc(lines + 1, sizeof(out->zones[0]));

	char *next = NULL;

	for (char *line = out->text; *line != '\0'; line = next) {
		char *fields[5];

		next = strchr(line, '\n');
		if (next == NULL)
			next = line + strlen(line);
		else
			*next++ = '\0';
		if (!split_line(line, fields))
			return err_set(err, ERR_INVALID, "%s: line %zu has not five fields", path,
				out->row_count + 1);
		add_row(out, fields);
	}
	return 0;
}

void rows_free(struct bench_rows *rows)
{
	free(rows->text);
	free(rows->rows);
	free(rows->zones);
	*rows = (struct bench_rows){ 0 };
}
