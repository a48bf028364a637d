/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/draft.h"

#include <libknot/descriptor.h>
#include <stdlib.h>
#include <string.h>

#include "zone/record.h"

void draft_add(struct draft *draft, const struct draft_record *record)
{
	if (draft->count == draft->capacity) {
		draft->capacity = draft->capacity == 0 ? 32 : draft->capacity * 2;
		draft->records = xrealloc(draft->records, draft->capacity * sizeof(*draft->records));
	}
	draft->records[draft->count++] = *record;
}

void draft_free(struct draft *draft)
{
	free(draft->records);
	buf_free(&draft->strings);
	*draft = (struct draft){ 0 };
}

static int compare_owner(const struct draft_record *a, const struct draft_record *b)
{
	return a->owner.text == b->owner.text ? 0 : strcmp(a->owner.text, b->owner.text);
}

static int compare(const void *left, const void *right)
{
	const struct draft_record *a = left;
	const struct draft_record *b = right;
	int order = compare_owner(a, b);

	if (order == 0)
		order = (a->type > b->type) - (a->type < b->type);
	if (order == 0)
		order = strcmp(a->data.text, b->data.text);
	/* The first of doubled records is the one that errors speak of. */
	return order != 0 ? order : (a->end > b->end) - (a->end < b->end);
}

static bool same_rrset(const struct draft_record *a, const struct draft_record *b)
{
	return a->type == b->type && a->covered == b->covered && compare_owner(a, b) == 0;
}

static void sort(struct draft *draft)
{
	for (size_t i = 0; i < draft->count; i++) {
		struct draft_record *record = &draft->records[i];

		record->owner.text = draft->strings.data + record->owner.at;
		record->data.text = draft->strings.data + record->data.at;
	}
	qsort(draft->records, draft->count, sizeof(*draft->records), compare);
}

/* RFC 2181 5: no two records alike; the lower TTL is the one that counts (5.2). */
static void fold(struct draft *draft)
{
	size_t kept = 0;

	for (size_t i = 0; i < draft->count; i++) {
		struct draft_record *record = &draft->records[i];
		struct draft_record *last = kept == 0 ? NULL : &draft->records[kept - 1];

		if (last != NULL && same_rrset(last, record) && strcmp(last->data.text, record->data.text) == 0) {
			if (record->ttl < last->ttl)
				last->ttl = record->ttl;
			continue;
		}
		draft->records[kept++] = *record;
	}
	draft->count = kept;
}

/* The end of the RRset, or of the signatures over one, that begins at first. */
static size_t rrset_end(const struct draft *draft, size_t first)
{
	size_t end = first + 1;

	while (end < draft->count && same_rrset(&draft->records[first], &draft->records[end]))
		end++;
	return end;
}

static size_t owner_end(const struct draft *draft, size_t first)
{
	size_t end = first + 1;

	while (end < draft->count && compare_owner(&draft->records[first], &draft->records[end]) == 0)
		end++;
	return end;
}

/* A record of that type in first..end, which are one owner's and thus sorted by type, or NULL. */
static const struct draft_record *find_type(const struct draft *draft, size_t first, size_t end, uint16_t type)
{
	while (first < end) {
		size_t middle = first + (end - first) / 2;

		if (draft->records[middle].type == type)
			return &draft->records[middle];
		if (draft->records[middle].type < type)
			first = middle + 1;
		else
			end = middle;
	}
	return NULL;
}

/* One TTL per RRset first, then each RRSIG takes that of what it covers. */
static void level_ttls(struct draft *draft)
{
	size_t end;

	for (size_t i = 0; i < draft->count; i = end) {
		uint32_t lowest = draft->records[i].ttl;

		end = rrset_end(draft, i);
		for (size_t k = i; k < end; k++)
			lowest = draft->records[k].ttl < lowest ? draft->records[k].ttl : lowest;
		for (size_t k = i; k < end; k++)
			draft->records[k].ttl = lowest;
	}
	for (size_t i = 0; i < draft->count; i = end) {
		end = owner_end(draft, i);
		for (size_t k = i; k < end; k++) {
			struct draft_record *record = &draft->records[k];

			if (record->type != KNOT_RRTYPE_RRSIG)
				continue;
			const struct draft_record *covered = find_type(draft, i, end, record->covered);
			if (covered != NULL)
				record->ttl = covered->ttl;
		}
	}
}

struct clash {
	const struct draft_record *cname;
	const struct draft_record *other;
	size_t end; /* of the later one: where a reader of the text first meets it */
};

/* The clash of a CNAME with another record of its owner that comes first in the text, if any. */
static void find_clash(const struct draft *draft, size_t first, size_t end, struct clash *best)
{
	const struct draft_record *cname = find_type(draft, first, end, KNOT_RRTYPE_CNAME);

	if (cname == NULL)
		return;
	for (size_t i = first; i < end; i++)
		if (draft->records[i].type == KNOT_RRTYPE_CNAME && draft->records[i].end < cname->end)
			cname = &draft->records[i];
	for (size_t i = first; i < end; i++) {
		const struct draft_record *other = &draft->records[i];

		if (other == cname || record_type_beside_cname(other->type))
			continue;
		size_t later = other->end > cname->end ? other->end : cname->end;
		if (best->cname == NULL || later < best->end)
			*best = (struct clash){ .cname = cname, .other = other, .end = later };
	}
}

static size_t record_line(const struct text *text, size_t end)
{
	return text_line(text, text_record_start(text, end));
}

static int refuse_clash(const struct clash *clash, const char *name, const struct text *text, struct err *err)
{
	const struct draft_record *first = clash->cname->end < clash->other->end ? clash->cname : clash->other;
	const char *owner = clash->cname->owner.text;
	char type[RECORD_TYPE_SIZE];
	size_t line = record_line(text, clash->end);
	size_t first_line = record_line(text, first->end);
	bool apex = strcmp(owner, "@") == 0;

	if (clash->other->type == KNOT_RRTYPE_CNAME)
		return err_set(err, ERR_INVALID, "line %zu: two CNAME records at %s%s%s (the other is on line %zu)",
			line, apex ? "" : owner, apex ? "" : ".", name, first_line);
	return err_set(err, ERR_INVALID, "line %zu: CNAME beside other data at %s%s%s (%s on line %zu)", line,
		apex ? "" : owner, apex ? "" : ".", name, record_print_type(first->type, type), first_line);
}

static int check_cnames(const struct draft *draft, const char *name, const struct text *text, struct err *err)
{
	struct clash clash = { 0 };
	size_t end;

	for (size_t i = 0; i < draft->count; i = end) {
		end = owner_end(draft, i);
		find_clash(draft, i, end, &clash);
	}
	return clash.cname == NULL ? 0 : refuse_clash(&clash, name, text, err);
}

int draft_finish(struct draft *draft, const char *name, const struct text *text, struct zone **out,
	struct err *err)
{
	sort(draft);
	fold(draft);
	int status = check_cnames(draft, name, text, err);
	if (status != 0)
		return status;
	level_ttls(draft);
	*out = zone_pack(name, draft->serial, draft->records, draft->count);
	return 0;
}
