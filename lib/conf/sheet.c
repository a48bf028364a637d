/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf/sheet.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sheet_init(struct sheet *sheet)
{
	*sheet = (struct sheet){ .settings = xcalloc(keys_count, sizeof(struct setting)) };
}

static void free_settings(struct setting *settings)
{
	for (size_t i = 0; i < keys_count; i++) {
		if (settings[i].text != NULL)
			explicit_bzero(settings[i].text, strlen(settings[i].text));
		free(settings[i].text);
		free(settings[i].variable);
	}
	free(settings);
}

void sheet_free(struct sheet *sheet)
{
	for (size_t i = 0; i < sheet->backend_count; i++) {
		free(sheet->backends[i].name);
		free(sheet->backends[i].variable);
		free_settings(sheet->backends[i].settings);
	}
	free(sheet->backends);
	free_settings(sheet->settings);
	buf_free(&sheet->first_fault);
	buf_free(&sheet->more_faults);
	buf_free(&sheet->notices);
}

struct sheet_backend *sheet_backend_find(const struct sheet *sheet, struct match_name name)
{
	/* From the end: in a file, the settings of one back end stand together. */
	for (size_t i = sheet->backend_count; i > 0; i--) {
		struct sheet_backend *backend = &sheet->backends[i - 1];

		if (strlen(backend->name) == name.size && memcmp(backend->name, name.text, name.size) == 0)
			return backend;
	}
	return NULL;
}

struct sheet_backend *sheet_backend_add(struct sheet *sheet, struct match_name name)
{
	size_t count = sheet->backend_count;

	if (count == DRAFT_MAX_BACKENDS)
		return NULL;
	sheet->backends = xrealloc(sheet->backends, (count + 1) * sizeof(*sheet->backends));
	sheet->backends[count] = (struct sheet_backend){
		.name = xmemdup(name.text, name.size),
		.settings = xcalloc(keys_count, sizeof(struct setting)),
	};
	sheet->backend_count++;
	return &sheet->backends[count];
}

struct setting *sheet_setting(const struct sheet *sheet, const struct sheet_backend *backend, const struct key *key)
{
	CHECK(keys_of_backend(key) == (backend != NULL));
	return &(backend != NULL ? backend->settings : sheet->settings)[keys_index(key)];
}

struct setting *sheet_find(const struct sheet *sheet, const struct sheet_backend *backend, const char *path)
{
	return sheet_setting(sheet, backend, keys_row(path));
}

const char *sheet_text(const struct setting *setting, const struct key *key)
{
	return setting->text != NULL ? setting->text : key->preset;
}

enum { PATH_SIZE = 256 }; /* a row's path and a back end's name, of at most 64 bytes */

/* The key's path with the back end's name in it. */
static const char *full_path(const struct sheet_backend *backend, const struct key *key, char out[PATH_SIZE])
{
	const char *star = strchr(key->path, '*');

	if (star == NULL)
		return key->path;
	snprintf(out, PATH_SIZE, "%.*s%s%s", (int)(star - key->path), key->path, backend->name, star + 1);
	return out;
}

const char *sheet_where(const struct sheet *sheet, const struct sheet_backend *backend, const struct key *key,
	char out[DRAFT_WHERE_SIZE])
{
	const struct setting *setting = sheet_setting(sheet, backend, key);
	char buffer[PATH_SIZE];
	const char *path = full_path(backend, key, buffer);

	if (setting->variable != NULL)
		snprintf(out, DRAFT_WHERE_SIZE, "%s", setting->variable);
	else if (setting->line != 0)
		snprintf(out, DRAFT_WHERE_SIZE, "%s:%d: %s", sheet->file, setting->line, path);
	else if (backend != NULL && backend->line != 0)
		snprintf(out, DRAFT_WHERE_SIZE, "%s:%d: %s", sheet->file, backend->line, path);
	else if (backend != NULL && backend->variable != NULL)
		snprintf(out, DRAFT_WHERE_SIZE, "%s: %s", backend->variable, path);
	else if (sheet->file != NULL)
		snprintf(out, DRAFT_WHERE_SIZE, "%s: %s", sheet->file, path);
	else
		snprintf(out, DRAFT_WHERE_SIZE, "%s", path);
	return out;
}

static void add_fault(struct sheet *sheet, const char *where, const char *format, va_list args)
{
	char text[ERR_TEXT_SIZE];

	vsnprintf(text, sizeof(text), format, args);
	if (sheet->fault_count++ == 0)
		buf_printf(&sheet->first_fault, "%s: %s", where, text);
	else
		buf_printf(&sheet->more_faults, "%s: %s\n", where, text);
}

static void add_notice(struct sheet *sheet, const char *where, const char *format, va_list args)
{
	char text[ERR_TEXT_SIZE];

	vsnprintf(text, sizeof(text), format, args);
	buf_printf(&sheet->notices, "%s: %s\n", where, text);
}

void sheet_fault(struct sheet *sheet, const char *where, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_fault(sheet, where, format, args);
	va_end(args);
}

void sheet_notice(struct sheet *sheet, const char *where, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_notice(sheet, where, format, args);
	va_end(args);
}

void sheet_fault_at(struct sheet *sheet, const struct sheet_backend *backend, const char *path, const char *format,
	...)
{
	const struct key *key = keys_row(path);
	char where[DRAFT_WHERE_SIZE];
	va_list args;

	va_start(args, format);
	add_fault(sheet, sheet_where(sheet, backend, key, where), format, args);
	va_end(args);
	sheet_setting(sheet, backend, key)->bad = true;
}

void sheet_notice_at(struct sheet *sheet, const struct sheet_backend *backend, const char *path, const char *format,
	...)
{
	char where[DRAFT_WHERE_SIZE];
	va_list args;

	va_start(args, format);
	add_notice(sheet, sheet_where(sheet, backend, keys_row(path), where), format, args);
	va_end(args);
}
