/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/coredns_mysql/compose.h"

#include <string.h>

#include "backends/coredns_mysql/literal.h"
#include "base/testing.h"

enum {
	STATEMENT_SIZE = 1024, /* of one statement, but for its lists */
	NAME_OVERHEAD = 16,    /* of a name in SQL: all but its hex digits */
	STAMP_OVERHEAD = 320,  /* likewise of a stamp */
	ID_SIZE = 24           /* a number and its comma */
};

static const struct coredns_mysql_settings *settings_of(const struct compose *compose)
{
	return compose->target->settings;
}

/* ---- packets ---- */

/* Of what was gathered so many statements have succeeded. */
static void sent(struct compose *compose, size_t done)
{
	compose->failed = COMPOSE_WRITING;
	for (size_t i = 0; i < COMPOSE_STAGES; i++) {
		if (compose->first[i] != 0 && compose->first[i] <= done + 1)
			compose->failed = (enum compose_stage)i;
		compose->first[i] = 0;
	}
	buf_clear(&compose->sql);
	compose->statements = 0;
}

int compose_send(struct compose *compose)
{
	return compose_stream(compose, NULL, NULL);
}

int compose_fetch(struct compose *compose, struct result **rows, size_t results)
{
	struct link *link = &compose->target->link;
	int outcome = link_fetch(link, &compose->sql, rows, results);

	if (outcome == 0 && link->answered != compose->statements) {
		for (size_t i = 0; i < results; i++) {
			result_free(rows[i]);
			rows[i] = NULL;
		}
		outcome = link_fell_short(link, compose->statements);
	}
	sent(compose, link->answered);
	return outcome;
}

int compose_stream(struct compose *compose, void (*take)(void *ctx, size_t at, struct result *rows), void *ctx)
{
	struct link *link = &compose->target->link;
	int outcome = 0;

	if (compose->sql.size > 0) {
		outcome = link_stream(link, &compose->sql, take, ctx);
		/* Were COMMIT among those that were not answered, it would be taken for done. */
		if (outcome == 0 && link->answered != compose->statements)
			outcome = link_fell_short(link, compose->statements);
	}
	sent(compose, link->answered);
	return outcome;
}

int compose_begin(struct compose *compose, size_t size)
{
	if (compose->sql.size > 0 && compose_is_full(compose, size) && compose_send(compose) < 0)
		return -1;
	if (compose->sql.size > 0)
		buf_append(&compose->sql, ";", 1);
	compose->statements++;
	if (compose->first[compose->stage] == 0)
		compose->first[compose->stage] = compose->statements;
	return 0;
}

bool compose_is_full(const struct compose *compose, size_t more)
{
	return compose->sql.size + more > compose->target->packet_limit;
}

/* ---- zones that go ---- */

/* "<format>1,2,3)" of the zone ids of all works of kind one or other. */
static int delete_by_zone(struct compose *compose, struct work *const *works, size_t count, enum work_kind one,
	enum work_kind other, const char *format, const char *table)
{
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		if ((works[i]->kind != one && works[i]->kind != other) || works[i]->zone_id == 0)
			continue;
		if (!any) {
			if (compose_begin(compose, (count - i) * ID_SIZE) < 0)
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

/* ---- zones that come ---- */

static size_t names_size(struct work *const *works, size_t count)
{
	size_t size = STATEMENT_SIZE;

	for (size_t i = 0; i < count; i++)
		size += 2 * strlen(works[i]->item->name) + NAME_OVERHEAD;
	return size;
}

/*
 * One statement for all. The server gives the ids of one INSERT of so many rows in their order and at equal distances;
 * that it did is verified with the rows, zone by zone by name (verify.h).
 */
static int create_zones(struct compose *compose, struct work *const *works, size_t count)
{
	size_t next = 0;

	for (size_t i = 0; i < count; i++) {
		if (works[i]->kind != WORK_CREATE)
			continue;
		if (next == 0) {
			if (compose_begin(compose, names_size(works, count)) < 0)
				return -1;
			literal_sql(&compose->sql,
				PLANTED(replace_into_zones) ? "REPLACE INTO %t (zone_name) VALUES " :
							      "INSERT INTO %t (zone_name) VALUES ",
				settings_of(compose)->zones_table);
		}
		works[i]->ordinal = next++;
		buf_puts(&compose->sql, next == 1 ? "" : ",");
		literal_sql(&compose->sql, compose->target->schema.plain ? "(%x)" : "(%s)", works[i]->item->name);
	}
	if (next == 0)
		return 0;
	if (compose_begin(compose, 128) < 0)
		return -1;
	/* Both are unsigned: in one list with ids that are signed they would be compared as decimals, by no index. */
	buf_puts(&compose->sql,
		"SET @first=CAST(LAST_INSERT_ID() AS SIGNED),@step=CAST(@@auto_increment_increment AS SIGNED)");
	return 0;
}

void compose_add_id(struct compose *compose, const struct work *work)
{
	if (work->zone_id != 0)
		literal_sql(&compose->sql, "%u", work->zone_id);
	else if (work->ordinal == 0)
		buf_puts(&compose->sql, "@first");
	else
		literal_sql(&compose->sql, "@first+@step*%u", (uint64_t)work->ordinal);
}

static int rename_zones(struct compose *compose, struct work *const *works, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!works[i]->misnamed || !work_touches_rows(works[i]))
			continue;
		if (compose_begin(compose, (size_t)4 * ZONE_NAME_SIZE) < 0)
			return -1;
		literal_sql(&compose->sql, "UPDATE %t SET zone_name=%s WHERE id=%u", settings_of(compose)->zones_table,
			works[i]->item->name, works[i]->zone_id);
	}
	return 0;
}

int compose_zones(struct compose *compose, struct work *const *works, size_t count)
{
	compose->stage = COMPOSE_WRITING;
	if (remove_zones(compose, works, count) < 0 || rename_zones(compose, works, count) < 0)
		return -1;
	return create_zones(compose, works, count);
}

int compose_fetch_ids(struct compose *compose, struct work *const *works, size_t count, struct result **rows)
{
	static const unsigned columns[] = { 2 };
	bool any = false;

	*rows = NULL;
	for (size_t i = 0; i < count; i++) {
		if (works[i]->kind != WORK_CREATE)
			continue;
		if (!any) {
			if (compose_begin(compose, names_size(works, count)) < 0)
				return -1;
			literal_sql(&compose->sql, "SELECT id,zone_name FROM %t FORCE INDEX (%t) WHERE zone_name IN (",
				settings_of(compose)->zones_table, compose->target->schema.zones_index);
		}
		literal_sql(&compose->sql, any ? ",%s" : "%s", works[i]->item->name);
		any = true;
	}
	if (!any)
		return 0;
	buf_puts(&compose->sql, ")");
	link_demand(&compose->target->link, columns, ARRAY_SIZE(columns));
	return compose_fetch(compose, rows, 1);
}

/* ---- stamps ---- */

static void add_stamp(struct compose *compose, const struct backend_item *item)
{
	static const struct zone_digest none = { 0 };
	const struct zone_digest *digest = item->zone == NULL ? &none : zone_digest(item->zone);
	char text[ZONE_DIGEST_TEXT_SIZE];

	literal_sql(&compose->sql,
		compose->target->schema.plain ? "(%x,%x,%u,%x,%u,%u,%u,UTC_TIMESTAMP(6))" :
						"(%s,%s,%u,%s,%u,%u,%u,UTC_TIMESTAMP(6))",
		item->name, compose->target->params.store_id, item->generation, zone_digest_text(digest, text), digest->count,
		(uint64_t)(item->zone == NULL ? 0 : zone_serial(item->zone)), (uint64_t)(item->zone == NULL ? 1 : 0));
}

/* One statement for those that the look found a stamp of, or for those that it found none of. */
static int write_stamps(struct compose *compose, struct work *const *works, size_t count, bool found)
{
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		if (works[i]->stamp.found != found)
			continue;
		/* A packet has always room for it. */
		if (!any && compose_begin(compose, names_size(works, count) + count * STAMP_OVERHEAD) < 0)
			return -1;
		if (!any)
			literal_sql(&compose->sql,
				"INSERT INTO %t (zone_name,store_id,generation,digest,record_count,serial,deleted,changed_at)"
				" VALUES ",
				settings_of(compose)->state_table);
		else
			buf_puts(&compose->sql, ",");
		add_stamp(compose, works[i]->item);
		any = true;
	}
	if (any && found)
		buf_puts(&compose->sql,
			" ON DUPLICATE KEY UPDATE store_id=VALUES(store_id),generation=VALUES(generation),"
			"digest=VALUES(digest),record_count=VALUES(record_count),serial=VALUES(serial),"
			"deleted=VALUES(deleted),changed_at=VALUES(changed_at)");
	return 0;
}

int compose_end(struct compose *compose, struct work *const *works, size_t count)
{
	CHECK(count > 0);
	compose->stage = COMPOSE_STAMPING;
	/*
	 * What the look found is locked since. Where it found nothing there was nothing to lock: a stamp that stands there
	 * now is somebody's who came in between, perhaps our own newer one, if this packet is late. So it must not be
	 * overwritten: the duplicate ends the packet before COMMIT.
	 */
	if (write_stamps(compose, works, count, true) < 0 || write_stamps(compose, works, count, false) < 0)
		return -1;
	compose->stage = COMPOSE_COMMITTING;
	if (compose_begin(compose, 16) < 0)
		return -1;
	buf_puts(&compose->sql, "COMMIT");
	return 0;
}
