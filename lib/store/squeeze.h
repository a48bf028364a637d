/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside lib/store only: zone text made small and whole again. One owner; never blocks. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Made at the first use and kept, for making one costs more than using it. */
struct squeeze {
	void *context;
	char *room;
	size_t room_size;
};

void squeeze_free(struct squeeze *squeeze);
/* The result stays in squeeze until the next call. */
size_t squeeze_pack(struct squeeze *squeeze, const void *data, size_t size, const void **out);
/* A copy that the caller frees, of size bytes. ERR_CORRUPT: it is not that. */
MUST_CHECK int squeeze_unpack(const void *data, size_t size, size_t unpacked, char **out, struct err *err);
