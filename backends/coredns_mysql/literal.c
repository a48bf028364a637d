/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/coredns_mysql/literal.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

bool literal_allows(const char *text)
{
	for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++)
		if (*at > 127)
			return false;
	return true;
}

static void add_string(struct buf *out, const char *introducer, const char *text)
{
	CHECK(literal_allows(text));
	buf_puts(out, introducer);
	buf_hex(out, text, strlen(text));
	buf_append(out, "'", 1);
}

static void add_identifier(struct buf *out, const char *name)
{
	buf_append(out, "`", 1);
	for (; *name != '\0'; name++)
		buf_append(out, *name == '`' ? "``" : name, *name == '`' ? 2 : 1);
	buf_append(out, "`", 1);
}

void literal_sql(struct buf *out, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	for (;;) {
		size_t plain = strcspn(format, "%");

		buf_append(out, format, plain);
		format += plain;
		if (*format == '\0')
			break;
		switch (format[1]) {
		case 's':
			add_string(out, "_ascii x'", va_arg(args, const char *));
			break;
		case 'x':
			add_string(out, "x'", va_arg(args, const char *));
			break;
		case 'u':
			buf_uint(out, va_arg(args, uint64_t));
			break;
		case 't':
			add_identifier(out, va_arg(args, const char *));
			break;
		default:
			WRONG("literal_sql: a conversion that is none");
		}
		format += 2;
	}
	va_end(args);
}
