/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/zone.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <libknot/descriptor.h>

#include "zone/draft.h"
#include "zone/record.h"

/* One block of memory: this, the records, then the strings they point at. */
struct zone {
	atomic_uint references;
	uint32_t serial;
	size_t memory;
	struct zone_digest digest;
	bool is_signed;
	const char *name;
	size_t count;
	struct zone_record records[];
};

enum { TTL_TEXT_SIZE = sizeof("2147483647") };

static bool same_owner(const struct draft_record *records, size_t i)
{
	return i > 0 && strcmp(records[i].owner.text, records[i - 1].owner.text) == 0;
}

static size_t strings_size(const struct draft_record *records, size_t count)
{
	size_t size = 0;

	for (size_t i = 0; i < count; i++) {
		if (!same_owner(records, i))
			size += strlen(records[i].owner.text) + 1;
		size += strlen(records[i].data.text) + 1;
		if (record_type_name(records[i].type) == NULL)
			size += RECORD_TYPE_SIZE;
	}
	return size;
}

static const char *put_string(char **at, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = *at;

	memcpy(copy, text, size);
	*at += size;
	return copy;
}

static const char *put_type(char **at, uint16_t type)
{
	const char *name = record_type_name(type);
	char text[RECORD_TYPE_SIZE];

	return name != NULL ? name : put_string(at, record_print_type(type, text));
}

static void add_to_digest(struct zone_digest *digest, const struct zone_record *record)
{
	char text[TTL_TEXT_SIZE];
	char *at = text + sizeof(text);
	uint32_t ttl = record->ttl;

	*--at = '\0';
	do {
		*--at = (char)('0' + ttl % 10);
		ttl /= 10;
	} while (ttl != 0);
	zone_digest_add(digest, record->owner, record->type, record->data, at, "1");
}

struct zone *zone_pack(const char *name, uint32_t serial, const struct draft_record *records, size_t count)
{
	size_t fixed = sizeof(struct zone) + count * sizeof(struct zone_record);
	size_t memory = fixed + strlen(name) + 1 + strings_size(records, count);
	struct zone *zone = xmalloc(memory);
	char *at = (char *)zone + fixed;

	*zone = (struct zone){ .references = 1, .serial = serial, .memory = memory, .count = count };
	zone->name = put_string(&at, name);
	for (size_t i = 0; i < count; i++) {
		zone->records[i] = (struct zone_record){
			.owner = same_owner(records, i) ? zone->records[i - 1].owner : put_string(&at, records[i].owner.text),
			.type = put_type(&at, records[i].type),
			.data = put_string(&at, records[i].data.text),
			.ttl = records[i].ttl,
			.type_code = records[i].type,
		};
		add_to_digest(&zone->digest, &zone->records[i]);
		zone->is_signed |= records[i].type == KNOT_RRTYPE_RRSIG || records[i].type == KNOT_RRTYPE_DNSKEY;
	}
	CHECK((size_t)(at - (char *)zone) <= memory);
	return zone;
}

struct zone *zone_ref(struct zone *zone)
{
	atomic_fetch_add_explicit(&zone->references, 1, memory_order_relaxed);
	return zone;
}

void zone_unref(struct zone *zone)
{
	if (zone != NULL && atomic_fetch_sub_explicit(&zone->references, 1, memory_order_acq_rel) == 1)
		free(zone);
}

const char *zone_name(const struct zone *zone)
{
	return zone->name;
}

uint32_t zone_serial(const struct zone *zone)
{
	return zone->serial;
}

const struct zone_digest *zone_digest(const struct zone *zone)
{
	return &zone->digest;
}

const struct zone_record *zone_records(const struct zone *zone, size_t *count)
{
	*count = zone->count;
	return zone->records;
}

bool zone_is_signed(const struct zone *zone)
{
	return zone->is_signed;
}

size_t zone_memory(const struct zone *zone)
{
	return zone->memory;
}

int zone_record_compare(const struct zone_record *a, const struct zone_record *b)
{
	int order = a->owner == b->owner ? 0 : strcmp(a->owner, b->owner);

	if (order == 0)
		order = (a->type_code > b->type_code) - (a->type_code < b->type_code);
	if (order == 0 && a->type != b->type)
		order = strcmp(a->type, b->type);
	return order != 0 ? order : strcmp(a->data, b->data);
}
