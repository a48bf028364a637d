/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf/conf.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int refuse(struct err *err, const char *key, const char *what, const char *path)
{
	int errnum = errno;
	enum err_code code = errnum == EACCES || errnum == EPERM || errnum == EROFS ? ERR_DENIED
		: errnum == ENOENT || errnum == ENOTDIR				    ? ERR_NOTFOUND
										    : ERR_IO;

	return err_set(err, code, "%s: %s %s: %s (as user %u)", key, what, path, strerror(errnum),
		(unsigned)geteuid());
}

/* The folder of path must be there and take new files. */
static int check_folder(const char *key, const char *path, struct err *err)
{
	char *copy = xstrdup(path);
	const char *folder = dirname(copy);
	struct stat st;
	int ret = ERR_OK;

	if (stat(folder, &st) != 0)
		ret = refuse(err, key, "folder", folder);
	else if (!S_ISDIR(st.st_mode))
		ret = err_set(err, ERR_INVALID, "%s: %s is not a folder", key, folder);
	else if (eaccess(folder, W_OK | X_OK) != 0)
		ret = refuse(err, key, "no new file can be made in folder", folder);
	free(copy);
	return ret;
}

static int check_file(const char *key, const char *path, int mode, struct err *err)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return refuse(err, key, "file", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INVALID, "%s: %s is not a file", key, path);
	return eaccess(path, mode) != 0 ? refuse(err, key, "file", path) : ERR_OK;
}

static int check_store(const char *path, struct err *err)
{
	static const char key[] = "datastore.db_location";
	struct stat st;
	int ret = check_folder(key, path, err);

	if (ret != ERR_OK || (stat(path, &st) != 0 && errno == ENOENT))
		return ret;
	return check_file(key, path, R_OK | W_OK, err);
}

static int check_tls_files(const struct conf_backend *backend, struct err *err)
{
	const struct {
		const char *leaf, *path;
	} files[] = {
		{ "ssl_ca", backend->ssl_ca },
		{ "ssl_cert", backend->ssl_cert },
		{ "ssl_key", backend->ssl_key },
	};
	int ret = ERR_OK;

	for (size_t i = 0; ret == ERR_OK && i < ARRAY_SIZE(files); i++) {
		char *key = xasprintf("dns.backends.%s.%s", backend->name, files[i].leaf);

		if (*files[i].path != '\0')
			ret = check_file(key, files[i].path, R_OK, err);
		free(key);
	}
	return ret;
}

int conf_check_host(const struct conf *conf, struct err *err)
{
	int ret = check_store(conf->store_path, err);

	if (ret == ERR_OK && *conf->control_socket != '\0')
		ret = check_folder("app.control_socket", conf->control_socket, err);
	for (size_t i = 0; ret == ERR_OK && i < conf->backend_count; i++)
		ret = check_tls_files(&conf->backends[i], err);
	return ret;
}
