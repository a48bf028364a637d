/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf/field.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/value.h"

enum {
	LIST_LIMIT = 64,
	WORD_SIZE = 512 /* more than a host name of 255 and its port */
};

static bool good_number(const struct key *key, const char *text, char why[FIELD_WHY_SIZE])
{
	int64_t number;

	if (value_number(text, &number) && number >= key->low && number <= key->high)
		return true;
	snprintf(why, FIELD_WHY_SIZE, "\"%.60s\" is not a whole number%s%s from %lld to %lld", text,
		key->unit != NULL ? " of " : "", key->unit != NULL ? key->unit : "", (long long)key->low,
		(long long)key->high);
	return false;
}

static bool good_choice(const struct key *key, const char *text, char why[FIELD_WHY_SIZE])
{
	size_t length = strlen(text);

	for (const char *choice = key->choices; choice != NULL; choice = strchr(choice, '|')) {
		choice += *choice == '|';
		if (length > 0 && strncmp(choice, text, length) == 0 && strchr("|", choice[length]) != NULL)
			return true;
	}
	snprintf(why, FIELD_WHY_SIZE, "\"%.60s\" is none of %s", text, key->choices);
	return false;
}

/* text for people: of a URL or host with a login before it the login is left out, for it has a password. The caller frees. */
static char *without_login(const char *text)
{
	const char *at = strrchr(text, '@');
	const char *scheme = strstr(text, "://");
	size_t kept = scheme != NULL && scheme < at ? (size_t)(scheme - text) + 3 : 0;

	return at == NULL ? xstrdup(text) : xasprintf("%.*s...%s", (int)kept, text, at);
}

static bool good_text(const struct key *key, const char *text, char why[FIELD_WHY_SIZE])
{
	const char *fault = value_text_fault(text);

	if (fault != NULL) {
		snprintf(why, FIELD_WHY_SIZE, "the value %s", fault);
		return false;
	}
	if (key->accepts == NULL || key->accepts(text))
		return true;
	char *shown = without_login(text);
	snprintf(why, FIELD_WHY_SIZE, "\"%.60s\" is not %s", key->secret ? "..." : shown, key->wants);
	free(shown);
	return false;
}

static bool good_list(const struct key *key, const char *text, char why[FIELD_WHY_SIZE])
{
	const char *at = text;
	char element[32] = "";
	unsigned count = 0;

	do {
		const char *start = at;

		if (!value_element(&at, element, sizeof(element)))
			snprintf(element, sizeof(element), "%.20s", start);
		if (!good_number(key, element, why))
			return false;
	} while (++count < LIST_LIMIT && at != NULL);
	if (at == NULL)
		return true;
	snprintf(why, FIELD_WHY_SIZE, "more than %d numbers", LIST_LIMIT);
	return false;
}

/* One server, network or host name each; "" is a list without any. */
static bool good_words(const struct key *key, const char *text, char why[FIELD_WHY_SIZE])
{
	const char *at = *text == '\0' ? NULL : text;
	char element[WORD_SIZE];
	const char *fault = value_list_fault(text);

	if (fault != NULL) {
		snprintf(why, FIELD_WHY_SIZE, "the value %s", fault);
		return false;
	}
	while (at != NULL) {
		const char *start = at;

		if (!value_element(&at, element, sizeof(element)))
			snprintf(element, sizeof(element), "%.60s ", start); /* too long for any; its blank is refused below */
		if (*element == '\0' || strchr(element, ' ') != NULL || !key->accepts(element)) {
			snprintf(why, FIELD_WHY_SIZE, "\"%.60s\" is not %s", element, key->wants);
			return false;
		}
	}
	return true;
}

bool field_accepts(const struct key *key, const char *text, char why[FIELD_WHY_SIZE])
{
	enum log_level level;
	bool flag;

	switch (key->type) {
	case KEY_NUMBER:
		return good_number(key, text, why) && (key->choices == NULL || good_choice(key, text, why));
	case KEY_LIST:
		return good_list(key, text, why);
	case KEY_WORDS:
		return good_words(key, text, why);
	case KEY_TEXT:
		return key->choices != NULL ? good_choice(key, text, why) : good_text(key, text, why);
	case KEY_BOOL:
		snprintf(why, FIELD_WHY_SIZE, "\"%.60s\" is neither true nor false", text);
		return value_bool(text, &flag);
	case KEY_LEVEL:
		snprintf(why, FIELD_WHY_SIZE, "\"%.60s\" is none of debug|info|warning|error", text);
		return value_level(text, &level);
	}
	WRONG("type of key");
}

static void store_number(const struct key *key, void *field, int64_t number)
{
	if (key->size == sizeof(uint16_t))
		*(uint16_t *)field = (uint16_t)number;
	else if (key->size == sizeof(unsigned))
		*(unsigned *)field = (unsigned)number;
	else if (key->size == sizeof(int64_t))
		memcpy(field, &number, sizeof(number)); /* int64_t or size_t */
	else
		WRONG(key->path);
}

static void store_list(const struct key *key, char *base, const char *text)
{
	int64_t *numbers = xcalloc(LIST_LIMIT, sizeof(*numbers));
	char element[32];
	unsigned count = 0;

	while (count < LIST_LIMIT && value_element(&text, element, sizeof(element))) {
		CHECK(value_number(element, &numbers[count]));
		numbers[count++] *= key->scale == 0 ? 1 : key->scale;
	}
	memcpy(base + key->offset, &numbers, sizeof(numbers));
	memcpy(base + key->count_offset, &count, sizeof(count));
}

/* The array and its texts are one block. */
static void store_words(const struct key *key, char *base, const char *text)
{
	const char *at = *text == '\0' ? NULL : text;
	unsigned count = at == NULL ? 0 : 1;

	for (const char *c = text; *c != '\0'; c++)
		count += *c == ',';
	size_t size = strlen(text) + 1;
	char **words = xmalloc(count * sizeof(*words) + size);
	char *rest = (char *)(words + count);
	for (unsigned i = 0; i < count; i++) {
		words[i] = rest;
		CHECK(value_element(&at, rest, size));
		rest += strlen(rest) + 1;
	}
	memcpy(base + key->offset, &words, sizeof(words));
	memcpy(base + key->count_offset, &count, sizeof(count));
}

void field_store(const struct key *key, void *target, const char *text)
{
	char *base = target;
	void *field = base + key->offset;
	int64_t number = 0;

	switch (key->type) {
	case KEY_TEXT:
		*(char **)field = xstrdup(text);
		return;
	case KEY_NUMBER:
		CHECK(value_number(text, &number));
		store_number(key, field, number);
		return;
	case KEY_BOOL:
		CHECK(value_bool(text, field));
		return;
	case KEY_LEVEL:
		CHECK(value_level(text, field));
		return;
	case KEY_LIST:
		store_list(key, base, text);
		return;
	case KEY_WORDS:
		store_words(key, base, text);
		return;
	}
}

void field_free(const struct key *key, void *target)
{
	void *pointer;

	if (key->type != KEY_TEXT && !keys_is_list(key))
		return;
	memcpy(&pointer, (char *)target + key->offset, sizeof(pointer));
	if (key->secret)
		explicit_bzero(pointer, strlen(pointer));
	free(pointer);
}
