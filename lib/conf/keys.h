/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table of all configuration keys, ours and the predecessor's. Reading the
 * file, the environment, unknown-key detection, defaults and --check's print
 * all come from it; a new setting is one row here and one field in conf.h.
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
	KEY_LIST   /* of numbers; comma-separated in the environment */
};

enum key_state {
	KEY_LIVE,  /* read, printed, used */
	KEY_OLD,   /* the predecessor's, without meaning here: accepted with a notice (help says why) */
	KEY_TAKEN, /* the predecessor's, taken as another key unless that is given (build.c); noticed there */
	KEY_LATER, /* the predecessor's, of a feature that is not built yet: accepted while its switch is off */
	KEY_SWITCH /* turns such a feature on: refused when true, never ignored */
};

struct key {
	/* Dotted. "*" stands for a back end's name, "#" for a digit from 1 to 9, "[]" for a list's element. */
	const char *path;
	enum key_type type;
	enum key_state state;
	bool secret;             /* masked in print, never in messages, may come from a file: ..._FILE */
	bool environment_only;
	int64_t low, high;       /* of numbers and list elements, both included */
	int64_t scale;           /* lists: the elements are stored multiplied by this; 0 means 1 */
	const char *unit;        /* "ms", "bytes", "seconds" or NULL */
	const char *choices;     /* "warn|refuse": one of these alone; NULL: any */
	bool (*accepts)(const char *text);
	const char *wants;       /* what accepts asks for, for messages */
	const char *preset;      /* default, as in the file; NULL: computed, see help */
	size_t offset, size;     /* live keys: field of struct conf, with "*" of struct conf_backend */
	size_t count_offset;     /* lists: field of the number of elements */
	const char *help;
};

extern const struct key keys_table[];
extern const size_t keys_count;

/* The row with that very path, which must exist. */
const struct key *keys_row(const char *path);
size_t keys_index(const struct key *key);
bool keys_of_backend(const struct key *key);
