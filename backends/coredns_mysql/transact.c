/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/coredns_mysql/transact.h"

#include <inttypes.h>
#include <stdlib.h>

#include "backends/coredns_mysql/compose.h"
#include "backends/coredns_mysql/look.h"
#include "backends/coredns_mysql/rows.h"
#include "backends/coredns_mysql/verify.h"
#include "base/testing.h"

enum {
	NO_PARENT_ROW = 1452, /* by the foreign key of the records */
	LOCK_WAIT_TIMEOUT = 1205,
	DUPLICATE_ENTRY = 1062,
	/* What rows cost less that are written by arrays and read, and not digested, afterwards, and what that takes */
	SAVED_WRITING_US = 1,
	SAVED_READING_US = 1,
	MORE_ROUND_TRIPS = 3
};

struct transaction {
	struct target *target;
	struct roster roster;
	struct work **writes;      /* of the roster: those that write something */
	size_t write_count;
	struct compose compose;
	unsigned long thread_id;
	bool writing;              /* a write may have reached the server */
	struct transact_failure *failure;
};

/* ---- failing ---- */

/* Alone, and its name is taken by one that the collation thinks the same: that stays so until somebody removes that one. */
static bool is_name_taken(const struct transaction *tx)
{
	return tx->roster.count == 1 && tx->roster.other[0] != '\0' && tx->roster.works[0]->kind == WORK_CREATE &&
		tx->compose.failed == COMPOSE_WRITING && tx->target->link.code == DUPLICATE_ENTRY;
}

static enum transact_end fail(struct transaction *tx, const char *doing)
{
	struct target *target = tx->target;
	struct transact_failure *failure = tx->failure;
	bool gone = target->link.lost;
	bool cancelled = target->link.cancelled;
	bool timed_out = target->link.timed_out;
	bool name_taken = is_name_taken(tx);
	bool waited = target->link.code == LOCK_WAIT_TIMEOUT;
	enum classify_class class = target_failed(target, doing, &failure->err);

	failure->verdict = classify_verdict(class);
	if (name_taken) {
		failure->verdict = BACKEND_REJECT;
		err_set(&failure->err, ERR_INVALID, "%s: the zone %s is there, which is the same name to the collation of table %s",
			target->params.name, tx->roster.other, target->settings->zones_table);
	}
	failure->lost = classify_is_lost(class) && !cancelled;
	failure->untouched = gone && !tx->writing && !timed_out && !cancelled;
	/* Never COMMIT after an error: most errors undo their statement only, and the DELETE before it would stand. */
	if (PLANTED(commit_after_1205) && waited)
		link_post(&target->link, "COMMIT");
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

static enum transact_end fail_writing(struct transaction *tx)
{
	static const char *const doing[COMPOSE_STAGES] = { [COMPOSE_WRITING] = "writing the records",
		[COMPOSE_VERIFYING] = "reading what was written", [COMPOSE_STAMPING] = "writing the stamps",
		[COMPOSE_COMMITTING] = "committing" };

	return fail(tx, doing[tx->compose.failed]);
}

/* Takes back what was written. False: the connection is gone, and the transaction DOWN. */
static bool roll_back(struct transaction *tx)
{
	struct transact_failure *failure = tx->failure;

	if (link_rollback(&tx->target->link))
		return true;
	target_raise_fence(tx->target, tx->thread_id);
	link_abort(&tx->target->link);
	failure->verdict = BACKEND_DOWN;
	failure->lost = true;
	err_set(&failure->err, ERR_IO, "%s: the connection was lost, while rolling back", tx->target->params.name);
	return false;
}

static void refuse(const struct transaction *tx, struct work *work)
{
	work->settled = true;
	work->item->verdict = BACKEND_REJECT;
	err_set(&work->item->err, ERR_CORRUPT,
		"%s holds something else than was written for %s, twice: %zu records, not %" PRIu64
		" (a trigger, or a column that alters data?)",
		tx->target->params.name, work->item->name, work->row_count, zone_digest(work->item->zone)->count);
}

/* Nothing was written. The next connection looks at the tables anew, and says what it does not like of them. */
static void give_up(struct transaction *tx)
{
	if (!link_rollback(&tx->target->link))
		target_raise_fence(tx->target, tx->thread_id);
	link_abort(&tx->target->link);
	tx->failure->verdict = BACKEND_DOWN;
	err_prefix(&tx->failure->err, "%s", tx->target->params.name);
}

/* ---- looking ---- */

/* Fills writes. False: failed, and *end says how. */
static bool look(struct transaction *tx, enum transact_end *end)
{
	enum look_end looked = look_and_lock(tx->target, &tx->roster, &tx->failure->err);

	if (looked == LOOK_FAILED) {
		*end = fail(tx, "locking the zones");
		return false;
	}
	if (looked == LOOK_ALTERED)
		err_set(&tx->failure->err, ERR_BUSY, "a table was altered while it was to be written to");
	if (looked != LOOK_DONE) {
		tx->failure->untouched = looked == LOOK_ALTERED;
		give_up(tx);
		*end = TRANSACT_DOWN;
		return false;
	}
	for (size_t i = 0; i < tx->roster.count; i++) {
		struct work *work = tx->roster.works[i];

		if (!work->settled && work_writes(work))
			tx->writes[tx->write_count++] = work;
	}
	return true;
}

/* ---- writing ---- */

/* Of what was read before only the diffs are needed, and those no longer than until the writes are put together. */
static int write_rows(struct transaction *tx, struct work *const *works, size_t count, bool arrays)
{
	int outcome = rows_write(&tx->compose, works, count, arrays);

	for (size_t i = 0; i < count; i++) {
		work_count(works[i]);
		work_forget_rows(works[i]);
	}
	return outcome;
}

/* Rows are not what was written, or a record names a zone that is not there: new ones may have got other numbers. */
static bool is_mismatch(const struct transaction *tx)
{
	const struct link *link = &tx->target->link;

	return !link->lost && ((link->code == VERIFY_CODE && tx->compose.failed == COMPOSE_VERIFYING) ||
		(link->code == NO_PARENT_ROW && tx->compose.failed == COMPOSE_WRITING));
}

/* The transaction in one more packet, if it is not larger than one may be. */
static enum transact_end write_swiftly(struct transaction *tx)
{
	struct compose *compose = &tx->compose;

	if (compose_zones(compose, tx->writes, tx->write_count) == 0 &&
		write_rows(tx, tx->writes, tx->write_count, false) == 0 &&
		verify_add(compose, tx->writes, tx->write_count) == 0 &&
		compose_end(compose, tx->writes, tx->write_count) == 0 && compose_send(compose) == 0)
		return TRANSACT_DONE;
	if (!is_mismatch(tx))
		return fail_writing(tx);
	return roll_back(tx) ? TRANSACT_MISMATCH : TRANSACT_DOWN;
}

/* Writes, and reads what came of it. New zones are asked for their numbers first, so that nothing is assumed. */
static int write_some(struct transaction *tx, struct work *const *works, size_t count)
{
	struct compose *compose = &tx->compose;
	struct result *ids = NULL;

	if (compose_zones(compose, works, count) < 0 || compose_fetch_ids(compose, works, count, &ids) < 0)
		return -1;
	roster_take_zones(&tx->roster, ids);
	result_free(ids);
	if (write_rows(tx, works, count, link_takes_arrays(&tx->target->link)) < 0)
		return -1;
	return verify_read(compose, &tx->roster, works, count);
}

/* Moves to the front of works those whose rows are wrong; how many. */
static size_t find_wrong(struct work **works, size_t count)
{
	size_t wrong = 0;

	for (size_t i = 0; i < count; i++) {
		struct work *work = works[i];

		if (!work_touches_rows(work) || work->right)
			continue;
		works[i] = works[wrong];
		works[wrong++] = work;
	}
	return wrong;
}

/* The rows must be the zones': what is not is written in full once more, and then must be. */
static enum transact_end write_carefully(struct transaction *tx, bool *all_right)
{
	if (write_some(tx, tx->writes, tx->write_count) < 0)
		return fail_writing(tx);
	size_t wrong = find_wrong(tx->writes, tx->write_count);
	*all_right = wrong == 0;
	if (wrong > 0) {
		for (size_t i = 0; i < wrong; i++)
			tx->writes[i]->kind = WORK_REWRITE;
		if (write_some(tx, tx->writes, wrong) < 0)
			return fail_writing(tx);
		wrong = find_wrong(tx->writes, wrong);
	}
	if (wrong > 0) {
		if (!roll_back(tx))
			return TRANSACT_DOWN;
		for (size_t i = 0; i < wrong; i++)
			refuse(tx, tx->writes[i]);
		return TRANSACT_PARTED;
	}
	if (compose_end(&tx->compose, tx->writes, tx->write_count) < 0 || compose_send(&tx->compose) < 0)
		return fail_writing(tx);
	return TRANSACT_DONE;
}

/* Many zones for a near server: to have it work less is worth some round trips. A single one takes always two. */
static bool is_near(const struct transaction *tx)
{
	uint64_t read = 0;

	for (size_t i = 0; i < tx->write_count; i++)
		if (work_touches_rows(tx->writes[i]))
			read += zone_digest(tx->writes[i]->item->zone)->count;
	uint64_t saved_us = SAVED_WRITING_US * rows_count(tx->writes, tx->write_count) + SAVED_READING_US * read;
	uint64_t lost_us = MORE_ROUND_TRIPS * (uint64_t)tx->target->link.round_trip_us;
	return tx->write_count > 1 && saved_us > lost_us && link_takes_arrays(&tx->target->link);
}

static enum transact_end write_all(struct transaction *tx, enum transact_way way)
{
	struct target *target = tx->target;
	bool all_right = false;

	tx->writing = true;
	FAULT_POINT(before_remote_write);
	if (way == TRANSACT_SWIFT && !is_near(tx))
		return write_swiftly(tx);
	enum transact_end end = write_carefully(tx, &all_right);
	if (way == TRANSACT_CAREFUL)
		target->false_alarms = all_right ? target->false_alarms + 1 : 0;
	return end;
}

static void settle(const struct transaction *tx)
{
	for (size_t i = 0; i < tx->roster.count; i++) {
		struct work *work = tx->roster.works[i];

		if (work->settled)
			continue;
		work->item->verdict = BACKEND_OK;
		work->settled = true;
	}
}

/* Nothing of it is there. */
static void forget_counts(const struct transaction *tx)
{
	for (size_t i = 0; i < tx->roster.count; i++) {
		struct backend_item *item = tx->roster.works[i]->item;

		item->rows_inserted = item->rows_updated = item->rows_deleted = 0;
	}
}

static enum transact_end run(struct transaction *tx, enum transact_way way)
{
	enum transact_end end = TRANSACT_DONE;

	if (!look(tx, &end))
		return end;
	if (tx->write_count == 0) {
		/* What was seen under the lock is true, however this ends. */
		link_post(&tx->target->link, "ROLLBACK");
	} else {
		end = write_all(tx, way);
	}
	if (end == TRANSACT_DONE && tx->write_count > 0)
		FAULT_POINT(after_remote_commit);
	if (end == TRANSACT_DONE)
		settle(tx);
	else
		forget_counts(tx);
	return end;
}

static struct transaction begin(struct target *target, struct work *const *works, size_t count, int64_t end_ms,
	struct transact_failure *failure)
{
	struct transaction tx = { .target = target, .compose = { .target = target },
		.writes = xcalloc(count + 1, sizeof(struct work *)), .thread_id = target->link.thread_id,
		.failure = failure };

	*failure = (struct transact_failure){ .verdict = BACKEND_DOWN };
	roster_init(&tx.roster, works, count);
	link_transaction_begin(&target->link, end_ms);
	return tx;
}

static void end_it(struct transaction *tx)
{
	link_transaction_end(&tx->target->link);
	buf_free(&tx->compose.sql);
	roster_free(&tx->roster);
	free(tx->writes);
}

enum transact_end transact_run(struct target *target, struct work *const *works, size_t count, enum transact_way way,
	int64_t end_ms, struct transact_failure *failure)
{
	struct transaction tx = begin(target, works, count, end_ms, failure);
	enum transact_end end = run(&tx, way);

	end_it(&tx);
	return end;
}

enum transact_end transact_check(struct target *target, struct work *const *works, size_t count, int64_t end_ms,
	struct transact_failure *failure)
{
	struct transaction tx = begin(target, works, count, end_ms, failure);
	enum transact_end end = TRANSACT_DONE;

	if (look_only(target, &tx.roster) < 0)
		end = fail(&tx, "comparing the zones");
	for (size_t i = 0; end == TRANSACT_DONE && i < count; i++) {
		struct work *work = tx.roster.works[i];

		if (!work_is_clean(work, target->params.store_id))
			continue;
		work->settled = true;
		work->item->verdict = BACKEND_OK;
	}
	end_it(&tx);
	return end;
}
