/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/coredns_mysql/verify.h"

#include <stdlib.h>
#include <string.h>

#include "backends/coredns_mysql/digest.h"
#include "backends/coredns_mysql/literal.h"
#include "base/hash.h"
#include "base/testing.h"

enum {
	MOST_ROWS = 2048,  /* of one statement: there they are a temporary table, which must not go to disk, or here a result */
	MOST_ZONES = 512,
	ID_SIZE = 48,
	STATEMENT_SIZE = 2048
};

/* One more than the greatest BIGINT, if the condition behind it is true: no server computes that. */
#define OVERFLOW_IF "9223372036854775807+("

/* ---- which zones, and how many at a time ---- */

/* In the order of their ids: those of new zones are above all others, in the order in which they were made. */
static int compare_places(const void *a, const void *b)
{
	const struct work *one = *(struct work *const *)a;
	const struct work *other = *(struct work *const *)b;

	if ((one->zone_id == 0) != (other->zone_id == 0))
		return one->zone_id == 0 ? 1 : -1;
	if (one->zone_id != other->zone_id)
		return one->zone_id < other->zone_id ? -1 : 1;
	return one->ordinal < other->ordinal ? -1 : one->ordinal > other->ordinal;
}

/* Those that have rows. The caller frees. */
static struct work **sort_works(struct work *const *works, size_t count, size_t *out_count)
{
	struct work **sorted = xcalloc(count + 1, sizeof(*sorted));

	*out_count = 0;
	for (size_t i = 0; i < count; i++)
		if (work_touches_rows(works[i]))
			sorted[(*out_count)++] = works[i];
	qsort(sorted, *out_count, sizeof(*sorted), compare_places);
	return sorted;
}

/* How many from the front make one statement. */
static size_t part_of(struct work *const *works, size_t count)
{
	uint64_t rows = 0;
	size_t part = 0;

	while (part < count && part < MOST_ZONES) {
		rows += zone_digest(works[part]->item->zone)->count;
		if (part > 0 && rows > MOST_ROWS)
			break;
		part++;
	}
	return part;
}

static void add_ids(struct compose *compose, struct work *const *works, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_puts(&compose->sql, ",");
		compose_add_id(compose, works[i]);
	}
}

/* ---- the server compares ---- */

/* What the server must put together too: "<name> <rows> <high> <low>" of each zone, with commas between. */
static void expect(struct work *const *works, size_t count, char out[2 * HASH_SIZE + 1])
{
	struct buf text = { 0 };
	struct buf hex = { 0 };
	uint8_t hash[HASH_SIZE];

	for (size_t i = 0; i < count; i++) {
		const struct zone_digest *digest = zone_digest(works[i]->item->zone);

		buf_puts(&text, i > 0 ? "," : "");
		buf_puts(&text, works[i]->item->name);
		buf_puts(&text, " ");
		buf_uint(&text, digest->count);
		buf_puts(&text, " ");
		buf_uint(&text, digest->high);
		buf_puts(&text, " ");
		buf_uint(&text, digest->low);
	}
	hash_sha256(text.data, text.size, hash);
	buf_hex(&hex, hash, sizeof(hash));
	memcpy(out, hex.data, 2 * HASH_SIZE + 1);
	buf_free(&text);
	buf_free(&hex);
}

static void assert_one(struct compose *compose, const struct work *work)
{
	const struct target *target = compose->target;

	digest_sql_assert(&compose->sql, target->settings->records_table, &target->schema, zone_digest(work->item->zone));
	compose_add_id(compose, work);
	digest_sql_assert_end(&compose->sql);
}

static void assert_many(struct compose *compose, struct work *const *works, size_t count)
{
	const struct target *target = compose->target;
	char expected[2 * HASH_SIZE + 1];

	expect(works, count, expected);
	literal_sql(&compose->sql,
		"SELECT " OVERFLOW_IF "COALESCE(SHA2(GROUP_CONCAT(z.zone_name,' ',v.n,' ',v.high,' ',v.low "
		"ORDER BY v.zone_id),256),'')<>%s) FROM (",
		expected);
	digest_sql_begin(&compose->sql, target->settings->records_table, &target->schema);
	add_ids(compose, works, count);
	digest_sql_end(&compose->sql);
	literal_sql(&compose->sql, ") AS v JOIN %t AS z ON z.id=v.zone_id", target->settings->zones_table);
}

/* Of one zone alone the id is what it is: that of the only new one, or one that was found. It needs no name. */
static int add_part(struct compose *compose, struct work *const *works, size_t count, bool alone)
{
	if (compose_begin(compose, STATEMENT_SIZE + count * ID_SIZE) < 0)
		return -1;
	if (alone)
		assert_one(compose, works[0]);
	else
		assert_many(compose, works, count);
	return 0;
}

int verify_add(struct compose *compose, struct work *const *works, size_t count)
{
	size_t sorted_count;
	struct work **sorted = sort_works(works, count, &sorted_count);
	int outcome = 0;

	compose->stage = COMPOSE_VERIFYING;
	for (size_t at = 0; outcome == 0 && at < sorted_count && !PLANTED(digest_check_off);) {
		size_t part = part_of(sorted + at, sorted_count - at);

		outcome = add_part(compose, sorted + at, part, sorted_count == 1);
		at += part;
	}
	free(sorted);
	return outcome;
}

int verify_try(struct link *link, bool *stops)
{
	struct buf sql = { 0 };

	buf_puts(&sql, "SELECT " OVERFLOW_IF "COUNT(*)<>0) FROM (SELECT 1 AS one) AS d");
	int outcome = link_run(link, &sql, 1);
	buf_free(&sql);
	*stops = outcome < 0 && !link->lost && link->code == VERIFY_CODE;
	return outcome < 0 && !*stops ? -1 : 0;
}

/* ---- the rows come here ---- */

struct reading {
	const struct roster *roster;
	struct work *const *works; /* those of the answers to come */
	size_t count;
};

/* The answer for the next part of the works. */
static void take(void *ctx, size_t at, struct result *rows)
{
	struct reading *reading = ctx;
	size_t part = part_of(reading->works, reading->count);
	bool cut = result_cut(rows) || result_count(rows) >= work_rows_most(reading->works, part);

	(void)at;
	for (size_t i = 0; i < part; i++)
		reading->works[i]->taking = true;
	roster_take_rows(reading->roster, rows);
	for (size_t i = 0; i < part; i++) {
		reading->works[i]->taking = false;
		work_compare(reading->works[i]);
		reading->works[i]->right = reading->works[i]->right && !cut;
	}
	reading->works += part;
	reading->count -= part;
}

static int add_reading(struct compose *compose, struct work *const *works, size_t count)
{
	const struct target *target = compose->target;

	if (compose_begin(compose, STATEMENT_SIZE + count * ID_SIZE) < 0)
		return -1;
	literal_sql(&compose->sql, "SELECT zone_id,id,hostname,type,data,ttl,online FROM %t",
		target->settings->records_table);
	if (target->schema.records_index[0] != '\0')
		literal_sql(&compose->sql, " FORCE INDEX (%t)", target->schema.records_index);
	buf_puts(&compose->sql, " WHERE zone_id IN (");
	add_ids(compose, works, count);
	literal_sql(&compose->sql, ") LIMIT %u", work_rows_most(works, count));
	return 0;
}

static int read_some(struct compose *compose, struct reading *reading)
{
	static const unsigned columns[] = { 7 };

	if (compose->sql.size > 0) {
		link_demand(&compose->target->link, columns, ARRAY_SIZE(columns));
		link_allow(&compose->target->link, 0, work_bytes_most(reading->works, reading->count));
	}
	return compose_stream(compose, take, reading);
}

int verify_read(struct compose *compose, const struct roster *roster, struct work *const *works, size_t count)
{
	size_t sorted_count;
	struct work **sorted = sort_works(works, count, &sorted_count);
	struct reading reading = { .roster = roster, .works = sorted, .count = sorted_count };
	int outcome = 0;

	compose->stage = COMPOSE_VERIFYING;
	for (size_t i = 0; i < sorted_count; i++)
		work_forget_rows(sorted[i]);
	for (size_t at = 0; outcome == 0 && at < sorted_count;) {
		size_t part = part_of(sorted + at, sorted_count - at);

		if (compose_is_full(compose, STATEMENT_SIZE + part * ID_SIZE))
			outcome = read_some(compose, &reading);
		if (outcome == 0)
			outcome = add_reading(compose, sorted + at, part);
		at += part;
	}
	if (outcome == 0)
		outcome = read_some(compose, &reading);
	free(sorted);
	return outcome;
}
