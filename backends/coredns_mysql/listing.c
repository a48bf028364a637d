/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/coredns_mysql/listing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/coredns_mysql/digest.h"
#include "backends/coredns_mysql/literal.h"

enum { PAGE = 256 };

struct page {
	MYSQL_RES *stamps; /* zone_name, store_id, generation, digest, record_count, deleted; by name */
	MYSQL_RES *zones;  /* id, zone_name */
	MYSQL_RES *digests;
};

static void page_free(struct page *page)
{
	mysql_free_result(page->stamps);
	mysql_free_result(page->zones);
	mysql_free_result(page->digests);
	*page = (struct page){ 0 };
}

static void add_names(struct buf *sql, MYSQL_RES *stamps)
{
	MYSQL_ROW row;
	bool first = true;

	mysql_data_seek(stamps, 0);
	while ((row = mysql_fetch_row(stamps)) != NULL) {
		if (row[0] == NULL || !literal_allows(row[0]))
			continue; /* never written by us */
		literal_sql(sql, first ? "%s" : ",%s", row[0]);
		first = false;
	}
	if (first)
		literal_sql(sql, "%s", "");
}

/*
 * Stamps first, then the zones of those names: a join of the two would depend on their collations. The digest is
 * computed by the server, zones and digests in one packet.
 */
static int fetch(struct target *target, const char *after, struct page *page)
{
	const struct coredns_mysql_settings *settings = target->settings;
	struct buf sql = { 0 };
	MYSQL_RES *results[2] = { NULL, NULL };

	literal_sql(&sql,
		"SELECT zone_name,store_id,generation,digest,record_count,deleted FROM %t WHERE zone_name > %s "
		"ORDER BY zone_name LIMIT %u",
		settings->state_table, after, (uint64_t)PAGE);
	int outcome = link_fetch(&target->link, &sql, &page->stamps, 1);
	buf_clear(&sql);
	if (outcome == 0 && page->stamps != NULL && mysql_num_rows(page->stamps) > 0) {
		literal_sql(&sql, "SELECT id,zone_name FROM %t WHERE zone_name IN (", settings->zones_table);
		add_names(&sql, page->stamps);
		buf_puts(&sql, ");");
		digest_sql_begin(&sql, settings->records_table);
		literal_sql(&sql, "SELECT id FROM %t WHERE zone_name IN (", settings->zones_table);
		add_names(&sql, page->stamps);
		buf_puts(&sql, ")");
		digest_sql_end(&sql);
		outcome = link_fetch(&target->link, &sql, results, 2);
		page->zones = results[0];
		page->digests = results[1];
	}
	buf_free(&sql);
	return outcome;
}

/* The rows of a zone as the server digested them; all zero if there is no such zone, or it has no records. */
static struct zone_digest find_digest(const struct page *page, const char *name)
{
	struct zone_digest digest = { 0 };
	MYSQL_ROW row;
	const char *id = NULL;

	if (page->zones == NULL || page->digests == NULL)
		return digest;
	mysql_data_seek(page->zones, 0);
	while (id == NULL && (row = mysql_fetch_row(page->zones)) != NULL)
		if (row[1] != NULL && strcmp(row[1], name) == 0)
			id = row[0];
	mysql_data_seek(page->digests, 0);
	while (id != NULL && (row = mysql_fetch_row(page->digests)) != NULL)
		if (row[0] != NULL && strcmp(row[0], id) == 0 && !digest_take(row + 1, &digest))
			digest = (struct zone_digest){ 0 };
	return digest;
}

static void take(const struct page *page, MYSQL_ROW row, struct backend_listed *out)
{
	*out = (struct backend_listed){ .name = row[0] };
	snprintf(out->stamp.store_id, sizeof(out->stamp.store_id), "%s", row[1] == NULL ? "" : row[1]);
	out->stamp.generation = row[2] == NULL ? 0 : strtoull(row[2], NULL, 10);
	out->deleted = row[5] != NULL && strcmp(row[5], "0") != 0;
	if (row[3] == NULL || row[4] == NULL ||
		zone_digest_parse(row[3], strtoull(row[4], NULL, 10), &out->stamped, NULL) < 0)
		out->stamped = (struct zone_digest){ 0 };
	out->actual = find_digest(page, row[0]);
}

int listing_run(struct target *target, bool (*each)(void *ctx, const struct backend_listed *listed), void *ctx)
{
	char after[ZONE_NAME_SIZE] = "";
	bool more = true;

	while (more) {
		struct page page = { 0 };
		MYSQL_ROW row;

		if (fetch(target, after, &page) < 0) {
			page_free(&page);
			return -1;
		}
		more = page.stamps != NULL && mysql_num_rows(page.stamps) == PAGE;
		if (page.stamps != NULL)
			mysql_data_seek(page.stamps, 0);
		while (page.stamps != NULL && (row = mysql_fetch_row(page.stamps)) != NULL) {
			struct backend_listed listed;
			MYSQL_ROW_OFFSET here = mysql_row_tell(page.stamps);

			if (row[0] == NULL || strlen(row[0]) >= sizeof(after) || !literal_allows(row[0]))
				continue;
			snprintf(after, sizeof(after), "%s", row[0]);
			take(&page, row, &listed);
			mysql_row_seek(page.stamps, here);
			if (!each(ctx, &listed)) {
				more = false;
				break;
			}
		}
		page_free(&page);
	}
	return 0;
}

int listing_exists(struct target *target, const char *name, bool *exists)
{
	struct buf sql = { 0 };
	MYSQL_RES *rows = NULL;

	*exists = false;
	if (!literal_allows(name) || name[0] == '\0')
		return 0; /* the row without a name is no zone */
	literal_sql(&sql, "SELECT id FROM %t WHERE zone_name = %s", target->settings->zones_table, name);
	int outcome = link_fetch(&target->link, &sql, &rows, 1);
	buf_free(&sql);
	*exists = outcome == 0 && rows != NULL && mysql_num_rows(rows) > 0;
	mysql_free_result(rows);
	return outcome;
}
