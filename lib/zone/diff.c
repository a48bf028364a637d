/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/diff.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum {
	FIELD_OWNER,
	FIELD_TYPE,
	FIELD_DATA,
	FIELD_TTL,
	FIELD_ONLINE,
	FIELDS,
	FIELDS_OF_RRSET = FIELD_DATA, /* owner and type: what an update leaves alone */
	FIELDS_OF_RECORD = FIELD_TTL, /* and data */
	TTL_SIZE = sizeof("4294967295")
};

struct item {
	const char *fields[FIELDS];
	size_t index;
	bool settled;
};

struct side {
	struct item *items; /* sorted by all fields, then index */
	size_t count;
};

/* NULL before all text. */
static int compare_text(const char *a, const char *b)
{
	if (a == b)
		return 0;
	if (a == NULL || b == NULL)
		return a == NULL ? -1 : 1;
	return strcmp(a, b);
}

static int compare_fields(const struct item *a, const struct item *b, size_t fields)
{
	for (size_t i = 0; i < fields; i++) {
		int order = compare_text(a->fields[i], b->fields[i]);

		if (order != 0)
			return order;
	}
	return 0;
}

static int compare(const void *left, const void *right)
{
	const struct item *a = left;
	const struct item *b = right;
	int order = compare_fields(a, b, FIELDS);

	return order != 0 ? order : (a->index > b->index) - (a->index < b->index);
}

static struct side have_side(const struct diff_row *have, size_t count)
{
	struct side side = { .items = xcalloc(count, sizeof(*side.items)), .count = count };

	for (size_t i = 0; i < count; i++) {
		side.items[i] = (struct item){
			.fields = { have[i].owner, have[i].type, have[i].data, have[i].ttl, have[i].online },
			.index = i,
		};
	}
	qsort(side.items, count, sizeof(*side.items), compare);
	return side;
}

static const char *ttl_text(uint32_t ttl, char out[TTL_SIZE])
{
	char *at = out + TTL_SIZE;

	*--at = '\0';
	do {
		*--at = (char)('0' + ttl % 10);
		ttl /= 10;
	} while (ttl != 0);
	return at;
}

static struct side want_side(const struct zone_record *want, size_t count, char (*ttls)[TTL_SIZE])
{
	struct side side = { .items = xcalloc(count, sizeof(*side.items)), .count = count };

	for (size_t i = 0; i < count; i++) {
		const char *ttl = ttl_text(want[i].ttl, ttls[i]);

		side.items[i] = (struct item){
			.fields = { want[i].owner, want[i].type, want[i].data, ttl, "1" },
			.index = i,
		};
	}
	qsort(side.items, count, sizeof(*side.items), compare);
	return side;
}

static void add_op(struct diff *diff, enum diff_kind kind, size_t have, size_t want)
{
	diff->ops[diff->count++] = (struct diff_op){ .kind = kind, .have = have, .want = want };
}

/*
 * Pairs what is left of both sides where the first fields agree: all of them is a row that is right, fewer a row
 * to update. Going from all fields to those of the RRset keeps the most rows and then pairs the most of the rest;
 * what cannot be paired so has to be deleted or inserted, so the writes are the fewest.
 */
static void pair(struct side *have, struct side *want, size_t fields, struct diff *diff)
{
	size_t w = 0;

	for (size_t h = 0; h < have->count && w < want->count;) {
		struct item *row = &have->items[h];
		struct item *record = &want->items[w];
		int order = row->settled ? -1 : record->settled ? 1 : compare_fields(row, record, fields);

		if (order == 0) {
			row->settled = record->settled = true;
			if (fields == FIELDS)
				diff->kept++;
			else
				add_op(diff, DIFF_UPDATE, row->index, record->index);
		}
		h += order <= 0;
		w += order >= 0;
	}
}

void diff_make(const struct diff_row *have, size_t have_count, const struct zone_record *want, size_t want_count,
	struct diff *out)
{
	char(*ttls)[TTL_SIZE] = xmalloc(want_count * sizeof(*ttls));
	struct side rows = have_side(have, have_count);
	struct side records = want_side(want, want_count, ttls);

	*out = (struct diff){ .ops = xcalloc(have_count + want_count, sizeof(*out->ops)) };
	pair(&rows, &records, FIELDS, out);
	pair(&rows, &records, FIELDS_OF_RECORD, out);
	pair(&rows, &records, FIELDS_OF_RRSET, out);
	for (size_t i = 0; i < rows.count; i++)
		if (!rows.items[i].settled)
			add_op(out, DIFF_DELETE, rows.items[i].index, SIZE_MAX);
	for (size_t i = 0; i < records.count; i++)
		if (!records.items[i].settled)
			add_op(out, DIFF_INSERT, SIZE_MAX, records.items[i].index);
	free(rows.items);
	free(records.items);
	free(ttls);
}

void diff_free(struct diff *diff)
{
	free(diff->ops);
	*diff = (struct diff){ 0 };
}
