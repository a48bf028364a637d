/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How two texts of a zone differ, record by record, for people. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/reader.h"
#include "zone/diff.h"

enum { TTL_SIZE = sizeof("4294967295"), SHOWN_MOST = 10000 };

static const struct zone_record *records_of(const struct zone *zone, size_t *count)
{
	*count = 0;
	return zone == NULL ? NULL : zone_records(zone, count);
}

static struct diff_row *rows_of(const struct zone_record *records, size_t count, char (*ttls)[TTL_SIZE])
{
	struct diff_row *rows = xcalloc(count, sizeof(*rows));

	for (size_t i = 0; i < count; i++) {
		snprintf(ttls[i], TTL_SIZE, "%" PRIu32, records[i].ttl);
		rows[i] = (struct diff_row){ .owner = records[i].owner, .type = records[i].type,
			.data = records[i].data, .ttl = ttls[i], .online = "1" };
	}
	return rows;
}

static struct doc *add_record(struct doc *list, const struct zone_record *record)
{
	struct doc *item = doc_object(list, NULL);

	doc_text(item, "owner", record->owner);
	doc_uint(item, "ttl", record->ttl);
	doc_text(item, "type", record->type);
	doc_text(item, "data", record->data);
	return item;
}

static void add_change(struct doc *list, const struct zone_record *before, const struct zone_record *after)
{
	struct doc *item = add_record(list, after);

	doc_uint(item, "old_ttl", before->ttl);
	doc_text(item, "old_data", before->data);
}

void reader_add_diff(struct doc *doc, const struct zone *before, const struct zone *after)
{
	struct doc *added = doc_list(doc, "added"), *removed = doc_list(doc, "removed"), *changed = doc_list(doc, "changed");
	size_t have_count, want_count;
	const struct zone_record *have = records_of(before, &have_count);
	const struct zone_record *want = records_of(after, &want_count);
	char(*ttls)[TTL_SIZE] = xcalloc(have_count, sizeof(*ttls));
	struct diff_row *rows = rows_of(have, have_count, ttls);
	struct diff diff;

	diff_make(rows, have_count, want, want_count, &diff);
	for (size_t i = 0; i < diff.count && i < SHOWN_MOST; i++) {
		const struct diff_op *op = &diff.ops[i];

		if (op->kind == DIFF_INSERT)
			add_record(added, &want[op->want]);
		else if (op->kind == DIFF_DELETE)
			add_record(removed, &have[op->have]);
		else
			add_change(changed, &have[op->have], &want[op->want]);
	}
	doc_uint(doc, "differences", diff.count);
	diff_free(&diff);
	free(rows);
	free(ttls);
}

int reader_zone(struct engine *engine, int64_t zone_id, const char *name, struct zone **out, struct err *err)
{
	char *text;
	size_t size;
	int ret = store_zone_text(engine->reader, zone_id, &text, &size, err);

	if (ret != ERR_OK)
		return ret;
	ret = zone_parse(name, text, size, 0, out, err);
	free(text);
	return ret;
}
