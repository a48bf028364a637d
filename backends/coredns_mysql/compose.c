/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/coredns_mysql/compose.h"

#include <string.h>

#include "backends/coredns_mysql/digest.h"
#include "backends/coredns_mysql/literal.h"
#include "backends/coredns_mysql/tables.h"

enum { ROW_OVERHEAD = 96 }; /* punctuation, id, ttl and introducers of one row of an INSERT */

static const struct coredns_mysql_settings *settings_of(const struct compose *compose)
{
	return compose->target->settings;
}

static int flush(struct compose *compose)
{
	int outcome = compose->sql.size == 0 ? 0 : link_run(&compose->target->link, &compose->sql, NULL);

	buf_clear(&compose->sql);
	return outcome;
}

/* Before a statement of about size bytes: behind the others if it fits in, else in a packet of its own. */
static int begin(struct compose *compose, size_t size)
{
	if (compose->sql.size > 0 && compose->sql.size + size > compose->target->packet_limit)
		return flush(compose);
	if (compose->sql.size > 0)
		buf_append(&compose->sql, ";", 1);
	return 0;
}

static bool is_full(const struct compose *compose, size_t more)
{
	return compose->sql.size + more > compose->target->packet_limit;
}

static void add_names(struct compose *compose, struct work *const *works, size_t count, bool checked_only)
{
	bool first = true;

	for (size_t i = 0; i < count; i++) {
		const struct backend_item *item = works[i]->item;

		if (checked_only && !(item->check && item->zone != NULL))
			continue;
		literal_sql(&compose->sql, first ? "%s" : ",%s", item->name);
		first = false;
	}
}

static void add_id(struct compose *compose, const struct work *work)
{
	if (work->kind == WORK_CREATE)
		literal_sql(&compose->sql, "@z%u", (uint64_t)work->variable);
	else
		literal_sql(&compose->sql, "%u", work->zone_id);
}

/* ---- reading ---- */

void compose_lock(struct compose *compose, struct work *const *works, size_t count)
{
	const struct coredns_mysql_settings *settings = settings_of(compose);
	bool any_check = false;

	for (size_t i = 0; i < count; i++)
		any_check = any_check || (works[i]->item->check && works[i]->item->zone != NULL);
	/* A scan of the whole table would lock, and wait for, zones that are none of ours: the index is forced. */
	literal_sql(&compose->sql,
		"START TRANSACTION;SELECT id,zone_name FROM %t FORCE INDEX (%t) WHERE zone_name IN (",
		settings->zones_table, compose->target->schema.zones_index);
	add_names(compose, works, count, false);
	literal_sql(&compose->sql,
		") ORDER BY zone_name FOR UPDATE;SELECT zone_name,store_id,generation,digest,record_count,deleted "
		"FROM %t FORCE INDEX (PRIMARY) WHERE zone_name IN (",
		settings->state_table);
	add_names(compose, works, count, false);
	/* What a statement of a transaction has opened cannot be altered before its end, so the engines seen behind these
	   three are those that are written to. FOR UPDATE: with less, an ALTER begun meanwhile makes the write a deadlock. */
	literal_sql(&compose->sql, ") ORDER BY zone_name FOR UPDATE;SELECT id FROM %t WHERE FALSE FOR UPDATE;",
		settings->records_table);
	tables_add_engines(&compose->sql, settings);
	if (!any_check)
		return;
	buf_puts(&compose->sql, ";");
	digest_sql_begin(&compose->sql, settings->records_table);
	literal_sql(&compose->sql, "SELECT id FROM %t WHERE zone_name IN (", settings->zones_table);
	add_names(compose, works, count, true);
	buf_puts(&compose->sql, ")");
	digest_sql_end(&compose->sql);
}

void compose_read(struct compose *compose, struct work *const *works, size_t count)
{
	bool first = true;

	literal_sql(&compose->sql, "SELECT zone_id,id,hostname,type,data,ttl,online FROM %t WHERE zone_id IN (",
		settings_of(compose)->records_table);
	for (size_t i = 0; i < count; i++) {
		if (works[i]->kind != WORK_READ)
			continue;
		literal_sql(&compose->sql, first ? "%u" : ",%u", works[i]->zone_id);
		first = false;
	}
	buf_puts(&compose->sql, ")");
}

/* ---- rows that go ---- */

/* "<head>1,2,3)" of the zone ids of all works of kind one or other. */
static int delete_by_zone(struct compose *compose, struct work *const *works, size_t count, enum work_kind one,
	enum work_kind other, const char *format, const char *table)
{
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		if ((works[i]->kind != one && works[i]->kind != other) || !works[i]->exists)
			continue;
		if (!any) {
			if (begin(compose, 16384) < 0)
				return -1;
			literal_sql(&compose->sql, format, table);
		}
		literal_sql(&compose->sql, any ? ",%u" : "%u", works[i]->zone_id);
		any = true;
	}
	if (any)
		buf_puts(&compose->sql, ")");
	return 0;
}

static int remove_zones(struct compose *compose, struct work *const *works, size_t count)
{
	const struct coredns_mysql_settings *settings = settings_of(compose);

	if (delete_by_zone(compose, works, count, WORK_REMOVE, WORK_REWRITE, "DELETE FROM %t WHERE zone_id IN (",
		    settings->records_table) < 0)
		return -1;
	/* Behind its records: of some tables the foreign key does not cascade. */
	return delete_by_zone(compose, works, count, WORK_REMOVE, WORK_REMOVE, "DELETE FROM %t WHERE id IN (",
		settings->zones_table);
}

static int delete_rows(struct compose *compose, const struct work *work)
{
	bool open = false;

	for (size_t i = 0; i < work->diff.count; i++) {
		const struct diff_op *op = &work->diff.ops[i];

		if (op->kind != DIFF_DELETE)
			continue;
		if (open && is_full(compose, 24)) {
			buf_puts(&compose->sql, ")");
			open = false;
		}
		if (!open) {
			if (begin(compose, 1024) < 0)
				return -1;
			literal_sql(&compose->sql, "DELETE FROM %t WHERE id IN (%u",
				settings_of(compose)->records_table, work->row_ids[op->have]);
		} else {
			literal_sql(&compose->sql, ",%u", work->row_ids[op->have]);
		}
		open = true;
	}
	if (open)
		buf_puts(&compose->sql, ")");
	return 0;
}

/* ---- rows that change ---- */

static bool only_ttl_differs(const struct diff_row *row, const struct zone_record *record)
{
	return row->data != NULL && strcmp(row->data, record->data) == 0 && row->online != NULL &&
		strcmp(row->online, "1") == 0;
}

static int update_row(struct compose *compose, uint64_t id, const struct zone_record *record)
{
	if (begin(compose, 2 * strlen(record->data) + ROW_OVERHEAD + 80) < 0)
		return -1;
	literal_sql(&compose->sql, "UPDATE %t SET data=%s,ttl=%u,online=1 WHERE id=%u",
		settings_of(compose)->records_table, record->data, (uint64_t)record->ttl, id);
	return 0;
}

/* Rows that get one and the same TTL, and nothing else, are changed by one statement: as when a zone's $TTL changes. */
static int update_rows(struct compose *compose, const struct work *work)
{
	size_t count;
	const struct zone_record *records = zone_records(work->item->zone, &count);
	const struct zone_record *run = NULL;

	for (size_t i = 0; i < work->diff.count; i++) {
		const struct diff_op *op = &work->diff.ops[i];
		const struct zone_record *record = &records[op->want];
		uint64_t id;

		if (op->kind != DIFF_UPDATE)
			continue;
		id = work->row_ids[op->have];
		bool joins = only_ttl_differs(&work->rows[op->have], record);
		if (run != NULL && joins && run->ttl == record->ttl && !is_full(compose, 24)) {
			literal_sql(&compose->sql, ",%u", id);
			continue;
		}
		if (run != NULL)
			buf_puts(&compose->sql, ")");
		run = NULL;
		if (!joins) {
			if (update_row(compose, id, record) < 0)
				return -1;
			continue;
		}
		if (begin(compose, 1024) < 0)
			return -1;
		literal_sql(&compose->sql, "UPDATE %t SET ttl=%u WHERE id IN (%u", settings_of(compose)->records_table,
			(uint64_t)record->ttl, id);
		run = record;
	}
	if (run != NULL)
		buf_puts(&compose->sql, ")");
	return 0;
}

static int change_zones(struct compose *compose, struct work *const *works, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct work *work = works[i];

		if (work->misnamed && work_touches_rows(work)) {
			if (begin(compose, 1024) < 0)
				return -1;
			literal_sql(&compose->sql, "UPDATE %t SET zone_name=%s WHERE id=%u",
				settings_of(compose)->zones_table, work->item->name, work->zone_id);
		}
		if (work->kind == WORK_CHANGE && (delete_rows(compose, work) < 0 || update_rows(compose, work) < 0))
			return -1;
	}
	return 0;
}

/* ---- rows that come ---- */

static int create_zones(struct compose *compose, struct work *const *works, size_t count)
{
	size_t next = 0;

	for (size_t i = 0; i < count; i++) {
		if (works[i]->kind != WORK_CREATE)
			continue;
		works[i]->variable = next++;
		if (begin(compose, 1024) < 0)
			return -1;
		/* One by one: the ids of one statement need not follow each other (auto_increment_increment). */
		literal_sql(&compose->sql, "INSERT INTO %t (zone_name) VALUES (%s);SET @z%u=LAST_INSERT_ID()",
			settings_of(compose)->zones_table, works[i]->item->name, (uint64_t)works[i]->variable);
	}
	return 0;
}

static int insert_row(struct compose *compose, const struct work *work, const struct zone_record *record, bool *open)
{
	size_t size = 2 * (strlen(record->owner) + strlen(record->type) + strlen(record->data)) + ROW_OVERHEAD;

	if (*open && is_full(compose, size))
		*open = false;
	if (!*open) {
		if (begin(compose, size + 128) < 0)
			return -1;
		literal_sql(&compose->sql, "INSERT INTO %t (zone_id,hostname,type,data,ttl,online) VALUES (",
			settings_of(compose)->records_table);
		*open = true;
	} else {
		buf_puts(&compose->sql, ",(");
	}
	add_id(compose, work);
	literal_sql(&compose->sql, ",%s,%s,%s,%u,1)", record->owner, record->type, record->data,
		(uint64_t)record->ttl);
	return 0;
}

static int insert_rows(struct compose *compose, struct work *const *works, size_t count)
{
	bool open = false;

	for (size_t i = 0; i < count; i++) {
		const struct work *work = works[i];
		size_t record_count = 0;
		const struct zone_record *records =
			work->item->zone == NULL ? NULL : zone_records(work->item->zone, &record_count);

		if (work->kind == WORK_CREATE || work->kind == WORK_REWRITE) {
			for (size_t k = 0; k < record_count; k++)
				if (insert_row(compose, work, &records[k], &open) < 0)
					return -1;
		} else if (work->kind == WORK_CHANGE) {
			for (size_t k = 0; k < work->diff.count; k++)
				if (work->diff.ops[k].kind == DIFF_INSERT &&
					insert_row(compose, work, &records[work->diff.ops[k].want], &open) < 0)
					return -1;
		}
	}
	return 0;
}

/* ---- stamps and what is verified ---- */

static int stamp_zones(struct compose *compose, struct work *const *works, size_t count)
{
	static const struct zone_digest none = { 0 };
	bool open = false;

	for (size_t i = 0; i < count; i++) {
		const struct backend_item *item = works[i]->item;
		const struct zone_digest *digest = item->zone == NULL ? &none : zone_digest(item->zone);
		char text[ZONE_DIGEST_TEXT_SIZE];

		if (!work_writes(works[i]))
			continue;
		if (!open) {
			/* One statement, the last one before COMMIT (decisions.md 29): a packet has always room for it. */
			if (begin(compose, count * 1024) < 0)
				return -1;
			literal_sql(&compose->sql,
				"INSERT INTO %t (zone_name,store_id,generation,digest,record_count,serial,deleted,"
				"changed_at) VALUES ",
				settings_of(compose)->state_table);
		} else {
			buf_puts(&compose->sql, ",");
		}
		open = true;
		literal_sql(&compose->sql, "(%s,%s,%u,%s,%u,%u,%u,UTC_TIMESTAMP(6))", item->name,
			compose->target->params.store_id, item->generation, zone_digest_text(digest, text),
			digest->count, (uint64_t)(item->zone == NULL ? 0 : zone_serial(item->zone)),
			(uint64_t)(item->zone == NULL ? 1 : 0));
	}
	if (open)
		buf_puts(&compose->sql,
			" ON DUPLICATE KEY UPDATE store_id=VALUES(store_id),generation=VALUES(generation),"
			"digest=VALUES(digest),record_count=VALUES(record_count),serial=VALUES(serial),"
			"deleted=VALUES(deleted),changed_at=VALUES(changed_at)");
	return 0;
}

static void verify_zones(struct compose *compose, struct work *const *works, size_t count)
{
	bool any = false;

	buf_puts(&compose->sql, ";SELECT 0");
	for (size_t i = 0; i < count; i++)
		if (works[i]->kind == WORK_CREATE)
			literal_sql(&compose->sql, ",@z%u", (uint64_t)works[i]->variable);
	buf_puts(&compose->sql, ";");
	digest_sql_begin(&compose->sql, settings_of(compose)->records_table);
	for (size_t i = 0; i < count; i++) {
		if (!work_touches_rows(works[i]))
			continue;
		if (any)
			buf_puts(&compose->sql, ",");
		add_id(compose, works[i]);
		any = true;
	}
	if (!any)
		buf_puts(&compose->sql, "0");
	digest_sql_end(&compose->sql);
}

int compose_write(struct compose *compose, struct work *const *works, size_t count)
{
	if (remove_zones(compose, works, count) < 0 || create_zones(compose, works, count) < 0 ||
		change_zones(compose, works, count) < 0 || insert_rows(compose, works, count) < 0 ||
		stamp_zones(compose, works, count) < 0)
		return -1;
	verify_zones(compose, works, count);
	return 0;
}
