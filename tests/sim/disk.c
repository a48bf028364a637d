/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "disk.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

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

/* ---- bytes ---- */

static void make_space(struct bytes *bytes, size_t size)
{
	if (size <= bytes->space)
		return;
	bytes->space = size < 65536 ? 65536 : size * 2;
	bytes->data = xrealloc(bytes->data, bytes->space);
}

static void set_size(struct bytes *bytes, size_t size)
{
	make_space(bytes, size);
	if (size > bytes->size)
		memset(bytes->data + bytes->size, 0, size - bytes->size);
	bytes->size = size;
}

static void put(struct bytes *bytes, const void *data, size_t size, size_t offset)
{
	if (offset + size > bytes->size)
		set_size(bytes, offset + size);
	if (size > 0)
		memcpy(bytes->data + offset, data, size);
}

static void copy(struct bytes *to, const struct bytes *from)
{
	to->size = 0;
	put(to, from->data, from->size, 0);
}

static void free_bytes(struct bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct bytes){ 0 };
}

/* ---- files ---- */

static struct disk_file *find(const char *name)
{
	struct disk_file *file = disk.files;

	while (file != NULL && strcmp(file->name, name) != 0)
		file = file->next;
	return file;
}

static void forget_writes(struct disk_file *file)
{
	file->write_count = 0;
	file->log.size = 0;
}

static void free_file(struct disk_file *file)
{
	free_bytes(&file->now);
	free_bytes(&file->durable);
	free_bytes(&file->log);
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
		forget_writes(file);
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
	copy(&copied->now, &source->now);
	copy(&copied->durable, &source->now);
	forget_writes(copied);
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
		put(&file->log, data, write->size, file->log.size);
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
	put(&file->now, data, size, offset);
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
	set_size(&file->now, size);
	return DISK_OK;
}

/* As SQLite does it with the first sync of a new file: what was deleted before stays so. */
static void sync_folder(void)
{
	for (struct disk_file *file = disk.files; file != NULL; file = file->next)
		file->linked = file->linked && file->there;
}

static void settle(struct disk_file *file)
{
	if (file->fresh) {
		sync_folder();
		file->durable.size = 0;
	}
	for (size_t i = 0; i < file->write_count; i++) {
		const struct write *write = &file->writes[i];

		if (write->truncates)
			set_size(&file->durable, write->size);
		else
			put(&file->durable, file->log.data + write->data, write->size, write->offset);
	}
	file->fresh = false;
	file->linked = true;
	forget_writes(file);
}

/* What should have become durable may be forgotten; it is still to be read, while the machine runs. */
static void forget_some(struct disk_file *file)
{
	size_t kept = 0;

	for (size_t i = 0; i < file->write_count; i++) {
		if (rng_between(&disk.rng, 0, 1) == 1)
			file->writes[kept++] = file->writes[i];
	}
	file->write_count = kept;
}

enum disk_result disk_sync(struct disk_file *file)
{
	bool cut = strikes(DISK_FAULT_CUT);

	disk.stopped = disk.stopped || cut;
	if (disk.stopped)
		return DISK_BROKEN;
	if (strikes(DISK_FAULT_SYNC)) {
		forget_some(file);
		return DISK_BROKEN;
	}
	settle(file);
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
		sync_folder();
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

/* Sector by sector, of the file and not of the write. */
static void tear(struct bytes *bytes, const struct write *write, const char *data, struct rng *rng)
{
	size_t done = 0;

	while (done < write->size) {
		size_t sector = DISK_SECTOR - (write->offset + done) % DISK_SECTOR;
		size_t size = sector < write->size - done ? sector : write->size - done;

		if (rng_between(rng, 0, 1) == 1)
			put(bytes, data + done, size, write->offset + done);
		done += size;
	}
}

/* A cut that loses all, or nothing, is one too: so each has its own mood. */
static void cut_file(struct disk_file *file, unsigned mood, struct rng *rng)
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
			set_size(&file->durable, write->size);
		else if (fate == 1)
			put(&file->durable, file->log.data + write->data, write->size, write->offset);
		else
			tear(&file->durable, write, file->log.data + write->data, rng);
	}
	file->there = file->linked = anew || file->linked;
	file->fresh = false;
	forget_writes(file);
	copy(&file->now, &file->durable);
}

void disk_start(bool power_cut, struct rng *rng)
{
	unsigned mood = (unsigned)rng_between(rng, 0, 5);

	for (struct disk_file *file = disk.files; power_cut && file != NULL; file = file->next)
		cut_file(file, mood, rng);
	disk.room = SIZE_MAX;
	disk.stopped = disk.failed = false;
	disk.fault = DISK_FAULT_NONE;
	disk.rng.state = rng_next(rng);
}
