/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small files read whole. Blocks on the file. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct file_text {
	char *data; /* a NUL behind its size bytes */
	size_t size;
	bool world_readable;
};

/* ERR_NOTFOUND, ERR_DENIED, ERR_LIMIT (more than limit bytes) or ERR_IO, with path named. */
MUST_CHECK int file_read(const char *path, size_t limit, struct file_text *out, struct err *err);
/* A secret: its text without one final line end; the caller wipes and frees it. ERR_INVALID: it holds a NUL byte. */
MUST_CHECK int file_read_secret(const char *path, size_t limit, char **out, struct err *err);
/* Wipes it: it may hold secrets. */
void file_free(struct file_text *text);
