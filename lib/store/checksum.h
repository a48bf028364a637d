/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside lib/store only: SHA-256 over the fields of a row, because SQLite
 * itself does not see flipped bytes (reliability.md 10.5 Q5).
 *
 * A number is eight bytes, big-endian; a text its length as such a number and
 * its bytes, or, above 255 bytes, the SHA-256 of them. The fields come in the
 * order of the table, behind its name.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

struct store_zone;
struct store_held;
struct store_missing;

void checksum_zone(const struct store_zone *zone, uint8_t out[HASH_SIZE]);
/* table: "zone_text" or "rejected_text". */
void checksum_text(const char *table, const char *name, const void *text, size_t size, uint8_t out[HASH_SIZE]);

/* A row of zone_version. */
struct checksum_version {
	int64_t zone_id;
	int64_t lead;
	uint32_t tag;
	const char *others;
	const char *origin;
	uint64_t merged;
};

void checksum_version(const struct checksum_version *row, uint8_t out[HASH_SIZE]);
/* What is put in force when it is approved: not when, by whom and why it was held. */
void checksum_held(const struct store_held *held, uint8_t out[HASH_SIZE]);
void checksum_missing(const struct store_missing *missing, uint8_t out[HASH_SIZE]);
