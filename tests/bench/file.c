/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int file_read(const char *path, struct buf *out, struct err *err)
{
	char block[65536];
	size_t size;
	FILE *file = fopen(path, "rb");

	if (file == NULL)
		return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
	while ((size = fread(block, 1, sizeof(block), file)) != 0)
		buf_append(out, block, size);
	int failed = ferror(file);

	fclose(file);
	return failed ? err_set(err, ERR_IO, "%s: cannot be read", path) : 0;
}
