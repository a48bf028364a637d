/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stamp.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/hash.h"

/* A link counts for where it leads: so does Kubernetes replace the files of a Secret. */
static void add(struct buf *text, const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		buf_printf(text, "%s: none\n", path);
	else
		buf_printf(text, "%s: %" PRIuMAX " %" PRIuMAX " %" PRIdMAX ".%09ld %" PRIdMAX "\n", path, (uintmax_t)st.st_dev,
			(uintmax_t)st.st_ino, (intmax_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, (intmax_t)st.st_size);
}

uint64_t stamp_of(const char *const *files, size_t count)
{
	struct buf text = { 0 };
	uint8_t hash[HASH_SIZE];
	uint64_t stamp;

	buf_puts(&text, "");
	for (size_t i = 0; i < count; i++)
		add(&text, files[i]);
	hash_sha256(text.data, text.size, hash);
	memcpy(&stamp, hash, sizeof(stamp));
	buf_free(&text);
	return stamp;
}
