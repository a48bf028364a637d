/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table of all configuration keys, ours and the predecessor's. Reading the
 * file, the environment, unknown-key detection, defaults and --check's print
 * all come from it; a new setting is one row here and one field in conf.h. The manual page and README.md's table are made
 * of it, too: cmake --build --preset dev --target readme.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum key_type {
	KEY_TEXT,
	KEY_NUMBER,
	KEY_BOOL,
	KEY_LEVEL, /* of the log */
	KEY_LIST,  /* of numbers; comma-separated in the environment */
	KEY_WORDS  /* list of texts, without commas in them */
};

enum key_state {
	KEY_LIVE,  /* read, printed, used */
	KEY_OLD,   /* the predecessor's, without meaning here: accepted with a notice (help says why) */
	KEY_TAKEN, /* the predecessor's, taken as another key unless that is given (build.c); noticed there */
	KEY_LATER  /* the predecessor's, of a feature that is not built yet: accepted while nothing uses it */
};

/* Where a key lies: once, or in each of something that may come many times. */
enum key_set {
	SET_MAIN,
	SET_BACKENDS, /* dns.backends.*: a mapping of free names */
	SET_USERS,    /* lists of mappings, these four */
	SET_MASTERS,
	SET_PEERS,
	SET_LISTENERS,
	SET_COUNT
};

struct key {
	/* Dotted. "*" stands for a back end's name, "#" for a digit from 1 to 9, "[]" for a list's element. Where a row is of the
	   environment only, its last part names the row of SET_PEERS that it is. */
	const char *path;
	enum key_type type;
	enum key_state state;
	bool secret;             /* masked in print, never in messages, may come from a file: ..._FILE */
	bool environment_only;
	bool restart;            /* a process that runs can't change it */
	bool file;               /* names a file that is read again when it changes */
	int64_t low, high;       /* of numbers and list elements, both included */
	int64_t scale;           /* lists: the elements are stored multiplied by this; 0 means 1 */
	const char *unit;        /* "ms", "bytes", "seconds" or NULL */
	const char *choices;     /* "warn|refuse": one of these alone; NULL: any */
	bool (*accepts)(const char *text);
	const char *wants;       /* what accepts asks for, for messages */
	const char *preset;      /* default, as in the file; NULL: computed, see help */
	size_t offset, size;     /* live keys: field of struct conf, or of the struct of the set */
	size_t count_offset;     /* lists: field of the number of elements */
	const char *help;
};

extern const struct key keys_table[];
extern const size_t keys_count;

/* The row with that very path, which must exist. */
const struct key *keys_row(const char *path);
size_t keys_index(const struct key *key);
/* KEY_LIST or KEY_WORDS. */
bool keys_is_list(const struct key *key);
enum key_set keys_set(const struct key *key);
/* "dns.backends.*", "app.users[]"; of SET_MAIN "". */
const char *keys_set_path(enum key_set set);
/* The set whose elements are of the list at that path ("app.users"); SET_MAIN: it is no such list. */
enum key_set keys_set_of_list(const char *path);
