/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/coredns_mysql/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "backends/coredns_mysql/literal.h"
#include "backends/coredns_mysql/tables.h"
#include "backends/coredns_mysql/told.h"

static const struct {
	const char *name;
	const char *text;
} files[] = {
#include "schema_files.inc"
};

enum { LOCK_WAIT_S = 5 };

/* ---- statements ---- */

static const char *find_file(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (strcmp(files[i].name, name) == 0)
			return files[i].text;
	return NULL;
}

/* `zones`, `records` and `zonefan_state` in backquotes are the default names; settings may have others. */
static const char *own_name(const struct coredns_mysql_settings *settings, const char *name, size_t length)
{
	if (length == 5 && memcmp(name, "zones", 5) == 0)
		return settings->zones_table;
	if (length == 7 && memcmp(name, "records", 7) == 0)
		return settings->records_table;
	if (length == 13 && memcmp(name, "zonefan_state", 13) == 0)
		return settings->state_table;
	WRONG("a schema file names a table that is none of ours");
}

static void add_line(struct buf *out, const struct coredns_mysql_settings *settings, const char *line, size_t length)
{
	while (length > 0) {
		const char *open = memchr(line, '`', length);
		const char *shut = open == NULL ? NULL : memchr(open + 1, '`', length - (size_t)(open + 1 - line));

		if (shut == NULL) {
			buf_append(out, line, length);
			return;
		}
		buf_append(out, line, (size_t)(open - line));
		literal_sql(out, "%t", own_name(settings, open + 1, (size_t)(shut - open - 1)));
		length -= (size_t)(shut + 1 - line);
		line = shut + 1;
	}
}

char *schema_statement(const struct coredns_mysql_settings *settings, const char *file)
{
	const char *text = find_file(file);
	struct buf out = { 0 };

	if (text == NULL)
		return NULL;
	for (const char *line = text; *line != '\0';) {
		size_t length = strcspn(line, "\n");
		size_t indent = strspn(line, "\t");

		if (strncmp(line, "--", 2) != 0 && length > indent) {
			if (out.size > 0)
				buf_append(&out, " ", 1);
			add_line(&out, settings, line + indent, length - indent);
		}
		line += length + (line[length] == '\n' ? 1 : 0);
	}
	/* Without the final semicolon: what follows it would be an empty statement. */
	if (out.size > 0 && out.data[out.size - 1] == ';')
		out.data[--out.size] = '\0';
	return buf_take(&out);
}

/* ---- steps ---- */

/* What to do about each thing that can be missing, in the order in which it is done. */
struct step {
	enum tables_need need;
	bool indispensable;
	const char *file;
	const char *done;    /* the notice */
	const char *missing; /* the complaint */
};

static const struct step steps[] = {
	{ TABLES_NEED_ZONES, true, "1_zones.sql", "table made for the zones", "the zones table is missing" },
	{ TABLES_NEED_RECORDS, true, "2_records.sql", "table made for the records", "the records table is missing" },
	{ TABLES_NEED_STATE, true, "3_zonefan_state.sql", "table made for zonefan's stamps",
		"the table for zonefan's stamps is missing" },
	{ TABLES_NEED_UNIQUE, true, "6_zones_unique.sql", "unique index on zone_name added",
		"the zones table has no unique index on zone_name" },
	{ TABLES_NEED_INDEX, false, "4_records_index.sql", "index on (zone_id, hostname, type) added",
		"the records table has no index on (zone_id, hostname, type): every DNS query reads a whole zone" },
	{ TABLES_NEED_DATA, false, "5_records_data.sql", "column data widened to MEDIUMTEXT",
		"the column data of the records table is narrow: long records are rejected" },
};

/* An error's text is short: there a statement stands for itself up to its first bracket. */
static void add_short(struct buf *out, const char *statement)
{
	size_t length = strcspn(statement, "(");

	buf_append(out, statement, length);
	if (statement[length] != '\0')
		buf_puts(out, "(...)");
}

/* At most WHY_SIZE bytes of the server's own words, and whole ones. */
static void add_why(struct buf *out, const char *why)
{
	enum { WHY_SIZE = 160 };
	size_t length = strlen(why);

	if (length == 0)
		return;
	buf_puts(out, ": ");
	if (length > WHY_SIZE) {
		for (length = WHY_SIZE; length > 0 && why[length] != ' ';)
			length--;
		buf_append(out, why, length);
		buf_puts(out, " ...");
		return;
	}
	buf_append(out, why, length);
}

/* The error names file and statement and is never cut; the statement itself, with our tables' names, is told once. */
static int complain(const struct coredns_mysql_settings *settings, const struct step *step, const char *why,
	const struct schema_notices *notices, struct err *err)
{
	char *statement = schema_statement(settings, step->file);
	struct buf text = { 0 };

	buf_printf(&text, "%s; to be applied (schema/coredns_mysql/%s): %s", step->missing, step->file, statement);
	if (told_first(notices->backend, text.data))
		notices->notice(notices->ctx, "schema", text.data);
	buf_clear(&text);
	buf_puts(&text, step->missing);
	add_why(&text, why);
	buf_printf(&text, "; apply schema/coredns_mysql/%s: ", step->file);
	add_short(&text, statement);
	int code = err_set(err, ERR_DENIED, "%s", text.data);
	buf_free(&text);
	free(statement);
	return code;
}

static void tell(const struct schema_notices *notices, const char *what, const char *why, const char *file)
{
	char text[ERR_TEXT_SIZE];

	if (why[0] == '\0')
		snprintf(text, sizeof(text), "%s (schema/coredns_mysql/%s)", what, file);
	else
		snprintf(text, sizeof(text), "%s (not done: %s; schema/coredns_mysql/%s)", what, why, file);
	if (why[0] == '\0' || told_first(notices->backend, text))
		notices->notice(notices->ctx, "schema", text);
}

/* One of our lane threads at a time; the lock goes with the connection. */
static int prepare(struct link *link, const struct coredns_mysql_settings *settings)
{
	struct buf sql = { 0 };
	int outcome;

	literal_sql(&sql,
		"SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION';"
		"SET SESSION lock_wait_timeout = %u;"
		"SELECT GET_LOCK(CONCAT('zonefan:', LEFT(SHA2(CONCAT(DATABASE(), '.', %s), 256), 40)), %u)",
		(uint64_t)LOCK_WAIT_S, settings->zones_table, (uint64_t)LOCK_WAIT_S * 4);
	link->statement_ms += (int64_t)LOCK_WAIT_S * 4 * 1000;
	outcome = link_run(link, &sql, 3);
	link->statement_ms = settings->query_timeout_ms;
	buf_free(&sql);
	return outcome;
}

/* An ALTER may take hours, and nothing is delivered before its end: whoever waits for that must know why. */
static void tell_begin(const struct schema_notices *notices, const struct step *step, const char *statement)
{
	struct buf text = { 0 };

	if (strncmp(statement, "ALTER", 5) != 0)
		return;
	buf_printf(&text, "schema step %s runs: ", step->file);
	add_short(&text, statement);
	if (told_first(notices->backend, text.data))
		notices->notice(notices->ctx, "schema", text.data);
	buf_free(&text);
}

/* 0 if done, or already done by another. */
static int take_step(struct link *link, const struct step *step, const struct schema_notices *notices)
{
	enum { DUPLICATE_KEY_NAME = 1061, TABLE_EXISTS = 1050 };
	const struct coredns_mysql_settings *settings = link->target.settings;
	char *statement = schema_statement(settings, step->file);
	struct buf sql = { 0 };

	/* A server's own limit on statements would cut a long ALTER; where there is none, the SET fails: no matter. */
	buf_puts(&sql, "SET SESSION max_statement_time = 0");
	if (link_run(link, &sql, 1) < 0 && link->lost) {
		buf_free(&sql);
		free(statement);
		return -1;
	}
	buf_clear(&sql);
	buf_puts(&sql, statement);
	tell_begin(notices, step, statement);
	free(statement);
	link->statement_ms = 0;
	int outcome = link_run(link, &sql, 1);
	link->statement_ms = settings->query_timeout_ms;
	buf_free(&sql);
	if (outcome < 0 && !link->lost && (link->code == DUPLICATE_KEY_NAME || link->code == TABLE_EXISTS))
		outcome = 0;
	return outcome;
}

/* Takes all steps that are needed. 0, or the first indispensable one that failed is told. */
static int manage(const struct link *main_link, unsigned needs, const struct schema_notices *notices, struct err *err)
{
	const struct coredns_mysql_settings *settings = main_link->target.settings;
	struct link link;
	int outcome = 0;

	link_init(&link, settings, main_link->target.backend, main_link->target.cancel_fd);
	memcpy(link.target.last_address, main_link->target.last_address, sizeof(link.target.last_address));
	outcome = link_open(&link, err);
	if (outcome < 0)
		return outcome;
	if (prepare(&link, settings) < 0) {
		outcome = err_set(err, ERR_IO, "cannot prepare a schema step: %s", link.text);
		link_close(&link);
		return outcome;
	}
	for (size_t i = 0; i < ARRAY_SIZE(steps) && outcome == 0; i++) {
		const struct step *step = &steps[i];

		if ((needs & step->need) == 0)
			continue;
		if (take_step(&link, step, notices) == 0)
			tell(notices, step->done, "", step->file);
		else if (link.lost)
			outcome = err_set(err, ERR_IO, "connection lost at a schema step: %s", link.text);
		else if (step->indispensable)
			outcome = complain(settings, step, link.text, notices, err);
		else
			tell(notices, step->missing, link.text, step->file);
	}
	link_close(&link);
	return outcome;
}

static void tell_optional(const struct schema_notices *notices, unsigned needs)
{
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		if ((needs & steps[i].need) != 0 && !steps[i].indispensable)
			tell(notices, steps[i].missing, "manage_schema is off", steps[i].file);
}

/* Once the tables are there the row without a name can be too. It is missed by nobody but the reader. */
static void add_catch_all(struct link *link, const struct schema_notices *notices)
{
	char *statement = schema_statement(link->target.settings, "7_catch_all.sql");
	struct buf sql = { 0 };

	buf_puts(&sql, statement);
	free(statement);
	if (link_run(link, &sql, 1) == 0)
		tell(notices, "row of the empty zone name added: CNAMEs to other zones are answered", "", "7_catch_all.sql");
	buf_free(&sql);
}

/* The tables are usable. What they look like is kept, and what belongs into them whatever is pushed is put there. */
static int finish(struct link *link, const struct schema_notices *notices, struct shape *shape, struct err *err)
{
	static const unsigned columns[] = { 2, 2, 2, 1 };
	const struct coredns_mysql_settings *settings = link->target.settings;
	struct buf definitions = { 0 };
	struct buf sql = { 0 };
	struct result *rows[SHAPE_TABLES + 1];

	shape_add(&sql, settings);
	literal_sql(&sql, ";SELECT id FROM %t WHERE zone_name = %s", settings->zones_table, "");
	link_demand(link, columns, ARRAY_SIZE(columns));
	int outcome = link_fetch(link, &sql, rows, SHAPE_TABLES + 1);
	buf_free(&sql);
	if (outcome < 0)
		return err_set(err, ERR_IO, "cannot read the schema: %s", link->text);
	for (size_t i = 0; outcome == 0 && i < SHAPE_TABLES; i++)
		outcome = shape_take(&definitions, rows[i], err);
	if (outcome == 0)
		*shape = shape_of(&definitions);
	buf_free(&definitions);
	if (outcome == 0 && settings->manage_schema && settings->catch_all_zone && rows[SHAPE_TABLES] != NULL &&
		result_count(rows[SHAPE_TABLES]) == 0)
		add_catch_all(link, notices);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		result_free(rows[i]);
	return outcome;
}

static void tell_headroom(const struct schema_notices *notices, const struct tables *tables)
{
	char text[ERR_TEXT_SIZE];

	for (size_t i = 0; i < TABLES_COUNT; i++) {
		const struct table *table = &tables->table[i];

		if (table->id_limit == 0 || table->next_id <= table->id_limit / 2)
			continue;
		snprintf(text, sizeof(text), "ids of table %s are used up to %llu of %llu", table->name,
			(unsigned long long)table->next_id, (unsigned long long)table->id_limit);
		if (told_first(notices->backend, table->name))
			notices->notice(notices->ctx, "auto_increment", text);
	}
}

static void say_unused(const struct table *table, char *out, size_t size)
{
	snprintf(out, size,
		"index %s of table %s is made IGNORED or INVISIBLE: the server does not use it; "
		"ALTER TABLE `%s` ALTER INDEX `%s` NOT IGNORED (or VISIBLE)",
		table->unused, table->name, table->name, table->unused);
}

/* There is another way to the records, if only a longer one. */
static void tell_unused(const struct schema_notices *notices, const struct table *records)
{
	char text[ERR_TEXT_SIZE];

	if (records->unused[0] == '\0')
		return;
	say_unused(records, text, sizeof(text));
	if (told_first(notices->backend, text))
		notices->notice(notices->ctx, "schema", text);
}

/* What no step can cure. */
static int judge(const struct link *link, const struct tables *tables, const struct schema_notices *notices,
	struct err *err)
{
	static const char *const made_by[TABLES_COUNT] = { "1_zones.sql", "2_records.sql", "3_zonefan_state.sql" };
	const struct coredns_mysql_settings *settings = link->target.settings;
	char text[ERR_TEXT_SIZE];

	int outcome = tables_refuse_engines(tables, err);

	for (size_t i = 0; outcome == 0 && i < TABLES_COUNT; i++) {
		const struct table *table = &tables->table[i];

		if (table->present && table->missing[0] != '\0')
			return err_set(err, ERR_INVALID,
				"table %s has no column %s; make it as in schema/coredns_mysql/%s: ALTER TABLE `%s` ...",
				table->name, table->missing, made_by[i], table->name);
	}
	for (size_t i = 0; outcome == 0 && i < ARRAY_SIZE(steps); i++)
		if ((tables->needs & steps[i].need) != 0 && steps[i].indispensable)
			return complain(settings, &steps[i], "", notices, err);
	/* Without it a look at some zones would lock all of them. */
	if (outcome == 0 && tables->table[TABLES_ZONES].unused[0] != '\0') {
		say_unused(&tables->table[TABLES_ZONES], text, sizeof(text));
		outcome = err_set(err, ERR_INVALID, "%s", text);
	}
	return outcome;
}

static int look(struct link *link, struct tables *tables, struct err *err)
{
	if (tables_read(link, tables) < 0)
		return err_set(err, ERR_IO, "cannot read the schema: %s", link->text);
	return 0;
}

static void keep(struct schema *out, const struct tables *tables)
{
	out->zone_name_width = tables->zone_name_width;
	out->hostname_width = tables->hostname_width;
	out->type_width = tables->type_width;
	out->data_width = tables->data_width;
	memcpy(out->zones_index, tables->zones_index, sizeof(out->zones_index));
	memcpy(out->records_index, tables->records_index, sizeof(out->records_index));
	memcpy(out->digested, tables->digested, sizeof(out->digested));
	out->plain = tables->plain;
	out->ids_plenty = tables->table[TABLES_RECORDS].id_limit > UINT32_MAX;
}

int schema_check(struct link *link, const struct schema_notices *notices, struct schema *out, struct err *err)
{
	bool managed = link->target.settings->manage_schema;
	struct tables tables;
	int outcome = look(link, &tables, err);

	if (outcome == 0 && managed && tables.needs != 0 && tables_engines_good(&tables)) {
		outcome = manage(link, tables.needs, notices, err);
		if (outcome == 0)
			outcome = look(link, &tables, err);
	}
	if (outcome == 0)
		outcome = judge(link, &tables, notices, err);
	if (outcome < 0)
		return outcome;
	if (!managed)
		tell_optional(notices, tables.needs);
	tell_headroom(notices, &tables);
	tell_unused(notices, &tables.table[TABLES_RECORDS]);
	outcome = finish(link, notices, &out->shape, err);
	if (outcome == 0 && link->mysql == NULL)
		outcome = err_set(err, ERR_IO, "%s", link->text);
	keep(out, &tables);
	return outcome;
}

int schema_judge(struct link *link, const struct schema_notices *notices, bool *makeable, struct err *err)
{
	struct tables tables;
	int outcome = look(link, &tables, err);

	*makeable = outcome == 0 && tables.needs != 0 && tables_engines_good(&tables);
	if (outcome < 0)
		return outcome;
	outcome = judge(link, &tables, notices, err);
	if (outcome == 0 && !link->target.settings->manage_schema)
		tell_optional(notices, tables.needs);
	if (outcome < 0)
		*makeable = *makeable && err->code == ERR_DENIED; /* what lacks a column has to be mended by hand */
	tell_headroom(notices, &tables);
	tell_unused(notices, &tables.table[TABLES_RECORDS]);
	return outcome;
}

bool schema_refresh(struct link *link, struct schema *schema)
{
	struct tables tables;

	if (tables_read(link, &tables) < 0 || tables.zones_index[0] == '\0')
		return false;
	keep(schema, &tables);
	return true;
}
