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
	for (size_t i = 0; i < sheet->entry_count; i++) {
		free(sheet->entries[i].name);
		free(sheet->entries[i].variable);
		free_settings(sheet->entries[i].settings);
	}
	free(sheet->entries);
	free_settings(sheet->settings);
	buf_free(&sheet->first_fault);
	buf_free(&sheet->more_faults);
	buf_free(&sheet->notices);
	buf_free(&sheet->files);
}

void sheet_note_file(struct sheet *sheet, const char *path)
{
	buf_append(&sheet->files, path, strlen(path) + 1);
}

struct sheet_entry *sheet_entry_find(const struct sheet *sheet, enum key_set set, struct match_name name)
{
	/* From the end: in a file, the settings of one entry stand together. */
	for (size_t i = sheet->entry_count; i > 0; i--) {
		struct sheet_entry *entry = &sheet->entries[i - 1];

		if (entry->set == set && strlen(entry->name) == name.size &&
			memcmp(entry->name, name.text, name.size) == 0)
			return entry;
	}
	return NULL;
}

struct sheet_entry *sheet_entry_add(struct sheet *sheet, enum key_set set, struct match_name name)
{
	size_t count = sheet->entry_count;

	if (sheet_entry_count(sheet, set) == SHEET_MAX_ENTRIES)
		return NULL;
	sheet->entries = xrealloc(sheet->entries, (count + 1) * sizeof(*sheet->entries));
	sheet->entries[count] = (struct sheet_entry){
		.set = set,
		.name = xmemdup(name.text, name.size),
		.settings = xcalloc(keys_count, sizeof(struct setting)),
	};
	sheet->entry_count++;
	return &sheet->entries[count];
}

struct sheet_entry *sheet_entry_last(const struct sheet *sheet, enum key_set set)
{
	for (size_t i = sheet->entry_count; i > 0; i--) {
		if (sheet->entries[i - 1].set == set)
			return &sheet->entries[i - 1];
	}
	return NULL;
}

size_t sheet_entry_count(const struct sheet *sheet, enum key_set set)
{
	size_t count = 0;

	for (size_t i = 0; i < sheet->entry_count; i++)
		count += sheet->entries[i].set == set;
	return count;
}

struct setting *sheet_setting(const struct sheet *sheet, const struct sheet_entry *entry, const struct key *key)
{
	CHECK(keys_set(key) == (entry != NULL ? entry->set : SET_MAIN));
	return &(entry != NULL ? entry->settings : sheet->settings)[keys_index(key)];
}

struct setting *sheet_find(const struct sheet *sheet, const struct sheet_entry *entry, const char *path)
{
	return sheet_setting(sheet, entry, keys_row(path));
}

const char *sheet_text(const struct setting *setting, const struct key *key)
{
	return setting->text != NULL ? setting->text : key->preset;
}

enum { PATH_SIZE = 256 }; /* a row's path and an entry's name, of at most 64 bytes */

/* The key's path with the entry's name in it. */
static const char *full_path(const struct sheet_entry *entry, const struct key *key, char out[PATH_SIZE])
{
	if (entry == NULL)
		return key->path;
	const char *mark = strpbrk(key->path, "*[");
	bool list = *mark == '[';
	snprintf(out, PATH_SIZE, "%.*s%s%s%s%s", (int)(mark - key->path), key->path, list ? "[" : "", entry->name,
		list ? "]" : "", mark + (list ? 2 : 1));
	return out;
}

const char *sheet_where(const struct sheet *sheet, const struct sheet_entry *entry, const struct key *key,
	char out[SHEET_WHERE_SIZE])
{
	const struct setting *setting = sheet_setting(sheet, entry, key);
	char buffer[PATH_SIZE];
	const char *path = full_path(entry, key, buffer);

	if (setting->variable != NULL)
		snprintf(out, SHEET_WHERE_SIZE, "%s", setting->variable);
	else if (setting->line != 0)
		snprintf(out, SHEET_WHERE_SIZE, "%s:%d: %s", sheet->file, setting->line, path);
	else if (entry != NULL && entry->line != 0)
		snprintf(out, SHEET_WHERE_SIZE, "%s:%d: %s", sheet->file, entry->line, path);
	else if (entry != NULL && entry->variable != NULL)
		snprintf(out, SHEET_WHERE_SIZE, "%s: %s", entry->variable, path);
	else if (sheet->file != NULL)
		snprintf(out, SHEET_WHERE_SIZE, "%s: %s", sheet->file, path);
	else
		snprintf(out, SHEET_WHERE_SIZE, "%s", path);
	return out;
}

PRINTF_LIKE(3, 0)
static void add_fault(struct sheet *sheet, const char *where, const char *format, va_list args)
{
	char text[ERR_TEXT_SIZE];

	vsnprintf(text, sizeof(text), format, args);
	if (sheet->fault_count++ == 0)
		buf_printf(&sheet->first_fault, "%s: %s", where, text);
	else
		buf_printf(&sheet->more_faults, "%s: %s\n", where, text);
}

PRINTF_LIKE(3, 0)
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

void sheet_fault_at(struct sheet *sheet, const struct sheet_entry *entry, const char *path, const char *format,
	...)
{
	const struct key *key = keys_row(path);
	char where[SHEET_WHERE_SIZE];
	va_list args;

	va_start(args, format);
	add_fault(sheet, sheet_where(sheet, entry, key, where), format, args);
	va_end(args);
	sheet_setting(sheet, entry, key)->bad = true;
}

void sheet_notice_at(struct sheet *sheet, const struct sheet_entry *entry, const char *path, const char *format,
	...)
{
	char where[SHEET_WHERE_SIZE];
	va_list args;

	va_start(args, format);
	add_notice(sheet, sheet_where(sheet, entry, keys_row(path), where), format, args);
	va_end(args);
}
