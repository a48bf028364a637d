/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Between disk.c (what a process sees of a file) and disk_durable.c (what a power cut leaves of it). */
#pragma once

#include "base/check.h"
#include "disk.h"

struct bytes {
	char *data;
	size_t size;
	size_t space;
};

/* Not durable yet. data: where it is in the file's log; truncating: the size is all that matters. */
struct write {
	size_t offset;
	size_t size;
	size_t data;
	bool truncates;
};

struct disk_file {
	struct disk_file *next;
	char *name;             /* NULL: none */
	bool there;             /* it can be opened */
	bool linked;            /* durable: there would be a file of that name after a power cut */
	bool fresh;             /* made, and not synced since: what is durable is the file before it */
	struct bytes now;
	struct bytes durable;
	struct write *writes;
	size_t write_count;
	struct bytes log;
};

void bytes_set_size(struct bytes *bytes, size_t size);
void bytes_put(struct bytes *bytes, const void *data, size_t size, size_t offset);
void bytes_copy(struct bytes *to, const struct bytes *from);
void bytes_free(struct bytes *bytes);

/* None is waiting any more. */
void durable_drop_writes(struct disk_file *file);
/* files: all that there are. */
void durable_sync_folder(struct disk_file *files);
void durable_settle(struct disk_file *files, struct disk_file *file);
/* A sync failed: what should have become durable may be forgotten; it is still to be read, while the machine runs. */
void durable_forget(struct disk_file *file, struct rng *rng);
/* mood 0 loses all that waits, 1 keeps it, 2 tears it, 3 and up chooses for each write. */
void durable_cut(struct disk_file *file, unsigned mood, struct rng *rng);
