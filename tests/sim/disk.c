/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "disk.h"

#include <stdlib.h>
#include <string.h>

#include "disk_internal.h"

static struct {
	struct disk_file *files;
	uint64_t writes;
	size_t room;
	bool ballast;
	enum disk_fault fault;
	unsigned countdown;
	bool failed;
	bool stopped;
	struct rng rng;         /* what a failed sync forgets */
} disk = { .room = SIZE_MAX };

/* ---- files ---- */

static struct disk_file *find(const char *name)
{
	struct disk_file *file = disk.files;

	while (file != NULL && strcmp(file->name, name) != 0)
		file = file->next;
	return file;
}

static void free_file(struct disk_file *file)
{
	bytes_free(&file->now);
	bytes_free(&file->durable);
	bytes_free(&file->log);
	free(file->writes);
	free(file->name);
	free(file);
}

void disk_wipe(void)
{
	for (struct disk_file *file = disk.files, *next; file != NULL; file = next) {
		next = file->next;
		free_file(file);
	}
	disk.files = NULL;
	disk.writes = 0;
	disk.room = SIZE_MAX;
	disk.ballast = disk.failed = disk.stopped = false;
	disk.fault = DISK_FAULT_NONE;
	disk.rng = (struct rng){ 1 };
}

struct disk_file *disk_open(const char *name)
{
	struct disk_file *file = name == NULL ? NULL : find(name);

	if (file == NULL) {
		file = xcalloc(1, sizeof(*file));
		file->name = xstrdup(name);
		if (name != NULL) {
			file->next = disk.files;
			disk.files = file;
		}
	}
	if (!file->there) {
		file->there = file->fresh = true;
		file->now.size = 0;
		durable_drop_writes(file);
	}
	return file;
}

void disk_close(struct disk_file *file)
{
	if (file->name == NULL)
		free_file(file);
}

bool disk_exists(const char *name)
{
	const struct disk_file *file = find(name);

	return file != NULL && file->there;
}

void disk_copy(const char *from, const char *to)
{
	struct disk_file *source = find(from);
	struct disk_file *copied = disk_open(to);

	CHECK(source != NULL && source->there);
	bytes_copy(&copied->now, &source->now);
	bytes_copy(&copied->durable, &source->now);
	durable_drop_writes(copied);
	copied->linked = true;
	copied->fresh = false;
}

size_t disk_read(const struct disk_file *file, void *out, size_t size, size_t offset)
{
	size_t left = offset < file->now.size ? file->now.size - offset : 0;
	size_t got = size < left ? size : left;

	if (got > 0)
		memcpy(out, file->now.data + offset, got);
	return got;
}

size_t disk_size(const struct disk_file *file)
{
	return file->now.size;
}

/* ---- what changes them ---- */

/* Is it the turn of the fault? */
static bool strikes(enum disk_fault kind)
{
	if (disk.fault != kind || --disk.countdown > 0)
		return false;
	disk.fault = DISK_FAULT_NONE;
	disk.failed = true;
	return true;
}

static void log_write(struct disk_file *file, const struct write *write, const void *data)
{
	if (file->name == NULL)
		return;
	if ((file->write_count & (file->write_count - 1)) == 0)
		file->writes = xrealloc(file->writes, (file->write_count == 0 ? 1 : file->write_count * 2) * sizeof(*write));
	file->writes[file->write_count] = *write;
	file->writes[file->write_count++].data = file->log.size;
	if (!write->truncates)
		bytes_put(&file->log, data, write->size, file->log.size);
}

static bool take_room(const struct disk_file *file, size_t end)
{
	size_t growth = end > file->now.size ? end - file->now.size : 0;

	if (disk.room == SIZE_MAX)
		return true;
	if (growth > disk.room)
		return false;
	disk.room -= growth;
	return true;
}

enum disk_result disk_write(struct disk_file *file, const void *data, size_t size, size_t offset)
{
	if (disk.stopped || strikes(DISK_FAULT_WRITE))
		return DISK_BROKEN;
	if (!take_room(file, offset + size)) {
		disk.failed = true;
		return DISK_FULL;
	}
	disk.writes++;
	log_write(file, &(struct write){ .offset = offset, .size = size }, data);
	bytes_put(&file->now, data, size, offset);
	disk.stopped = strikes(DISK_FAULT_CUT);
	return disk.stopped ? DISK_BROKEN : DISK_OK;
}

enum disk_result disk_truncate(struct disk_file *file, size_t size)
{
	if (disk.stopped || strikes(DISK_FAULT_WRITE))
		return DISK_BROKEN;
	disk.writes++;
	if (disk.room != SIZE_MAX && size < file->now.size)
		disk.room += file->now.size - size;
	log_write(file, &(struct write){ .size = size, .truncates = true }, NULL);
	bytes_set_size(&file->now, size);
	return DISK_OK;
}

enum disk_result disk_sync(struct disk_file *file)
{
	bool cut = strikes(DISK_FAULT_CUT);

	disk.stopped = disk.stopped || cut;
	if (disk.stopped)
		return DISK_BROKEN;
	if (strikes(DISK_FAULT_SYNC)) {
		durable_forget(file, &disk.rng);
		return DISK_BROKEN;
	}
	durable_settle(disk.files, file);
	return DISK_OK;
}

enum disk_result disk_delete(const char *name, bool durable)
{
	struct disk_file *file = find(name);

	if (disk.stopped)
		return DISK_BROKEN;
	if (file == NULL || !file->there)
		return DISK_OK;
	if (disk.room != SIZE_MAX)
		disk.room += file->now.size;
	disk.writes++;
	file->there = false;
	if (durable)
		durable_sync_folder(disk.files);
	return DISK_OK;
}

/* ---- room ---- */

bool disk_has_room(size_t size)
{
	bool has = size <= disk.room && !disk.stopped;

	disk.failed = disk.failed || !has;
	return has;
}

bool disk_take_ballast(void)
{
	if (disk.ballast || disk.stopped)
		return disk.ballast;
	if (disk.room < DISK_BALLAST)
		return false;
	if (disk.room != SIZE_MAX)
		disk.room -= DISK_BALLAST;
	disk.ballast = true;
	return true;
}

bool disk_release_ballast(void)
{
	bool had = disk.ballast;

	if (had && disk.room != SIZE_MAX)
		disk.room += DISK_BALLAST;
	disk.ballast = false;
	return had;
}

void disk_set_room(size_t room)
{
	disk.room = room;
}

/* ---- faults ---- */

uint64_t disk_writes(void)
{
	return disk.writes;
}

void disk_fail(enum disk_fault fault, unsigned nth)
{
	disk.fault = fault;
	disk.countdown = nth;
}

bool disk_failed(void)
{
	bool failed = disk.failed;

	disk.failed = false;
	return failed;
}

void disk_stop(void)
{
	disk.stopped = true;
}

bool disk_is_stopped(void)
{
	return disk.stopped;
}

void disk_start(bool power_cut, struct rng *rng)
{
	unsigned mood = (unsigned)rng_between(rng, 0, 5);

	for (struct disk_file *file = disk.files; power_cut && file != NULL; file = file->next)
		durable_cut(file, mood, rng);
	disk.room = SIZE_MAX;
	disk.stopped = disk.failed = false;
	disk.fault = DISK_FAULT_NONE;
	disk.rng.state = rng_next(rng);
}
