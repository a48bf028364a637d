/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of lib/conf share: a folder for each test, files in it, and loading them. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "conf/conf.h"

struct folder {
	char path[64];
	char file[96]; /* app.yml in it */
	char other[96];
	struct conf *conf;
	struct buf notices;
	struct err err;
};

/* The least that is accepted, but for one enabled back end; tests append to it. */
#define LOGIN "app:\n  auth_password: panel-pass\n"
#define DC1 "dns:\n  backends:\n    dc1:\n      type: coredns_mysql\n      enabled: true\n      password: db-pass\n"
#define GOOD LOGIN DC1
enum { LOGIN_LINES = 2, GOOD_LINES = 8 };

static inline int folder_setup(void **state)
{
	struct folder *folder = xcalloc(1, sizeof(*folder));

	snprintf(folder->path, sizeof(folder->path), "/tmp/conf-test-XXXXXX");
	assert_non_null(mkdtemp(folder->path));
	snprintf(folder->file, sizeof(folder->file), "%s/app.yml", folder->path);
	snprintf(folder->other, sizeof(folder->other), "%s/secret", folder->path);
	*state = folder;
	return 0;
}

static inline int folder_teardown(void **state)
{
	struct folder *folder = *state;

	conf_destroy(folder->conf);
	buf_free(&folder->notices);
	unlink(folder->file);
	unlink(folder->other);
	assert_int_equal(rmdir(folder->path), 0);
	free(folder);
	return 0;
}

static inline void file_put(const char *path, const char *text, size_t size)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

/* Writes app.yml and loads it. */
static inline int folder_load_bytes(struct folder *folder, const char *text, size_t size, char *const *environment)
{
	conf_destroy(folder->conf);
	folder->conf = NULL;
	buf_clear(&folder->notices);
	memset(&folder->err, 0, sizeof(folder->err));
	file_put(folder->file, text, size);
	return conf_load(folder->file, environment, &folder->conf, &folder->notices, &folder->err);
}

static inline int folder_load(struct folder *folder, const char *text, char *const *environment)
{
	return folder_load_bytes(folder, text, strlen(text), environment);
}

static inline void assert_loads(struct folder *folder, const char *text, char *const *environment)
{
	if (folder_load(folder, text, environment) != 0)
		fail_msg("refused: %s", folder->err.text);
}

static inline void assert_contains(const char *text, const char *part)
{
	if (text == NULL || strstr(text, part) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", part, text == NULL ? "(nothing)" : text);
}

/* The error is "<app.yml>:<line>: <begin>...". */
static inline void assert_refused_at(struct folder *folder, int ret, int line, const char *begin)
{
	char wanted[512];

	snprintf(wanted, sizeof(wanted), "%s:%d: %s", folder->file, line, begin);
	if (ret == 0)
		fail_msg("accepted, wanted: %s", wanted);
	assert_null(folder->conf);
	if (strncmp(folder->err.text, wanted, strlen(wanted)) != 0)
		fail_msg("wanted: %s\ngot:    %s", wanted, folder->err.text);
}

static inline void assert_refused(struct folder *folder, int ret, const char *begin)
{
	if (ret == 0)
		fail_msg("accepted, wanted: %s", begin);
	assert_null(folder->conf);
	if (strncmp(folder->err.text, begin, strlen(begin)) != 0)
		fail_msg("wanted: %s\ngot:    %s", begin, folder->err.text);
}
