/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/coredns_mysql/look.h"

#include "backends/coredns_mysql/digest.h"
#include "backends/coredns_mysql/literal.h"

enum { LOCKED_ZONES, LOCKED_STAMPS, LOCKED_RECORDS, LOCKED_SHAPE, LOCKED_ROWS = LOCKED_SHAPE + SHAPE_TABLES };
enum { SEEN_STAMPS, SEEN_ZONES, SEEN_DIGESTS, SEEN_RESULTS };

enum { ROWS_AT_ONCE = 128 }; /* zones of which the rows are one result: as much of them is held in memory */

#define STAMP_COLUMNS "zone_name,store_id,generation,digest,record_count,deleted"

static void add_names(struct buf *sql, const struct roster *roster)
{
	for (size_t i = 0; i < roster->count; i++)
		literal_sql(sql, i == 0 ? "%s" : ",%s", roster->works[i]->item->name);
}

/* A scan of a whole table would take for ever, and lock what is not ours: the indexes are forced. */
static void add_locks(struct buf *sql, const struct target *target, const struct roster *roster)
{
	const struct coredns_mysql_settings *settings = target->settings;

	literal_sql(sql, "START TRANSACTION;SELECT id,zone_name FROM %t FORCE INDEX (%t) WHERE zone_name IN (",
		settings->zones_table, target->schema.zones_index);
	add_names(sql, roster);
	literal_sql(sql,
		") ORDER BY zone_name FOR UPDATE;SELECT " STAMP_COLUMNS " FROM %t FORCE INDEX (PRIMARY) "
		"WHERE zone_name IN (",
		settings->state_table);
	add_names(sql, roster);
	/* What a statement of a transaction has opened cannot be altered before its end, so the tables seen behind these
	   three are those that are written to. FOR UPDATE: with less, an ALTER begun meanwhile makes the write a deadlock. */
	literal_sql(sql, ") ORDER BY zone_name FOR UPDATE;SELECT id FROM %t WHERE FALSE FOR UPDATE;",
		settings->records_table);
	shape_add(sql, settings);
}

/*
 * The saves, ROWS_AT_ONCE of them from the first at or behind *at; how many there are. *at is moved behind the last one.
 */
static size_t next_saves(const struct roster *roster, size_t *at, struct work *saves[ROWS_AT_ONCE])
{
	size_t count = 0;

	for (; *at < roster->count && count < ROWS_AT_ONCE; (*at)++)
		if (roster->works[*at]->item->zone != NULL)
			saves[count++] = roster->works[*at];
	return count;
}

/* The zones are looked up first, whatever an optimizer thinks of the tables' sizes. How many statements that are. */
static size_t add_rows(struct buf *sql, const struct target *target, const struct roster *roster)
{
	struct work *saves[ROWS_AT_ONCE];
	size_t statements = 0;
	size_t at = 0;
	size_t count;

	while ((count = next_saves(roster, &at, saves)) > 0) {
		statements++;
		literal_sql(sql,
			";SELECT STRAIGHT_JOIN r.zone_id,r.id,r.hostname,r.type,r.data,r.ttl,r.online FROM %t AS z "
			"FORCE INDEX (%t) JOIN %t AS r",
			target->settings->zones_table, target->schema.zones_index, target->settings->records_table);
		if (target->schema.records_index[0] != '\0')
			literal_sql(sql, " FORCE INDEX (%t)", target->schema.records_index);
		buf_puts(sql, " ON r.zone_id=z.id WHERE z.zone_name IN (");
		for (size_t i = 0; i < count; i++)
			literal_sql(sql, i == 0 ? "%s" : ",%s", saves[i]->item->name);
		literal_sql(sql, ") LIMIT %u", work_rows_most(saves, count));
	}
	return statements;
}

/* While the answers come. */
struct locking {
	const struct target *target;
	struct roster *roster;
	size_t judged;          /* of the roster; as far as the saves are concerned */
	size_t results;         /* so many came */
	struct buf definitions;
	int unfit;              /* 0, or why not, and err says it */
	struct err *err;
};

/* What names no zone by its id would leave it as it is, and be called done. */
static void refuse_id(const struct target *target, struct work *work)
{
	work->settled = true;
	work->item->verdict = BACKEND_REJECT;
	err_set(&work->item->err, ERR_INVALID, "%s: %s: its id in table %s is no positive number", target->params.name,
		work->item->name, target->settings->zones_table);
}

static void judge(const struct target *target, struct work *work, bool unread)
{
	const char *store_id = target->params.store_id;

	if (!(unread ? work_judge_unread(work, store_id) : work_judge(work, store_id)))
		work->settled = true;
	else if (work->exists && work->zone_id == 0)
		refuse_id(target, work);
}

static void take_rows(struct locking *locking, struct result *rows)
{
	struct work *saves[ROWS_AT_ONCE];
	size_t count = next_saves(locking->roster, &locking->judged, saves);
	bool unread = result_cut(rows) || result_count(rows) >= work_rows_most(saves, count);

	for (size_t i = 0; i < count; i++)
		saves[i]->taking = !unread;
	roster_take_rows(locking->roster, rows);
	for (size_t i = 0; i < count; i++) {
		saves[i]->taking = false;
		judge(locking->target, saves[i], unread);
		work_drop_texts(saves[i]);
	}
}

static void take_locked(void *ctx, size_t at, struct result *rows)
{
	struct locking *locking = ctx;

	locking->results++;
	if (at == LOCKED_ZONES)
		roster_take_zones(locking->roster, rows);
	else if (at == LOCKED_STAMPS)
		roster_take_stamps(locking->roster, rows);
	else if (at >= LOCKED_ROWS)
		take_rows(locking, rows);
	else if (at >= LOCKED_SHAPE && locking->unfit == 0)
		locking->unfit = shape_take(&locking->definitions, rows, locking->err);
}

static enum look_end conclude(const struct locking *locking)
{
	const struct roster *roster = locking->roster;

	if (locking->unfit != 0)
		return LOOK_UNFIT;
	struct shape shape = shape_of(&locking->definitions);
	if (!shape_equal(&shape, &locking->target->schema.shape))
		return LOOK_ALTERED;
	for (size_t i = 0; i < roster->count; i++)
		if (roster->works[i]->item->zone == NULL)
			judge(locking->target, roster->works[i], false);
	return LOOK_DONE;
}

enum look_end look_and_lock(struct target *target, struct roster *roster, struct err *err)
{
	static const unsigned columns[] = { [LOCKED_ZONES] = 2, [LOCKED_STAMPS] = 6, [LOCKED_RECORDS] = 1, [LOCKED_SHAPE] = 2,
		[LOCKED_SHAPE + 1] = 2, [LOCKED_SHAPE + 2] = 2, [LOCKED_ROWS] = 7 };
	struct locking locking = { .target = target, .roster = roster, .err = err };
	struct buf sql = { 0 };

	target_add_haste(target, &sql);
	add_locks(&sql, target, roster);
	size_t results = LOCKED_ROWS + add_rows(&sql, target, roster);
	link_expect(&target->link, target->schema.shape.size);
	link_demand(&target->link, columns, ARRAY_SIZE(columns));
	link_allow(&target->link, LOCKED_ROWS, work_bytes_most(roster->works, roster->count));
	int outcome = link_stream(&target->link, &sql, take_locked, &locking);
	if (outcome == 0 && locking.results != results)
		outcome = link_fell_short(&target->link, results);
	buf_free(&sql);
	enum look_end end = outcome < 0 ? LOOK_FAILED : conclude(&locking);
	buf_free(&locking.definitions);
	return end;
}

int look_only(struct target *target, struct roster *roster)
{
	static const unsigned columns[] = { [SEEN_STAMPS] = 6, [SEEN_ZONES] = 2, [SEEN_DIGESTS] = 4 };
	const struct coredns_mysql_settings *settings = target->settings;
	struct result *results[SEEN_RESULTS];
	struct buf sql = { 0 };

	/* The stamps first: rows that are right later than the stamp was are right. */
	literal_sql(&sql, "SELECT " STAMP_COLUMNS " FROM %t FORCE INDEX (PRIMARY) WHERE zone_name IN (",
		settings->state_table);
	add_names(&sql, roster);
	literal_sql(&sql, ");SELECT id,zone_name FROM %t FORCE INDEX (%t) WHERE zone_name IN (", settings->zones_table,
		target->schema.zones_index);
	add_names(&sql, roster);
	buf_puts(&sql, ");");
	digest_sql_begin(&sql, settings->records_table, &target->schema);
	literal_sql(&sql, "SELECT id FROM %t WHERE zone_name IN (", settings->zones_table);
	add_names(&sql, roster);
	buf_puts(&sql, ")");
	digest_sql_end(&sql);
	link_demand(&target->link, columns, ARRAY_SIZE(columns));
	int outcome = link_fetch(&target->link, &sql, results, SEEN_RESULTS);
	buf_free(&sql);
	if (outcome < 0)
		return -1;
	roster_take_stamps(roster, results[SEEN_STAMPS]);
	roster_take_zones(roster, results[SEEN_ZONES]);
	roster_take_digests(roster, results[SEEN_DIGESTS]);
	for (size_t i = 0; i < SEEN_RESULTS; i++)
		result_free(results[i]);
	return 0;
}
