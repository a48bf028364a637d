/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/coredns_mysql/reading.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "backends/coredns_mysql/literal.h"

/*
 * All statements of one answer see one state of the database, without a lock: else a zone that is written meanwhile would
 * be seen half, and have other rows than were counted.
 */
#define SNAPSHOT                                                                                             \
	"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY;"

/* The server's codes. */
enum { TABLE_DENIED = 1142, NO_SUCH_TABLE = 1146 };

enum { ROW_OVERHEAD = 256 }; /* what a row takes here and in the client library beside its data */

/* ---- which tables there are ---- */

struct presence {
	bool zones; /* and records */
	bool stamps;
};

static bool is_among(MYSQL_RES *rows, const char *table)
{
	MYSQL_ROW row;

	mysql_data_seek(rows, 0);
	while ((row = mysql_fetch_row(rows)) != NULL)
		if (row[0] != NULL && strcasecmp(row[0], table) == 0)
			return true;
	return false;
}

/*
 * One that the list of tables lacks is asked for by itself, which waits for whoever alters it: while a table's new form
 * takes its name it is in no list, and what it holds would seem to be gone.
 */
static int is_there(struct target *target, const char *table, bool *out)
{
	struct buf sql = { 0 };
	MYSQL_RES *rows;

	literal_sql(&sql, "SELECT 1 FROM %t LIMIT 0", table);
	int outcome = link_fetch(&target->link, &sql, &rows, 1);
	buf_free(&sql);
	*out = outcome == 0;
	if (outcome == 0)
		mysql_free_result(rows);
	return outcome < 0 && (target->link.lost || target->link.code != NO_SUCH_TABLE) ? -1 : 0;
}

static int confirm(struct target *target, struct presence *out)
{
	const struct coredns_mysql_settings *settings = target->settings;

	if (!out->zones && (is_there(target, settings->zones_table, &out->zones) < 0 ||
				   (out->zones && is_there(target, settings->records_table, &out->zones) < 0)))
		return -1;
	/* Whoever may not see the stamps, which no question needs, sees none. */
	if (!out->stamps && is_there(target, settings->state_table, &out->stamps) < 0)
		return target->link.lost || target->link.code != TABLE_DENIED ? -1 : 0;
	return 0;
}

/* Where the connection was made ready they are all there. */
static int look_for_tables(struct target *target, struct presence *out)
{
	const struct coredns_mysql_settings *settings = target->settings;
	struct buf sql = { 0 };
	MYSQL_RES *rows;

	*out = (struct presence){ true, true };
	if (!target->bare)
		return 0;
	literal_sql(&sql,
		"SELECT table_name FROM information_schema.tables WHERE table_schema=DATABASE() AND table_name IN (%s,%s,%s)",
		settings->zones_table, settings->records_table, settings->state_table);
	int outcome = link_fetch(&target->link, &sql, &rows, 1);
	buf_free(&sql);
	if (outcome < 0)
		return -1;
	out->zones = is_among(rows, settings->zones_table) && is_among(rows, settings->records_table);
	out->stamps = is_among(rows, settings->state_table);
	mysql_free_result(rows);
	return confirm(target, out);
}

static uint64_t number(const char *text)
{
	return text == NULL ? 0 : strtoull(text, NULL, 10);
}

/* ---- the rows of some zones ---- */

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
static void take_sizes(const struct backend_read *read, MYSQL_RES *rows, struct finds *finds)
{
	MYSQL_ROW row;

	while (rows != NULL && (row = mysql_fetch_row(rows)) != NULL) {
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

static void take_stamps(const struct backend_read *read, MYSQL_RES *rows)
{
	MYSQL_ROW row;

	while (rows != NULL && (row = mysql_fetch_row(rows)) != NULL) {
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
	const struct coredns_mysql_settings *settings = target->settings;
	MYSQL_RES *results[2] = { NULL, NULL };
	struct buf sql = { 0 };

	literal_sql(&sql, SNAPSHOT
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
	int outcome = link_fetch(&target->link, &sql, results, there->stamps ? 2 : 1);
	buf_free(&sql);
	if (outcome < 0)
		return -1;
	take_sizes(read, results[0], finds);
	take_stamps(read, results[1]);
	mysql_free_result(results[0]);
	mysql_free_result(results[1]);
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
static const char *keep_text(struct found *found, const char *text, unsigned long length)
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
static void make_room(const struct finds *finds, MYSQL_RES *rows)
{
	MYSQL_ROW row;

	while ((row = mysql_fetch_row(rows)) != NULL) {
		const unsigned long *lengths = mysql_fetch_lengths(rows);
		struct found *found = find_id(finds, row[0]);

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
	mysql_data_seek(rows, 0);
}

static void take_rows(const struct finds *finds, MYSQL_RES *rows)
{
	MYSQL_ROW row;

	make_room(finds, rows);
	while ((row = mysql_fetch_row(rows)) != NULL) {
		const unsigned long *lengths = mysql_fetch_lengths(rows);
		struct found *found = find_id(finds, row[0]);

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

static int fetch_rows(struct target *target, const struct finds *finds)
{
	struct buf sql = { 0 };
	MYSQL_RES *rows;

	literal_sql(&sql, "SELECT zone_id,hostname,type,data,ttl,online FROM %t WHERE zone_id IN (",
		target->settings->records_table);
	for (size_t i = 0; i < finds->count; i++)
		literal_sql(&sql, i == 0 ? "%u" : ",%u", finds->found[i].id);
	buf_puts(&sql, finds->count == 0 ? "NULL);COMMIT" : ");COMMIT");
	int outcome = link_fetch(&target->link, &sql, &rows, 1);
	buf_free(&sql);
	if (outcome < 0)
		return -1;
	take_rows(finds, rows);
	mysql_free_result(rows);
	return 0;
}

int reading_rows(struct target *target, struct backend_read *read)
{
	struct finds finds = { .found = xcalloc(read->count + 1, sizeof(*finds.found)) };
	struct presence there;

	backend_read_free(read);
	int outcome = look_for_tables(target, &there);
	read->done = read->count;
	if (outcome == 0 && there.zones) {
		outcome = measure(target, &there, read, &finds);
		if (outcome == 0) {
			read->done = choose(read, &finds);
			keep_chosen(read, &finds);
			outcome = fetch_rows(target, &finds);
		}
	}
	free(finds.found);
	if (outcome < 0)
		backend_read_free(read);
	return outcome;
}

/* ---- all names ---- */

/* The id is the place in the list: names may collate, and a page must not begin in the middle of equal ones. */
static void compose_list(struct target *target, const struct presence *there, const struct backend_list *list,
	struct buf *sql)
{
	const struct coredns_mysql_settings *settings = target->settings;

	buf_puts(sql, SNAPSHOT "SELECT z.id,z.zone_name,");
	buf_puts(sql, there->stamps ? "s.store_id,s.generation,s.deleted" : "NULL,NULL,NULL");
	literal_sql(sql, " FROM %t AS z", settings->zones_table);
	/* The names of both tables are compared byte for byte, whatever they are held as. */
	if (there->stamps)
		literal_sql(sql,
			" LEFT JOIN %t AS s ON s.zone_name=CONVERT(z.zone_name USING utf8mb4) COLLATE utf8mb4_bin",
			settings->state_table);
	literal_sql(sql, " WHERE z.id>%u ORDER BY z.id LIMIT %u", list->after, (uint64_t)list->most);
}

static void take_names(struct backend_list *list, MYSQL_RES *rows, uint64_t *ids)
{
	size_t taken = 0;
	MYSQL_ROW row;

	list->names = xcalloc(list->most, sizeof(*list->names));
	while ((row = mysql_fetch_row(rows)) != NULL) {
		taken++;
		list->next = number(row[0]);
		/* The row without a name is no zone. */
		if (row[1] == NULL || row[1][0] == '\0')
			continue;
		struct backend_name *name = &list->names[list->count];
		*name = (struct backend_name){ .name = xstrdup(row[1]), .deleted = number(row[4]) != 0 };
		snprintf(name->stamp.store_id, sizeof(name->stamp.store_id), "%s", row[2] == NULL ? "" : row[2]);
		name->stamp.generation = number(row[3]);
		ids[list->count++] = number(row[0]);
	}
	if (taken < list->most)
		list->next = 0;
}

static int compare_numbers(const void *key, const void *element)
{
	uint64_t one = *(const uint64_t *)key;
	uint64_t other = *(const uint64_t *)element;

	return one < other ? -1 : one > other;
}

static int count_rows(struct target *target, struct backend_list *list, const uint64_t *ids)
{
	struct buf sql = { 0 };
	MYSQL_RES *rows;
	MYSQL_ROW row;

	literal_sql(&sql, "SELECT zone_id,COUNT(*) FROM %t WHERE zone_id IN (", target->settings->records_table);
	for (size_t i = 0; i < list->count; i++)
		literal_sql(&sql, i == 0 ? "%u" : ",%u", ids[i]);
	buf_puts(&sql, list->count == 0 ? "NULL) GROUP BY zone_id;COMMIT" : ") GROUP BY zone_id;COMMIT");
	int outcome = link_fetch(&target->link, &sql, &rows, 1);
	buf_free(&sql);
	while (outcome == 0 && (row = mysql_fetch_row(rows)) != NULL) {
		uint64_t id = number(row[0]);
		const uint64_t *at = list->count == 0 ? NULL :
							bsearch(&id, ids, list->count, sizeof(*ids), compare_numbers);

		if (at != NULL)
			list->names[at - ids].rows = number(row[1]);
	}
	if (outcome == 0)
		mysql_free_result(rows);
	return outcome;
}

int reading_names(struct target *target, struct backend_list *list)
{
	uint64_t *ids = xcalloc(list->most, sizeof(*ids));
	struct presence there;
	struct buf sql = { 0 };
	MYSQL_RES *rows;

	backend_list_free(list);
	list->next = 0;
	int outcome = look_for_tables(target, &there);
	if (outcome == 0 && there.zones) {
		compose_list(target, &there, list, &sql);
		outcome = link_fetch(&target->link, &sql, &rows, 1);
		buf_free(&sql);
		if (outcome == 0) {
			take_names(list, rows, ids);
			mysql_free_result(rows);
			outcome = count_rows(target, list, ids);
		}
	}
	free(ids);
	if (outcome < 0)
		backend_list_free(list);
	return outcome;
}
