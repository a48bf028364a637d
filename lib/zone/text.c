/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>


static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool needs_rewrite(const char *raw, size_t length)
{
	unsigned char high = 0;

	for (size_t i = 0; i < length; i++)
		high |= (unsigned char)raw[i];
	return (high & 0x80) != 0 || raw[length - 1] != '\n' || memchr(raw, '\r', length) != NULL;
}

/* A byte above 0x7e becomes \DDD; behind a backslash that is there already, DDD alone. */
static char *put_escaped(char *at, unsigned char c, bool escaped)
{
	if (!escaped)
		*at++ = '\\';
	*at++ = (char)('0' + c / 100);
	*at++ = (char)('0' + c / 10 % 10);
	*at++ = (char)('0' + c % 10);
	return at;
}

static char *rewrite(const char *raw, size_t length, size_t *size)
{
	size_t high = 0;
	bool escaped = false;

	for (size_t i = 0; i < length; i++)
		high += (unsigned char)raw[i] >> 7;
	char *copy = xmalloc(length + high * 3 + 1);
	char *at = copy;
	for (size_t i = 0; i < length; i++) {
		char c = raw[i];

		if (c == '\r' && (i + 1 == length || raw[i + 1] == '\n'))
			continue;
		if ((unsigned char)c >= 0x80)
			at = put_escaped(at, (unsigned char)c, escaped);
		else
			*at++ = c;
		escaped = c == '\\' && !escaped;
	}
	if (at == copy || at[-1] != '\n')
		*at++ = '\n';
	*size = (size_t)(at - copy);
	return copy;
}

int text_open(struct text *text, const char *raw, size_t length, struct err *err)
{
	*text = (struct text){ .data = raw, .size = length };
	if (length == 0)
		return err_set(err, ERR_INVALID, "line 1: the zone is empty");
	const char *nul = memchr(raw, '\0', length);
	if (nul != NULL)
		return err_set(err, ERR_INVALID, "line %zu: NUL byte", text_line(text, (size_t)(nul - raw)));
	if (needs_rewrite(raw, length)) {
		text->copy = rewrite(raw, length, &text->size);
		text->data = text->copy;
	}
	return 0;
}

void text_close(struct text *text)
{
	free(text->copy);
	*text = (struct text){ 0 };
}

size_t text_line(const struct text *text, size_t offset)
{
	size_t line = 1;
	const char *at = text->data;
	const char *end = text->data + offset;

	while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		line++;
		at++;
	}
	return line;
}

/*
 * Follows quotes, comments and parentheses as RFC 1035 5.1 has them. A line break within quotes outside of
 * parentheses is an error, so it ends the record here too.
 */
size_t text_record_start(const struct text *text, size_t offset)
{
	size_t start = 0;
	size_t depth = 0;
	bool quoted = false;
	bool comment = false;

	for (size_t i = 0; i < offset && i < text->size; i++) {
		char c = text->data[i];

		if (c == '\n') {
			comment = false;
			if (depth == 0) {
				quoted = false;
				start = i + 1;
			}
		} else if (comment) { /* NOLINT(bugprone-branch-clone): in quotes other things are asked before */
			continue;
		} else if (c == '\\') {
			if (i + 1 < text->size && text->data[i + 1] != '\n')
				i++;
		} else if (c == '"') {
			quoted = !quoted;
		} else if (quoted) {
			continue;
		} else if (c == ';') {
			comment = true;
		} else if (c == '(') {
			depth++;
		} else if (c == ')' && depth > 0) {
			depth--;
		}
	}
	return start;
}

struct text_piece text_line_content(const struct text *text, size_t offset)
{
	const char *before = offset == 0 ? NULL : memrchr(text->data, '\n', offset);
	const char *at = before == NULL ? text->data : before + 1;
	const char *end = memchr(at, '\n', (size_t)(text->data + text->size - at));
	struct text_piece piece = { .indented = is_blank(*at) };

	CHECK(end != NULL);
	while (at < end && is_blank(*at))
		at++;
	while (end > at && is_blank(end[-1]))
		end--;
	piece.data = at;
	piece.size = (size_t)(end - at);
	return piece;
}

struct text_piece text_next_word(struct text_piece *piece)
{
	const char *at = piece->data;
	const char *end = at + piece->size;

	while (at < end && is_blank(*at))
		at++;
	struct text_piece word = { .data = at };
	while (at < end && !is_blank(*at))
		at++;
	word.size = (size_t)(at - word.data);
	piece->data = at;
	piece->size = (size_t)(end - at);
	return word;
}
