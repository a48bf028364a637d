/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/coredns_mysql/presence.h"

#include <strings.h>

#include "backends/coredns_mysql/literal.h"

/* The server's codes. */
enum { TABLE_DENIED = 1142, NO_SUCH_TABLE = 1146 };

static bool is_among(struct result *rows, const char *table)
{
	char **row;

	result_rewind(rows);
	while ((row = result_next(rows)) != NULL)
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
	static const unsigned columns[] = { 1 };
	struct buf sql = { 0 };
	struct result *rows;

	literal_sql(&sql, "SELECT 1 FROM %t LIMIT 0", table);
	link_demand(&target->link, columns, ARRAY_SIZE(columns));
	int outcome = link_fetch(&target->link, &sql, &rows, 1);
	buf_free(&sql);
	*out = outcome == 0;
	if (outcome == 0)
		result_free(rows);
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

int presence_look(struct target *target, struct presence *out)
{
	static const unsigned columns[] = { 1 };
	const struct coredns_mysql_settings *settings = target->settings;
	struct buf sql = { 0 };
	struct result *rows;

	*out = (struct presence){ true, true };
	if (!target->bare)
		return 0;
	literal_sql(&sql,
		"SELECT table_name FROM information_schema.tables WHERE table_schema=DATABASE() AND table_name IN (%s,%s,%s)",
		settings->zones_table, settings->records_table, settings->state_table);
	link_demand(&target->link, columns, ARRAY_SIZE(columns));
	int outcome = link_fetch(&target->link, &sql, &rows, 1);
	buf_free(&sql);
	if (outcome < 0)
		return -1;
	out->zones = is_among(rows, settings->zones_table) && is_among(rows, settings->records_table);
	out->stamps = is_among(rows, settings->state_table);
	result_free(rows);
	return confirm(target, out);
}
