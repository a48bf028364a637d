/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "setup_files.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"

enum { NAMES_MOST = 100 };

int setup_files_begin(struct setup_files *files, const char *config, const char *user, struct err *err)
{
	*files = (struct setup_files){ .config = xstrdup(config), .owner = geteuid(), .group = getegid() };
	if (user == NULL || *user == '\0')
		return ERR_OK;
	const struct passwd *entry = getpwnam(user);
	if (entry == NULL)
		return err_set(err, ERR_INVALID, "app.user: there is no user %s", user);
	files->owner = entry->pw_uid;
	files->group = entry->pw_gid;
	return ERR_OK;
}

static void note(struct setup_files *files, const char *path)
{
	files->made = xrealloc(files->made, (files->count + 1) * sizeof(*files->made));
	files->made[files->count++] = xstrdup(path);
}

static int refuse(const char *path, struct err *err)
{
	return err_set(err, errno == EACCES || errno == EPERM ? ERR_DENIED : ERR_IO, "%s: %m", path);
}

static int write_all(int fd, const char *text, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t now = write(fd, text + done, size - done);

		if (now < 0 && errno != EINTR)
			return -1;
		done += now < 0 ? 0 : (size_t)now;
	}
	return fsync(fd);
}

/* ERR_BUSY: there is such a file. */
static int put_file(struct setup_files *files, const char *path, const char *text, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno == EEXIST ? err_set(err, ERR_BUSY, "%s is there already", path) : refuse(path, err);
	note(files, path);
	int ret = ERR_OK;
	if ((geteuid() == 0 && fchown(fd, files->owner, files->group) != 0) || write_all(fd, text, strlen(text)) != 0)
		ret = refuse(path, err);
	close(fd);
	return ret;
}

static int make_folder(struct setup_files *files, const char *path, struct err *err)
{
	if (mkdir(path, 0700) != 0)
		return errno == EEXIST ? ERR_OK : refuse(path, err);
	note(files, path);
	return geteuid() == 0 && chown(path, files->owner, files->group) != 0 ? refuse(path, err) : ERR_OK;
}

int setup_files_put_secret(struct setup_files *files, const char *name, const char *secret, char **path, struct err *err)
{
	const char *slash = strrchr(files->config, '/');
	char *folder = xasprintf("%.*ssecrets", slash == NULL ? 0 : (int)(slash + 1 - files->config), files->config);
	int ret = make_folder(files, folder, err);

	if (ret == ERR_OK)
		ret = ERR_BUSY;
	/* One of an older setup stays: a zonefand that runs may read it again. */
	for (int i = 1; ret == ERR_BUSY && i < NAMES_MOST; i++) {
		*path = i == 1 ? xasprintf("%s/%s", folder, name) : xasprintf("%s/%s-%d", folder, name, i);
		ret = put_file(files, *path, secret, err);
		if (ret != ERR_OK)
			free(*path);
	}
	free(folder);
	return ret;
}

int setup_files_put_draft(struct setup_files *files, const char *text, char **path, struct err *err)
{
	char *draft = xasprintf("%s.new", files->config);

	(void)unlink(draft); /* of a setup that was killed */
	int ret = put_file(files, draft, text, err);
	if (ret == ERR_OK)
		*path = draft;
	else
		free(draft);
	return ret;
}

int setup_files_keep(struct setup_files *files, const char *draft, struct err *err)
{
	char *old = xasprintf("%s.old", files->config);
	int ret = ERR_OK;

	/* By another name for the same file: there is one of the two at any moment. */
	(void)unlink(old);
	if (link(files->config, old) != 0 && errno != ENOENT)
		ret = refuse(old, err);
	else if (rename(draft, files->config) != 0)
		ret = refuse(files->config, err);
	free(old);
	while (ret == ERR_OK && files->count > 0)
		free(files->made[--files->count]);
	return ret;
}

void setup_files_end(struct setup_files *files)
{
	while (files->count > 0) {
		char *path = files->made[--files->count];

		(void)remove(path);
		free(path);
	}
	free(files->made);
	free(files->config);
}
