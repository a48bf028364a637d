/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sched/version.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { ID_LENGTH = VERSION_ID_SIZE - 1, TAG_LENGTH = 9 };

static bool is_id(const char *text, size_t size)
{
	return size == ID_LENGTH && strspn(text, "0123456789abcdef") >= ID_LENGTH;
}

/* Where id stands, or belongs. */
static size_t place_of(const struct version *version, const char *id)
{
	size_t at = 0;

	while (at < version->count && strcmp(version->entries[at].id, id) < 0)
		at++;
	return at;
}

static bool stands_at(const struct version *version, size_t at, const char *id)
{
	return at < version->count && strcmp(version->entries[at].id, id) == 0;
}

uint64_t version_get(const struct version *version, const char *id)
{
	size_t at = place_of(version, id);

	return stands_at(version, at, id) ? version->entries[at].counter : 0;
}

uint32_t version_tag(const struct version *version, const char *id)
{
	size_t at = place_of(version, id);

	return stands_at(version, at, id) ? version->entries[at].tag : 0;
}

static void take_out(struct version *version, size_t at)
{
	version->count--;
	memmove(&version->entries[at], &version->entries[at + 1], (version->count - at) * sizeof(version->entries[0]));
}

static int put_in(struct version *version, size_t at, const char *id, struct err *err)
{
	if (version->count == VERSION_MOST)
		return err_set(err, ERR_LIMIT, "more than %d stores changed the zone", VERSION_MOST);
	memmove(&version->entries[at + 1], &version->entries[at], (version->count - at) * sizeof(version->entries[0]));
	version->count++;
	memcpy(version->entries[at].id, id, VERSION_ID_SIZE);
	return ERR_OK;
}

int version_set(struct version *version, const char *id, uint64_t counter, uint32_t tag, struct err *err)
{
	size_t at = place_of(version, id);
	bool there = stands_at(version, at, id);

	CHECK(is_id(id, strlen(id)));
	if (counter > VERSION_COUNTER_MAX)
		return err_set(err, ERR_LIMIT, "the counter of store %s is too large", id);
	if (counter == 0) {
		if (there)
			take_out(version, at);
		return ERR_OK;
	}
	int ret = there ? ERR_OK : put_in(version, at, id, err);
	if (ret != ERR_OK)
		return ret;
	version->entries[at].counter = counter;
	version->entries[at].tag = tag;
	return ERR_OK;
}

/* Does a know something that b does not? */
static bool knows_more(const struct version *a, const struct version *b)
{
	for (size_t i = 0; i < a->count; i++) {
		const struct version_entry *entry = &a->entries[i];
		uint64_t other = version_get(b, entry->id);

		if (entry->counter > other || (entry->counter == other && entry->tag != version_tag(b, entry->id)))
			return true;
	}
	return false;
}

enum version_order version_compare(const struct version *a, const struct version *b)
{
	bool more = knows_more(a, b);
	bool less = knows_more(b, a);

	if (more && less)
		return VERSION_CONCURRENT;
	if (more)
		return VERSION_NEWER;
	return less ? VERSION_OLDER : VERSION_EQUAL;
}

int version_merge(struct version *into, const struct version *from, struct err *err)
{
	struct version merged = *into;

	for (size_t i = 0; i < from->count; i++) {
		const struct version_entry *entry = &from->entries[i];
		uint64_t known = version_get(&merged, entry->id);
		bool newer = entry->counter > known ||
			(entry->counter == known && entry->tag > version_tag(&merged, entry->id));
		int ret = newer ? version_set(&merged, entry->id, entry->counter, entry->tag, err) : ERR_OK;

		if (ret != ERR_OK)
			return ret;
	}
	*into = merged;
	return ERR_OK;
}

/* ---- text ---- */

void version_print(const struct version *version, struct buf *out)
{
	for (size_t i = 0; i < version->count; i++) {
		buf_puts(out, i == 0 ? "" : ",");
		buf_puts(out, version->entries[i].id);
		buf_puts(out, ":");
		buf_uint(out, version->entries[i].counter);
		buf_printf(out, ":%08" PRIx32, version->entries[i].tag);
	}
}

/* A decimal number without sign or leading zero. 0: it is none, or too large. */
static uint64_t parse_counter(const char *text, size_t size)
{
	uint64_t number = 0;

	if (size == 0 || size > 19 || text[0] == '0')
		return 0;
	for (size_t i = 0; i < size; i++) {
		if (text[i] < '0' || text[i] > '9')
			return 0;
		number = number * 10 + (uint64_t)(text[i] - '0');
	}
	return number > VERSION_COUNTER_MAX ? 0 : number;
}

/* ":" and 8 hex digits, at the end. */
static bool parse_tag(const char *text, uint32_t *tag)
{
	char digits[TAG_LENGTH] = "";

	memcpy(digits, text + 1, TAG_LENGTH - 1);
	*tag = (uint32_t)strtoul(digits, NULL, 16);
	return text[0] == ':' && strspn(digits, "0123456789abcdef") == TAG_LENGTH - 1;
}

static int parse_entry(const char *text, size_t size, struct version *out, struct err *err)
{
	char id[VERSION_ID_SIZE] = "";
	uint32_t tag;

	if (size < VERSION_ID_SIZE + TAG_LENGTH || text[ID_LENGTH] != ':' || !is_id(text, ID_LENGTH) ||
		!parse_tag(text + size - TAG_LENGTH, &tag))
		return err_set(err, ERR_INVALID, "the vector has an entry that is none");
	memcpy(id, text, ID_LENGTH);
	uint64_t counter = parse_counter(text + VERSION_ID_SIZE, size - VERSION_ID_SIZE - TAG_LENGTH);
	if (counter == 0)
		return err_set(err, ERR_INVALID, "the vector has no good counter for store %s", id);
	if (out->count > 0 && strcmp(out->entries[out->count - 1].id, id) >= 0)
		return err_set(err, ERR_INVALID, "the vector is not sorted at store %s", id);
	return version_set(out, id, counter, tag, err);
}

int version_parse(const char *text, size_t size, struct version *out, struct err *err)
{
	*out = (struct version){ 0 };
	for (size_t at = 0; at < size;) {
		const char *comma = memchr(text + at, ',', size - at);
		size_t end = comma == NULL ? size : (size_t)(comma - text);
		int ret = end + 1 == size ? err_set(err, ERR_INVALID, "the vector ends with a comma")
					  : parse_entry(text + at, end - at, out, err);

		if (ret != ERR_OK)
			return ret;
		at = end + 1;
	}
	return ERR_OK;
}

/* ---- when vectors do not decide ---- */

bool version_serial_greater(uint32_t a, uint32_t b)
{
	return a != b && (uint32_t)(a - b) < UINT32_C(0x80000000);
}

bool version_claims_equal(const struct version_claim *a, const struct version_claim *b)
{
	return a->deleted == b->deleted && (a->deleted || zone_digest_equal(&a->digest, &b->digest));
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_digests(const struct zone_digest *a, const struct zone_digest *b)
{
	int order = compare_numbers(a->high, b->high);

	if (order == 0)
		order = compare_numbers(a->low, b->low);
	return order != 0 ? order : compare_numbers(a->count, b->count);
}

bool version_wins(const struct version_claim *ours, const struct version_claim *theirs)
{
	/* Neither is an arbitrary number: their difference fits. */
	int64_t later_us = ours->accepted_us - theirs->accepted_us;

	if (later_us > VERSION_CLOCK_US || later_us < -VERSION_CLOCK_US)
		return later_us > 0;
	if (ours->serial != theirs->serial && version_serial_greater(ours->serial, theirs->serial) !=
		version_serial_greater(theirs->serial, ours->serial))
		return version_serial_greater(ours->serial, theirs->serial);
	if (ours->deleted != theirs->deleted)
		return ours->deleted;
	return compare_digests(&ours->digest, &theirs->digest) > 0;
}
