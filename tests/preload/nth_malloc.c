/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * For LD_PRELOAD: the n-th malloc, calloc or realloc of a process fails (reliability.md S10), and it is told who had asked for it: a
 * process that dies of it can't say so itself any more. The file that NTH_MALLOC names is shared with the test
 * (tests/integration/zf/memory.py), which sets and reads it while the process runs. Not for sanitizers, which have an allocator of
 * their own.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <unwind.h>

enum { ASKED_BY_SIZE = 4096, FRAMES = 24 };

struct order {
	atomic_llong armed;   /* else nothing is counted */
	atomic_llong fail_at; /* 0: none */
	atomic_llong count;   /* allocations since it was armed */
	atomic_llong failed;
	char asked_by[ASKED_BY_SIZE]; /* of the one that failed, the innermost first; a line each: file, offset in it, symbol or "-" */
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

/* ---- who asked: within an allocation, so that nothing here may allocate ---- */

struct tale {
	size_t length;
	unsigned frames;
	const void *self; /* where this library begins */
};

static void put(struct tale *tale, const char *text)
{
	while (*text != '\0' && tale->length < ASKED_BY_SIZE - 1)
		order->asked_by[tale->length++] = *text++;
}

static void put_hex(struct tale *tale, uintptr_t number)
{
	char text[2 * sizeof(number) + 3], *at = text + sizeof(text) - 1;

	*at = '\0';
	do {
		*--at = "0123456789abcdef"[number % 16];
		number /= 16;
	} while (number != 0);
	*--at = 'x';
	*--at = '0';
	put(tale, at);
}

static _Unwind_Reason_Code put_frame(struct _Unwind_Context *context, void *ctx)
{
	struct tale *tale = ctx;
	uintptr_t address = (uintptr_t)_Unwind_GetIP(context);
	Dl_info info = { 0 };

	if (address == 0 || tale->frames == FRAMES)
		return _URC_END_OF_STACK;
	if (dladdr((void *)(address - 1), &info) == 0) { /* less one: the call, not what follows it */
		put(tale, "? 0x0 -\n");
	} else if (info.dli_fbase != tale->self) {
		put(tale, info.dli_fname);
		put(tale, " ");
		put_hex(tale, address - (uintptr_t)info.dli_fbase);
		put(tale, " ");
		put(tale, info.dli_sname != NULL ? info.dli_sname : "-");
		put(tale, "\n");
	} else {
		return _URC_NO_REASON;
	}
	tale->frames++;
	return _URC_NO_REASON;
}

static void tell_who_asked(void)
{
	struct tale tale = { 0 };
	Dl_info self;

	if (dladdr(&order, &self) != 0)
		tale.self = self.dli_fbase;
	_Unwind_Backtrace(put_frame, &tale);
	order->asked_by[tale.length] = '\0';
}

static bool fails(void)
{
	if (order == NULL || atomic_load(&order->armed) == 0)
		return false;
	if (atomic_fetch_add(&order->count, 1) + 1 != atomic_load(&order->fail_at))
		return false;
	tell_who_asked();
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
