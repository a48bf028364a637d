/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/check.h"

void table_add(struct table *table, char *const *cells)
{
	char **row = xcalloc(table->columns, sizeof(*row));

	for (size_t i = 0; i < table->columns; i++) {
		size_t width = strlen(cells[i]);

		row[i] = cells[i];
		if (width > table->widths[i])
			table->widths[i] = width;
	}
	table->all = xrealloc(table->all, (table->row_count + 1) * sizeof(*table->all));
	table->all[table->row_count++] = row;
}

struct table table_of(size_t columns, const char *const *titles)
{
	struct table table = { .columns = columns };
	char *cells[TABLE_COLUMNS_MAX];

	for (size_t i = 0; i < columns; i++)
		cells[i] = xstrdup(titles[i]);
	table_add(&table, cells);
	return table;
}

void table_print_to(struct table *table, FILE *to)
{
	for (size_t i = 0; i < table->row_count; i++) {
		for (size_t k = 0; k < table->columns; k++) {
			if (k + 1 < table->columns)
				fprintf(to, "%-*s  ", (int)table->widths[k], table->all[i][k]);
			else
				fprintf(to, "%s\n", table->all[i][k]);
			free(table->all[i][k]);
		}
		free(table->all[i]);
	}
	free(table->all);
}

void table_print(struct table *table)
{
	table_print_to(table, stdout);
}

/* ---- values ---- */

json_t *text_json(const char *text)
{
	json_t *json = json_string(text);
	struct buf plain = { 0 };

	for (const char *at = text; json == NULL && *at != '\0'; at++)
		buf_printf(&plain, "%c", (unsigned char)*at < 0x80 ? *at : '?');
	if (json == NULL)
		json = json_string(plain.data);
	buf_free(&plain);
	return json;
}

const char *cell_text_at(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text == NULL || text[0] == '\0' ? "-" : text;
}

json_int_t cell_number_at(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

char *cell_number(const json_t *object, const char *key)
{
	return xasprintf("%" JSON_INTEGER_FORMAT, cell_number_at(object, key));
}

char *cell_text(const json_t *object, const char *key)
{
	char *cell = xstrdup(cell_text_at(object, key));

	for (char *c = cell; *c != '\0'; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	}
	return cell;
}

char *cell_duration(double seconds)
{
	int64_t whole = (int64_t)seconds;

	if (whole < 60)
		return xasprintf("%" PRId64 "s", whole);
	if (whole < 3600)
		return xasprintf("%" PRId64 "m%02" PRId64 "s", whole / 60, whole % 60);
	if (whole < 86400)
		return xasprintf("%" PRId64 "h%02" PRId64 "m", whole / 3600, whole % 3600 / 60);
	return xasprintf("%" PRId64 "d%02" PRId64 "h", whole / 86400, whole % 86400 / 3600);
}

char *cell_age(const json_t *object, const char *key, bool ahead)
{
	const char *text = json_string_value(json_object_get(object, key));
	struct tm parts = { 0 };

	if (text == NULL || strptime(text, "%Y-%m-%dT%H:%M:%S", &parts) == NULL)
		return xstrdup("-");
	double seconds = difftime(time(NULL), timegm(&parts));
	if (ahead)
		seconds = -seconds;
	return cell_duration(seconds < 0 ? 0 : seconds);
}
