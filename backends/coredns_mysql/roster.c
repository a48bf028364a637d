/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/coredns_mysql/roster.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/coredns_mysql/digest.h"

static uint64_t number(const char *text)
{
	return text == NULL ? 0 : strtoull(text, NULL, 10);
}

/* 1 to INT64_MAX, else 0: a zone with another id can neither be written to nor removed by what we send. */
static uint64_t zone_id_of(const char *text)
{
	char *end = NULL;

	if (text == NULL || text[0] < '0' || text[0] > '9')
		return 0;
	uint64_t id = strtoull(text, &end, 10);
	return *end != '\0' || id > INT64_MAX ? 0 : id;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp((*(struct work *const *)a)->item->name, (*(struct work *const *)b)->item->name);
}

void roster_init(struct roster *roster, struct work *const *works, size_t count)
{
	*roster = (struct roster){ .works = xcalloc(count + 1, sizeof(struct work *)),
		.ids = xcalloc(count + 1, sizeof(struct roster_id)), .count = count };
	memcpy(roster->works, works, count * sizeof(struct work *));
	qsort(roster->works, count, sizeof(struct work *), compare_names);
	for (size_t i = 0; i < count; i++)
		work_reset(roster->works[i]);
}

void roster_free(struct roster *roster)
{
	for (size_t i = 0; i < roster->count; i++)
		work_reset(roster->works[i]);
	free(roster->works);
	free(roster->ids);
	*roster = (struct roster){ 0 };
}

/* Names as a collation may find them: other case, blanks behind. */
static int compare_loosely(const char *canonical, const char *found)
{
	for (;; canonical++, found++) {
		unsigned char a = (unsigned char)*canonical;
		unsigned char b = (unsigned char)tolower((unsigned char)*found);

		if (b == ' ' && found[strspn(found, " ")] == '\0')
			b = '\0';
		if (a != b)
			return a < b ? -1 : 1;
		if (a == '\0')
			return 0;
	}
}

static struct work *find_by_name(const struct roster *roster, const char *name)
{
	size_t low = 0;
	size_t high = roster->count;

	while (name != NULL && low < high) {
		size_t middle = (low + high) / 2;
		int order = compare_loosely(roster->works[middle]->item->name, name);

		if (order == 0)
			return roster->works[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static int compare_ids(const void *a, const void *b)
{
	uint64_t one = ((const struct roster_id *)a)->id;
	uint64_t other = ((const struct roster_id *)b)->id;

	return one < other ? -1 : one > other;
}

static struct work *find_by_id(const struct roster *roster, const char *text)
{
	const struct roster_id key = { .id = zone_id_of(text) };
	const struct roster_id *found =
		roster->id_count == 0 ? NULL : bsearch(&key, roster->ids, roster->id_count, sizeof(key), compare_ids);

	return found == NULL ? NULL : found->work;
}

void roster_take_zones(struct roster *roster, struct result *rows)
{
	char **row;

	while (rows != NULL && (row = result_next(rows)) != NULL) {
		struct work *work = find_by_name(roster, row[1]);

		if (work == NULL)
			snprintf(roster->other, sizeof(roster->other), "%s", row[1] == NULL ? "" : row[1]);
		/* Of several spellings the right one counts. */
		if (work == NULL || (work->exists && !work->misnamed))
			continue;
		work->exists = true;
		work->zone_id = zone_id_of(row[0]);
		work->misnamed = strcmp(row[1], work->item->name) != 0;
	}
	roster->id_count = 0;
	for (size_t i = 0; i < roster->count; i++)
		if (roster->works[i]->zone_id != 0)
			roster->ids[roster->id_count++] =
				(struct roster_id){ .id = roster->works[i]->zone_id, .work = roster->works[i] };
	qsort(roster->ids, roster->id_count, sizeof(*roster->ids), compare_ids);
}

void roster_take_stamps(const struct roster *roster, struct result *rows)
{
	char **row;

	while (rows != NULL && (row = result_next(rows)) != NULL) {
		struct work *work = find_by_name(roster, row[0]);
		struct work_stamp *stamp;

		if (work == NULL || row[1] == NULL || row[3] == NULL)
			continue;
		stamp = &work->stamp;
		stamp->found = true;
		snprintf(stamp->by.store_id, sizeof(stamp->by.store_id), "%s", row[1]);
		stamp->by.generation = number(row[2]);
		stamp->deleted = number(row[5]) != 0;
		if (zone_digest_parse(row[3], number(row[4]), &stamp->digest, NULL) < 0)
			stamp->digest = (struct zone_digest){ 0 };
	}
}

/* A text with a NUL inside is none that C could compare: it counts as absent, so that the row is made anew. */
static const char *whole(const char *text, size_t length)
{
	return text != NULL && strlen(text) == length ? text : NULL;
}

void roster_take_rows(const struct roster *roster, struct result *rows)
{
	char **row;

	while (rows != NULL && (row = result_next(rows)) != NULL) {
		const size_t *lengths = result_lengths(rows);
		struct work *work = find_by_id(roster, row[0]);
		const struct diff_row have = { whole(row[2], lengths[2]), whole(row[3], lengths[3]),
			whole(row[4], lengths[4]), whole(row[5], lengths[5]), whole(row[6], lengths[6]) };

		if (work != NULL && work->taking)
			work_add_row(work, number(row[1]), &have);
	}
}

void roster_take_digests(const struct roster *roster, struct result *rows)
{
	char **row;

	while (rows != NULL && (row = result_next(rows)) != NULL) {
		struct work *work = find_by_id(roster, row[0]);

		if (work != NULL && !digest_take(row + 1, &work->actual))
			work->actual = (struct zone_digest){ 0 };
	}
}
