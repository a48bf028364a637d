/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vfs.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "disk.h"
#include "store/files.h"

enum { SHM_REGIONS_MAX = 64, SECTOR = 4096 };

struct vfs_file {
	sqlite3_file base; /* first: SQLite knows no more of it */
	struct disk_file *file;
	void *shm[SHM_REGIONS_MAX];
};

static int last_errno;

static int answer(enum disk_result result, int broken)
{
	last_errno = result == DISK_OK ? 0 : result == DISK_FULL ? ENOSPC : EIO;
	return result == DISK_OK ? SQLITE_OK : result == DISK_FULL ? SQLITE_FULL : broken;
}

static struct vfs_file *of(sqlite3_file *base)
{
	return (struct vfs_file *)base;
}

/* ---- a file ---- */

static int unmap(sqlite3_file *base, UNUSED int delete)
{
	for (size_t i = 0; i < SHM_REGIONS_MAX; i++) {
		free(of(base)->shm[i]);
		of(base)->shm[i] = NULL;
	}
	return SQLITE_OK;
}

static int close_file(sqlite3_file *base)
{
	unmap(base, 0);
	disk_close(of(base)->file);
	return SQLITE_OK;
}

static int read_file(sqlite3_file *base, void *out, int size, sqlite3_int64 offset)
{
	size_t got = disk_read(of(base)->file, out, (size_t)size, (size_t)offset);

	if (got == (size_t)size)
		return SQLITE_OK;
	memset((char *)out + got, 0, (size_t)size - got);
	return SQLITE_IOERR_SHORT_READ;
}

static int write_file(sqlite3_file *base, const void *data, int size, sqlite3_int64 offset)
{
	return answer(disk_write(of(base)->file, data, (size_t)size, (size_t)offset), SQLITE_IOERR_WRITE);
}

static int truncate_file(sqlite3_file *base, sqlite3_int64 size)
{
	return answer(disk_truncate(of(base)->file, (size_t)size), SQLITE_IOERR_TRUNCATE);
}

static int sync_file(sqlite3_file *base, UNUSED int flags)
{
	return answer(disk_sync(of(base)->file), SQLITE_IOERR_FSYNC);
}

static int size_of_file(sqlite3_file *base, sqlite3_int64 *out)
{
	*out = (sqlite3_int64)disk_size(of(base)->file);
	return SQLITE_OK;
}

static int lock(UNUSED sqlite3_file *base, UNUSED int level)
{
	return SQLITE_OK;
}

static int check_lock(UNUSED sqlite3_file *base, int *out)
{
	*out = 0;
	return SQLITE_OK;
}

static int control(UNUSED sqlite3_file *base, UNUSED int op, UNUSED void *arg)
{
	return SQLITE_NOTFOUND;
}

static int sector(UNUSED sqlite3_file *base)
{
	return SECTOR;
}

/* What the real disks are said to be: a write that is torn damages nothing beside it. */
static int characteristics(UNUSED sqlite3_file *base)
{
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int map(sqlite3_file *base, int region, int size, int extend, void volatile **out)
{
	struct vfs_file *file = of(base);

	CHECK(region < SHM_REGIONS_MAX);
	if (file->shm[region] == NULL && extend != 0) {
		if (!disk_has_room((size_t)size)) {
			last_errno = ENOSPC;
			return SQLITE_IOERR_SHMSIZE;
		}
		file->shm[region] = xcalloc(1, (size_t)size);
	}
	*out = file->shm[region];
	return SQLITE_OK;
}

static int lock_shm(UNUSED sqlite3_file *base, UNUSED int offset, UNUSED int count, UNUSED int flags)
{
	return SQLITE_OK;
}

static void barrier(UNUSED sqlite3_file *base)
{
}

static const sqlite3_io_methods methods = { .iVersion = 2, .xClose = close_file, .xRead = read_file, .xWrite = write_file,
	.xTruncate = truncate_file, .xSync = sync_file, .xFileSize = size_of_file, .xLock = lock, .xUnlock = lock,
	.xCheckReservedLock = check_lock, .xFileControl = control, .xSectorSize = sector,
	.xDeviceCharacteristics = characteristics, .xShmMap = map, .xShmLock = lock_shm, .xShmBarrier = barrier,
	.xShmUnmap = unmap };

/* ---- the file system ---- */

/* lib/store makes the file of a database beside SQLite, where a file of that name is all it asks for: so none is missing here. */
static int open_file(UNUSED sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *out)
{
	struct vfs_file *file = of(base);

	*file = (struct vfs_file){ .base.pMethods = &methods, .file = disk_open(name) };
	if (out != NULL)
		*out = flags;
	return SQLITE_OK;
}

static int delete_file(UNUSED sqlite3_vfs *vfs, const char *name, int sync)
{
	return answer(disk_delete(name, sync != 0), SQLITE_IOERR_DELETE);
}

static int access_file(UNUSED sqlite3_vfs *vfs, const char *name, UNUSED int flags, int *out)
{
	*out = disk_exists(name);
	return SQLITE_OK;
}

static int full_name(UNUSED sqlite3_vfs *vfs, const char *name, int size, char *out)
{
	CHECK(strlen(name) < (size_t)size);
	memcpy(out, name, strlen(name) + 1);
	return SQLITE_OK;
}

/* The same numbers each time: a schedule that is replayed writes the same bytes. */
static int random_bytes(UNUSED sqlite3_vfs *vfs, int size, char *out)
{
	static struct rng rng = { 1 };

	for (int i = 0; i < size; i++)
		out[i] = (char)rng_next(&rng);
	return size;
}

static int sleep_us(UNUSED sqlite3_vfs *vfs, int microseconds)
{
	return microseconds;
}

static int get_time_ms(UNUSED sqlite3_vfs *vfs, sqlite3_int64 *out)
{
	*out = INT64_C(212650000000000);
	return SQLITE_OK;
}

static int get_time(UNUSED sqlite3_vfs *vfs, double *out)
{
	*out = 2461226.0;
	return SQLITE_OK;
}

static int get_last_error(UNUSED sqlite3_vfs *vfs, UNUSED int size, UNUSED char *out)
{
	return last_errno;
}

void vfs_register(void)
{
	static sqlite3_vfs vfs = { .iVersion = 2, .szOsFile = sizeof(struct vfs_file), .mxPathname = 512, .zName = "disk",
		.xOpen = open_file, .xDelete = delete_file, .xAccess = access_file, .xFullPathname = full_name,
		.xRandomness = random_bytes, .xSleep = sleep_us, .xCurrentTime = get_time, .xGetLastError = get_last_error,
		.xCurrentTimeInt64 = get_time_ms };

	CHECK(sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) == SQLITE_OK);
	CHECK(sqlite3_vfs_register(&vfs, 1) == SQLITE_OK);
}

/* ---- the ballast: the linker puts these in the place of lib/store's (CMakeLists.txt) ---- */

bool __wrap_files_ballast_take(const char *path);
bool __wrap_files_ballast_release(const char *path);

bool __wrap_files_ballast_take(UNUSED const char *path)
{
	return disk_take_ballast();
}

bool __wrap_files_ballast_release(UNUSED const char *path)
{
	return disk_release_ballast();
}
