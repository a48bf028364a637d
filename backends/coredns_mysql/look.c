/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/coredns_mysql/look.h"

#include "backends/coredns_mysql/digest.h"
#include "backends/coredns_mysql/literal.h"

enum { LOCKED_ZONES, LOCKED_STAMPS, LOCKED_RECORDS, LOCKED_SHAPE, LOCKED_ROWS = LOCKED_SHAPE + SHAPE_TABLES,
	LOCK_RESULTS };
enum { SEEN_STAMPS, SEEN_ZONES, SEEN_DIGESTS, SEEN_RESULTS };

#define STAMP_COLUMNS "zone_name,store_id,generation,digest,record_count,deleted"

static void add_names(struct buf *sql, const struct roster *roster, bool saves_only)
{
	bool first = true;

	for (size_t i = 0; i < roster->count; i++) {
		const struct backend_item *item = roster->works[i]->item;

		if (saves_only && item->zone == NULL)
			continue;
		literal_sql(sql, first ? "%s" : ",%s", item->name);
		first = false;
	}
}

static bool has_saves(const struct roster *roster)
{
	for (size_t i = 0; i < roster->count; i++)
		if (roster->works[i]->item->zone != NULL)
			return true;
	return false;
}

/* A scan of a whole table would take for ever, and lock what is not ours: the indexes are forced. */
static void add_locks(struct buf *sql, const struct target *target, const struct roster *roster)
{
	const struct coredns_mysql_settings *settings = target->settings;

	literal_sql(sql, "START TRANSACTION;SELECT id,zone_name FROM %t FORCE INDEX (%t) WHERE zone_name IN (",
		settings->zones_table, target->schema.zones_index);
	add_names(sql, roster, false);
	literal_sql(sql,
		") ORDER BY zone_name FOR UPDATE;SELECT " STAMP_COLUMNS " FROM %t FORCE INDEX (PRIMARY) "
		"WHERE zone_name IN (",
		settings->state_table);
	add_names(sql, roster, false);
	/* What a statement of a transaction has opened cannot be altered before its end, so the tables seen behind these
	   three are those that are written to. FOR UPDATE: with less, an ALTER begun meanwhile makes the write a deadlock. */
	literal_sql(sql, ") ORDER BY zone_name FOR UPDATE;SELECT id FROM %t WHERE FALSE FOR UPDATE;",
		settings->records_table);
	shape_add(sql, settings);
}

/* The zones are looked up first, whatever an optimizer thinks of the tables' sizes. */
static void add_rows(struct buf *sql, const struct target *target, const struct roster *roster)
{
	literal_sql(sql,
		";SELECT STRAIGHT_JOIN r.zone_id,r.id,r.hostname,r.type,r.data,r.ttl,r.online FROM %t AS z FORCE INDEX (%t) "
		"JOIN %t AS r",
		target->settings->zones_table, target->schema.zones_index, target->settings->records_table);
	if (target->schema.records_index[0] != '\0')
		literal_sql(sql, " FORCE INDEX (%t)", target->schema.records_index);
	buf_puts(sql, " ON r.zone_id=z.id WHERE z.zone_name IN (");
	add_names(sql, roster, true);
	buf_puts(sql, ")");
}

enum look_end look_and_lock(struct target *target, struct roster *roster, MYSQL_RES **rows, struct err *err)
{
	MYSQL_RES *results[LOCK_RESULTS];
	struct buf sql = { 0 };
	struct shape shape;

	*rows = NULL;
	target_add_haste(target, &sql);
	add_locks(&sql, target, roster);
	if (has_saves(roster))
		add_rows(&sql, target, roster);
	int outcome = link_fetch(&target->link, &sql, results, LOCK_RESULTS);
	buf_free(&sql);
	if (outcome < 0)
		return LOOK_FAILED;
	outcome = shape_take(results + LOCKED_SHAPE, &shape, err);
	roster_take_zones(roster, results[LOCKED_ZONES]);
	roster_take_stamps(roster, results[LOCKED_STAMPS]);
	roster_take_rows(roster, results[LOCKED_ROWS]);
	*rows = results[LOCKED_ROWS];
	for (size_t i = 0; i < LOCKED_ROWS; i++)
		mysql_free_result(results[i]);
	if (outcome < 0)
		return LOOK_UNFIT;
	return shape_equal(&shape, &target->schema.shape) ? LOOK_DONE : LOOK_ALTERED;
}

int look_only(struct target *target, struct roster *roster)
{
	const struct coredns_mysql_settings *settings = target->settings;
	MYSQL_RES *results[SEEN_RESULTS];
	struct buf sql = { 0 };

	/* The stamps first: rows that are right later than the stamp was are right. */
	literal_sql(&sql, "SELECT " STAMP_COLUMNS " FROM %t FORCE INDEX (PRIMARY) WHERE zone_name IN (",
		settings->state_table);
	add_names(&sql, roster, false);
	literal_sql(&sql, ");SELECT id,zone_name FROM %t FORCE INDEX (%t) WHERE zone_name IN (", settings->zones_table,
		target->schema.zones_index);
	add_names(&sql, roster, false);
	buf_puts(&sql, ");");
	digest_sql_begin(&sql, settings->records_table, &target->schema);
	literal_sql(&sql, "SELECT id FROM %t WHERE zone_name IN (", settings->zones_table);
	add_names(&sql, roster, false);
	buf_puts(&sql, ")");
	digest_sql_end(&sql);
	int outcome = link_fetch(&target->link, &sql, results, SEEN_RESULTS);
	buf_free(&sql);
	if (outcome < 0)
		return -1;
	roster_take_stamps(roster, results[SEEN_STAMPS]);
	roster_take_zones(roster, results[SEEN_ZONES]);
	roster_take_digests(roster, results[SEEN_DIGESTS]);
	for (size_t i = 0; i < SEEN_RESULTS; i++)
		mysql_free_result(results[i]);
	return 0;
}
