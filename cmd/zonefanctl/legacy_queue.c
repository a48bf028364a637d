/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "legacy_queue.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"

enum { INFO_MAX = 4096 };

/* Of the pickle virtual machine (Python's pickletools): the opcodes that may stand behind a key of a small dict. */
enum {
	OP_MEMOIZE = 0x94,   /* no argument */
	OP_BINPUT = 'q',     /* one byte */
	OP_LONG_BINPUT = 'r', /* four bytes */
	OP_BININT1 = 'K',    /* one byte */
	OP_BININT2 = 'M',    /* two bytes, little-endian */
	OP_BININT = 'J'      /* four */
};

static int64_t number(const unsigned char *at, size_t left, size_t size)
{
	int64_t value = 0;

	if (left < size)
		return -1;
	while (size-- > 0)
		value = value << 8 | at[size];
	return value;
}

static int64_t read_int(const unsigned char *at, size_t left)
{
	size_t skip = left == 0 ? 0 : at[0] == OP_MEMOIZE ? 1 : at[0] == OP_BINPUT ? 2 : at[0] == OP_LONG_BINPUT ? 5 : 0;

	if (left <= skip)
		return -1;
	at += skip;
	left -= skip + 1;
	switch (*at++) {
	case OP_BININT1:
		return number(at, left, 1);
	case OP_BININT2:
		return number(at, left, 2);
	case OP_BININT:
		return number(at, left, 4);
	default:
		return -1;
	}
}

/* What stands behind the key "size" (and not behind "chunksize"). */
static int64_t find_size(const unsigned char *info, size_t size)
{
	static const char key[] = "size";
	const size_t key_size = sizeof(key) - 1;

	for (size_t i = 1; i + key_size <= size; i++) {
		bool inside = info[i - 1] >= 'a' && info[i - 1] <= 'z';

		if (!inside && memcmp(info + i, key, key_size) == 0)
			return read_int(info + i + key_size, size - i - key_size);
	}
	return -1;
}

/* A queue that was only opened has one empty file, and no info yet. */
static bool was_used(const char *path)
{
	char *first = xasprintf("%s/q00000", path);
	struct stat st;
	bool used = stat(first, &st) == 0 && st.st_size > 0;

	free(first);
	return used;
}

int64_t legacy_count_items(const char *path)
{
	unsigned char info[INFO_MAX];
	char *name = xasprintf("%s/info", path);
	FILE *file = fopen(name, "re");

	free(name);
	if (file == NULL)
		return was_used(path) ? -1 : 0;
	size_t size = fread(info, 1, sizeof(info), file);
	fclose(file);
	return find_size(info, size);
}
