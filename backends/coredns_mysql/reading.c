/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/coredns_mysql/reading.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/coredns_mysql/literal.h"
#include "backends/coredns_mysql/presence.h"

enum { ROW_OVERHEAD = 256 }; /* what a row takes here and in the client library beside its data */

static uint64_t number(const char *text)
{
	return text == NULL ? 0 : strtoull(text, NULL, 10);
}

struct found {
	uint64_t id;
	uint64_t bytes;
	struct backend_rows *zone;
	size_t filled;   /* rows */
	size_t used;     /* bytes of texts */
};

struct finds {
	struct found *found; /* of the zones that exist; sorted by id */
	size_t count;
};

static int compare_names(const void *key, const void *element)
{
	return strcmp(key, ((const struct backend_rows *)element)->name);
}

static struct backend_rows *find_zone(const struct backend_read *read, const char *name)
{
	return name == NULL ? NULL : bsearch(name, read->zones, read->count, sizeof(*read->zones), compare_names);
}

static int compare_ids(const void *a, const void *b)
{
	uint64_t one = ((const struct found *)a)->id;
	uint64_t other = ((const struct found *)b)->id;

	return one < other ? -1 : one > other;
}

static void add_names(struct buf *sql, const struct backend_read *read)
{
	for (size_t i = 0; i < read->count; i++)
		literal_sql(sql, i == 0 ? "%s" : ",%s", read->zones[i].name);
	buf_puts(sql, ")");
}

/* As in a look: only a zone of exactly that name is it, and the first of two. */
static void take_sizes(const struct backend_read *read, struct result *rows, struct finds *finds)
{
	char **row;

	while (rows != NULL && (row = result_next(rows)) != NULL) {
		struct backend_rows *zone = find_zone(read, row[1]);

		if (zone == NULL || zone->exists)
			continue;
		zone->exists = true;
		zone->count = number(row[2]);
		finds->found[finds->count++] = (struct found){ .id = number(row[0]), .zone = zone,
			.bytes = number(row[3]) + zone->count * ROW_OVERHEAD };
	}
	qsort(finds->found, finds->count, sizeof(*finds->found), compare_ids);
}

static void take_stamps(const struct backend_read *read, struct result *rows)
{
	char **row;

	while (rows != NULL && (row = result_next(rows)) != NULL) {
		struct backend_rows *zone = find_zone(read, row[0]);

		if (zone == NULL || row[1] == NULL)
			continue;
		snprintf(zone->stamp.store_id, sizeof(zone->stamp.store_id), "%s", row[1]);
		zone->stamp.generation = number(row[2]);
		zone->deleted = number(row[3]) != 0;
	}
}

static int measure(struct target *target, const struct presence *there, const struct backend_read *read,
	struct finds *finds)
{
	static const unsigned columns[] = { 4, 4 };
	const struct coredns_mysql_settings *settings = target->settings;
	struct result *results[2] = { NULL, NULL };
	struct buf sql = { 0 };

	literal_sql(&sql, READING_SNAPSHOT
		"SELECT z.id,z.zone_name,COUNT(r.id),SUM(COALESCE(OCTET_LENGTH(r.data),0)) FROM %t AS z LEFT JOIN %t AS r ON "
		"r.zone_id=z.id WHERE z.zone_name IN (",
		settings->zones_table, settings->records_table);
	add_names(&sql, read);
	buf_puts(&sql, " GROUP BY z.id,z.zone_name ORDER BY z.id");
	if (there->stamps) {
		literal_sql(&sql, ";SELECT zone_name,store_id,generation,deleted FROM %t WHERE zone_name IN (",
			settings->state_table);
		add_names(&sql, read);
	}
	link_demand(&target->link, columns, ARRAY_SIZE(columns));
	int outcome = link_fetch(&target->link, &sql, results, there->stamps ? 2 : 1);
	buf_free(&sql);
	if (outcome < 0)
		return -1;
	take_sizes(read, results[0], finds);
	take_stamps(read, results[1]);
	result_free(results[0]);
	result_free(results[1]);
	return 0;
}

static struct found *find_of(const struct finds *finds, const struct backend_rows *zone)
{
	for (size_t i = 0; i < finds->count; i++)
		if (finds->found[i].zone == zone)
			return &finds->found[i];
	return NULL;
}

/* How many zones go into the memory that is allowed; a zone that is too large even alone is cut. */
static size_t choose(const struct backend_read *read, const struct finds *finds)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < read->count; i++) {
		const struct found *found = find_of(finds, &read->zones[i]);
		uint64_t own = found == NULL ? 0 : found->bytes;

		read->zones[i].cut = own > BACKEND_READ_ZONE_BYTES;
		bytes += read->zones[i].cut ? 0 : own;
		if (i > 0 && bytes > BACKEND_READ_BYTES)
			return i;
	}
	return read->count;
}

/* A text with a NUL inside is none that C could compare. */
static const char *keep_text(struct found *found, const char *text, size_t length)
{
	char *at = found->zone->texts + found->used;

	if (text == NULL || strlen(text) != length)
		return NULL;
	memcpy(at, text, length + 1);
	found->used += length + 1;
	return at;
}

static struct found *find_id(const struct finds *finds, const char *text)
{
	const struct found key = { .id = number(text) };

	return bsearch(&key, finds->found, finds->count, sizeof(*finds->found), compare_ids);
}

/* The answer is gone through twice: how much memory each zone needs, and then into it. */
static void make_room(const struct finds *finds, struct result *rows)
{
	char **row;

	while ((row = result_next(rows)) != NULL) {
		const size_t *lengths = result_lengths(rows);
		struct found *found = find_id(finds, row[0]);

		if (found == NULL)
			continue; /* not asked for */
		found->filled++;
		for (unsigned i = 1; i <= 5; i++)
			found->used += lengths[i] + 1;
	}
	for (size_t i = 0; i < finds->count; i++) {
		struct found *found = &finds->found[i];

		found->zone->rows = xcalloc(found->filled + 1, sizeof(*found->zone->rows));
		found->zone->texts = xmalloc(found->used + 1);
		found->filled = found->used = 0;
	}
	result_rewind(rows);
}

static void take_rows(const struct finds *finds, struct result *rows)
{
	char **row;

	make_room(finds, rows);
	while ((row = result_next(rows)) != NULL) {
		const size_t *lengths = result_lengths(rows);
		struct found *found = find_id(finds, row[0]);

		if (found == NULL)
			continue;
		found->zone->rows[found->filled++] = (struct diff_row){
			.owner = keep_text(found, row[1], lengths[1]),
			.type = keep_text(found, row[2], lengths[2]),
			.data = keep_text(found, row[3], lengths[3]),
			.ttl = keep_text(found, row[4], lengths[4]),
			.online = keep_text(found, row[5], lengths[5]),
		};
	}
	for (size_t i = 0; i < finds->count; i++)
		finds->found[i].zone->count = finds->found[i].filled;
}

/* Only of those that are answered and not cut. */
static void keep_chosen(const struct backend_read *read, struct finds *finds)
{
	size_t kept = 0;

	for (size_t i = 0; i < finds->count; i++)
		if (finds->found[i].zone < read->zones + read->done && !finds->found[i].zone->cut)
			finds->found[kept++] = finds->found[i];
	finds->count = kept;
}

static int fetch_rows(struct target *target, const struct finds *finds, bool *cut)
{
	static const unsigned columns[] = { 6 };
	struct buf sql = { 0 };
	struct result *rows;

	literal_sql(&sql, "SELECT zone_id,hostname,type,data,ttl,online FROM %t WHERE zone_id IN (",
		target->settings->records_table);
	for (size_t i = 0; i < finds->count; i++)
		literal_sql(&sql, i == 0 ? "%u" : ",%u", finds->found[i].id);
	buf_puts(&sql, finds->count == 0 ? "NULL);COMMIT" : ");COMMIT");
	link_demand(&target->link, columns, ARRAY_SIZE(columns));
	/* Twice: what the server holds in one byte may come in two. */
	link_allow(&target->link, 0, 2 * ((uint64_t)BACKEND_READ_BYTES + BACKEND_READ_ZONE_BYTES));
	int outcome = link_fetch(&target->link, &sql, &rows, 1);
	buf_free(&sql);
	if (outcome < 0)
		return -1;
	*cut = result_cut(rows);
	if (!*cut)
		take_rows(finds, rows);
	result_free(rows);
	return 0;
}

/* *cut: the rows were less when they were measured, or have more than their data; none is given. */
static int read_together(struct target *target, struct backend_read *read, bool *cut)
{
	struct finds finds = { .found = xcalloc(read->count + 1, sizeof(*finds.found)) };
	struct presence there;

	*cut = false;
	int outcome = presence_look(target, &there);
	read->done = read->count;
	if (outcome == 0 && there.zones) {
		outcome = measure(target, &there, read, &finds);
		if (outcome == 0) {
			read->done = choose(read, &finds);
			keep_chosen(read, &finds);
			outcome = fetch_rows(target, &finds, cut);
		}
	}
	free(finds.found);
	return outcome;
}

int reading_rows(struct target *target, struct backend_read *read)
{
	const size_t count = read->count;
	bool cut;

	backend_read_free(read);
	int outcome = read_together(target, read, &cut);
	if (outcome == 0 && cut && read->done > 1) {
		backend_read_free(read);
		read->count = 1; /* the others are asked for anew */
		outcome = read_together(target, read, &cut);
		read->count = count;
	}
	if (outcome == 0 && cut)
		read->zones[0].cut = true;
	if (outcome < 0)
		backend_read_free(read);
	return outcome;
}
