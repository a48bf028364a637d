/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside lib/store only: the files beside the store. All are made with mode
 * 0600, whatever the umask. Nothing here opens a database that is in use:
 * closing it again would drop SQLite's locks (reliability.md 10.5 Q8).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* ERR_DENIED if the file's folder is on a network file system, where neither locks nor shared memory hold (reliability.md S08). */
MUST_CHECK int files_check_folder(const char *path, struct err *err);
/* Locks path.lock for this process; *fd holds it until it is closed. ERR_BUSY if another one has it. */
MUST_CHECK int files_lock(const char *path, int *fd, struct err *err);
/* An empty file if there is none at all. */
MUST_CHECK int files_make_missing(const char *path, struct err *err);
/* An empty file, whatever was there. */
MUST_CHECK int files_make_empty(const char *path, struct err *err);
/* Makes from durable and gives it the name to, over what bears it. */
MUST_CHECK int files_replace(const char *from, const char *to, struct err *err);
void files_remove(const char *path);

/* 0: there is none. */
uint64_t files_size(const char *path);
/* Of the file system that holds it, for a process without privileges; 0: nobody can tell. */
uint64_t files_free(const char *path);

/* path.ballast: true if it was there, or is there now. */
bool files_ballast_release(const char *path);
bool files_ballast_take(const char *path);
