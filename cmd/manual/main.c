/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * manual NAME: prints one of the files of the table below. manual update README.md: writes the table of configuration keys
 * into it, between its markers. Runs when zonefan is built; nothing of it is installed.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "manual.h"

static const struct {
	const char *name;
	void (*print)(struct buf *out);
} files[] = {
	{ "zonefan.yml.5", manual_page_conf },
	{ "zonefanctl.1", manual_page_zonefanctl },
	{ "zonefand.8", manual_page_zonefand },
	{ "configuration.md", manual_table_conf },
	{ "zonefanctl.bash", manual_bash },
	{ "_zonefanctl", manual_zsh },
};

static const char table_begin[] = "<!-- configuration:begin -->\n";
static const char table_end[] = "<!-- configuration:end -->\n";

static int print(const char *name)
{
	struct buf out = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		if (strcmp(files[i].name, name) != 0)
			continue;
		files[i].print(&out);
		size_t written = fwrite(out.data, 1, out.size, stdout);
		bool well = written == out.size && fflush(stdout) == 0;
		buf_free(&out);
		return well ? EXIT_SUCCESS : EXIT_FAILURE;
	}
	fprintf(stderr, "manual: there is no %s\n", name);
	return EXIT_FAILURE;
}

static bool read_all(const char *path, struct buf *out)
{
	FILE *file = fopen(path, "re");
	char chunk[4096];
	size_t size;

	if (file == NULL)
		return false;
	while ((size = fread(chunk, 1, sizeof(chunk), file)) > 0)
		buf_append(out, chunk, size);
	bool well = ferror(file) == 0 && out->size > 0;
	fclose(file);
	return well;
}

static bool write_all(const char *path, const char *head, size_t head_size, const struct buf *table, const char *tail)
{
	FILE *file = fopen(path, "we");

	if (file == NULL)
		return false;
	fwrite(head, 1, head_size, file);
	fwrite(table->data, 1, table->size, file);
	fputs(tail, file);
	bool well = ferror(file) == 0;
	return fclose(file) == 0 && well;
}

static int update(const char *path)
{
	struct buf text = { 0 };
	struct buf table = { 0 };
	bool well = read_all(path, &text);
	const char *begin = well ? strstr(text.data, table_begin) : NULL;
	const char *end = begin != NULL ? strstr(begin, table_end) : NULL;

	manual_table_conf(&table);
	well = end != NULL && write_all(path, text.data, (size_t)(begin - text.data) + strlen(table_begin), &table, end);
	if (!well)
		fprintf(stderr, "manual: %s can't be written, or its markers are not there\n", path);
	buf_free(&table);
	buf_free(&text);
	return well ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "update") == 0)
		return update(argv[2]);
	if (argc == 2)
		return print(argv[1]);
	fputs("usage: manual NAME | update README.md\n", stderr);
	return EXIT_FAILURE;
}
