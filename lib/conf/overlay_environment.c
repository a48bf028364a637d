/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf/overlay.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/file.h"
#include "conf/value.h"

static const char prefix[] = "DADNS_";

/* What Kubernetes makes for a Service named dadns. */
static bool is_service_link(const char *name)
{
	return strncmp(name, "SERVICE_", 8) == 0 || strcmp(name, "PORT") == 0 || strncmp(name, "PORT_", 5) == 0;
}

static void report_unknown(struct sheet *sheet, const char *variable)
{
	char nearest[MATCH_SUGGESTION_SIZE];

	if (match_nearest_variable(variable + sizeof(prefix) - 1, nearest))
		sheet_fault(sheet, variable, "unknown variable; did you mean %s%s?", prefix, nearest);
	else
		sheet_fault(sheet, variable, "unknown variable");
}

static struct sheet_entry *create_backend(struct sheet *sheet, struct match_name middle, const char *variable)
{
	char *name = xmemdup(middle.text, middle.size);
	struct sheet_entry *backend = NULL;

	for (char *c = name; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	if (!value_is_name(name)) {
		sheet_fault(sheet, variable, "a back end's name is 1 to 64 letters, digits, \"_\", \".\" or \"-\"");
	} else {
		backend = sheet_entry_add(sheet, SET_BACKENDS, (struct match_name){ name, middle.size });
		if (backend == NULL)
			sheet_fault(sheet, variable, "more than %d back ends", SHEET_MAX_ENTRIES);
		else
			backend->variable = xstrdup(variable);
	}
	free(name);
	return backend;
}

/* A back end of the file, or one that only the environment knows; NULL after a fault. */
static struct sheet_entry *find_backend(struct sheet *sheet, struct match_name middle, const char *variable)
{
	struct sheet_entry *found = NULL;

	for (size_t i = 0; i < sheet->entry_count; i++) {
		struct sheet_entry *backend = &sheet->entries[i];

		if (backend->set != SET_BACKENDS || !match_backend(backend->name, middle))
			continue;
		if (found != NULL) {
			sheet_fault(sheet, variable, "may mean back end \"%s\" or \"%s\"", found->name, backend->name);
			return NULL;
		}
		found = backend;
	}
	return found != NULL ? found : create_backend(sheet, middle, variable);
}

/* NULL after a fault. */
static char *read_secret(struct sheet *sheet, const char *variable, const char *path)
{
	char *secret;
	struct err err;

	sheet_note_file(sheet, path);
	if (file_read_secret(path, VALUE_MAX_SIZE, &secret, &err) == ERR_OK)
		return secret;
	sheet_fault(sheet, variable, "%s", err.text);
	return NULL;
}

/* A peer of the environment alone: PEER_URL and its like are one, PEER_1_URL to PEER_9_... nine more. NULL after a fault. */
static struct sheet_entry *find_peer(struct sheet *sheet, const struct key *key, const char *variable)
{
	static const char before[] = "DADNS_PEER_SYNC_PEER_";
	char digit = strchr(key->path, '#') != NULL ? variable[sizeof(before) - 1] : '\0';
	char name[] = { 'e', 'n', 'v', digit, '\0' };
	struct match_name found = { name, strlen(name) };
	struct sheet_entry *peer = sheet_entry_find(sheet, SET_PEERS, found);

	if (peer == NULL)
		peer = sheet_entry_add(sheet, SET_PEERS, found);
	if (peer == NULL)
		sheet_fault(sheet, variable, "more than %d peers", SHEET_MAX_ENTRIES);
	else if (peer->variable == NULL)
		peer->variable = xstrdup(variable);
	return peer;
}

static const struct key *peer_key(const struct key *key)
{
	char path[64];

	snprintf(path, sizeof(path), "%s%s", keys_set_path(SET_PEERS), strrchr(key->path, '.'));
	return keys_row(path);
}

static void put_setting(struct setting *setting, char *text, const char *variable)
{
	if (setting->text != NULL)
		explicit_bzero(setting->text, strlen(setting->text));
	free(setting->text);
	free(setting->variable);
	/* Whatever was wrong with the file's value no longer matters, but the fault stands. */
	*setting = (struct setting){ .text = text, .variable = xstrdup(variable), .bad = setting->bad };
}

static void take_variable(struct sheet *sheet, const char *variable, const char *value)
{
	struct match_name middle;
	bool from_file = false;
	const struct key *key = match_variable(variable + sizeof(prefix) - 1, &middle, &from_file);
	struct sheet_entry *entry = NULL;

	if (key == NULL || strchr(key->path, '[') != NULL) {
		report_unknown(sheet, variable);
		return;
	}
	if (keys_set(key) == SET_BACKENDS) {
		entry = find_backend(sheet, middle, variable);
	} else if (key->environment_only) {
		entry = find_peer(sheet, key, variable);
		key = peer_key(key);
	}
	if (entry == NULL && keys_set(key) != SET_MAIN)
		return;
	struct setting *setting = sheet_setting(sheet, entry, key);
	if (setting->variable != NULL) {
		if (strcmp(setting->variable, variable) != 0)
			sheet_fault(sheet, variable, "%s is set as well", setting->variable);
		return; /* the same name twice: the first counts, as for getenv */
	}
	char *text = from_file ? read_secret(sheet, variable, value) : xstrdup(value);
	if (text != NULL)
		put_setting(setting, text, variable);
	else
		setting->bad = true;
}

void overlay_environment(struct sheet *sheet, char *const *environment)
{
	for (; environment != NULL && *environment != NULL; environment++) {
		const char *equals = strchr(*environment, '=');

		if (equals == NULL || strncmp(*environment, prefix, sizeof(prefix) - 1) != 0)
			continue;
		char *variable = xmemdup(*environment, (size_t)(equals - *environment));
		if (!is_service_link(variable + sizeof(prefix) - 1))
			take_variable(sheet, variable, equals + 1);
		free(variable);
	}
}
