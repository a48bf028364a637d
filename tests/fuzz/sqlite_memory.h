/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SQLite's memory from the C library itself: SQLite is not instrumented, a sanitizer's allocator finds nothing in it and
 * takes half of the time. Included by one target each.
 */
#pragma once

#include <sqlite3.h>
#include <stdint.h>

#include "base/check.h"

/* The size stands in front of each block. */
extern void *__libc_malloc(size_t size);
extern void *__libc_realloc(void *pointer, size_t size);
extern void __libc_free(void *pointer);

static void *sqlite_malloc(int size)
{
	int64_t *block = __libc_malloc((size_t)size + 16);

	CHECK(block != NULL);
	block[0] = size;
	return block + 2;
}

static void sqlite_free(void *pointer)
{
	__libc_free((int64_t *)pointer - 2);
}

static void *sqlite_realloc(void *pointer, int size)
{
	int64_t *block = __libc_realloc((int64_t *)pointer - 2, (size_t)size + 16);

	CHECK(block != NULL);
	block[0] = size;
	return block + 2;
}

static int sqlite_size(void *pointer)
{
	return (int)((int64_t *)pointer)[-2];
}

static int sqlite_roundup(int size)
{
	return (size + 7) & ~7;
}

static int sqlite_start(void *ctx UNUSED)
{
	return SQLITE_OK;
}

static void sqlite_stop(void *ctx UNUSED)
{
}

static const sqlite3_mem_methods plain_memory = { sqlite_malloc, sqlite_free, sqlite_realloc, sqlite_size, sqlite_roundup,
	sqlite_start, sqlite_stop, NULL };

/* Before anything else of SQLite. */
static void sqlite_memory_use(void)
{
	CHECK(sqlite3_config(SQLITE_CONFIG_MALLOC, &plain_memory) == SQLITE_OK);
}
