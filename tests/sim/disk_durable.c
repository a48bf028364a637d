/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is durable of a file, and what waits to become it. */
#include <stdlib.h>
#include <string.h>

#include "disk_internal.h"

/* ---- bytes ---- */

static void bytes_make_space(struct bytes *bytes, size_t size)
{
	if (size <= bytes->space)
		return;
	bytes->space = size < 65536 ? 65536 : size * 2;
	bytes->data = xrealloc(bytes->data, bytes->space);
}

void bytes_set_size(struct bytes *bytes, size_t size)
{
	bytes_make_space(bytes, size);
	if (size > bytes->size)
		memset(bytes->data + bytes->size, 0, size - bytes->size);
	bytes->size = size;
}

void bytes_put(struct bytes *bytes, const void *data, size_t size, size_t offset)
{
	if (offset + size > bytes->size)
		bytes_set_size(bytes, offset + size);
	if (size > 0)
		memcpy(bytes->data + offset, data, size);
}

void bytes_copy(struct bytes *to, const struct bytes *from)
{
	to->size = 0;
	bytes_put(to, from->data, from->size, 0);
}

void bytes_free(struct bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct bytes){ 0 };
}

/* ---- durable ---- */

void durable_drop_writes(struct disk_file *file)
{
	file->write_count = 0;
	file->log.size = 0;
}

/* As SQLite does it with the first sync of a new file: what was deleted before stays so. */
void durable_sync_folder(struct disk_file *files)
{
	for (struct disk_file *file = files; file != NULL; file = file->next)
		file->linked = file->linked && file->there;
}

void durable_settle(struct disk_file *files, struct disk_file *file)
{
	if (file->fresh) {
		durable_sync_folder(files);
		file->durable.size = 0;
	}
	for (size_t i = 0; i < file->write_count; i++) {
		const struct write *write = &file->writes[i];

		if (write->truncates)
			bytes_set_size(&file->durable, write->size);
		else
			bytes_put(&file->durable, file->log.data + write->data, write->size, write->offset);
	}
	file->fresh = false;
	file->linked = true;
	durable_drop_writes(file);
}

void durable_forget(struct disk_file *file, struct rng *rng)
{
	size_t kept = 0;

	for (size_t i = 0; i < file->write_count; i++) {
		if (rng_between(rng, 0, 1) == 1)
			file->writes[kept++] = file->writes[i];
	}
	file->write_count = kept;
}

/* Sector by sector, of the file and not of the write. */
static void tear(struct bytes *bytes, const struct write *write, const char *data, struct rng *rng)
{
	size_t done = 0;

	while (done < write->size) {
		size_t sector = DISK_SECTOR - (write->offset + done) % DISK_SECTOR;
		size_t size = sector < write->size - done ? sector : write->size - done;

		if (rng_between(rng, 0, 1) == 1)
			bytes_put(bytes, data + done, size, write->offset + done);
		done += size;
	}
}

void durable_cut(struct disk_file *file, unsigned mood, struct rng *rng)
{
	bool anew = file->there && file->fresh && rng_between(rng, 0, 1) == 1;

	if (anew)
		file->durable.size = 0;
	for (size_t i = 0; (anew || !file->fresh) && i < file->write_count; i++) {
		const struct write *write = &file->writes[i];
		unsigned fate = mood < 3 ? mood : (unsigned)rng_between(rng, 0, 2);

		if (fate == 0)
			continue;
		if (write->truncates)
			bytes_set_size(&file->durable, write->size);
		else if (fate == 1)
			bytes_put(&file->durable, file->log.data + write->data, write->size, write->offset);
		else
			tear(&file->durable, write, file->log.data + write->data, rng);
	}
	file->there = file->linked = anew || file->linked;
	file->fresh = false;
	durable_drop_writes(file);
	bytes_copy(&file->now, &file->durable);
}
