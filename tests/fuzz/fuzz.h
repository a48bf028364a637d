/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the fuzz targets share. A target is one file, fuzz_<name>.c, that
 * defines fuzz_one(); fuzz.c calls it for libFuzzer and for replay.c alike and
 * holds the bars of reliability.md 8: one input takes at most a second of
 * processor time and 64 MiB. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

/* Tries one input. What must not be ends the process by FUZZ_REQUIRE, CHECK or a sanitizer. */
void fuzz_one(const uint8_t *data, size_t size);

/* A target may have it: replay calls it behind the last input of a folder. Does the corpus still get to where it is to get? */
void fuzz_folder_done(void);

/* What libFuzzer calls. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An oracle: says what was expected, as printf does, and aborts. */
#define FUZZ_REQUIRE(condition, ...)                                                                         \
	do {                                                                                                 \
		if (!(condition))                                                                            \
			fuzz_failed(__FILE__, __LINE__, __VA_ARGS__);                                        \
	} while (0)

PRINTF_LIKE(3, 4) NORETURN void fuzz_failed(const char *file, int line, const char *format, ...);

/* An input that is taken apart from its beginning; what is asked for beyond its end is 0 or "". */
struct fuzz_input {
	const uint8_t *at;
	size_t left;
};

uint8_t fuzz_byte(struct fuzz_input *input);
uint16_t fuzz_u16(struct fuzz_input *input);
/* Up to size bytes; *got of them. They are the input's. */
const uint8_t *fuzz_bytes(struct fuzz_input *input, size_t size, size_t *got);
/* The bytes before the next end (or the input's end) as a string without NUL; the caller's. */
char *fuzz_text(struct fuzz_input *input, char end);
