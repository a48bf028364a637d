/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf/conf.h"

#include <stdlib.h>
#include <string.h>

#include "conf/keys.h"
#include "conf/print.h"
#include "conf/rules.h"
#include "conf/value.h"

struct printer {
	struct buf *out;
	unsigned depth;
	bool json;
	bool open;  /* secrets as they are */
	bool begun; /* JSON: the mapping has an entry */
};

/* Double quotes of YAML and JSON alike; values are UTF-8 and hold no control characters (value.h), so two escapes are enough. */
static void put_quoted(struct buf *out, const char *text)
{
	buf_puts(out, "\"");
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			buf_puts(out, "\\");
		buf_append(out, text, 1);
	}
	buf_puts(out, "\"");
}

static int64_t number_at(const struct key *key, const char *field)
{
	uint16_t small;
	unsigned middle;
	int64_t large;

	switch (key->size) {
	case sizeof(small):
		memcpy(&small, field, sizeof(small));
		return small;
	case sizeof(middle):
		memcpy(&middle, field, sizeof(middle));
		return middle;
	default:
		CHECK(key->size == sizeof(large));
		memcpy(&large, field, sizeof(large));
		return large;
	}
}

static void put_list(struct buf *out, const struct key *key, const char *base)
{
	const int64_t *numbers;
	unsigned count;

	memcpy(&numbers, base + key->offset, sizeof(numbers));
	memcpy(&count, base + key->count_offset, sizeof(count));
	buf_puts(out, "[");
	for (unsigned i = 0; i < count; i++) {
		buf_puts(out, i == 0 ? "" : ", ");
		buf_uint(out, (uint64_t)(numbers[i] / (key->scale == 0 ? 1 : key->scale)));
	}
	buf_puts(out, "]");
}

static void put_words(struct buf *out, const struct key *key, const char *base)
{
	char *const *words;
	unsigned count;

	memcpy(&words, base + key->offset, sizeof(words));
	memcpy(&count, base + key->count_offset, sizeof(count));
	buf_puts(out, "[");
	for (unsigned i = 0; i < count; i++) {
		buf_puts(out, i == 0 ? "" : ", ");
		put_quoted(out, words[i]);
	}
	buf_puts(out, "]");
}

static void put_value(const struct printer *printer, const struct key *key, const void *target)
{
	struct buf *out = printer->out;
	const char *base = target;
	const char *field = base + key->offset;
	enum log_level level;
	const char *text;

	switch (key->type) {
	case KEY_TEXT:
		memcpy(&text, field, sizeof(text));
		put_quoted(out, key->secret && !printer->open && *text != '\0' ? RULES_MASK : text);
		return;
	case KEY_NUMBER:
		buf_uint(out, (uint64_t)number_at(key, field));
		return;
	case KEY_BOOL:
		buf_puts(out, *(const bool *)field ? "true" : "false");
		return;
	case KEY_LEVEL:
		memcpy(&level, field, sizeof(level));
		if (printer->json)
			put_quoted(out, value_level_name(level));
		else
			buf_puts(out, value_level_name(level));
		return;
	case KEY_LIST:
		put_list(out, key, base);
		return;
	case KEY_WORDS:
		put_words(out, key, base);
		return;
	}
}

void print_value(const struct key *key, const void *target, bool open, struct buf *out)
{
	const struct printer printer = { .out = out, .open = open };

	put_value(&printer, key, target);
}

static void put_name(struct printer *printer, const char *name, size_t size, bool odd)
{
	char *copy = xmemdup(name, size);

	if (printer->json)
		buf_puts(printer->out, printer->begun ? ",\n" : "\n");
	printer->begun = true;
	for (unsigned i = 0; i < printer->depth; i++)
		buf_puts(printer->out, "  ");
	if (printer->json || odd)
		put_quoted(printer->out, copy);
	else
		buf_puts(printer->out, copy);
	buf_puts(printer->out, ":");
	free(copy);
}

static void put_line(struct printer *printer, const char *name, const struct key *key, const void *target)
{
	put_name(printer, name, strlen(name), false);
	buf_puts(printer->out, " ");
	put_value(printer, key, target);
	if (!printer->json)
		buf_puts(printer->out, "\n");
}

/* odd: the name is the user's and may look like something else. */
static void enter(struct printer *printer, const char *name, size_t size, bool odd)
{
	put_name(printer, name, size, odd);
	buf_puts(printer->out, printer->json ? " {" : "\n");
	printer->begun = false;
	printer->depth++;
}

static void leave(struct printer *printer)
{
	printer->depth--;
	if (printer->json)
		buf_printf(printer->out, "%s%*s}", printer->begun ? "\n" : "", printer->begun ? (int)printer->depth * 2 : 0,
			"");
	printer->begun = true;
}

/* A password that came from a file is not printed: the file is, and both together would be refused. */
static bool comes_from_file(const struct key *key, const void *target)
{
	const char *file = "";

	for (size_t i = 0; key->secret && i < keys_count; i++) {
		size_t size = strlen(key->path);

		if (strncmp(keys_table[i].path, key->path, size) == 0 && strcmp(keys_table[i].path + size, "_file") == 0)
			memcpy(&file, (const char *)target + keys_table[i].offset, sizeof(file));
	}
	return *file != '\0';
}

/* Into the mapping that the name "verify.dns" lies in, out of the one before; size: of its name, 0: none. */
static void change_section(struct printer *printer, const char *name, const char **section, size_t *size)
{
	const char *dot = strchr(name, '.');
	size_t next = dot == NULL ? 0 : (size_t)(dot - name);

	if (next == *size && strncmp(*section, name, next) == 0)
		return;
	if (*size > 0)
		leave(printer);
	if (next > 0)
		enter(printer, name, next, false);
	*section = name;
	*size = next;
}

/* built: of the type whose settings we know; of others only what is needed to load again. */
static void put_backend(struct printer *printer, const struct conf_backend *backend)
{
	bool built = backend->enabled || strcmp(backend->type, "coredns_mysql") == 0;
	const char *section = "";
	size_t section_size = 0;

	enter(printer, backend->name, strlen(backend->name), true);
	for (size_t i = 0; i < keys_count; i++) {
		const struct key *key = &keys_table[i];

		if (key->state != KEY_LIVE || keys_set(key) != SET_BACKENDS || comes_from_file(key, backend))
			continue;
		const char *name = key->path + strlen(keys_set_path(SET_BACKENDS)) + 1;
		if (!built && strcmp(name, "type") != 0 && strcmp(name, "enabled") != 0)
			continue;
		change_section(printer, name, &section, &section_size);
		put_line(printer, section_size == 0 ? name : name + section_size + 1, key, backend);
	}
	if (section_size > 0)
		leave(printer);
	leave(printer);
}

static void put_backends(struct printer *printer, const struct conf *conf)
{
	enter(printer, "backends", strlen("backends"), false);
	for (size_t i = 0; i < conf->backend_count; i++)
		put_backend(printer, &conf->backends[i]);
	for (size_t i = 0; i < conf->disabled_count; i++)
		put_backend(printer, &conf->disabled[i]);
	leave(printer);
}

static void put_element(struct printer *printer, enum key_set set, const void *element, bool first)
{
	struct buf *out = printer->out;
	bool begun = false;

	if (printer->json)
		buf_printf(out, "%s{", first ? "" : ", ");
	for (size_t i = 0; i < keys_count; i++) {
		const struct key *key = &keys_table[i];

		if (key->state != KEY_LIVE || keys_set(key) != set || comes_from_file(key, element))
			continue;
		const char *name = strrchr(key->path, '.') + 1;
		if (printer->json)
			buf_printf(out, "%s\"%s\": ", begun ? ", " : "", name);
		else
			buf_printf(out, "%*s%s%s: ", (int)printer->depth * 2, "", begun ? "  " : "- ", name);
		begun = true;
		put_value(printer, key, element);
		buf_puts(out, printer->json ? "" : "\n");
	}
	buf_puts(out, printer->json ? "}" : "");
}

static size_t count_elements(const struct conf *conf, enum key_set set)
{
	switch (set) {
	case SET_USERS:
		return conf->user_count;
	case SET_MASTERS:
		return conf->master_count;
	case SET_PEERS:
		return conf->peer_count;
	case SET_LISTENERS:
		return conf->listener_count;
	default:
		WRONG("a set that is no list");
	}
}

static void put_elements(struct printer *printer, enum key_set set, const struct conf *conf)
{
	const char *path = keys_set_path(set);
	const char *name = strrchr(path, '.') + 1;
	size_t count = count_elements(conf, set);

	put_name(printer, name, strcspn(name, "["), false);
	buf_puts(printer->out, printer->json ? " [" : count == 0 ? " []\n" : "\n");
	printer->depth++;
	for (size_t i = 0; i < count; i++) {
		if (set == SET_USERS)
			put_element(printer, set, &conf->users[i], i == 0);
		else if (set == SET_MASTERS)
			put_element(printer, set, &conf->masters[i], i == 0);
		else if (set == SET_PEERS)
			put_element(printer, set, &conf->peers[i], i == 0);
		else
			put_element(printer, set, &conf->listeners[i], i == 0);
	}
	printer->depth--;
	buf_puts(printer->out, printer->json ? "]" : "");
}

/* All keys in the order of the table; a set stands whole where its first row is, in the section of the row before. */
static void put_all(struct printer *printer, const struct conf *conf)
{
	const char *section = "";
	size_t section_size = 0;
	bool done[SET_COUNT] = { false };

	for (size_t i = 0; i < keys_count; i++) {
		const struct key *key = &keys_table[i];
		enum key_set set = keys_set(key);

		if (key->state != KEY_LIVE || done[set] || (set == SET_MAIN && comes_from_file(key, conf)))
			continue;
		if (set != SET_MAIN) {
			if (set == SET_BACKENDS)
				put_backends(printer, conf);
			else
				put_elements(printer, set, conf);
			done[set] = true;
			continue;
		}
		change_section(printer, key->path, &section, &section_size);
		put_line(printer, section_size == 0 ? key->path : key->path + section_size + 1, key, conf);
	}
	if (section_size > 0)
		leave(printer);
}

void conf_print(const struct conf *conf, struct buf *out)
{
	struct printer printer = { .out = out };

	put_all(&printer, conf);
}

void conf_print_json(const struct conf *conf, struct buf *out)
{
	struct printer printer = { .out = out, .json = true, .depth = 1 };

	buf_puts(out, "{");
	put_all(&printer, conf);
	buf_puts(out, "\n}\n");
}
