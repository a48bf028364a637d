/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf/build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/rules.h"
#include "conf/value.h"

enum { WHY_SIZE = 256, LIST_LIMIT = 64 };

static const char type_path[] = "dns.backends.*.type";

static bool good_number(const struct key *key, const char *text, char *why)
{
	int64_t number;

	if (value_number(text, &number) && number >= key->low && number <= key->high)
		return true;
	snprintf(why, WHY_SIZE, "\"%.60s\" is not a whole number%s%s from %lld to %lld", text,
		key->unit != NULL ? " of " : "", key->unit != NULL ? key->unit : "", (long long)key->low,
		(long long)key->high);
	return false;
}

static bool good_choice(const struct key *key, const char *text, char *why)
{
	size_t length = strlen(text);

	for (const char *choice = key->choices; choice != NULL; choice = strchr(choice, '|')) {
		choice += *choice == '|';
		if (length > 0 && strncmp(choice, text, length) == 0 && strchr("|", choice[length]) != NULL)
			return true;
	}
	snprintf(why, WHY_SIZE, "\"%.60s\" is none of %s", text, key->choices);
	return false;
}

static bool good_text(const struct key *key, const char *text, char *why)
{
	const char *fault = value_text_fault(text);

	if (fault != NULL) {
		snprintf(why, WHY_SIZE, "the value %s", fault);
		return false;
	}
	if (key->accepts == NULL || key->accepts(text))
		return true;
	snprintf(why, WHY_SIZE, "\"%.60s\" is not %s", key->secret ? "..." : text, key->wants);
	return false;
}

static bool good_list(const struct key *key, const char *text, char *why)
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
	snprintf(why, WHY_SIZE, "more than %d numbers", LIST_LIMIT);
	return false;
}

/* Whether text is a value of the key; why says what is wrong. */
static bool good_value(const struct key *key, const char *text, char *why)
{
	enum log_level level;
	bool flag;

	switch (key->type) {
	case KEY_NUMBER:
		return good_number(key, text, why) && (key->choices == NULL || good_choice(key, text, why));
	case KEY_LIST:
		return good_list(key, text, why);
	case KEY_TEXT:
		return key->choices != NULL ? good_choice(key, text, why) : good_text(key, text, why);
	case KEY_BOOL:
		snprintf(why, WHY_SIZE, "\"%.60s\" is neither true nor false", text);
		return value_bool(text, &flag);
	case KEY_LEVEL:
		snprintf(why, WHY_SIZE, "\"%.60s\" is none of debug|info|warning|error", text);
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

/* text is good. */
static void store_value(const struct key *key, void *target, const char *text)
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
	}
}

static void build_value(struct sheet *sheet, const struct sheet_backend *backend, const struct key *key, void *target)
{
	struct setting *setting = sheet_setting(sheet, backend, key);
	const char *text = sheet_text(setting, key);
	char why[WHY_SIZE];

	if (text == NULL) /* computed by the caller */
		text = "";
	else if (!setting->bad && setting->text != NULL && !good_value(key, text, why))
		sheet_fault_at(sheet, backend, key->path, "%s", why);
	if (setting->bad)
		text = key->preset != NULL ? key->preset : "";
	store_value(key, target, text);
}

static void refuse_switch(struct sheet *sheet, const struct key *key)
{
	const struct setting *setting = sheet_setting(sheet, NULL, key);
	bool on = false;
	char why[WHY_SIZE];

	if (!good_value(key, setting->text, why))
		sheet_fault_at(sheet, NULL, key->path, "%s", why);
	else if (value_bool(setting->text, &on) && on)
		sheet_fault_at(sheet, NULL, key->path, "not yet supported (%s); set it to false", key->help);
}

/* The keys of one mapping: live ones into target, the others judged. */
static void build_values(struct sheet *sheet, const struct sheet_backend *backend, void *target)
{
	for (size_t i = 0; i < keys_count; i++) {
		const struct key *key = &keys_table[i];

		if (keys_of_backend(key) != (backend != NULL))
			continue;
		bool given = sheet_setting(sheet, backend, key)->text != NULL;
		if (key->state == KEY_LIVE)
			build_value(sheet, backend, key, target);
		else if (key->state == KEY_OLD && given)
			sheet_notice_at(sheet, backend, key->path, "accepted, but without meaning here: %s", key->help);
		else if (key->state == KEY_SWITCH && given)
			refuse_switch(sheet, key);
	}
}

/* The predecessor's switch speaks where our key is silent. Its 1 gave the parent's owner, its 0 did not. */
static void translate_exists_parent(struct sheet *sheet)
{
	static const char old_path[] = "app.check_subdomain_owner_in_cluster_domainowners";
	struct setting *setting = sheet_find(sheet, NULL, "app.exists_parent");
	const struct setting *old = sheet_find(sheet, NULL, old_path);
	char why[WHY_SIZE];
	bool with_owner = false;

	if (old->text == NULL || old->bad)
		return;
	if (!good_value(keys_row(old_path), old->text, why)) {
		sheet_fault_at(sheet, NULL, old_path, "%s", why);
		return;
	}
	if (setting->text == NULL && !setting->bad && value_bool(old->text, &with_owner)) {
		setting->text = xstrdup(with_owner ? "3" : "2");
		setting->line = old->line;
		sheet_notice_at(sheet, NULL, old_path, "taken as app.exists_parent: %s", setting->text);
	} else {
		sheet_notice_at(sheet, NULL, old_path, "accepted, but without meaning here: app.exists_parent is given");
	}
}

static void replace_text(const char **field, char *text)
{
	free((char *)*field);
	*field = text;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct conf_backend *)a)->name, ((const struct conf_backend *)b)->name);
}

static void build_backends(struct sheet *sheet, struct conf *conf)
{
	struct conf_backend *backends = xcalloc(sheet->backend_count + 1, sizeof(*backends));
	struct conf_backend *disabled = xcalloc(sheet->backend_count + 1, sizeof(*disabled));

	for (size_t i = 0; i < sheet->backend_count; i++) {
		const struct sheet_backend *from = &sheet->backends[i];
		struct conf_backend backend = { .name = xstrdup(from->name) };

		build_values(sheet, from, &backend);
		if (sheet_find(sheet, from, type_path)->text == NULL && rules_is_type(from->name))
			replace_text(&backend.type, xstrdup(from->name));
		rules_apply_backend(sheet, from, &backend);
		if (backend.enabled)
			backends[conf->backend_count++] = backend;
		else
			disabled[conf->disabled_count++] = backend;
	}
	qsort(backends, conf->backend_count, sizeof(*backends), compare_names);
	qsort(disabled, conf->disabled_count, sizeof(*disabled), compare_names);
	conf->backends = backends;
	conf->disabled = disabled;
}

static char *beside(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? xstrdup(name) : xasprintf("%.*s%s", (int)(slash - path + 1), path, name);
}

static void place_control_socket(struct sheet *sheet, struct conf *conf)
{
	static const char path[] = "app.control_socket";
	const struct setting *setting = sheet_find(sheet, NULL, path);

	if (setting->text != NULL || setting->bad)
		return;
	replace_text(&conf->control_socket, beside(conf->store_path, "zonefan.sock"));
	if (!value_is_socket_path(conf->control_socket))
		sheet_fault_at(sheet, NULL, path, "the path beside the store is longer than 107 bytes: give one here");
}

struct conf *build_conf(struct sheet *sheet)
{
	struct conf *conf = xcalloc(1, sizeof(*conf));

	conf->path = sheet->file != NULL ? xstrdup(sheet->file) : NULL;
	translate_exists_parent(sheet);
	build_values(sheet, NULL, conf);
	place_control_socket(sheet, conf);
	rules_apply_main(sheet, conf);
	build_backends(sheet, conf);
	rules_apply_whole(sheet, conf);
	return conf;
}

static void free_values(void *target, bool of_backend)
{
	for (size_t i = 0; i < keys_count; i++) {
		const struct key *key = &keys_table[i];
		void *pointer;

		if (key->state != KEY_LIVE || keys_of_backend(key) != of_backend ||
			(key->type != KEY_TEXT && key->type != KEY_LIST))
			continue;
		memcpy(&pointer, (char *)target + key->offset, sizeof(pointer));
		if (key->secret)
			explicit_bzero(pointer, strlen(pointer));
		free(pointer);
	}
}

static void free_backends(const struct conf_backend *backends, size_t count)
{
	struct conf_backend *own = (struct conf_backend *)backends;

	for (size_t i = 0; i < count; i++) {
		free((char *)own[i].name);
		free_values(&own[i], true);
	}
	free(own);
}

void conf_destroy(struct conf *conf)
{
	if (conf == NULL)
		return;
	free_backends(conf->backends, conf->backend_count);
	free_backends(conf->disabled, conf->disabled_count);
	free((char *)conf->path);
	free_values(conf, false);
	free(conf);
}
