/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A configuration while it is put together: for each key of the table the text
 * that was given and where, and the faults and notices found so far. Faults
 * are collected, so that one run of --check names them all.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "conf/keys.h"
#include "conf/match.h"

enum { DRAFT_MAX_BACKENDS = 1000, DRAFT_WHERE_SIZE = 512 };

struct setting {
	char *text;     /* NULL: not given */
	int line;       /* of the file; 0: not from there */
	char *variable; /* of the environment, or NULL */
	bool bad;       /* a fault was reported: further checks would only echo it */
};

struct sheet_backend {
	char *name;
	int line;       /* of the file, or 0 */
	char *variable; /* that brought it up, or NULL */
	struct setting *settings; /* one per key of the table */
};

struct sheet {
	const char *file; /* path of the file read, or NULL */
	struct setting *settings; /* one per key of the table */
	struct sheet_backend *backends;
	size_t backend_count;
	struct buf first_fault;
	struct buf more_faults; /* a line each */
	size_t fault_count;
	struct buf notices; /* a line each */
};

void sheet_init(struct sheet *sheet);
/* Wipes the settings. */
void sheet_free(struct sheet *sheet);

struct sheet_backend *sheet_backend_find(const struct sheet *sheet, struct match_name name);
/* Adds it; NULL if there are too many. The caller fills line or variable. */
struct sheet_backend *sheet_backend_add(struct sheet *sheet, struct match_name name);
/* backend is NULL for keys without "*". */
struct setting *sheet_setting(const struct sheet *sheet, const struct sheet_backend *backend, const struct key *key);
/* By the row's path. */
struct setting *sheet_find(const struct sheet *sheet, const struct sheet_backend *backend, const char *path);
/* What counts: the given text, or the key's preset, which may be NULL. */
const char *sheet_text(const struct setting *setting, const struct key *key);

/*
 * "app.yml:12: app.listen_port" or "DADNS_APP_LISTEN_PORT". Where nothing was given: "app.yml: app.listen_port", or
 * what brought the back end up: "app.yml:9: dns.backends.dc1.host", "DADNS_...: dns.backends.dc1.host".
 */
const char *sheet_where(const struct sheet *sheet, const struct sheet_backend *backend, const struct key *key,
	char out[DRAFT_WHERE_SIZE]);

PRINTF_LIKE(3, 4) void sheet_fault(struct sheet *sheet, const char *where, const char *format, ...);
PRINTF_LIKE(3, 4) void sheet_notice(struct sheet *sheet, const char *where, const char *format, ...);
/* Marks the setting bad, too. */
PRINTF_LIKE(4, 5)
void sheet_fault_at(struct sheet *sheet, const struct sheet_backend *backend, const char *path, const char *format,
	...);
PRINTF_LIKE(4, 5)
void sheet_notice_at(struct sheet *sheet, const struct sheet_backend *backend, const char *path, const char *format,
	...);
