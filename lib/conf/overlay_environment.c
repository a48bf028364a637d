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

static struct sheet_backend *create_backend(struct sheet *sheet, struct match_name middle, const char *variable)
{
	char *name = xmemdup(middle.text, middle.size);
	struct sheet_backend *backend = NULL;

	for (char *c = name; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	if (!value_is_name(name)) {
		sheet_fault(sheet, variable, "a back end's name is 1 to 64 letters, digits, \"_\", \".\" or \"-\"");
	} else {
		backend = sheet_backend_add(sheet, (struct match_name){ name, middle.size });
		if (backend == NULL)
			sheet_fault(sheet, variable, "more than %d back ends", DRAFT_MAX_BACKENDS);
		else
			backend->variable = xstrdup(variable);
	}
	free(name);
	return backend;
}

/* A back end of the file, or one that only the environment knows; NULL after a fault. */
static struct sheet_backend *find_backend(struct sheet *sheet, struct match_name middle, const char *variable)
{
	struct sheet_backend *found = NULL;

	for (size_t i = 0; i < sheet->backend_count; i++) {
		struct sheet_backend *backend = &sheet->backends[i];

		if (!match_backend(backend->name, middle))
			continue;
		if (found != NULL) {
			sheet_fault(sheet, variable, "may mean back end \"%s\" or \"%s\"", found->name, backend->name);
			return NULL;
		}
		found = backend;
	}
	return found != NULL ? found : create_backend(sheet, middle, variable);
}

/* The secret in the file, one final newline cut off; NULL after a fault. */
static char *read_secret(struct sheet *sheet, const char *variable, const char *path)
{
	struct file_text text;
	struct err err;

	if (file_read(path, VALUE_MAX_SIZE, &text, &err) != 0) {
		sheet_fault(sheet, variable, "%s", err.text);
		return NULL;
	}
	size_t size = text.size;
	if (size > 0 && text.data[size - 1] == '\n')
		size--;
	if (size > 0 && size < text.size && text.data[size - 1] == '\r')
		size--;
	char *secret = NULL;
	if (memchr(text.data, '\0', size) != NULL)
		sheet_fault(sheet, variable, "%s: contains a NUL byte", path);
	else
		secret = xmemdup(text.data, size);
	file_free(&text);
	return secret;
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
	struct sheet_backend *backend = NULL;

	if (key == NULL || strchr(key->path, '[') != NULL) {
		report_unknown(sheet, variable);
		return;
	}
	if (keys_of_backend(key)) {
		backend = find_backend(sheet, middle, variable);
		if (backend == NULL)
			return;
	}
	struct setting *setting = sheet_setting(sheet, backend, key);
	/* "#" rows share one place; their variables are told apart by nothing that matters yet. */
	if (strchr(key->path, '#') == NULL && setting->variable != NULL) {
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
