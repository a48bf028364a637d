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

enum { SHEET_MAX_ENTRIES = 1000, SHEET_WHERE_SIZE = 512 };

struct setting {
	char *text;     /* NULL: not given */
	int line;       /* of the file; 0: not from there */
	char *variable; /* of the environment, or NULL */
	bool bad;       /* a fault was reported: further checks would only echo it */
};

/* One back end, or one element of a list of mappings. */
struct sheet_entry {
	enum key_set set;
	char *name;     /* a list's element: its number, from 0; of the environment: "env" or "env1" */
	int line;       /* of the file, or 0 */
	char *variable; /* that brought it up, or NULL */
	struct setting *settings; /* one per key of the table */
};

struct sheet {
	const char *file; /* path of the file read, or NULL */
	struct setting *settings; /* one per key of the table */
	struct sheet_entry *entries; /* of all sets */
	size_t entry_count;
	struct buf first_fault;
	struct buf more_faults; /* a line each */
	size_t fault_count;
	struct buf notices; /* a line each */
	struct buf files; /* that held secrets: their paths, each with its NUL */
};

void sheet_init(struct sheet *sheet);
/* Wipes the settings. */
void sheet_free(struct sheet *sheet);

struct sheet_entry *sheet_entry_find(const struct sheet *sheet, enum key_set set, struct match_name name);
/* Adds it; NULL if there are too many. The caller fills line or variable. Pointers to entries are void afterwards. */
struct sheet_entry *sheet_entry_add(struct sheet *sheet, enum key_set set, struct match_name name);
/* The newest one of the set; NULL: there is none. */
struct sheet_entry *sheet_entry_last(const struct sheet *sheet, enum key_set set);
size_t sheet_entry_count(const struct sheet *sheet, enum key_set set);
/* entry is NULL for keys of SET_MAIN. */
struct setting *sheet_setting(const struct sheet *sheet, const struct sheet_entry *entry, const struct key *key);
/* By the row's path. */
struct setting *sheet_find(const struct sheet *sheet, const struct sheet_entry *entry, const char *path);
/* What counts: the given text, or the key's preset, which may be NULL. */
const char *sheet_text(const struct setting *setting, const struct key *key);

/*
 * "app.yml:12: app.listen_port" or "DADNS_APP_LISTEN_PORT". Where nothing was given: "app.yml: app.listen_port", or
 * what brought the back end up: "app.yml:9: dns.backends.dc1.host", "DADNS_...: dns.backends.dc1.host".
 */
const char *sheet_where(const struct sheet *sheet, const struct sheet_entry *entry, const struct key *key,
	char out[SHEET_WHERE_SIZE]);

/* It held a secret, or should have. */
void sheet_note_file(struct sheet *sheet, const char *path);
PRINTF_LIKE(3, 4) void sheet_fault(struct sheet *sheet, const char *where, const char *format, ...);
PRINTF_LIKE(3, 4) void sheet_notice(struct sheet *sheet, const char *where, const char *format, ...);
/* Marks the setting bad, too. */
PRINTF_LIKE(4, 5)
void sheet_fault_at(struct sheet *sheet, const struct sheet_entry *entry, const char *path, const char *format,
	...);
PRINTF_LIKE(4, 5)
void sheet_notice_at(struct sheet *sheet, const struct sheet_entry *entry, const char *path, const char *format,
	...);
