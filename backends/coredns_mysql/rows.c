/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/coredns_mysql/rows.h"

#include <string.h>

#include "backends/coredns_mysql/literal.h"

enum { ROW_OVERHEAD = 96 }; /* punctuation, id, ttl and introducers of one row of an INSERT */

static const char *table_of(const struct compose *compose)
{
	return compose->target->settings->records_table;
}

/* ---- rows that go ---- */

static int delete_rows(struct compose *compose, const struct work *work)
{
	bool open = false;

	for (size_t i = 0; i < work->diff.count; i++) {
		const struct diff_op *op = &work->diff.ops[i];

		if (op->kind != DIFF_DELETE)
			continue;
		if (open && compose_is_full(compose, 24)) {
			buf_puts(&compose->sql, ")");
			open = false;
		}
		if (!open) {
			if (compose_begin(compose, 1024) < 0)
				return -1;
			literal_sql(&compose->sql, "DELETE FROM %t WHERE id IN (%u",
				table_of(compose), work->row_ids[op->have]);
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
	if (compose_begin(compose, 2 * strlen(record->data) + ROW_OVERHEAD + 80) < 0)
		return -1;
	literal_sql(&compose->sql, "UPDATE %t SET data=%s,ttl=%u,online=1 WHERE id=%u",
		table_of(compose), record->data, (uint64_t)record->ttl, id);
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
		if (run != NULL && joins && run->ttl == record->ttl && !compose_is_full(compose, 24)) {
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
		if (compose_begin(compose, 1024) < 0)
			return -1;
		literal_sql(&compose->sql, "UPDATE %t SET ttl=%u WHERE id IN (%u", table_of(compose),
			(uint64_t)record->ttl, id);
		run = record;
	}
	if (run != NULL)
		buf_puts(&compose->sql, ")");
	return 0;
}

/* ---- rows that come ---- */

static int insert_row(struct compose *compose, const struct work *work, const struct zone_record *record, bool *open)
{
	size_t size = 2 * (strlen(record->owner) + strlen(record->type) + strlen(record->data)) + ROW_OVERHEAD;

	if (*open && compose_is_full(compose, size))
		*open = false;
	if (!*open) {
		if (compose_begin(compose, size + 128) < 0)
			return -1;
		literal_sql(&compose->sql, "INSERT INTO %t (zone_id,hostname,type,data,ttl,online) VALUES (",
			table_of(compose));
		*open = true;
	} else {
		buf_puts(&compose->sql, ",(");
	}
	compose_add_id(compose, work);
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

int rows_write(struct compose *compose, struct work *const *works, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (works[i]->kind == WORK_CHANGE &&
			(delete_rows(compose, works[i]) < 0 || update_rows(compose, works[i]) < 0))
			return -1;
	return insert_rows(compose, works, count);
}
