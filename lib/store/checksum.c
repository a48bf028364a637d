/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/checksum.h"

#include <string.h>

#include "base/check.h"
#include "store/held.h"
#include "store/masters.h"

enum {
	PLAIN_MAX = 255,
	ROOM = 8 * 9 + 8 * (8 + PLAIN_MAX), /* a zone has nine numbers, something held seven texts and the table's name */
};

struct row {
	uint8_t bytes[ROOM];
	size_t size;
};

static void put_number(struct row *row, uint64_t number)
{
	CHECK(row->size + 8 <= sizeof(row->bytes));
	for (int i = 7; i >= 0; i--) {
		row->bytes[row->size + (size_t)i] = (uint8_t)number;
		number >>= 8;
	}
	row->size += 8;
}

static void put_bytes(struct row *row, const void *data, size_t size)
{
	uint8_t hash[HASH_SIZE];

	put_number(row, size);
	if (size > PLAIN_MAX) {
		hash_sha256(data, size, hash);
		data = hash;
		size = sizeof(hash);
	}
	CHECK(row->size + size <= sizeof(row->bytes));
	if (data != NULL)
		memcpy(row->bytes + row->size, data, size);
	row->size += size;
}

static void put_text(struct row *row, const char *text)
{
	put_bytes(row, text, strlen(text));
}

void checksum_zone(const struct store_zone *zone, uint8_t out[HASH_SIZE])
{
	struct row row;

	row.size = 0;
	put_text(&row, "zone");
	put_number(&row, (uint64_t)zone->id);
	put_text(&row, zone->name);
	put_number(&row, zone->generation);
	put_number(&row, zone->deleted ? 1 : 0);
	put_number(&row, zone->digest.count);
	put_number(&row, zone->digest.high);
	put_number(&row, zone->digest.low);
	put_number(&row, zone->serial);
	put_text(&row, zone->hostname);
	put_text(&row, zone->username);
	put_number(&row, (uint64_t)zone->updated_at_us);
	put_number(&row, zone->text_size);
	hash_sha256(row.bytes, row.size, out);
}

void checksum_text(const char *table, const char *name, const void *text, size_t size, uint8_t out[HASH_SIZE])
{
	struct row row;

	row.size = 0;
	put_text(&row, table);
	put_text(&row, name);
	put_bytes(&row, text, size);
	hash_sha256(row.bytes, row.size, out);
}

void checksum_version(const struct checksum_version *version, uint8_t out[HASH_SIZE])
{
	struct row row;

	row.size = 0;
	put_text(&row, "zone_version");
	put_number(&row, (uint64_t)version->zone_id);
	put_number(&row, (uint64_t)version->lead);
	put_number(&row, version->tag);
	put_text(&row, version->others);
	put_text(&row, version->origin);
	put_number(&row, version->merged);
	hash_sha256(row.bytes, row.size, out);
}

void checksum_held(const struct store_held *held, uint8_t out[HASH_SIZE])
{
	struct row row;

	row.size = 0;
	put_text(&row, "held");
	put_text(&row, held->kind);
	put_text(&row, held->subject);
	put_text(&row, held->origin);
	put_text(&row, held->hostname);
	put_text(&row, held->username);
	put_number(&row, held->text == NULL ? 0 : 1);
	put_bytes(&row, held->text, held->text_size);
	hash_sha256(row.bytes, row.size, out);
}

void checksum_missing(const struct store_missing *missing, uint8_t out[HASH_SIZE])
{
	struct row row;

	row.size = 0;
	put_text(&row, "missing");
	put_number(&row, (uint64_t)missing->zone_id);
	put_text(&row, missing->master);
	put_number(&row, missing->generation);
	put_number(&row, (uint64_t)missing->updated_at_us);
	put_number(&row, (uint64_t)missing->first_at_us);
	put_number(&row, missing->passes);
	put_number(&row, (uint64_t)missing->last_pass);
	put_number(&row, missing->condemned ? 1 : 0);
	hash_sha256(row.bytes, row.size, out);
}
