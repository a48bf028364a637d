/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Compiler attributes, invariants, and allocation that cannot fail.
 *
 * Three classes of trouble, three answers: input and remote ends give an error
 * (base/err.h), a programmer's mistake ends the process here, and so does a
 * lack of memory: the store holds the truth and the supervisor restarts us.
 * CHECK is compiled in always. Never CHECK input or a remote's answer.
 */
#pragma once

#include <stddef.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(position, first) __attribute__((format(printf, position, first)))
#define NORETURN __attribute__((noreturn))
#define UNUSED __attribute__((unused))
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define CHECK(condition)                                                                                     \
	do {                                                                                                 \
		if (!(condition))                                                                            \
			check_failed(__FILE__, __LINE__, #condition);                                        \
	} while (0)

/* An impossible branch. */
#define WRONG(what) check_failed(__FILE__, __LINE__, what)

NORETURN void check_failed(const char *file, int line, const char *what);

/* As their namesakes, but they end the process instead of returning NULL. The caller frees. */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *pointer, size_t size);
/* NULL gives NULL. */
char *xstrdup(const char *text);
/* A copy of size bytes with a final NUL behind them. */
char *xmemdup(const void *data, size_t size);
PRINTF_LIKE(1, 2) char *xasprintf(const char *format, ...);
