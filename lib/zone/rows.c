/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/rows.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "zone/print.h"

enum { EXCERPT = 60 };

/* ---- one row, one record ---- */

static bool is_control(char c)
{
	return (unsigned char)c < ' ' || c == 0x7f;
}

/* One word: no blank, comment, quote or parenthesis but escaped ones (RFC 1035 5.1). */
static bool is_owner(const char *text)
{
	if (text == NULL || text[0] == '\0')
		return false;
	for (const char *at = text; *at != '\0'; at++) {
		if (is_control(*at) || strchr(" ;()\"", *at) != NULL)
			return false;
		if (*at == '\\' && (*++at == '\0' || is_control(*at)))
			return false;
	}
	return true;
}

static bool is_type(const char *text)
{
	if (text == NULL || text[0] == '\0')
		return false;
	while (isalnum((unsigned char)*text) || *text == '-')
		text++;
	return *text == '\0';
}

static bool is_ttl(const char *text)
{
	return text != NULL && text[0] != '\0' && strspn(text, "0123456789") == strlen(text);
}

/* It ends on its line: quotes and parentheses are closed, nothing escapes the line's end. */
static bool is_data(const char *text)
{
	size_t depth = 0;
	bool quoted = false, comment = false; /* to the end of the line, which is the row's */

	if (text == NULL)
		return false;
	for (const char *at = text; *at != '\0'; at++) {
		if (is_control(*at) && *at != '\t')
			return false;
		if (comment)
			continue;
		if (*at == '\\') {
			if (*++at == '\0' || is_control(*at))
				return false;
		} else if (*at == '"') {
			quoted = !quoted;
		} else if (quoted) {
			continue;
		} else if (*at == '(') {
			depth++;
		} else if (*at == ')' && depth-- == 0) {
			return false;
		} else if (*at == ';') {
			comment = true;
		}
	}
	return !quoted && depth == 0;
}

static bool is_online(const char *text)
{
	return text != NULL && strcmp(text, "0") != 0;
}

/* NULL: nothing. */
static const char *fault_of(const struct diff_row *row)
{
	if (!is_owner(row->owner))
		return "hostname is not a name";
	if (!is_type(row->type))
		return "type is not a type";
	if (!is_ttl(row->ttl))
		return "ttl is missing, negative or not a number";
	if (!is_data(row->data))
		return "data is missing, or does not end on its line";
	if (!is_online(row->online))
		return "it is not online, so it is not served: remove the row, or put it online";
	return NULL;
}

/* ---- whose fault it is ---- */

static void put_excerpt(struct buf *out, const char *text)
{
	size_t size = text == NULL ? 0 : strlen(text);

	if (text == NULL)
		buf_puts(out, "NULL");
	for (size_t i = 0; i < size && i < EXCERPT; i++)
		buf_printf(out, "%c", is_control(text[i]) || (unsigned char)text[i] > '~' ? '?' : text[i]);
	if (size > EXCERPT)
		buf_puts(out, "...");
}

static int refuse(const struct diff_row *row, const char *what, struct err *err)
{
	struct buf record = { 0 };

	put_excerpt(&record, row->owner);
	buf_puts(&record, " ");
	put_excerpt(&record, row->type);
	buf_puts(&record, " ");
	put_excerpt(&record, row->data);
	int ret = err_set(err, ERR_INVALID, "%s: %s", record.data, what);
	buf_free(&record);
	return ret;
}

/* zone_parse speaks of lines; line N is row N - 1, and nobody has seen the text. */
static int refuse_line(const struct diff_row *rows, size_t count, struct err *err)
{
	char text[ERR_TEXT_SIZE];
	char *what;

	memcpy(text, err->text, sizeof(text));
	if (strncmp(text, "line ", 5) != 0)
		return err->code;
	size_t line = strtoul(text + 5, &what, 10);
	if (strncmp(what, ": ", 2) != 0 || line < 1 || line > count)
		return err->code;
	what += 2;
	char *also = strstr(what, " on line ") == NULL ? NULL : strrchr(what, '(');
	if (also != NULL && also > what)
		also[-1] = '\0';
	if (strcmp(what, "the zone has no SOA") == 0)
		return err_set(err, ERR_INVALID, "%s", what);
	return refuse(&rows[line - 1], what, err);
}

int rows_make_zone(const char *name, const struct diff_row *rows, size_t count, size_t max_records,
	struct zone **out, struct err *err)
{
	struct buf text = { 0 };

	if (count == 0)
		return err_set(err, ERR_INVALID, "there are no records");
	for (size_t i = 0; i < count; i++) {
		const char *fault = fault_of(&rows[i]);

		if (fault != NULL) {
			buf_free(&text);
			return refuse(&rows[i], fault, err);
		}
		print_line(&text, rows[i].owner, rows[i].ttl, rows[i].type, rows[i].data);
	}
	int ret = zone_parse(name, text.data, text.size, max_records, out, err);
	buf_free(&text);
	return ret == ERR_OK ? ERR_OK : refuse_line(rows, count, err);
}
