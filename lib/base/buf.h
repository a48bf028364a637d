/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A byte buffer that grows. Zero-initialise it ({ 0 }), buf_free it. data has
 * always a NUL behind its size bytes once anything was added. One owner.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

struct buf {
	char *data;
	size_t size;
	size_t capacity;
};

/* Room for size more bytes (and the NUL) behind what is there. */
void buf_reserve(struct buf *buf, size_t size);
void buf_append(struct buf *buf, const void *data, size_t size);
void buf_puts(struct buf *buf, const char *text);
PRINTF_LIKE(2, 3) void buf_printf(struct buf *buf, const char *format, ...);
/* Lower-case hex of size bytes. */
void buf_hex(struct buf *buf, const void *data, size_t size);
/* Unsigned decimal: as "%" PRIu64, without printf's cost. */
void buf_uint(struct buf *buf, uint64_t number);
/* Keeps the memory. */
void buf_clear(struct buf *buf);
void buf_free(struct buf *buf);
/* Gives data (never NULL) to the caller, who frees it; the buffer is empty then. */
char *buf_take(struct buf *buf);
