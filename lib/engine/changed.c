/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "engine/changed.h"

#include <string.h>

/* RFC 1035 3.2.2, RFC 6672, RFC 4034, RFC 5155. */
enum { TYPE_NS = 2, TYPE_SOA = 6, TYPE_DNAME = 39, TYPE_RRSIG = 46, TYPE_NSEC = 47, TYPE_NSEC3 = 50, TYPE_NSEC3PARAM = 51 };

struct side {
	const struct zone_record *records; /* sorted by owner and type: an RRset is a run */
	size_t count;
};

static struct side side_of(const struct zone *zone)
{
	struct side side = { 0 };

	if (zone != NULL)
		side.records = zone_records(zone, &side.count);
	return side;
}

static bool same_set(const struct zone_record *a, const struct zone_record *b)
{
	return a->type_code == b->type_code && strcmp(a->owner, b->owner) == 0;
}

/* The end of the RRset that begins at first. */
static size_t set_end(const struct side *side, size_t first)
{
	size_t end = first + 1;

	while (end < side->count && same_set(&side->records[first], &side->records[end]))
		end++;
	return end;
}

static bool find_set(const struct side *side, const struct zone_record *like, size_t *first)
{
	size_t low = 0, high = side->count;

	/* By owner and type alone: data "" is before all. */
	const struct zone_record least = { .owner = like->owner, .type = like->type, .data = "", .type_code = like->type_code };
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (zone_record_compare(&side->records[middle], &least) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*first = low;
	return low < side->count && same_set(&side->records[low], like);
}

static bool same_data(const struct side *a, size_t a_first, const struct side *b, size_t b_first)
{
	size_t count = set_end(a, a_first) - a_first;

	if (set_end(b, b_first) - b_first != count)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (strcmp(a->records[a_first + i].data, b->records[b_first + i].data) != 0)
			return false;
	}
	return true;
}

static bool is_plain_type(uint16_t type)
{
	return type != TYPE_SOA && type != TYPE_NS && type != TYPE_RRSIG && type != TYPE_NSEC && type != TYPE_NSEC3 &&
		type != TYPE_NSEC3PARAM;
}

static bool is_at_or_below(const char *owner, const char *cut)
{
	size_t size = strlen(owner), cut_size = strlen(cut);

	return size >= cut_size && strcmp(owner + size - cut_size, cut) == 0 &&
		(size == cut_size || owner[size - cut_size - 1] == '.');
}

/* Somebody else answers for it, or another name does. */
static bool is_cut_off(const struct side *side, const char *owner)
{
	for (size_t i = 0; i < side->count; i++) {
		const struct zone_record *record = &side->records[i];

		if ((record->type_code == TYPE_NS && strcmp(record->owner, "@") != 0) || record->type_code == TYPE_DNAME) {
			if (strcmp(record->owner, "@") == 0 ? strcmp(owner, "@") != 0 : is_at_or_below(owner, record->owner))
				return true;
		}
	}
	return false;
}

static bool has_wildcard(const struct side *side)
{
	for (size_t i = 0; i < side->count; i++) {
		if (side->records[i].owner[0] == '*')
			return true;
	}
	return false;
}

static bool pick_new(const struct side *before, const struct side *after, struct changed *out)
{
	for (size_t first = 0, end; first < after->count; first = end) {
		const struct zone_record *record = &after->records[first];
		size_t was;

		end = set_end(after, first);
		if (!is_plain_type(record->type_code) ||
			(find_set(before, record, &was) && same_data(before, was, after, first)) ||
			is_cut_off(after, record->owner))
			continue;
		*out = (struct changed){ .owner = record->owner, .type = record->type, .type_code = record->type_code,
			.records = record, .count = end - first };
		return true;
	}
	return false;
}

static bool pick_gone(const struct side *before, const struct side *after, struct changed *out)
{
	if (has_wildcard(after))
		return false;
	for (size_t first = 0, end; first < before->count; first = end) {
		const struct zone_record *record = &before->records[first];
		size_t now;

		end = set_end(before, first);
		if (!is_plain_type(record->type_code) || find_set(after, record, &now) || is_cut_off(after, record->owner))
			continue;
		*out = (struct changed){ .owner = record->owner, .type = record->type, .type_code = record->type_code };
		return true;
	}
	return false;
}

bool changed_pick(const struct zone *before, const struct zone *after, struct changed *out)
{
	const struct side had = side_of(before), has = side_of(after);

	return pick_new(&had, &has, out) || pick_gone(&had, &has, out);
}
