/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * For LD_PRELOAD: the n-th malloc, calloc or realloc of a process fails (reliability.md S10). The file that NTH_MALLOC names is
 * shared with the test (tests/integration/zf/memory.py), which sets and reads it while the process runs. Not for sanitizers, which have
 * an allocator of their own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct order {
	atomic_llong armed;   /* else nothing is counted */
	atomic_llong fail_at; /* 0: none */
	atomic_llong count;   /* allocations since it was armed */
	atomic_llong failed;
};

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static struct order *order;

__attribute__((constructor)) static void map_order(void)
{
	const char *path = getenv("NTH_MALLOC");
	int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		abort(); /* a test that injects nothing must not pass */
	void *at = mmap(NULL, sizeof(*order), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		abort();
	order = at;
	close(fd);
}

static bool fails(void)
{
	if (order == NULL || atomic_load(&order->armed) == 0)
		return false;
	if (atomic_fetch_add(&order->count, 1) + 1 != atomic_load(&order->fail_at))
		return false;
	atomic_fetch_add(&order->failed, 1);
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	return fails() ? NULL : __libc_realloc(old, size);
}
