/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Configuration: a file and an environment that are accepted print to YAML and to JSON that load to the same again,
 * secrets aside, which are printed as a mask and given anew.
 *
 * The input: the file, then behind 0x01 each a variable. No file is opened but that one.
 */
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "conf/conf.h"
#include "conf/rules.h"

enum { VARIABLES_MOST = 16 };

#define MASK "\"" RULES_MASK "\""
#define FRESH "\"fresh\""

static char file_path[32]; /* "": what is opened is not the product's business */

/* Stands before the C library's. */
int open(const char *path, int flags, ...);
int open(const char *path, int flags, ...)
{
	if (file_path[0] == '\0' || strcmp(path, file_path) == 0)
		return (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0600);
	errno = ENOENT;
	return -1;
}

static int load(int fd, const char *text, size_t size, char *const *environment, struct conf **out)
{
	struct buf notices = { 0 };
	struct err err = { .text = "" };

	CHECK(ftruncate(fd, 0) == 0 && pwrite(fd, text, size, 0) == (ssize_t)size);
	int ret = conf_load(file_path, environment, out, &notices, &err);
	FUZZ_REQUIRE(ret == 0 || err.text[0] != '\0', "an error without a text");
	buf_free(&notices);
	return ret;
}

/* The print with secrets that are known. */
static void print_fresh(const struct conf *conf, void (*print)(const struct conf *conf, struct buf *out), struct buf *out)
{
	struct buf text = { 0 };
	const char *at, *mask;

	print(conf, &text);
	for (at = text.data; (mask = strstr(at, MASK)) != NULL; at = mask + strlen(MASK)) {
		buf_append(out, at, (size_t)(mask - at));
		buf_puts(out, FRESH);
	}
	buf_puts(out, at);
	buf_free(&text);
}

static void require_fixed_point(int fd, const struct conf *conf, void (*print)(const struct conf *conf, struct buf *out))
{
	char *const no_environment[] = { NULL };
	struct buf first = { 0 }, second = { 0 };
	struct conf *again;

	print_fresh(conf, print, &first);
	FUZZ_REQUIRE(load(fd, first.data, first.size, no_environment, &again) == 0, "what is printed is refused:\n%s", first.data);
	print_fresh(again, print, &second);
	FUZZ_REQUIRE(strcmp(first.data, second.data) == 0, "what is printed is another configuration:\n%s\n%s", first.data,
		second.data);
	conf_destroy(again);
	buf_free(&first);
	buf_free(&second);
}

void fuzz_one(const uint8_t *data, size_t size)
{
	static int fd = -1;
	struct fuzz_input input = { data, size };
	char *environment[VARIABLES_MOST + 1] = { NULL };
	struct conf *conf;

	if (fd < 0)
		fd = memfd_create("app.yml", MFD_CLOEXEC);
	CHECK(fd >= 0);
	snprintf(file_path, sizeof(file_path), "/proc/self/fd/%d", fd);
	const uint8_t *end = size == 0 ? NULL : memchr(data, 1, size);
	size_t text_size = end == NULL ? size : (size_t)(end - data);
	const char *text = (const char *)fuzz_bytes(&input, text_size, &text_size);
	for (size_t i = 0; input.left > 0 && i < VARIABLES_MOST; i++) {
		fuzz_byte(&input);
		environment[i] = fuzz_text(&input, '\x01');
	}
	if (load(fd, text, text_size, environment, &conf) == 0) {
		require_fixed_point(fd, conf, conf_print);
		require_fixed_point(fd, conf, conf_print_json);
		conf_destroy(conf);
	}
	for (size_t i = 0; environment[i] != NULL; i++)
		free(environment[i]);
	file_path[0] = '\0';
}
