/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * For second_opinion: of each zone text in a folder that the product accepts what it keeps of it:
 *
 *	zone_kept FOLDER OUT
 *
 * writes OUT/<name>, zone text again, for FOLDER/<name>.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "zone/zone.h"

#define ZONE "example.com."

enum { TEXT_MOST = 1 << 20 };

static size_t read_file(const char *path, char *text)
{
	FILE *file = fopen(path, "rb");

	if (file == NULL) {
		perror(path);
		exit(66);
	}
	size_t size = fread(text, 1, TEXT_MOST, file);
	fclose(file);
	return size;
}

static void write_file(const char *path, const struct buf *text)
{
	FILE *file = fopen(path, "wb");

	if (file == NULL || fwrite(text->data, 1, text->size, file) != text->size || fclose(file) != 0) {
		perror(path);
		exit(73);
	}
}

static void keep(const char *from, const char *to)
{
	char *text = xmalloc(TEXT_MOST);
	size_t size = read_file(from, text);
	struct buf printed = { 0 };
	struct zone *zone;
	struct err err;

	if (zone_parse(ZONE, text, size, 0, &zone, &err) == 0) {
		zone_print(zone, &printed);
		write_file(to, &printed);
		zone_unref(zone);
	}
	buf_free(&printed);
	free(text);
}

int main(int argc, char **argv)
{
	DIR *folder = argc == 3 ? opendir(argv[1]) : NULL;
	struct dirent *entry;

	if (folder == NULL) {
		fprintf(stderr, "usage: zone_kept FOLDER OUT\n");
		return 64;
	}
	while ((entry = readdir(folder)) != NULL) {
		char *from = xasprintf("%s/%s", argv[1], entry->d_name), *to = xasprintf("%s/%s", argv[2], entry->d_name);

		if (entry->d_name[0] != '.')
			keep(from, to);
		free(from);
		free(to);
	}
	closedir(folder);
	return 0;
}
