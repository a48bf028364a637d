/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/coredns_mysql/transact.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/coredns_mysql/compose.h"
#include "backends/coredns_mysql/digest.h"
#include "backends/coredns_mysql/tables.h"

enum { LOCKED_ZONES, LOCKED_STAMPS, LOCKED_RECORDS, LOCKED_ENGINES, LOCKED_DIGESTS, LOCK_RESULTS };

struct transaction {
	struct target *target;
	struct work *const *works; /* sorted by name */
	size_t count;
	struct compose compose;
	MYSQL_RES *rows;           /* the rows' text, as long as there are diffs */
	unsigned long thread_id;
	bool writing;              /* a write may have reached the server */
	struct transact_failure *failure;
};

static uint64_t number(const char *text)
{
	return text == NULL ? 0 : strtoull(text, NULL, 10);
}

/* ---- failing ---- */

static enum transact_end fail(struct transaction *tx, const char *doing)
{
	struct target *target = tx->target;
	struct transact_failure *failure = tx->failure;
	bool gone = target->link.lost;
	bool cancelled = target->link.cancelled;
	bool timed_out = target->link.timed_out;
	enum classify_class class = target_failed(target, doing, &failure->err);

	failure->verdict = classify_verdict(class);
	failure->lost = classify_is_lost(class) && !cancelled;
	failure->untouched = gone && !tx->writing && !timed_out && !cancelled;
	/* Never COMMIT after an error: most errors undo their statement only, and the DELETE before it would stand. */
	if (gone || !link_rollback(&target->link)) {
		target_raise_fence(target, tx->thread_id);
		if (failure->verdict != BACKEND_DOWN)
			failure->lost = true;
		failure->verdict = BACKEND_DOWN;
	}
	if (failure->verdict != BACKEND_DOWN)
		return TRANSACT_ZONE;
	link_abort(&target->link);
	return TRANSACT_DOWN;
}

static enum transact_end refuse(struct transaction *tx, const struct work *work, const struct zone_digest *found)
{
	struct transact_failure *failure = tx->failure;

	if (!link_rollback(&tx->target->link)) {
		target_raise_fence(tx->target, tx->thread_id);
		link_abort(&tx->target->link);
		failure->verdict = BACKEND_DOWN;
		failure->lost = true;
		err_set(&failure->err, ERR_IO, "%s: the connection was lost, while rolling back",
			tx->target->params.name);
		return TRANSACT_DOWN;
	}
	failure->verdict = BACKEND_REJECT;
	err_set(&failure->err, ERR_CORRUPT,
		"%s holds something else than was written for %s, twice: %" PRIu64 " records, not %" PRIu64
		" (a trigger, or a column that alters data?)",
		tx->target->params.name, work->item->name, found->count, zone_digest(work->item->zone)->count);
	return TRANSACT_ZONE;
}

/* Nothing was written. The next connection looks at the tables anew, and says what it does not like of them. */
static void give_up(struct transaction *tx)
{
	(void)link_rollback(&tx->target->link);
	link_abort(&tx->target->link);
	tx->failure->verdict = BACKEND_DOWN;
	err_prefix(&tx->failure->err, "%s", tx->target->params.name);
}

/* ---- what is there ---- */

/* Names as a collation may find them: other case, blanks behind. */
static int compare_loosely(const char *canonical, const char *found)
{
	for (;; canonical++, found++) {
		unsigned char a = (unsigned char)*canonical;
		unsigned char b = (unsigned char)tolower((unsigned char)*found);

		if (b == ' ' && found[strspn(found, " ")] == '\0')
			b = '\0';
		if (a != b)
			return a < b ? -1 : 1;
		if (a == '\0')
			return 0;
	}
}

static struct work *find_by_name(const struct transaction *tx, const char *name)
{
	size_t low = 0;
	size_t high = tx->count;

	while (name != NULL && low < high) {
		size_t middle = (low + high) / 2;
		int order = compare_loosely(tx->works[middle]->item->name, name);

		if (order == 0)
			return tx->works[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* A batch is small; ids come in the order of nothing. */
static struct work *find_by_id(const struct transaction *tx, const char *text)
{
	uint64_t id = number(text);

	for (size_t i = 0; text != NULL && i < tx->count; i++)
		if (tx->works[i]->exists && tx->works[i]->zone_id == id)
			return tx->works[i];
	return NULL;
}

static void take_zones(struct transaction *tx, MYSQL_RES *rows)
{
	MYSQL_ROW row;

	while (rows != NULL && (row = mysql_fetch_row(rows)) != NULL) {
		struct work *work = find_by_name(tx, row[1]);

		/* Of several spellings the right one counts. */
		if (work == NULL || (work->exists && !work->misnamed))
			continue;
		work->exists = true;
		work->zone_id = number(row[0]);
		work->misnamed = strcmp(row[1], work->item->name) != 0;
	}
}

static void take_stamps(struct transaction *tx, MYSQL_RES *rows)
{
	MYSQL_ROW row;

	while (rows != NULL && (row = mysql_fetch_row(rows)) != NULL) {
		struct work *work = find_by_name(tx, row[0]);
		struct work_stamp *stamp;

		if (work == NULL || row[1] == NULL || row[3] == NULL)
			continue;
		stamp = &work->stamp;
		stamp->found = true;
		snprintf(stamp->by.store_id, sizeof(stamp->by.store_id), "%s", row[1]);
		stamp->by.generation = number(row[2]);
		stamp->deleted = number(row[5]) != 0;
		if (zone_digest_parse(row[3], number(row[4]), &stamp->digest, NULL) < 0)
			stamp->digest = (struct zone_digest){ 0 };
	}
}

static void take_digests(struct transaction *tx, MYSQL_RES *rows)
{
	MYSQL_ROW row;

	for (size_t i = 0; i < tx->count; i++) {
		struct work *work = tx->works[i];

		/* No row of the result: a zone without records. */
		work->actual_known = work->item->check && work->item->zone != NULL && work->exists;
		work->actual = (struct zone_digest){ 0 };
	}
	while (rows != NULL && (row = mysql_fetch_row(rows)) != NULL) {
		struct work *work = find_by_id(tx, row[0]);

		if (work != NULL && !digest_take(row + 1, &work->actual))
			work->actual_known = false;
	}
}

/* Locks and judges. False: failed, and *end says how. */
static bool look(struct transaction *tx, enum transact_end *end)
{
	MYSQL_RES *results[LOCK_RESULTS];
	const char *store_id = tx->target->params.store_id;

	compose_lock(&tx->compose, tx->works, tx->count);
	int outcome = link_fetch(&tx->target->link, &tx->compose.sql, results, LOCK_RESULTS);
	buf_clear(&tx->compose.sql);
	if (outcome < 0) {
		*end = fail(tx, "locking the zones");
		return false;
	}
	take_zones(tx, results[LOCKED_ZONES]);
	take_stamps(tx, results[LOCKED_STAMPS]);
	take_digests(tx, results[LOCKED_DIGESTS]);
	outcome = tables_check_engines(tx->target->settings, results[LOCKED_ENGINES], &tx->failure->err);
	for (size_t i = 0; i < LOCK_RESULTS; i++)
		mysql_free_result(results[i]);
	if (outcome < 0) {
		give_up(tx);
		*end = TRANSACT_DOWN;
		return false;
	}
	for (size_t i = 0; i < tx->count; i++)
		if (!work_judge(tx->works[i], store_id))
			tx->works[i]->settled = true;
	return true;
}

/* A text with a NUL inside is none that C could compare: it counts as absent, so that the row is made anew. */
static const char *whole(const char *text, unsigned long length)
{
	return text != NULL && strlen(text) == length ? text : NULL;
}

static bool read_rows(struct transaction *tx, enum transact_end *end)
{
	bool any = false;
	MYSQL_ROW row;

	for (size_t i = 0; i < tx->count; i++)
		any = any || (!tx->works[i]->settled && tx->works[i]->kind == WORK_READ);
	if (!any)
		return true;
	compose_read(&tx->compose, tx->works, tx->count);
	int outcome = link_fetch(&tx->target->link, &tx->compose.sql, &tx->rows, 1);
	buf_clear(&tx->compose.sql);
	if (outcome < 0) {
		*end = fail(tx, "reading the records");
		return false;
	}
	while (tx->rows != NULL && (row = mysql_fetch_row(tx->rows)) != NULL) {
		const unsigned long *lengths = mysql_fetch_lengths(tx->rows);
		struct work *work = find_by_id(tx, row[0]);
		const struct diff_row have = { whole(row[2], lengths[2]), whole(row[3], lengths[3]),
			whole(row[4], lengths[4]), whole(row[5], lengths[5]), whole(row[6], lengths[6]) };

		if (work != NULL)
			work_add_row(work, number(row[1]), &have);
	}
	for (size_t i = 0; i < tx->count; i++)
		if (!tx->works[i]->settled && tx->works[i]->kind == WORK_READ)
			work_compare(tx->works[i], tx->target->params.store_id);
	return true;
}

/* ---- writing ---- */

static void take_new_ids(struct transaction *tx, MYSQL_RES *rows)
{
	MYSQL_ROW row = rows == NULL ? NULL : mysql_fetch_row(rows);

	for (size_t i = 0; i < tx->count; i++) {
		struct work *work = tx->works[i];

		if (work->kind != WORK_CREATE || row == NULL || work->variable + 1 >= mysql_num_fields(rows))
			continue;
		work->zone_id = number(row[work->variable + 1]);
		work->exists = true;
	}
}

/* Sends all writes; then each written zone's digest as the server computes it is in work->actual. */
static bool write_zones(struct transaction *tx, struct work *const *works, size_t count, enum transact_end *end)
{
	MYSQL_RES *results[2] = { NULL, NULL };
	MYSQL_ROW row;

	tx->writing = true;
	int outcome = compose_write(&tx->compose, works, count);
	if (outcome == 0)
		outcome = link_fetch(&tx->target->link, &tx->compose.sql, results, 2);
	buf_clear(&tx->compose.sql);
	if (outcome < 0) {
		*end = fail(tx, "writing the records");
		return false;
	}
	for (size_t i = 0; i < count; i++)
		work_count(works[i]);
	take_new_ids(tx, results[0]);
	for (size_t i = 0; i < count; i++)
		works[i]->actual = (struct zone_digest){ 0 };
	while (results[1] != NULL && (row = mysql_fetch_row(results[1])) != NULL) {
		struct work *work = find_by_id(tx, row[0]);

		if (work != NULL && !digest_take(row + 1, &work->actual))
			work->actual = (struct zone_digest){ 0 };
	}
	mysql_free_result(results[0]);
	mysql_free_result(results[1]);
	return true;
}

static bool is_verified(const struct work *work)
{
	return !work_touches_rows(work) || zone_digest_equal(&work->actual, zone_digest(work->item->zone));
}

/* The rows must be the zone's: what is not is written in full once more, and then must be. */
static bool verify(struct transaction *tx, struct work *const *works, size_t count, enum transact_end *end)
{
	struct work **wrong = xcalloc(count + 1, sizeof(struct work *));
	size_t wrong_count = 0;
	bool good = true;

	for (size_t i = 0; i < count; i++) {
		if (is_verified(works[i]))
			continue;
		works[i]->kind = WORK_REWRITE;
		wrong[wrong_count++] = works[i];
	}
	if (wrong_count > 0)
		good = write_zones(tx, wrong, wrong_count, end);
	for (size_t i = 0; good && i < wrong_count; i++) {
		if (is_verified(wrong[i]))
			continue;
		*end = refuse(tx, wrong[i], &wrong[i]->actual);
		good = false;
	}
	free(wrong);
	return good;
}

static bool finish(struct transaction *tx, bool commit, enum transact_end *end)
{
	buf_puts(&tx->compose.sql, commit ? "COMMIT" : "ROLLBACK");
	int outcome = link_run(&tx->target->link, &tx->compose.sql, NULL);
	buf_clear(&tx->compose.sql);
	if (outcome == 0 || !commit)
		return true; /* nothing was written: what was seen under the lock is true, however this ends */
	*end = fail(tx, "committing");
	return false;
}

static void settle(struct transaction *tx)
{
	for (size_t i = 0; i < tx->count; i++) {
		struct work *work = tx->works[i];

		if (work->settled)
			continue;
		work->item->verdict = BACKEND_OK;
		work->settled = true;
	}
}

static enum transact_end run(struct transaction *tx)
{
	struct work **writes = xcalloc(tx->count + 1, sizeof(struct work *));
	size_t count = 0;
	enum transact_end end = TRANSACT_DONE;
	bool good = look(tx, &end) && read_rows(tx, &end);

	for (size_t i = 0; good && i < tx->count; i++)
		if (!tx->works[i]->settled && work_writes(tx->works[i]))
			writes[count++] = tx->works[i];
	if (good && count > 0)
		good = write_zones(tx, writes, count, &end) && verify(tx, writes, count, &end);
	if (good)
		good = finish(tx, count > 0, &end);
	free(writes);
	if (good)
		settle(tx);
	return end;
}

static int compare_works(const void *a, const void *b)
{
	return strcmp((*(struct work *const *)a)->item->name, (*(struct work *const *)b)->item->name);
}

enum transact_end transact_run(struct target *target, struct work *const *works, size_t count, int64_t end_ms,
	struct transact_failure *failure)
{
	struct work **sorted = xcalloc(count, sizeof(struct work *));
	struct transaction tx = { .target = target, .works = sorted, .count = count, .compose = { .target = target },
		.thread_id = target->link.thread_id, .failure = failure };

	*failure = (struct transact_failure){ .verdict = BACKEND_DOWN };
	memcpy(sorted, works, count * sizeof(struct work *));
	qsort(sorted, count, sizeof(struct work *), compare_works);
	for (size_t i = 0; i < count; i++)
		work_reset(sorted[i]);
	link_transaction_begin(&target->link, end_ms);
	enum transact_end end = run(&tx);
	link_transaction_end(&target->link);
	mysql_free_result(tx.rows);
	buf_free(&tx.compose.sql);
	for (size_t i = 0; i < count; i++)
		work_reset(sorted[i]);
	free(sorted);
	return end;
}
