/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A zone in the making: records in the order of the text, then sorted, folded,
 * checked against the rules between records, and packed into a struct zone.
 * Internal to lib/zone; one owner.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "zone/text.h"
#include "zone/zone.h"

struct draft_record {
	union {
		size_t at;        /* offset in strings, while records are added */
		const char *text; /* from draft_finish on */
	} owner, data;
	size_t end;               /* offset in the zone's text behind the record */
	uint32_t ttl;
	uint16_t type;
	uint16_t covered;         /* by an RRSIG */
};

struct draft {
	struct draft_record *records;
	size_t count;
	size_t capacity;
	struct buf strings; /* each with its NUL */
	uint32_t serial;
};

/* Takes a copy of the record. */
void draft_add(struct draft *draft, const struct draft_record *record);
/*
 * Makes the zone. ERR_INVALID with the line for two CNAMEs and for a CNAME beside other data. The draft can only
 * be freed afterwards.
 */
MUST_CHECK int draft_finish(struct draft *draft, const char *name, const struct text *text, struct zone **out,
	struct err *err);
void draft_free(struct draft *draft);

/* In zone.c: a zone with one reference from sorted, folded records. */
struct zone *zone_pack(const char *name, uint32_t serial, const struct draft_record *records, size_t count);
