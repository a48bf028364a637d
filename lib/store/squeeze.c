/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/squeeze.h"

#include <stdlib.h>
#include <zstd.h>

#include "base/check.h"

/* Zone text shrinks to a quarter by this, and hardly further by more. */
enum { LEVEL = 1, UNPACKED_MOST = 1 << 30 };

void squeeze_free(struct squeeze *squeeze)
{
	ZSTD_freeCCtx(squeeze->context);
	free(squeeze->room);
	*squeeze = (struct squeeze){ 0 };
}

size_t squeeze_pack(struct squeeze *squeeze, const void *data, size_t size, const void **out)
{
	size_t most = ZSTD_compressBound(size);

	if (squeeze->context == NULL)
		squeeze->context = ZSTD_createCCtx();
	CHECK(squeeze->context != NULL);
	if (squeeze->room_size < most) {
		squeeze->room = xrealloc(squeeze->room, most);
		squeeze->room_size = most;
	}
	size_t packed = ZSTD_compressCCtx(squeeze->context, squeeze->room, squeeze->room_size, data, size, LEVEL);
	CHECK(!ZSTD_isError(packed));
	*out = squeeze->room;
	return packed;
}

int squeeze_unpack(const void *data, size_t size, size_t unpacked, char **out, struct err *err)
{
	/* Believed only where both say the same: a damaged number must not ask for all memory. */
	if (unpacked > UNPACKED_MOST || ZSTD_getFrameContentSize(data, size) != unpacked)
		return err_set(err, ERR_CORRUPT, "its size is damaged");
	char *text = xmalloc(unpacked + 1);
	size_t got = ZSTD_decompress(text, unpacked, data, size);
	if (got != unpacked) {
		free(text);
		return err_set(err, ERR_CORRUPT, "it can't be unpacked");
	}
	text[unpacked] = '\0';
	*out = text;
	return ERR_OK;
}
