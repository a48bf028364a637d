/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/coredns_mysql/listing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/coredns_mysql/digest.h"
#include "backends/coredns_mysql/literal.h"

/*
 * The stamps are a range of names, because strays are looked for; zones and records are asked for by name, because a
 * database may hold any number of zones that are not ours. At 1,000 names MariaDB would make a join of such a list
 * (in_predicate_conversion_threshold), which takes forty times as long.
 */
enum {
	STAMPS_SPARE = 200,      /* stamps of one look beyond those of the zones asked for */
	NAME_SIZE = 40,          /* what a name takes in SQL beyond its hex digits, in both lists */
	PACKET_SPARE = 4096
};

_Static_assert(BACKEND_LOOK_MOST < 1000, "a list of 1,000 names is made a join");

enum { LOOK_STAMPS, LOOK_ZONES, LOOK_DIGESTS, LOOK_RESULTS };

/* So many of the zones as one packet has room for, and at least one. */
static size_t fitting(const struct target *target, const struct backend_look *look)
{
	uint64_t size = PACKET_SPARE;
	size_t count = 0;

	while (count < look->count && count < BACKEND_LOOK_MOST) {
		size += 4 * strlen(look->zones[count].name) + NAME_SIZE;
		if (count > 0 && size > target->packet_limit)
			break;
		count++;
	}
	return count;
}

static void add_names(struct buf *sql, const struct backend_look *look)
{
	for (size_t i = 0; i < look->done; i++)
		literal_sql(sql, i == 0 ? "%s" : ",%s", look->zones[i].name);
	if (look->done == 0)
		buf_puts(sql, "NULL");
}

static void compose(struct target *target, const struct backend_look *look, size_t most, struct buf *sql)
{
	const struct coredns_mysql_settings *settings = target->settings;

	literal_sql(sql,
		"SELECT zone_name,store_id,generation,digest,record_count,deleted FROM %t WHERE zone_name > %s",
		settings->state_table, look->after);
	if (look->upto[0] != '\0')
		literal_sql(sql, " AND zone_name <= %s", look->upto);
	literal_sql(sql, " ORDER BY zone_name LIMIT %u;", (uint64_t)most);
	literal_sql(sql, "SELECT id,zone_name FROM %t WHERE zone_name IN (", settings->zones_table);
	add_names(sql, look);
	buf_puts(sql, ");");
	digest_sql_begin(sql, settings->records_table, &target->schema);
	literal_sql(sql, "SELECT id FROM %t WHERE zone_name IN (", settings->zones_table);
	add_names(sql, look);
	buf_puts(sql, ")");
	digest_sql_end(sql);
}

static int compare_names(const void *key, const void *element)
{
	return strcmp(key, ((const struct backend_seen *)element)->name);
}

static struct backend_seen *find(const struct backend_look *look, const char *name)
{
	if (name == NULL || look->done == 0)
		return NULL;
	return bsearch(name, look->zones, look->done, sizeof(*look->zones), compare_names);
}

static uint64_t number(const char *text)
{
	return text == NULL ? 0 : strtoull(text, NULL, 10);
}

static void add_stray(const struct target *target, struct backend_look *look, char **row)
{
	if (number(row[5]) != 0 || row[1] == NULL || strcmp(row[1], target->params.store_id) != 0 ||
		strlen(row[0]) >= ZONE_NAME_SIZE)
		return;
	buf_append(&look->strays, row[0], strlen(row[0]) + 1);
	look->stray_count++;
}

static void take_stamp(const struct target *target, struct backend_look *look, char **row)
{
	struct backend_seen *seen = find(look, row[0]);

	if (seen == NULL) {
		add_stray(target, look, row);
		return;
	}
	snprintf(seen->stamp.store_id, sizeof(seen->stamp.store_id), "%s", row[1] == NULL ? "" : row[1]);
	seen->stamp.generation = number(row[2]);
	seen->deleted = number(row[5]) != 0;
	if (row[3] == NULL || zone_digest_parse(row[3], number(row[4]), &seen->stamped, NULL) < 0)
		seen->stamped = (struct zone_digest){ 0 };
}

/*
 * Where there are more stamps than were asked for, those behind the last one are not known: the look ends with it, and
 * the zones behind it are not answered.
 */
static void take_stamps(const struct target *target, struct backend_look *look, size_t most, struct result *rows)
{
	char last[sizeof(look->upto)] = "";
	size_t taken = 0;
	char **row;

	while (rows != NULL && (row = result_next(rows)) != NULL) {
		taken++;
		if (row[0] == NULL)
			continue;
		take_stamp(target, look, row);
		/* What we never wrote, we could not ask for either. */
		if (strlen(row[0]) < sizeof(last) && literal_allows(row[0]))
			snprintf(last, sizeof(last), "%s", row[0]);
	}
	if (taken < most)
		return;
	memcpy(look->upto, last, sizeof(last));
	while (look->done > 0 && strcmp(look->zones[look->done - 1].name, last) > 0)
		look->done--;
}

struct zone_id {
	uint64_t id;
	struct backend_seen *seen;
};

static int compare_ids(const void *a, const void *b)
{
	uint64_t one = ((const struct zone_id *)a)->id;
	uint64_t other = ((const struct zone_id *)b)->id;

	return one < other ? -1 : one > other;
}

/* Only a zone of exactly that name is it: a collation may find others. */
static size_t take_zones(const struct backend_look *look, struct result *rows, struct zone_id *ids)
{
	size_t count = 0;
	char **row;

	while (rows != NULL && (row = result_next(rows)) != NULL) {
		struct backend_seen *seen = find(look, row[1]);

		/* Two rows of one name are possible where the table has no unique index yet: the first is the zone. */
		if (seen == NULL || seen->exists)
			continue;
		seen->exists = true;
		ids[count++] = (struct zone_id){ .id = number(row[0]), .seen = seen };
	}
	qsort(ids, count, sizeof(*ids), compare_ids);
	return count;
}

static void take_digests(struct result *rows, const struct zone_id *ids, size_t count)
{
	char **row;

	while (rows != NULL && count > 0 && (row = result_next(rows)) != NULL) {
		struct zone_id key = { .id = number(row[0]) };
		struct zone_id *found = bsearch(&key, ids, count, sizeof(*ids), compare_ids);

		if (found != NULL && !digest_take(row + 1, &found->seen->actual))
			found->seen->actual = (struct zone_digest){ 0 };
	}
}

int listing_look(struct target *target, struct backend_look *look)
{
	static const unsigned columns[] = { [LOOK_STAMPS] = 6, [LOOK_ZONES] = 2, [LOOK_DIGESTS] = 4 };
	struct result *results[LOOK_RESULTS];
	struct buf sql = { 0 };

	look->done = fitting(target, look);
	look->upto[0] = '\0';
	if (look->done < look->count || !look->to_end)
		snprintf(look->upto, sizeof(look->upto), "%s", look->zones[look->done - 1].name);
	size_t most = look->done + STAMPS_SPARE;
	struct zone_id *ids = xcalloc(look->done + 1, sizeof(*ids));
	compose(target, look, most, &sql);
	link_demand(&target->link, columns, ARRAY_SIZE(columns));
	int outcome = link_fetch(&target->link, &sql, results, LOOK_RESULTS);
	buf_free(&sql);
	if (outcome == 0) {
		for (size_t i = 0; i < look->done; i++)
			look->zones[i] = (struct backend_seen){ .name = look->zones[i].name };
		size_t count = take_zones(look, results[LOOK_ZONES], ids);
		take_digests(results[LOOK_DIGESTS], ids, count);
		take_stamps(target, look, most, results[LOOK_STAMPS]);
		for (size_t i = 0; i < LOOK_RESULTS; i++)
			result_free(results[i]);
	}
	free(ids);
	return outcome;
}

int listing_exists(struct target *target, const char *name, bool *exists)
{
	static const unsigned columns[] = { 1 };
	struct buf sql = { 0 };
	struct result *rows = NULL;

	*exists = false;
	if (!literal_allows(name) || name[0] == '\0')
		return 0; /* the row without a name is no zone */
	literal_sql(&sql, "SELECT id FROM %t WHERE zone_name = %s", target->settings->zones_table, name);
	link_demand(&target->link, columns, ARRAY_SIZE(columns));
	int outcome = link_fetch(&target->link, &sql, &rows, 1);
	buf_free(&sql);
	*exists = outcome == 0 && rows != NULL && result_count(rows) > 0;
	result_free(rows);
	return outcome;
}
