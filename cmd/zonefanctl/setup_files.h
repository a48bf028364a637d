/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The files that setup writes: mode 0600, in the name of whom zonefand will run as, none over another one. Until they are kept
 * they are taken away again. One thread; blocks on the disk.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

struct setup_files {
	char *config;          /* path of app.yml */
	uid_t owner;
	gid_t group;
	char **made;           /* what was written so far, folders first */
	size_t count;
};

/* user: whose the files will be; NULL or "": ours. Only root gives files away. ERR_INVALID: there is no such user. */
MUST_CHECK int setup_files_begin(struct setup_files *files, const char *config, const char *user, struct err *err);
/* A secret, in a folder beside the configuration; *path is where, to be freed. */
MUST_CHECK int setup_files_put_secret(struct setup_files *files, const char *name, const char *secret, char **path,
	struct err *err);
/* The configuration, beside its place, where it can be tried; *path is where, to be freed. */
MUST_CHECK int setup_files_put_draft(struct setup_files *files, const char *text, char **path, struct err *err);
/* The draft takes its place; what was there is kept as PATH.old. Everything stays from here on. */
MUST_CHECK int setup_files_keep(struct setup_files *files, const char *draft, struct err *err);
/* Takes away what was not kept. */
void setup_files_end(struct setup_files *files);
