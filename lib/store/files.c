/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/files.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/check.h"

enum {
	BALLAST_SIZE = 16 * 1024 * 1024,
	BALLAST_STEP = 64 * 1024,
	LOCK_TEXT_SIZE = 32,
};

static int fail(struct err *err, const char *what, const char *path)
{
	int errnum = errno;
	enum err_code code = errnum == ENOSPC || errnum == EDQUOT ? ERR_NOSPACE
		: errnum == EACCES || errnum == EPERM || errnum == EROFS ? ERR_DENIED
									 : ERR_IO;

	return err_set(err, code, "%s %s: %s", what, path, strerror(errnum));
}

int files_check_folder(const char *path, struct err *err)
{
	static const struct {
		unsigned type;
		const char *name;
	} remote[] = { { NFS_SUPER_MAGIC, "NFS" }, { CIFS_SUPER_MAGIC, "CIFS" }, { SMB2_SUPER_MAGIC, "SMB" } };
	char *copy = xstrdup(path);
	struct statfs found;
	int rc = statfs(dirname(copy), &found);

	free(copy);
	if (rc != 0)
		return 0; /* whoever opens the file has more to say */
	for (size_t i = 0; i < ARRAY_SIZE(remote); i++) {
		if ((unsigned)found.f_type == remote[i].type)
			return err_set(err, ERR_DENIED, "store %s is on %s, where locks do not hold: keep it on a local disk",
				path, remote[i].name);
	}
	return 0;
}

static int make(const char *path, int flags)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | flags, 0600);

	if (fd >= 0 && (flags & O_EXCL) != 0 && fchmod(fd, 0600) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

int files_lock(const char *path, int *out, struct err *err)
{
	char *name = xasprintf("%s.lock", path);
	char text[LOCK_TEXT_SIZE] = "";
	int rc = 0;
	int fd = make(name, O_EXCL);

	if (fd < 0 && errno == EEXIST)
		fd = make(name, 0);
	if (fd < 0) {
		rc = fail(err, "lock file", name);
	} else if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK)
			rc = fail(err, "lock file", name);
		else if (pread(fd, text, sizeof(text) - 1, 0) > 0)
			rc = err_set(err, ERR_BUSY, "store %s is in use by process %ld", path, strtol(text, NULL, 10));
		else
			rc = err_set(err, ERR_BUSY, "store %s is in use by another process", path);
	} else {
		/* For people only: a full disk must not keep us from starting. */
		int size = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
		if (ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)size, 0) != size)
			text[0] = '\0';
	}
	free(name);
	if (rc < 0 && fd >= 0)
		close(fd);
	else
		*out = fd;
	return rc;
}

int files_make_missing(const char *path, struct err *err)
{
	int fd = make(path, O_EXCL);

	if (fd < 0)
		return errno == EEXIST ? 0 : fail(err, "store", path);
	close(fd);
	return 0;
}

int files_make_empty(const char *path, struct err *err)
{
	files_remove(path);
	return files_make_missing(path, err);
}

static int sync_folder(const char *path)
{
	char *copy = xstrdup(path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	free(copy);
	if (fd < 0)
		return -1;
	int rc = fsync(fd);
	close(fd);
	return rc;
}

int files_replace(const char *from, const char *to, struct err *err)
{
	int fd = open(from, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return fail(err, "file", from);
	int rc = fsync(fd);
	close(fd);
	if (rc != 0 || rename(from, to) != 0 || sync_folder(to) != 0)
		return fail(err, "file", to);
	return 0;
}

void files_remove(const char *path)
{
	unlink(path);
}

uint64_t files_size(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

uint64_t files_free(const char *path)
{
	struct statfs found;

	return statfs(path, &found) == 0 ? (uint64_t)found.f_bavail * (uint64_t)found.f_bsize : 0;
}

bool files_ballast_release(const char *path)
{
	char *name = xasprintf("%s.ballast", path);
	bool had = unlink(name) == 0;

	free(name);
	return had;
}

/* Written as well: not every file system takes the blocks when they are only promised. */
static bool fill(int fd)
{
	static const char bytes[BALLAST_STEP] = "zonefan keeps this room for a full disk\n";

	if (posix_fallocate(fd, 0, BALLAST_SIZE) != 0)
		return false;
	for (off_t at = 0; at < BALLAST_SIZE; at += BALLAST_STEP) {
		if (pwrite(fd, bytes, sizeof(bytes), at) != (ssize_t)sizeof(bytes))
			return false;
	}
	return true;
}

static bool is_whole(const char *name)
{
	struct stat st;

	return stat(name, &st) == 0 && st.st_size == BALLAST_SIZE && (off_t)st.st_blocks * 512 >= BALLAST_SIZE;
}

bool files_ballast_take(const char *path)
{
	char *name = xasprintf("%s.ballast", path);
	bool taken = is_whole(name);

	if (!taken) {
		unlink(name);
		int fd = make(name, O_EXCL);
		if (fd >= 0) {
			taken = fill(fd);
			close(fd);
			if (!taken)
				unlink(name);
		}
	}
	free(name);
	return taken;
}
