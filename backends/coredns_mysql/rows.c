/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/coredns_mysql/rows.h"

#include <string.h>

#include "backends/coredns_mysql/bulk.h"
#include "backends/coredns_mysql/literal.h"

enum {
	LEAST_BULK = 32,   /* rows for which an array is worth its round trip */
	ID_SIZE = 24,      /* a number and its comma */
	ROW_OVERHEAD = 128 /* punctuation, numbers and introducers of one row */
};

/* One statement with many elements, or as many as it takes. While one is open nothing else is added. */
struct list {
	struct compose *compose;
	struct bulk *bulk; /* NULL: as text */
	const char *head; /* for literal_sql(), with the records table and number */
	uint64_t number;
	const char *tail;
	bool open;
};

static void list_close(struct list *list)
{
	if (list->open)
		buf_puts(&list->compose->sql, list->tail);
	list->open = false;
}

/* Before an element of about size bytes. */
static int list_next(struct list *list, size_t size)
{
	struct compose *compose = list->compose;

	if (list->open && compose_is_full(compose, size + strlen(list->tail)))
		list_close(list);
	if (list->open) {
		buf_append(&compose->sql, ",", 1);
		return 0;
	}
	if (compose_begin(compose, size + strlen(list->head) + strlen(list->tail) + 128) < 0)
		return -1;
	literal_sql(&compose->sql, list->head, compose->target->settings->records_table, list->number);
	list->open = true;
	return 0;
}

static size_t row_size(const struct zone_record *record)
{
	return 2 * (strlen(record->owner) + strlen(record->type) + strlen(record->data)) + ROW_OVERHEAD;
}

/* hostname, type, data, ttl, online */
static void add_values(struct compose *compose, const struct zone_record *record)
{
	literal_sql(&compose->sql, compose->target->schema.plain ? ",%x,%x,%x,%u,1)" : ",%s,%s,%s,%u,1)", record->owner,
		record->type, record->data, (uint64_t)record->ttl);
}

static const struct zone_record *records_of(const struct work *work)
{
	size_t count;

	return zone_records(work->item->zone, &count);
}

/* Calls each for every operation of that kind; stops at the first that fails. */
static int for_each(struct work *const *works, size_t count, enum diff_kind kind, struct list *list,
	int (*each)(struct list *list, const struct work *work, const struct diff_op *op))
{
	for (size_t i = 0; i < count; i++) {
		if (works[i]->kind != WORK_CHANGE)
			continue;
		for (size_t k = 0; k < works[i]->diff.count; k++)
			if (works[i]->diff.ops[k].kind == kind && each(list, works[i], &works[i]->diff.ops[k]) < 0)
				return -1;
	}
	return 0;
}

/* ---- rows that go ---- */

static int add_deleted(struct list *list, const struct work *work, const struct diff_op *op)
{
	if (list_next(list, ID_SIZE) < 0)
		return -1;
	buf_uint(&list->compose->sql, work->row_ids[op->have]);
	return 0;
}

static int delete_rows(struct compose *compose, struct work *const *works, size_t count)
{
	struct list list = { .compose = compose, .head = "DELETE FROM %t WHERE id IN (", .tail = ")" };

	if (for_each(works, count, DIFF_DELETE, &list, add_deleted) < 0)
		return -1;
	list_close(&list);
	return 0;
}

/* ---- rows that change ---- */

static bool only_ttl_differs(const struct work *work, const struct diff_op *op)
{
	return work->ttl_only[op - work->diff.ops];
}

/* Rows that get one and the same TTL, and nothing else, are changed by one statement: as when a zone's $TTL changes. */
static int add_ttl(struct list *list, const struct work *work, const struct diff_op *op)
{
	uint64_t ttl = records_of(work)[op->want].ttl;

	if (!only_ttl_differs(work, op))
		return 0;
	if (ttl != list->number)
		list_close(list);
	list->number = ttl;
	return add_deleted(list, work, op);
}

static int update_ttls(struct compose *compose, struct work *const *works, size_t count)
{
	struct list list = { .compose = compose, .head = "UPDATE %t SET ttl=%u WHERE id IN (", .tail = ")" };

	if (for_each(works, count, DIFF_UPDATE, &list, add_ttl) < 0)
		return -1;
	list_close(&list);
	return 0;
}

static int count_updated(struct list *list, const struct work *work, const struct diff_op *op)
{
	list->number += !only_ttl_differs(work, op);
	return 0;
}

static int update_one(struct list *list, const struct work *work, const struct diff_op *op)
{
	struct compose *compose = list->compose;
	const struct zone_record *record = &records_of(work)[op->want];

	if (only_ttl_differs(work, op))
		return 0;
	if (compose_begin(compose, row_size(record) + 128) < 0)
		return -1;
	literal_sql(&compose->sql,
		compose->target->schema.plain ? "UPDATE %t SET data=%x,ttl=%u,online=1 WHERE id=%u" :
						"UPDATE %t SET data=%s,ttl=%u,online=1 WHERE id=%u",
		compose->target->settings->records_table, record->data, (uint64_t)record->ttl, work->row_ids[op->have]);
	return 0;
}

static int add_updated(struct list *list, const struct work *work, const struct diff_op *op)
{
	const struct zone_record *record = &records_of(work)[op->want];

	if (only_ttl_differs(work, op))
		return 0;
	if (list->bulk != NULL)
		return bulk_add(list->bulk, work->row_ids[op->have], work->zone_id, record);
	if (list_next(list, row_size(record)) < 0)
		return -1;
	literal_sql(&list->compose->sql, "(%u,%u", work->row_ids[op->have], work->zone_id);
	add_values(list->compose, record);
	return 0;
}

/* Of so many rows: by arrays, if they are allowed and worth it. */
static int list_begin(struct list *list, struct bulk *bulk, size_t rows, bool arrays)
{
	if (!arrays || rows < LEAST_BULK)
		return 0;
	list->bulk = bulk;
	return compose_send(list->compose); /* what comes before */
}

static int list_end(struct list *list, int outcome)
{
	list_close(list);
	if (list->bulk != NULL && bulk_end(list->bulk, outcome == 0) < 0)
		return -1;
	return outcome;
}

/*
 * One statement for many rows: each has an id that is there, so it is updated, and none is inserted. (Should somebody
 * have deleted the row meanwhile, it comes back, which is what is wanted.)
 */
static int update_rows(struct compose *compose, struct work *const *works, size_t count, bool arrays)
{
	struct list list = { .compose = compose,
		.head = "INSERT INTO %t (id,zone_id,hostname,type,data,ttl,online) VALUES ",
		.tail = " ON DUPLICATE KEY UPDATE data=VALUES(data),ttl=VALUES(ttl),online=VALUES(online)" };
	struct bulk bulk = { .target = compose->target, .kind = BULK_UPSERT };

	(void)for_each(works, count, DIFF_UPDATE, &list, count_updated);
	if (list.number == 1)
		return for_each(works, count, DIFF_UPDATE, &list, update_one);
	int outcome = list_begin(&list, &bulk, list.number, arrays);
	if (outcome == 0)
		outcome = for_each(works, count, DIFF_UPDATE, &list, add_updated);
	return list_end(&list, outcome);
}

/* ---- rows that come ---- */

static int insert_record(struct list *list, const struct work *work, const struct zone_record *record)
{
	if (list->bulk != NULL)
		return bulk_add(list->bulk, 0, work->zone_id, record);
	if (list_next(list, row_size(record)) < 0)
		return -1;
	buf_append(&list->compose->sql, "(", 1);
	compose_add_id(list->compose, work);
	add_values(list->compose, record);
	return 0;
}

static int insert_zone(struct list *list, const struct work *work)
{
	size_t count;
	const struct zone_record *records = zone_records(work->item->zone, &count);

	for (size_t i = 0; i < count; i++)
		if (insert_record(list, work, &records[i]) < 0)
			return -1;
	return 0;
}

static int add_inserted(struct list *list, const struct work *work, const struct diff_op *op)
{
	return insert_record(list, work, &records_of(work)[op->want]);
}

static int count_inserted(struct list *list, const struct work *work, const struct diff_op *op)
{
	(void)work;
	(void)op;
	list->number++;
	return 0;
}

static bool comes_whole(const struct work *work)
{
	return work->kind == WORK_CREATE || work->kind == WORK_REWRITE;
}

static int insert_rows(struct compose *compose, struct work *const *works, size_t count, bool arrays)
{
	struct list list = { .compose = compose,
		.head = "INSERT INTO %t (zone_id,hostname,type,data,ttl,online) VALUES ", .tail = "" };
	struct bulk bulk = { .target = compose->target, .kind = BULK_INSERT };

	(void)for_each(works, count, DIFF_INSERT, &list, count_inserted);
	for (size_t i = 0; i < count; i++)
		list.number += comes_whole(works[i]) ? zone_digest(works[i]->item->zone)->count : 0;
	/* Of an array's ids some may be left out; a table that has not too many gets none. */
	int outcome = list_begin(&list, &bulk, list.number, arrays && compose->target->schema.ids_plenty);
	for (size_t i = 0; outcome == 0 && i < count; i++)
		if (comes_whole(works[i]))
			outcome = insert_zone(&list, works[i]);
	if (outcome == 0)
		outcome = for_each(works, count, DIFF_INSERT, &list, add_inserted);
	return list_end(&list, outcome);
}

int rows_write(struct compose *compose, struct work *const *works, size_t count, bool arrays)
{
	if (delete_rows(compose, works, count) < 0 || update_ttls(compose, works, count) < 0 ||
		update_rows(compose, works, count, arrays) < 0)
		return -1;
	return insert_rows(compose, works, count, arrays);
}

size_t rows_count(struct work *const *works, size_t count)
{
	size_t rows = 0;

	for (size_t i = 0; i < count; i++) {
		if (comes_whole(works[i]))
			rows += zone_digest(works[i]->item->zone)->count;
		else if (works[i]->kind == WORK_CHANGE)
			rows += works[i]->diff.count;
	}
	return rows;
}
