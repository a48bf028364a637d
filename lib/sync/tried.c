/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sync/tried.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"

static const int64_t DAY_MS = INT64_C(86400000);

struct tried_zone {
	int64_t until_ms;      /* 0: forgotten */
	uint32_t serial;
	uint8_t text[HASH_SIZE];
};

void tried_free(struct tried *tried)
{
	strmap_free(&tried->index);
	free(tried->zones);
	*tried = (struct tried){ 0 };
}

static struct tried_zone *find(const struct tried *tried, const char *zone)
{
	uint32_t entry = strmap_find(&tried->index, zone, strlen(zone));

	return entry == 0 ? NULL : &tried->zones[strmap_get(&tried->index, entry)];
}

static struct tried_zone *add(struct tried *tried, const char *zone)
{
	if ((tried->count & (tried->count - 1)) == 0)
		tried->zones = xrealloc(tried->zones, (tried->count == 0 ? 1 : tried->count * 2) * sizeof(*tried->zones));
	strmap_add(&tried->index, zone, strlen(zone), (uint32_t)tried->count);
	return &tried->zones[tried->count++];
}

void tried_note(struct tried *tried, const char *zone, uint32_t serial, const char *text, size_t size, int64_t now_ms)
{
	struct tried_zone *entry = find(tried, zone);

	if (entry == NULL)
		entry = add(tried, zone);
	*entry = (struct tried_zone){ .until_ms = now_ms + DAY_MS, .serial = serial };
	hash_sha256(text == NULL ? "" : text, size, entry->text);
}

void tried_forget(struct tried *tried, const char *zone)
{
	struct tried_zone *entry = find(tried, zone);

	if (entry != NULL)
		entry->until_ms = 0;
}

bool tried_has_serial(const struct tried *tried, const char *zone, uint32_t serial, int64_t now_ms)
{
	const struct tried_zone *entry = find(tried, zone);

	return entry != NULL && now_ms < entry->until_ms && entry->serial == serial;
}

bool tried_has_text(const struct tried *tried, const char *zone, const char *text, size_t size, int64_t now_ms)
{
	const struct tried_zone *entry = find(tried, zone);
	uint8_t hash[HASH_SIZE];

	if (entry == NULL || now_ms >= entry->until_ms)
		return false;
	hash_sha256(text, size, hash);
	return memcmp(entry->text, hash, sizeof(hash)) == 0;
}
