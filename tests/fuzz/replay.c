/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tries the inputs of a corpus once, without libFuzzer:
 *
 *	replay_<name> FILE|FOLDER...
 *
 * Prints how many there were; none at all is a failure.
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"

__attribute__((weak)) void fuzz_folder_done(void);

static const char *current; /* for the message of a crash: the sanitizers call back */

static void read_file(const char *path, struct buf *out)
{
	char piece[65536];
	FILE *file = fopen(path, "rb");
	size_t got;

	if (file == NULL) {
		perror(path);
		exit(66);
	}
	while ((got = fread(piece, 1, sizeof(piece), file)) > 0)
		buf_append(out, piece, got);
	fclose(file);
}

static size_t try_file(const char *path)
{
	struct buf content = { 0 };

	current = path;
	read_file(path, &content);
	/* A copy of the very size: what reads behind the end is found. */
	uint8_t *data = xmalloc(content.size == 0 ? 1 : content.size);
	if (content.size > 0)
		memcpy(data, content.data, content.size);
	LLVMFuzzerTestOneInput(data, content.size);
	free(data);
	buf_free(&content);
	return 1;
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static size_t try_folder(const char *folder)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, is_visible, alphasort);
	size_t tried = 0;

	for (int i = 0; i < count; i++) {
		char *path = xasprintf("%s/%s", folder, entries[i]->d_name);

		tried += try_file(path);
		free(path);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	if (fuzz_folder_done != NULL)
		fuzz_folder_done();
	return tried;
}

static void tell_current(void)
{
	if (current != NULL)
		fprintf(stderr, "the input is %s\n", current);
}

__attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)(void));

int main(int argc, char **argv)
{
	size_t tried = 0;
	struct stat status;

	if (__sanitizer_set_death_callback != NULL)
		__sanitizer_set_death_callback(tell_current);
	for (int i = 1; i < argc; i++)
		tried += stat(argv[i], &status) == 0 && S_ISDIR(status.st_mode) ? try_folder(argv[i]) : try_file(argv[i]);
	current = NULL;
	printf("%zu inputs\n", tried);
	return tried > 0 ? 0 : 1;
}
