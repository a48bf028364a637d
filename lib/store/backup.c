/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/db.h"
#include "store/files.h"

static int fail(struct err *err, const char *file)
{
	int cause = errno;
	enum err_code code = cause == ENOSPC || cause == EDQUOT ? ERR_NOSPACE : ERR_INVALID;

	return err_set(err, code, "backup %s: %s", file, strerror(cause));
}

static int sync_path(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);
	int rc = fd < 0 ? -1 : fsync(fd);

	if (fd >= 0)
		close(fd);
	return rc;
}

/* Never over a file that came meanwhile; partial may keep its own name. Not every file system (NFS) renames so. */
static int rename_or_link(const char *partial, const char *file)
{
	if (renameat2(AT_FDCWD, partial, AT_FDCWD, file, RENAME_NOREPLACE) == 0)
		return 0;
	return errno == EINVAL || errno == ENOSYS ? link(partial, file) : -1;
}

static int give_name(const char *partial, const char *file, struct err *err)
{
	char *folder = xstrdup(file);
	int rc = 0;

	if (sync_path(partial, O_RDONLY) != 0 || rename_or_link(partial, file) != 0 ||
		sync_path(dirname(folder), O_RDONLY | O_DIRECTORY) != 0)
		rc = fail(err, file);
	free(folder);
	return rc;
}

static bool is_partial(const char *name, const char *of)
{
	static const char end[] = ".partial";
	size_t size = strlen(name), head = strlen(of);

	return size > head + strlen(end) && strncmp(name, of, head) == 0 && name[head] == '.' &&
		strcmp(name + size - strlen(end), end) == 0;
}

uint64_t store_backup_written(const char *file)
{
	char *folder = xstrdup(file), *name = xstrdup(file);
	DIR *dir = opendir(dirname(folder));
	const char *of = basename(name);
	uint64_t written = 0;
	struct dirent *entry;
	struct stat st;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (is_partial(entry->d_name, of) && fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 && st.st_size > 0)
			written = (uint64_t)st.st_size;
	}
	if (dir != NULL)
		closedir(dir);
	free(name);
	free(folder);
	return written;
}

/* What a backup that was killed left behind is no good to anybody; nor is what somebody else put there. */
static int make_empty(const char *partial)
{
	if (unlink(partial) != 0 && errno != ENOENT)
		return -1;
	int fd = open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

int store_backup(struct store *reader, const char *file, struct err *err)
{
	char *partial;
	int rc;

	if (access(file, F_OK) == 0)
		return err_set(err, ERR_INVALID, "backup %s: that file is there already", file);
	/* A store makes one backup at a time, so nobody else writes this one. */
	partial = xasprintf("%s.%.8s.partial", file, store_id(reader));
	if (make_empty(partial) != 0) {
		rc = fail(err, file);
	} else {
		/* The handle can't write the store all the same: it was opened so. */
		rc = db_exec(reader, "PRAGMA query_only = OFF", err);
		if (rc == 0)
			rc = db_copy(reader, partial, err);
		if (rc == 0)
			rc = give_name(partial, file, err);
		unlink(partial);
	}
	free(partial);
	return rc;
}

int store_backup_closed(const char *path, const char *file, struct err *err)
{
	struct store *reader;
	struct stat owner;
	int lock;

	if (stat(path, &owner) != 0)
		return err_set(err, ERR_NOTFOUND, "there is no store at %s", path);
	int rc = files_lock(path, &lock, err);
	if (rc != 0)
		return rc;
	/* Root may be the first to lock it: the daemon must be able to after it. */
	rc = fchown(lock, owner.st_uid, owner.st_gid) != 0 && geteuid() == 0 ? fail(err, file) : 0;
	if (rc == 0)
		rc = store_open_reader(path, &reader, err);
	if (rc == 0) {
		rc = store_backup(reader, file, err);
		store_close(reader);
	}
	close(lock);
	return rc;
}
