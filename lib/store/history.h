/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The last texts of each zone, numbered from 1. The newest stands in
 * zone_text; the others are compressed (zstd, RFC 8878) and carry the checksum
 * that their text had there. Part of the store: one owner per handle, may
 * block on the disk, errors as in store.h.
 */
#pragma once

#include "store/store.h"

/* Where a text came from. */
struct store_origin {
	uint64_t version;      /* as store_history_keep said */
	int64_t at_us;
	const char *origin;    /* "push", "pull", "peer", "import", "rollback", "undelete" */
	const char *source;    /* address; NULL: none */
	const char *actor;     /* NULL: nobody */
};

struct store_text_version {
	uint64_t version;
	bool current;          /* it stands in zone_text */
	int64_t at_us;         /* 0: of before versions were counted */
	const char *origin;
	const char *source;
	const char *actor;
	const char *hostname;
	const char *username;
	uint32_t serial;
	struct zone_digest digest;
	uint64_t text_size;
};

/*
 * Before another text replaces it: zone's present text, with what the row says of it, goes into history, and of all texts,
 * the next one included, the newest `most` stay. *next: what the next one is called. zone NULL: a damaged row, only *next.
 */
MUST_CHECK int store_history_keep(struct store *store, int64_t zone_id, const struct store_zone *zone, unsigned most,
	uint64_t *next, struct err *err);
/* store_zone_put with a text, and where that came from. */
MUST_CHECK int store_history_put(struct store *store, struct store_zone *zone, const char *text, size_t size,
	const struct store_origin *origin, struct err *err);
/* Newest first, the current one too, below before (0: from the newest). */
MUST_CHECK int store_history_list(struct store *store, const struct store_zone *zone, uint64_t before, size_t limit,
	bool (*each)(void *ctx, const struct store_text_version *version), void *ctx, struct err *err);
/* The text of one of them, checked; the caller frees it. ERR_NOTFOUND: it is not kept (any more). */
MUST_CHECK int store_history_text(struct store *store, const struct store_zone *zone, uint64_t version, char **text,
	size_t *size, struct err *err);
