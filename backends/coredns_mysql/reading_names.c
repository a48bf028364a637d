/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/coredns_mysql/reading.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/coredns_mysql/literal.h"
#include "backends/coredns_mysql/presence.h"

static uint64_t number(const char *text)
{
	return text == NULL ? 0 : strtoull(text, NULL, 10);
}

/* The id is the place in the list: names may collate, and a page must not begin in the middle of equal ones. */
static void compose_list(struct target *target, const struct presence *there, const struct backend_list *list,
	struct buf *sql)
{
	const struct coredns_mysql_settings *settings = target->settings;

	buf_puts(sql, READING_SNAPSHOT "SELECT z.id,z.zone_name,");
	buf_puts(sql, there->stamps ? "s.store_id,s.generation,s.deleted" : "NULL,NULL,NULL");
	literal_sql(sql, " FROM %t AS z", settings->zones_table);
	/* The names of both tables are compared byte for byte, whatever they are held as. */
	if (there->stamps)
		literal_sql(sql,
			" LEFT JOIN %t AS s ON s.zone_name=CONVERT(z.zone_name USING utf8mb4) COLLATE utf8mb4_bin",
			settings->state_table);
	literal_sql(sql, " WHERE z.id>%u ORDER BY z.id LIMIT %u", list->after, (uint64_t)list->most);
}

static void take_names(struct backend_list *list, struct result *rows, uint64_t *ids)
{
	size_t taken = 0;
	char **row;

	list->names = xcalloc(list->most, sizeof(*list->names));
	while (taken < list->most && (row = result_next(rows)) != NULL) {
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
	static const unsigned columns[] = { 2 };
	struct buf sql = { 0 };
	struct result *rows;
	char **row;

	literal_sql(&sql, "SELECT zone_id,COUNT(*) FROM %t WHERE zone_id IN (", target->settings->records_table);
	for (size_t i = 0; i < list->count; i++)
		literal_sql(&sql, i == 0 ? "%u" : ",%u", ids[i]);
	buf_puts(&sql, list->count == 0 ? "NULL) GROUP BY zone_id;COMMIT" : ") GROUP BY zone_id;COMMIT");
	link_demand(&target->link, columns, ARRAY_SIZE(columns));
	int outcome = link_fetch(&target->link, &sql, &rows, 1);
	buf_free(&sql);
	while (outcome == 0 && (row = result_next(rows)) != NULL) {
		uint64_t id = number(row[0]);
		const uint64_t *at = list->count == 0 ? NULL :
							bsearch(&id, ids, list->count, sizeof(*ids), compare_numbers);

		if (at != NULL)
			list->names[at - ids].rows = number(row[1]);
	}
	if (outcome == 0)
		result_free(rows);
	return outcome;
}

int reading_names(struct target *target, struct backend_list *list)
{
	static const unsigned columns[] = { 5 };
	uint64_t *ids = xcalloc(list->most, sizeof(*ids));
	struct presence there;
	struct buf sql = { 0 };
	struct result *rows;

	backend_list_free(list);
	list->next = 0;
	int outcome = presence_look(target, &there);
	if (outcome == 0 && there.zones) {
		compose_list(target, &there, list, &sql);
		link_demand(&target->link, columns, ARRAY_SIZE(columns));
		outcome = link_fetch(&target->link, &sql, &rows, 1);
		buf_free(&sql);
		if (outcome == 0) {
			take_names(list, rows, ids);
			result_free(rows);
			outcome = count_rows(target, list, ids);
		}
	}
	free(ids);
	if (outcome < 0)
		backend_list_free(list);
	return outcome;
}
