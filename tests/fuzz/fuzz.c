/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MEMORY_MOST = 64 << 20 };

static const int64_t time_most_ns = 1000000000;

/* Of the sanitizers' allocator; the build for coverage has none. */
__attribute__((weak)) int __sanitizer_install_malloc_and_free_hooks(
	void (*malloc_hook)(const volatile void *, size_t), void (*free_hook)(const volatile void *));
__attribute__((weak)) size_t __sanitizer_get_allocated_size(const volatile void *pointer);

/*
 * What an input frees is found when it is used again during that input: a long quarantine only makes memory cold. A
 * target may have options of its own.
 */
__attribute__((weak)) const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=16:malloc_context_size=10";
}

static atomic_llong held, most_held; /* bytes, since the input began */

/* ---- the bars ---- */

static void on_malloc(const volatile void *pointer UNUSED, size_t size)
{
	long long now = atomic_fetch_add_explicit(&held, (long long)size, memory_order_relaxed) + (long long)size;

	if (now > atomic_load_explicit(&most_held, memory_order_relaxed))
		atomic_store_explicit(&most_held, now, memory_order_relaxed);
}

static void on_free(const volatile void *pointer)
{
	if (pointer != NULL)
		atomic_fetch_sub_explicit(&held, (long long)__sanitizer_get_allocated_size(pointer),
			memory_order_relaxed);
}

static int64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool hooked;

	if (!hooked && __sanitizer_install_malloc_and_free_hooks != NULL)
		__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
	hooked = true;
	held = most_held = 0;
	int64_t begun = cpu_ns();
	fuzz_one(data, size);
	int64_t took = cpu_ns() - begun;
	FUZZ_REQUIRE(took <= time_most_ns, "%zu bytes take %lld ms", size, (long long)(took / 1000000));
	FUZZ_REQUIRE(most_held <= MEMORY_MOST, "%zu bytes take %lld bytes of memory", size, (long long)most_held);
	return 0;
}

void fuzz_failed(const char *file, int line, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "%s:%d: ", file, line);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	abort();
}

/* ---- inputs ---- */

uint8_t fuzz_byte(struct fuzz_input *input)
{
	if (input->left == 0)
		return 0;
	input->left--;
	return *input->at++;
}

uint16_t fuzz_u16(struct fuzz_input *input)
{
	uint8_t high = fuzz_byte(input);

	return (uint16_t)(high << 8 | fuzz_byte(input));
}

const uint8_t *fuzz_bytes(struct fuzz_input *input, size_t size, size_t *got)
{
	const uint8_t *bytes = input->at;

	*got = size < input->left ? size : input->left;
	input->at += *got;
	input->left -= *got;
	return bytes;
}

char *fuzz_text(struct fuzz_input *input, char end)
{
	const uint8_t *stop = input->left == 0 ? NULL : memchr(input->at, end, input->left);
	size_t size = stop == NULL ? input->left : (size_t)(stop - input->at);
	char *text = xmemdup(fuzz_bytes(input, size, &size), size);

	if (stop != NULL)
		fuzz_byte(input);
	return text;
}
