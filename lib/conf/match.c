/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf/match.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "conf/document.h"

enum { NEAREST_LIMIT = 128 }; /* longer names get no suggestion */

/*
 * Walks pattern along path and returns how much of pattern fits the whole path, NULL if path does not fit: at the
 * returned place stands the pattern's end, or the '.' or '[' that leads deeper.
 */
static const char *walk(const char *pattern, const char *path, struct match_name *backend)
{
	while (*path != '\0') {
		if (*pattern == '*') {
			size_t size = strcspn(path, (const char[]){ DOCUMENT_SEPARATOR, DOCUMENT_ELEMENT, '\0' });

			*backend = (struct match_name){ path, size };
			path += size;
			pattern++;
		} else if (*path == DOCUMENT_ELEMENT) {
			if (strncmp(pattern, "[]", 2) != 0)
				return NULL;
			path++;
			pattern += 2;
		} else {
			if (*pattern != (*path == DOCUMENT_SEPARATOR ? '.' : *path) || *path == '.')
				return NULL;
			path++;
			pattern++;
		}
	}
	return pattern;
}

const struct key *match_path(const char *path, struct match_name *backend)
{
	*backend = (struct match_name){ 0 };
	for (size_t i = 0; i < keys_count; i++) {
		const struct key *key = &keys_table[i];

		if (key->environment_only)
			continue;
		const char *rest = walk(key->path, path, backend);
		if (rest != NULL && *rest == '\0')
			return key;
	}
	return NULL;
}

enum match_container match_container(const char *path)
{
	struct match_name backend;

	for (size_t i = 0; i < keys_count; i++) {
		const struct key *key = &keys_table[i];
		const char *rest = key->environment_only ? NULL : walk(key->path, path, &backend);

		if (rest != NULL && *rest == '.')
			return MATCH_MAP;
		if (rest != NULL && *rest == '[')
			return MATCH_LIST;
	}
	return MATCH_NONE;
}

static size_t least(size_t a, size_t b, size_t c)
{
	size_t smaller = a < b ? a : b;

	return smaller < c ? smaller : c;
}

/* Levenshtein's distance, case ignored; NEAREST_LIMIT as soon as it is plain that it is not below limit. */
static size_t distance(const char *a, const char *b, size_t limit)
{
	size_t row[NEAREST_LIMIT + 1];
	size_t width = strlen(b), height = strlen(a); /* NOLINT(clang-analyzer-core.NonNullParamChecker): no key is without a name */
	size_t nearest = 0; /* of the row: what follows is no nearer */

	if (width > NEAREST_LIMIT || height > NEAREST_LIMIT || width + limit <= height || height + limit <= width)
		return NEAREST_LIMIT;
	for (size_t j = 0; j <= width; j++)
		row[j] = j;
	for (size_t i = 0; i < height && nearest < limit; i++) {
		/* What is farther from the diagonal than the limit is beyond it: any number that is will do there. */
		size_t from = i < limit ? 0 : i - limit;
		size_t to = i + limit < width ? i + limit : width;
		size_t diagonal = row[from];

		nearest = row[from] = from == 0 ? i + 1 : NEAREST_LIMIT;
		for (size_t j = from; j < to; j++) {
			bool same = tolower((unsigned char)a[i]) == tolower((unsigned char)b[j]);
			size_t next = least(row[j] + 1, row[j + 1] + 1, diagonal + !same);

			diagonal = row[j + 1];
			row[j + 1] = next;
			nearest = next < nearest ? next : nearest;
		}
	}
	return nearest < limit ? row[width] : NEAREST_LIMIT;
}

struct nearest {
	size_t score;
	char *out;
};

/* extra: what the candidate is farther away than the two words are. */
static void consider(struct nearest *nearest, const char *given, const char *known, size_t extra, const char *candidate)
{
	size_t score = distance(given, known, nearest->score) + extra;

	if (score >= nearest->score)
		return;
	nearest->score = score;
	snprintf(nearest->out, MATCH_SUGGESTION_SIZE, "%s", candidate);
}

static size_t tolerance(const char *word)
{
	size_t third = strlen(word) / 3;

	return third < 2 ? 2 : third;
}

/* For people: of path, or of pattern with its "*" filled in from path. */
static void spell(const char *text, const char *path, struct buf *out)
{
	struct match_name backend = { 0 };

	buf_clear(out);
	walk("dns.backends.*", path, &backend);
	for (;;) {
		size_t plain = strcspn(text, (const char[]){ '*', DOCUMENT_ELEMENT, DOCUMENT_SEPARATOR, '\0' });

		buf_append(out, text, plain);
		text += plain;
		if (*text == '\0')
			return;
		if (*text == '*' && backend.size > 0)
			buf_append(out, backend.text, backend.size);
		else
			buf_puts(out, *text == '*' ? "NAME" : *text == DOCUMENT_ELEMENT ? "[]" : ".");
		text++;
	}
}

static const char *leaf(const char *text, char separator)
{
	const char *last = strrchr(text, separator);

	return last == NULL ? text : last + 1;
}

bool match_nearest(const char *path, char out[MATCH_SUGGESTION_SIZE])
{
	const char *word = leaf(path, DOCUMENT_SEPARATOR);
	struct nearest nearest = { .score = tolerance(word) + 1, .out = out };
	struct buf shown = { 0 };
	struct buf candidate = { 0 };

	spell(path, path, &shown);
	for (size_t i = 0; i < keys_count && strlen(path) <= NEAREST_LIMIT; i++) {
		const struct key *key = &keys_table[i];

		if (key->environment_only)
			continue;
		spell(key->path, path, &candidate);
		consider(&nearest, shown.data, candidate.data, 0, candidate.data);
		/* The right word in the wrong place. */
		consider(&nearest, word, leaf(key->path, '.'), 1, candidate.data);
	}
	buf_free(&shown);
	buf_free(&candidate);
	return nearest.score <= tolerance(word);
}

/* pattern's next byte as it stands in a variable; "[]" has none. */
static bool fits_variable(char pattern, char c)
{
	if (pattern == '#')
		return c >= '1' && c <= '9';
	return c == (pattern == '.' ? '_' : (char)toupper((unsigned char)pattern));
}

static bool fits_range(const char *pattern, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (!fits_variable(pattern[i], text[i]))
			return false;
	}
	return true;
}

/* Whether the first size bytes of variable are key's; backend is set for keys with "*". */
static bool fits_key(const struct key *key, const char *variable, size_t size, struct match_name *backend)
{
	const char *star = strchr(key->path, '*');
	size_t length = strlen(key->path);

	*backend = (struct match_name){ 0 };
	if (star == NULL)
		return size == length && fits_range(key->path, variable, size);
	size_t before = (size_t)(star - key->path);
	size_t behind = length - before - 1;
	if (size <= before + behind || !fits_range(key->path, variable, before) ||
		!fits_range(star + 1, variable + size - behind, behind))
		return false;
	*backend = (struct match_name){ variable + before, size - before - behind };
	return true;
}

const struct key *match_variable(const char *variable, struct match_name *backend, bool *from_file)
{
	static const char suffix[] = "_FILE";
	const struct key *best = NULL;
	size_t best_length = 0;
	size_t size = strlen(variable);
	size_t cut = size > sizeof(suffix) - 1 ? size - (sizeof(suffix) - 1) : 0;
	bool has_suffix = cut > 0 && strcmp(variable + cut, suffix) == 0;

	for (size_t i = 0; i < keys_count; i++) {
		const struct key *key = &keys_table[i];
		size_t length = strlen(key->path);
		struct match_name middle;

		if (length > best_length && fits_key(key, variable, size, &middle)) {
			best = key;
			best_length = length;
			*backend = middle;
			*from_file = false;
		}
		length += sizeof(suffix) - 1;
		if (has_suffix && key->secret && length > best_length && fits_key(key, variable, cut, &middle)) {
			best = key;
			best_length = length;
			*backend = middle;
			*from_file = true;
		}
	}
	return best;
}

static void append_upper(struct buf *out, const char *pattern)
{
	for (; *pattern != '\0'; pattern++) {
		char c = *pattern == '.' ? '_' : *pattern == '#' ? '1' : (char)toupper((unsigned char)*pattern);

		buf_append(out, &c, 1);
	}
}

/* A back end's key: wherever variable can be cut, its first part is taken as the name. */
static void consider_splits(struct nearest *nearest, const struct key *key, const char *variable)
{
	static const char prefix[] = "DNS_BACKENDS_";
	struct buf candidate = { 0 };

	if (strncmp(variable, prefix, sizeof(prefix) - 1) != 0)
		return;
	const char *name = variable + sizeof(prefix) - 1;
	const char *tail = strrchr(key->path, '*') + 1;
	for (const char *at = strchr(name, '_'); at != NULL; at = strchr(at + 1, '_')) {
		if (at == name)
			continue;
		buf_clear(&candidate);
		buf_append(&candidate, variable, (size_t)(at - variable));
		append_upper(&candidate, tail);
		consider(nearest, variable, candidate.data, 0, candidate.data);
	}
	buf_free(&candidate);
}

bool match_nearest_variable(const char *variable, char out[MATCH_SUGGESTION_SIZE])
{
	struct nearest nearest = { .score = tolerance(variable) + 1, .out = out };

	for (size_t i = 0; i < keys_count && strlen(variable) <= NEAREST_LIMIT; i++) {
		const struct key *key = &keys_table[i];
		struct buf candidate = { 0 };

		if (strchr(key->path, '[') != NULL)
			continue;
		if (keys_set(key) == SET_BACKENDS) {
			consider_splits(&nearest, key, variable);
			continue;
		}
		append_upper(&candidate, key->path);
		consider(&nearest, variable, candidate.data, 0, candidate.data);
		buf_free(&candidate);
	}
	return nearest.score <= tolerance(variable);
}

bool match_backend(const char *name, struct match_name middle)
{
	if (strlen(name) != middle.size)
		return false;
	for (size_t i = 0; i < middle.size; i++) {
		char c = name[i] == '-' || name[i] == '.' ? '_' : (char)toupper((unsigned char)name[i]);

		if (c != (char)toupper((unsigned char)middle.text[i]))
			return false;
	}
	return true;
}
