/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_reserve(struct buf *buf, size_t size)
{
	size_t need = buf->size + size + 1;

	CHECK(need > size);
	if (need <= buf->capacity)
		return;
	size_t capacity = buf->capacity < 128 ? 128 : buf->capacity;
	while (capacity < need)
		capacity *= 2;
	buf->data = xrealloc(buf->data, capacity);
	buf->capacity = capacity;
}

void buf_append(struct buf *buf, const void *data, size_t size)
{
	buf_reserve(buf, size);
	if (size > 0)
		memcpy(buf->data + buf->size, data, size);
	buf->size += size;
	buf->data[buf->size] = '\0';
}

void buf_puts(struct buf *buf, const char *text)
{
	buf_append(buf, text, strlen(text));
}

void buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	CHECK(length >= 0);
	buf_reserve(buf, (size_t)length);
	va_start(args, format);
	vsnprintf(buf->data + buf->size, (size_t)length + 1, format, args);
	va_end(args);
	buf->size += (size_t)length;
}

void buf_hex(struct buf *buf, const void *data, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *bytes = data;

	buf_reserve(buf, size * 2);
	for (size_t i = 0; i < size; i++) {
		buf->data[buf->size++] = digits[bytes[i] >> 4];
		buf->data[buf->size++] = digits[bytes[i] & 15];
	}
	buf->data[buf->size] = '\0';
}

void buf_uint(struct buf *buf, uint64_t number)
{
	char text[20];
	size_t at = sizeof(text);

	do {
		text[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number != 0);
	buf_append(buf, text + at, sizeof(text) - at);
}

void buf_clear(struct buf *buf)
{
	buf->size = 0;
	if (buf->data != NULL)
		buf->data[0] = '\0';
}

void buf_free(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf){ 0 };
}

char *buf_take(struct buf *buf)
{
	buf_reserve(buf, 0);
	buf->data[buf->size] = '\0';
	char *data = buf->data;
	*buf = (struct buf){ 0 };
	return data;
}
