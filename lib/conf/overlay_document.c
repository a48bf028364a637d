/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf/overlay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/value.h"

enum { FAULT_LIMIT = 50 }; /* nobody reads more; a hostile file costs no more time either */

static void node_where(const struct sheet *sheet, const struct document_node *node, char out[SHEET_WHERE_SIZE])
{
	snprintf(out, SHEET_WHERE_SIZE, "%s:%d: %.200s", sheet->file, node->line, node->shown);
}

static void report_unknown(struct sheet *sheet, const struct document_node *node, const char *where)
{
	char nearest[MATCH_SUGGESTION_SIZE];

	if (match_nearest(node->path, nearest))
		sheet_fault(sheet, where, "unknown key; did you mean %s?", nearest);
	else
		sheet_fault(sheet, where, "unknown key");
}

/* The back end that the path lies in, added when it is new; NULL after a fault. */
static struct sheet_entry *find_backend(struct sheet *sheet, struct match_name name,
	const struct document_node *node, const char *where)
{
	struct sheet_entry *backend = sheet_entry_find(sheet, SET_BACKENDS, name);

	if (backend != NULL)
		return backend;
	char *text = xmemdup(name.text, name.size);
	bool good = value_is_name(text);
	free(text);
	if (!good) {
		sheet_fault(sheet, where, "a back end's name is 1 to 64 letters, digits, \"_\", \".\" or \"-\"");
		return NULL;
	}
	backend = sheet_entry_add(sheet, SET_BACKENDS, name);
	if (backend == NULL)
		sheet_fault(sheet, where, "more than %d back ends", SHEET_MAX_ENTRIES);
	else
		backend->line = node->line;
	return backend;
}

static bool good_element(struct sheet *sheet, const struct key *key, const struct document_node *node, const char *where)
{
	int64_t number;

	if (key->type == KEY_WORDS) {
		if (node->value[0] != '\0' && strpbrk(node->value, ", ") == NULL && key->accepts(node->value))
			return true;
		sheet_fault(sheet, where, "\"%.60s\" is not %s", node->value, key->wants);
		return false;
	}
	if (value_number(node->value, &number) && number >= key->low && number <= key->high)
		return true;
	sheet_fault(sheet, where, "\"%.60s\" is not a whole number of %s from %lld to %lld", node->value, key->unit,
		(long long)key->low, (long long)key->high);
	return false;
}

/* Elements are joined by commas: a list has the form that it has in the environment. */
static void take_element(struct sheet *sheet, const struct key *key, struct setting *setting,
	const struct document_node *node, const char *where)
{
	if (strlen(setting->text) + 1 + strlen(node->value) > VALUE_LIST_MAX_SIZE) {
		if (!setting->bad) /* once, not for each element that follows */
			sheet_fault(sheet, where, "the list is longer than %d bytes", VALUE_LIST_MAX_SIZE);
		setting->bad = true;
		return;
	}
	if (!good_element(sheet, key, node, where)) {
		setting->bad = true;
		return;
	}
	char *joined = setting->text[0] == '\0' ? xstrdup(node->value) : xasprintf("%s,%s", setting->text, node->value);
	free(setting->text);
	setting->text = joined;
}

static void take_value(struct sheet *sheet, const struct key *key, struct setting *setting,
	const struct document_node *node, const char *where)
{
	bool element = node->path[strlen(node->path) - 1] == DOCUMENT_ELEMENT;
	bool list = keys_is_list(key);

	if (element) {
		take_element(sheet, key, setting, node, where);
		return;
	}
	setting->line = node->line;
	if (node->kind != (list ? DOCUMENT_LIST : DOCUMENT_SCALAR)) {
		sheet_fault(sheet, where, list ? "must be a list" : "must be a single value");
		setting->bad = true;
		return;
	}
	setting->text = xstrdup(node->value);
}

/* A list's elements are looked up by the list's own path. */
static const struct key *find_key(const struct document_node *node, struct match_name *backend)
{
	const struct key *key = match_path(node->path, backend);
	size_t length = strlen(node->path);

	if (key == NULL && node->path[length - 1] == DOCUMENT_ELEMENT) {
		char *list = xmemdup(node->path, length - 1);
		struct match_name name;

		key = match_path(list, &name);
		free(list);
		if (key != NULL && !keys_is_list(key))
			key = NULL;
	}
	return key;
}

/* An element of a list of mappings: its keys come next. */
static void add_element(struct sheet *sheet, const struct document_node *node, const char *where)
{
	char *list = xmemdup(node->shown, strlen(node->shown) - strlen("[]"));
	enum key_set set = keys_set_of_list(list);

	free(list);
	CHECK(set != SET_MAIN);
	char *number = xasprintf("%zu", sheet_entry_count(sheet, set));
	struct sheet_entry *entry = sheet_entry_add(sheet, set, (struct match_name){ number, strlen(number) });
	free(number);
	if (entry == NULL)
		sheet_fault(sheet, where, "more than %d elements", SHEET_MAX_ENTRIES);
	else
		entry->line = node->line;
}

static void take_container(struct sheet *sheet, const struct document_node *node, enum match_container wanted,
	const char *where)
{
	struct match_name name = { 0 };
	size_t depth = 1;

	for (const char *c = node->path; *c != '\0'; c++) {
		if (*c == DOCUMENT_SEPARATOR) {
			depth++;
			name.text = c + 1;
		}
	}
	bool list = wanted == MATCH_LIST;
	if (node->kind == DOCUMENT_SCALAR ? !node->null : (node->kind == DOCUMENT_LIST) != list)
		sheet_fault(sheet, where, list ? "must be a list" : "must be a mapping of keys to values");
	else if (node->path[strlen(node->path) - 1] == DOCUMENT_ELEMENT)
		add_element(sheet, node, where);
	/* A back end without any setting is one all the same: a typo there should not hide it. */
	if (depth == 3 && strncmp(node->path, "dns", 3) == 0) {
		name.size = strlen(name.text);
		find_backend(sheet, name, node, where);
	}
}

static void take_node(struct sheet *sheet, const struct document_node *node, const char **world_secret)
{
	char where[SHEET_WHERE_SIZE];
	struct match_name name;
	struct sheet_entry *entry = NULL;
	const struct key *key = find_key(node, &name);

	node_where(sheet, node, where);
	if (key == NULL) {
		enum match_container wanted = match_container(node->path);

		if (wanted == MATCH_NONE)
			report_unknown(sheet, node, where);
		else
			take_container(sheet, node, wanted, where);
		return;
	}
	if (key->secret && *node->value != '\0')
		*world_secret = node->shown;
	if (keys_set(key) == SET_BACKENDS)
		entry = find_backend(sheet, name, node, where);
	else if (keys_set(key) != SET_MAIN)
		entry = sheet_entry_last(sheet, keys_set(key));
	if (entry != NULL || keys_set(key) == SET_MAIN)
		take_value(sheet, key, sheet_setting(sheet, entry, key), node, where);
}

/* What lies inside something that was refused is not reported as well. */
static bool lies_within(const char *path, const char *outer)
{
	size_t length = strlen(outer);

	return strncmp(path, outer, length) == 0 &&
		(path[length] == DOCUMENT_SEPARATOR || path[length] == DOCUMENT_ELEMENT);
}

void overlay_document(struct sheet *sheet, const struct document *document, bool world_readable)
{
	const char *refused = NULL;
	const char *secret = NULL;

	for (size_t i = 0; i < document->count && sheet->fault_count < FAULT_LIMIT; i++) {
		const struct document_node *node = &document->nodes[i];
		size_t faults = sheet->fault_count;

		if (refused != NULL && lies_within(node->path, refused))
			continue;
		take_node(sheet, node, &secret);
		refused = sheet->fault_count > faults ? node->path : NULL;
	}
	/*
	 * Not refused: the predecessor's app.yml is mostly 0644, in a container that nobody else reads, and swapping
	 * the program must not need more than that (reliability.md F04 would refuse it).
	 */
	if (world_readable && secret != NULL)
		sheet_notice(sheet, sheet->file,
			"everyone on this host can read it, and it holds %s in clear: chmod o-r, or use ..._FILE",
			secret);
}
