/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int refuse(const char *path, int number, struct err *err)
{
	enum err_code code = ERR_IO;

	if (number == ENOENT || number == ENOTDIR)
		code = ERR_NOTFOUND;
	else if (number == EACCES || number == EPERM)
		code = ERR_DENIED;
	return err_set(err, code, "%s: %s", path, strerror(number));
}

/* One byte more than the limit tells a file of the limit's size from a larger one. */
static int read_all(int fd, const char *path, size_t limit, struct file_text *out, struct err *err)
{
	out->data = xmalloc(limit + 2);
	while (out->size <= limit) {
		ssize_t count = read(fd, out->data + out->size, limit + 1 - out->size);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return refuse(path, errno, err);
		if (count == 0)
			break;
		out->size += (size_t)count;
	}
	if (out->size > limit)
		return err_set(err, ERR_LIMIT, "%s: larger than %zu bytes", path, limit);
	out->data[out->size] = '\0';
	return 0;
}

/* No more memory than its size needs; one that grows meanwhile, or tells no size (/proc), is begun anew. */
static int read_file(int fd, const char *path, const struct stat *status, size_t limit, struct file_text *out, struct err *err)
{
	if (S_ISREG(status->st_mode) && status->st_size >= 0 && (size_t)status->st_size < limit) {
		int ret = read_all(fd, path, (size_t)status->st_size, out, err);

		if (ret != ERR_LIMIT)
			return ret;
		file_free(out);
		if (lseek(fd, 0, SEEK_SET) != 0)
			return refuse(path, errno, err);
	}
	return read_all(fd, path, limit, out, err);
}

int file_read(const char *path, size_t limit, struct file_text *out, struct err *err)
{
	struct file_text text = { 0 };
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return refuse(path, errno, err);
	int ret = fstat(fd, &status) != 0 ? refuse(path, errno, err) : read_file(fd, path, &status, limit, &text, err);
	close(fd);
	if (ret != 0) {
		file_free(&text);
		return ret;
	}
	text.world_readable = (status.st_mode & S_IROTH) != 0;
	*out = text;
	return 0;
}

void file_free(struct file_text *text)
{
	if (text->data != NULL)
		explicit_bzero(text->data, text->size);
	free(text->data);
	*text = (struct file_text){ 0 };
}

int file_read_secret(const char *path, size_t limit, char **out, struct err *err)
{
	struct file_text text = { 0 };
	int ret = file_read(path, limit, &text, err);

	if (ret != ERR_OK)
		return ret;
	size_t size = text.size;
	if (size > 0 && text.data[size - 1] == '\n')
		size--;
	if (size > 0 && size < text.size && text.data[size - 1] == '\r')
		size--;
	if (size > 0 && memchr(text.data, '\0', size) != NULL)
		ret = err_set(err, ERR_INVALID, "%s: contains a NUL byte", path);
	else
		*out = xmemdup(text.data, size);
	file_free(&text);
	return ret;
}
