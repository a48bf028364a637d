/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/coredns_mysql/tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "backends/coredns_mysql/literal.h"

enum { MEDIUMTEXT_WIDTH = 16777215, MOST_COLUMNS = 8 };

static const char *const wanted[TABLES_COUNT][MOST_COLUMNS] = {
	[TABLES_ZONES] = { "id", "zone_name" },
	[TABLES_RECORDS] = { "id", "zone_id", "hostname", "type", "data", "ttl", "online" },
	[TABLES_STATE] = { "zone_name", "store_id", "generation", "digest", "record_count", "serial", "deleted",
		"changed_at" },
};

static const char *const digested[SCHEMA_DIGESTED] = { [SCHEMA_HOSTNAME] = "hostname", [SCHEMA_TYPE] = "type",
	[SCHEMA_DATA] = "data", [SCHEMA_TTL] = "ttl", [SCHEMA_ONLINE] = "online" };

static uint64_t number(const char *text)
{
	return text == NULL ? 0 : strtoull(text, NULL, 10);
}

/* A server may keep table names in lower case. */
static int find_table(const struct tables *tables, const char *name)
{
	for (int i = 0; i < TABLES_COUNT; i++)
		if (name != NULL && strcasecmp(tables->table[i].name, name) == 0)
			return i;
	return -1;
}

static void take_tables(struct tables *out, struct result *rows)
{
	char **row;

	while ((row = result_next(rows)) != NULL) {
		int at = find_table(out, row[0]);

		if (at < 0)
			continue;
		struct table *table = &out->table[at];
		table->present = true;
		snprintf(table->engine, sizeof(table->engine), "%s", row[1] == NULL ? "" : row[1]);
		table->next_id = number(row[2]);
	}
}

/* The greatest id that a column of this type ("int(11) unsigned") can hold. */
static uint64_t limit_of(const char *type)
{
	static const struct {
		const char *name;
		unsigned bits;
	} types[] = { { "tinyint", 8 }, { "smallint", 16 }, { "mediumint", 24 }, { "int", 32 }, { "bigint", 64 } };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strncasecmp(type, types[i].name, strlen(types[i].name)) == 0)
			return UINT64_MAX >> (64 - types[i].bits + (strstr(type, "unsigned") == NULL ? 1 : 0));
	return 0;
}

static void narrow(uint64_t *width, uint64_t to)
{
	if (*width == 0 || to < *width)
		*width = to;
}

static void take_column(struct tables *out, int at, const char *name, const char *type, uint64_t width)
{
	struct table *table = &out->table[at];

	if (strcasecmp(name, "id") == 0)
		table->id_limit = limit_of(type);
	else if (strcasecmp(name, "zone_name") == 0 && at != TABLES_RECORDS)
		narrow(&out->zone_name_width, width);
	else if (at == TABLES_RECORDS && strcasecmp(name, "hostname") == 0)
		out->hostname_width = width;
	else if (at == TABLES_RECORDS && strcasecmp(name, "type") == 0)
		out->type_width = width;
	else if (at == TABLES_RECORDS && strcasecmp(name, "data") == 0)
		out->data_width = width;
}

static bool is_one_of(const char *name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcasecmp(name, names[i]) == 0)
			return true;
	return false;
}

/* charset: NULL for a number. */
static void take_charset(struct tables *out, int at, const char *name, const char *charset, bool nullable)
{
	static const char *const of_utf8[] = { "utf8mb4", "utf8mb3", "utf8", "ascii" };
	static const char *const of_ascii[] = { "utf8mb4", "utf8mb3", "utf8", "ascii", "latin1", "latin2", "latin5", "latin7",
		"cp1250", "cp1251", "cp1256", "cp1257", "koi8r", "koi8u", "greek", "hebrew" };

	if (charset != NULL && !is_one_of(charset, of_ascii, ARRAY_SIZE(of_ascii)))
		out->plain = false;
	for (size_t i = 0; at == TABLES_RECORDS && i < SCHEMA_DIGESTED; i++)
		if (strcasecmp(name, digested[i]) == 0)
			out->digested[i] = (struct schema_column){ .nullable = nullable,
				.foreign = charset != NULL && !is_one_of(charset, of_utf8, ARRAY_SIZE(of_utf8)) };
}

static void take_columns(struct tables *out, struct result *rows)
{
	bool seen[TABLES_COUNT][MOST_COLUMNS] = { { false } };
	char **row;

	while ((row = result_next(rows)) != NULL) {
		int at = find_table(out, row[0]);

		if (at < 0 || row[1] == NULL || row[2] == NULL)
			continue;
		for (size_t i = 0; i < MOST_COLUMNS; i++)
			if (wanted[at][i] != NULL && strcasecmp(wanted[at][i], row[1]) == 0)
				seen[at][i] = true;
		take_column(out, at, row[1], row[2], number(row[3]));
		take_charset(out, at, row[1], row[4], row[5] == NULL || strcasecmp(row[5], "NO") != 0);
	}
	for (size_t at = 0; at < TABLES_COUNT; at++)
		for (size_t i = MOST_COLUMNS; i-- > 0;)
			if (wanted[at][i] != NULL && !seen[at][i])
				snprintf(out->table[at].missing, sizeof(out->table[at].missing), "%s", wanted[at][i]);
}

/*
 * Rows come by table, index and position in the index. An index serves if it begins with the columns asked for,
 * whole and in that order; a unique one must have no other.
 */
static bool index_serves(struct result *rows, const char *table, const char *const *columns, size_t count, bool unique,
	char *name, size_t name_size)
{
	char current[65] = "";
	size_t matched = 0;
	size_t total = 0;
	bool is_unique = false;
	bool more = true;

	result_rewind(rows);
	while (more) {
		char **row = result_next(rows);

		more = row != NULL;
		if (more && (row[0] == NULL || row[1] == NULL || strcasecmp(row[0], table) != 0))
			continue;
		if (!more || strcmp(row[1], current) != 0) {
			if (matched == count && (!unique || (is_unique && total == count))) {
				snprintf(name, name_size, "%s", current);
				return true;
			}
			matched = total = 0;
			if (!more)
				return false;
			snprintf(current, sizeof(current), "%s", row[1]);
			is_unique = number(row[2]) == 0;
		}
		if (matched == total && matched < count && row[3] != NULL && row[4] == NULL &&
			strcasecmp(row[3], columns[matched]) == 0)
			matched++;
		total++;
	}
	return false;
}

static void take_indexes(struct tables *out, struct result *rows)
{
	static const char *const by_name[] = { "zone_name" };
	static const char *const by_host[] = { "zone_id", "hostname", "type" };
	static const char *const by_zone[] = { "zone_id" };
	char ignored[65];

	if (!index_serves(rows, out->table[TABLES_ZONES].name, by_name, 1, true, out->zones_index,
		    sizeof(out->zones_index)))
		out->needs |= TABLES_NEED_UNIQUE;
	if (!index_serves(rows, out->table[TABLES_RECORDS].name, by_host, 3, false, ignored, sizeof(ignored)))
		out->needs |= TABLES_NEED_INDEX;
	(void)index_serves(rows, out->table[TABLES_RECORDS].name, by_zone, 1, false, out->records_index,
		sizeof(out->records_index));
	/* A stamp is written by key; a state table without one was not made by us. */
	if (out->table[TABLES_STATE].present &&
		!(index_serves(rows, out->table[TABLES_STATE].name, by_name, 1, true, ignored, sizeof(ignored)) &&
			strcmp(ignored, "PRIMARY") == 0))
		snprintf(out->table[TABLES_STATE].missing, sizeof(out->table[TABLES_STATE].missing),
			"zone_name as primary key");
}

static void add_query(struct buf *sql, const struct coredns_mysql_settings *settings, const char *what)
{
	buf_puts(sql, what);
	literal_sql(sql, " WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN (%s, %s, %s)", settings->zones_table,
		settings->records_table, settings->state_table);
}

static void make_queries(struct buf *sql, const struct coredns_mysql_settings *settings)
{
	add_query(sql, settings, "SELECT TABLE_NAME, ENGINE, AUTO_INCREMENT FROM information_schema.TABLES");
	buf_puts(sql, ";");
	add_query(sql, settings,
		"SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, CHARACTER_MAXIMUM_LENGTH, CHARACTER_SET_NAME, IS_NULLABLE "
		"FROM information_schema.COLUMNS");
	buf_puts(sql, ";");
	add_query(sql, settings,
		"SELECT TABLE_NAME, INDEX_NAME, NON_UNIQUE, COLUMN_NAME, SUB_PART FROM information_schema.STATISTICS");
	buf_puts(sql, " ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX");
}

static void conclude(struct tables *out)
{
	static const unsigned need[TABLES_COUNT] = { TABLES_NEED_ZONES, TABLES_NEED_RECORDS, TABLES_NEED_STATE };

	for (size_t i = 0; i < TABLES_COUNT; i++)
		if (!out->table[i].present)
			out->needs |= need[i];
	/* A table that is made anew has its indexes and width. */
	if (!out->table[TABLES_ZONES].present)
		out->needs &= ~(unsigned)TABLES_NEED_UNIQUE;
	if (!out->table[TABLES_RECORDS].present)
		out->needs &= ~(unsigned)TABLES_NEED_INDEX;
	else if (out->data_width < MEDIUMTEXT_WIDTH)
		out->needs |= TABLES_NEED_DATA;
}

static struct tables tables_named(const struct coredns_mysql_settings *settings)
{
	return (struct tables){ .plain = true, .table = { [TABLES_ZONES].name = settings->zones_table,
					[TABLES_RECORDS].name = settings->records_table,
					[TABLES_STATE].name = settings->state_table } };
}

/*
 * An index that is there may be one that statements must not name (MariaDB: IGNORED, MySQL: INVISIBLE). Each server says
 * so in a column that the other does not have, so it is tried.
 */
static int try_index(struct link *link, struct table *table, char index[65])
{
	enum { NO_SUCH_INDEX = 1176 };
	struct buf sql = { 0 };

	if (index[0] == '\0')
		return 0;
	literal_sql(&sql, "SELECT 1 FROM %t FORCE INDEX (%t) LIMIT 0", table->name, index);
	int outcome = link_run(link, &sql, 1);
	buf_free(&sql);
	if (outcome == 0 || link->lost)
		return outcome;
	if (link->code == NO_SUCH_INDEX) {
		memcpy(table->unused, index, sizeof(table->unused));
		index[0] = '\0';
	}
	return 0; /* any other error is told where it is met */
}

int tables_read(struct link *link, struct tables *out)
{
	static const unsigned columns[] = { 3, 6, 5 };
	const struct coredns_mysql_settings *settings = link->target.settings;
	struct buf sql = { 0 };
	struct result *rows[3];

	*out = tables_named(settings);
	make_queries(&sql, settings);
	link_demand(link, columns, ARRAY_SIZE(columns));
	int outcome = link_fetch(link, &sql, rows, 3);
	buf_free(&sql);
	if (outcome < 0)
		return -1;
	if (rows[0] != NULL && rows[1] != NULL && rows[2] != NULL) {
		take_tables(out, rows[0]);
		take_columns(out, rows[1]);
		take_indexes(out, rows[2]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		result_free(rows[i]);
	conclude(out);
	if (try_index(link, &out->table[TABLES_ZONES], out->zones_index) < 0)
		return -1;
	return try_index(link, &out->table[TABLES_RECORDS], out->records_index);
}

static bool is_engine_good(const struct table *table)
{
	return strcasecmp(table->engine, "InnoDB") == 0;
}

bool tables_engines_good(const struct tables *tables)
{
	for (size_t i = 0; i < TABLES_COUNT; i++)
		if (tables->table[i].present && !is_engine_good(&tables->table[i]))
			return false;
	return true;
}

int tables_refuse_engines(const struct tables *tables, struct err *err)
{
	for (size_t i = 0; i < TABLES_COUNT; i++) {
		const struct table *table = &tables->table[i];

		if (table->present && !is_engine_good(table))
			return err_set(err, ERR_INVALID,
				"table %s is %s%s, not InnoDB: nothing is written to a table without transactions",
				table->name, table->engine[0] == '\0' ? "a view" : "of engine ", table->engine);
	}
	return 0;
}

/* By schema and name, each equal to one value: only then does the server look at these tables and no others. */
void tables_add_engines(struct buf *sql, const struct coredns_mysql_settings *settings)
{
	const struct tables tables = tables_named(settings);

	for (size_t i = 0; i < TABLES_COUNT; i++)
		literal_sql(sql,
			i == 0 ? "SELECT TABLE_NAME, ENGINE, NULL FROM information_schema.TABLES "
				 "WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s" :
				 " UNION ALL SELECT TABLE_NAME, ENGINE, NULL FROM information_schema.TABLES "
				 "WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s",
			tables.table[i].name);
}

int tables_check_engines(const struct coredns_mysql_settings *settings, struct result *rows, struct err *err)
{
	struct tables tables = tables_named(settings);

	if (rows != NULL)
		take_tables(&tables, rows);
	for (size_t i = 0; i < TABLES_COUNT; i++)
		if (!tables.table[i].present)
			return err_set(err, ERR_INVALID, "table %s is missing", tables.table[i].name);
	return tables_refuse_engines(&tables, err);
}
