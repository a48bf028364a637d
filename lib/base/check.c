/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void check_failed(const char *file, int line, const char *what)
{
	fprintf(stderr, "level=fatal msg=\"invariant broken\" at=%s:%d what=\"%s\"\n", file, line, what);
	abort();
}

static void *checked(void *pointer)
{
	if (pointer == NULL)
		check_failed(__FILE__, __LINE__, "out of memory");
	return pointer;
}

void *xmalloc(size_t size)
{
	return checked(malloc(size == 0 ? 1 : size));
}

void *xcalloc(size_t count, size_t size)
{
	return checked(calloc(count == 0 ? 1 : count, size == 0 ? 1 : size));
}

void *xrealloc(void *pointer, size_t size)
{
	return checked(realloc(pointer, size == 0 ? 1 : size));
}

char *xstrdup(const char *text)
{
	return text == NULL ? NULL : checked(strdup(text));
}

char *xmemdup(const void *data, size_t size)
{
	char *copy = xmalloc(size + 1);

	if (size > 0)
		memcpy(copy, data, size);
	copy[size] = '\0';
	return copy;
}

char *xasprintf(const char *format, ...)
{
	va_list args;
	char *text = NULL;

	va_start(args, format);
	int length = vasprintf(&text, format, args);
	va_end(args);
	CHECK(length >= 0);
	return text;
}
