/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/coredns_mysql/bulk.h"

#include <stdlib.h>
#include <string.h>

#include "backends/coredns_mysql/literal.h"

enum {
	MOST_ROWS = 2048,
	ROW_OVERHEAD = 64, /* of a row in the packet: all but its texts */
	TEXTS = 3          /* hostname, type, data */
};

struct bulk_columns {
	uint64_t ids[MOST_ROWS];
	uint64_t zone_ids[MOST_ROWS];
	const char *texts[TEXTS][MOST_ROWS];
	unsigned long lengths[TEXTS][MOST_ROWS];
	uint32_t ttls[MOST_ROWS];
};

/* ids belong to BULK_UPSERT alone and come first. */
static void bind_columns(struct bulk *bulk, MYSQL_BIND binds[6])
{
	struct bulk_columns *columns = bulk->columns;
	size_t count = 0;

	memset(binds, 0, 6 * sizeof(*binds));
	if (bulk->kind == BULK_UPSERT)
		binds[count++] = (MYSQL_BIND){ .buffer_type = MYSQL_TYPE_LONGLONG, .buffer = columns->ids,
			.is_unsigned = 1 };
	binds[count++] = (MYSQL_BIND){ .buffer_type = MYSQL_TYPE_LONGLONG, .buffer = columns->zone_ids, .is_unsigned = 1 };
	for (size_t i = 0; i < TEXTS; i++)
		binds[count++] = (MYSQL_BIND){ .buffer_type = MYSQL_TYPE_STRING, .buffer = columns->texts[i],
			.length = columns->lengths[i] };
	binds[count] = (MYSQL_BIND){ .buffer_type = MYSQL_TYPE_LONG, .buffer = columns->ttls, .is_unsigned = 1 };
}

static int flush(struct bulk *bulk)
{
	MYSQL_BIND binds[6];
	struct buf sql = { 0 };

	if (bulk->count == 0)
		return 0;
	literal_sql(&sql,
		bulk->kind == BULK_INSERT ?
			"INSERT INTO %t (zone_id,hostname,type,data,ttl,online) VALUES (?,?,?,?,?,1)" :
			"INSERT INTO %t (id,zone_id,hostname,type,data,ttl,online) VALUES (?,?,?,?,?,?,1) "
			"ON DUPLICATE KEY UPDATE data=VALUES(data),ttl=VALUES(ttl),online=VALUES(online)",
		bulk->target->settings->records_table);
	bind_columns(bulk, binds);
	int outcome = link_execute(&bulk->target->link, bulk->kind, sql.data, binds, bulk->count);
	buf_free(&sql);
	bulk->count = 0;
	bulk->bytes = 0;
	return outcome;
}

int bulk_add(struct bulk *bulk, uint64_t id, uint64_t zone_id, const struct zone_record *record)
{
	const char *const texts[TEXTS] = { record->owner, record->type, record->data };
	size_t size = ROW_OVERHEAD;

	for (size_t i = 0; i < TEXTS; i++)
		size += strlen(texts[i]);
	if ((bulk->count == MOST_ROWS || bulk->bytes + size > bulk->target->packet_limit) && flush(bulk) < 0)
		return -1;
	if (bulk->columns == NULL)
		bulk->columns = xmalloc(sizeof(*bulk->columns));
	bulk->columns->ids[bulk->count] = id;
	bulk->columns->zone_ids[bulk->count] = zone_id;
	for (size_t i = 0; i < TEXTS; i++) {
		bulk->columns->texts[i][bulk->count] = texts[i];
		bulk->columns->lengths[i][bulk->count] = (unsigned long)strlen(texts[i]);
	}
	bulk->columns->ttls[bulk->count++] = record->ttl;
	bulk->bytes += size;
	return 0;
}

int bulk_end(struct bulk *bulk, bool send)
{
	int outcome = send ? flush(bulk) : 0;

	free(bulk->columns);
	bulk->columns = NULL;
	return outcome;
}
