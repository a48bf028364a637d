/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http/html.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* U+FFFD */
#define REPLACEMENT "\xef\xbf\xbd"

static bool is_between(unsigned char c, unsigned char low, unsigned char high)
{
	return c >= low && c <= high;
}

/* Bytes of the character at text (RFC 3629 4); 0: none begins here. */
static size_t utf8_size(const unsigned char *text)
{
	unsigned char lead = text[0];
	unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
	unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
	size_t size = lead < 0x80 ? 1 : is_between(lead, 0xc2, 0xdf) ? 2 : is_between(lead, 0xe0, 0xef) ? 3 :
		      is_between(lead, 0xf0, 0xf4) ? 4 : 0;

	if (size > 1 && !is_between(text[1], low, high))
		return 0;
	for (size_t i = 2; i < size; i++) {
		if (!is_between(text[i], 0x80, 0xbf))
			return 0;
	}
	return size;
}

static bool is_control(const unsigned char *text, size_t size)
{
	if (size == 1)
		return (text[0] < ' ' && text[0] != '\t' && text[0] != '\n') || text[0] == 0x7f;
	if (size == 2)
		return text[0] == 0xc2 && text[1] < 0xa0; /* C1 */
	if (size != 3 || text[0] != 0xe2)
		return false;
	/* U+202A to U+202E, U+2066 to U+2069: directions of writing */
	return (text[1] == 0x80 && is_between(text[2], 0xaa, 0xae)) || (text[1] == 0x81 && is_between(text[2], 0xa6, 0xa9));
}

static const char *entity_of(char c)
{
	switch (c) {
	case '&': return "&amp;";
	case '<': return "&lt;";
	case '>': return "&gt;";
	case '"': return "&quot;";
	case '\'': return "&#39;";
	default: return NULL;
	}
}

void html_text(struct buf *out, const char *text)
{
	while (text != NULL && *text != '\0') {
		size_t size = utf8_size((const unsigned char *)text);
		const char *entity = entity_of(*text);

		if (entity != NULL)
			buf_puts(out, entity);
		else if (size == 0 || is_control((const unsigned char *)text, size))
			buf_puts(out, REPLACEMENT);
		else
			buf_append(out, text, size);
		text += size > 0 ? size : 1;
	}
}

void html_put(struct buf *out, const char *format, ...)
{
	va_list texts;
	const char *mark;

	va_start(texts, format);
	while ((mark = strchr(format, '%')) != NULL) {
		CHECK(mark[1] == 's');
		buf_append(out, format, (size_t)(mark - format));
		html_text(out, va_arg(texts, const char *));
		format = mark + 2;
	}
	va_end(texts);
	buf_puts(out, format);
}

void html_count(struct buf *out, uint64_t count)
{
	char digits[24];
	size_t size = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, count);

	for (size_t i = 0; i < size; i++) {
		if (i > 0 && (size - i) % 3 == 0)
			buf_append(out, ",", 1);
		buf_append(out, digits + i, 1);
	}
}
