/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/zone.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum {
	FIELDS = 5,
	PREFIX_SIZE = 21,   /* 20 digits and the colon */
	ROW_ON_STACK = 1024 /* longer rows (DKIM keys apart, rare) take the heap */
};

static char *put_field(char *at, const char *text, size_t length)
{
	char digits[PREFIX_SIZE];
	size_t used = sizeof(digits);
	size_t number = length;

	if (text == NULL) {
		*at++ = '-';
		return at;
	}
	digits[--used] = ':';
	do {
		digits[--used] = (char)('0' + number % 10);
		number /= 10;
	} while (number != 0);
	memcpy(at, digits + used, sizeof(digits) - used);
	at += sizeof(digits) - used;
	memcpy(at, text, length);
	return at + length;
}

static uint64_t load_big_endian(const uint8_t bytes[8])
{
	uint64_t value = 0;

	for (int i = 0; i < 8; i++)
		value = value << 8 | bytes[i];
	return value;
}

void zone_digest_add(struct zone_digest *digest, const char *hostname, const char *type, const char *data,
	const char *ttl, const char *online)
{
	const char *fields[FIELDS] = { hostname, type, data, ttl, online };
	size_t lengths[FIELDS];
	size_t size = 0;
	char stack[ROW_ON_STACK];
	uint8_t hash[HASH_SIZE];

	for (size_t i = 0; i < FIELDS; i++) {
		lengths[i] = fields[i] == NULL ? 0 : strlen(fields[i]);
		size += lengths[i] + PREFIX_SIZE;
	}
	char *row = size <= sizeof(stack) ? stack : xmalloc(size);
	char *at = row;
	for (size_t i = 0; i < FIELDS; i++)
		at = put_field(at, fields[i], lengths[i]);
	hash_sha256(row, (size_t)(at - row), hash);
	if (row != stack)
		free(row);
	digest->count++;
	digest->high += load_big_endian(hash);
	digest->low += load_big_endian(hash + 8);
}

bool zone_digest_equal(const struct zone_digest *a, const struct zone_digest *b)
{
	return a->count == b->count && a->high == b->high && a->low == b->low;
}

const char *zone_digest_text(const struct zone_digest *digest, char out[ZONE_DIGEST_TEXT_SIZE])
{
	snprintf(out, ZONE_DIGEST_TEXT_SIZE, "%016" PRIx64 "%016" PRIx64, digest->high, digest->low);
	return out;
}

/* 16 hex digits; false if one is not. */
static bool parse_half(const char *text, uint64_t *out)
{
	uint64_t value = 0;

	for (int i = 0; i < 16; i++) {
		char c = text[i];
		unsigned int digit;

		if (c >= '0' && c <= '9')
			digit = (unsigned int)(c - '0');
		else if (c >= 'a' && c <= 'f')
			digit = (unsigned int)(c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			digit = (unsigned int)(c - 'A' + 10);
		else
			return false;
		value = value << 4 | digit;
	}
	*out = value;
	return true;
}

int zone_digest_parse(const char *text, uint64_t count, struct zone_digest *out, struct err *err)
{
	if (strlen(text) != ZONE_DIGEST_TEXT_SIZE - 1 || !parse_half(text, &out->high) ||
		!parse_half(text + 16, &out->low))
		return err_set(err, ERR_INVALID, "digest: not 32 hex digits");
	out->count = count;
	return 0;
}
