/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/coredns_mysql/apply.h"

#include <stdlib.h>

#include "backends/coredns_mysql/fits.h"
#include "backends/coredns_mysql/told.h"
#include "backends/coredns_mysql/transact.h"
#include "base/clock.h"

enum {
	ITEM_SIZE = 2048,     /* of SQL, the most that one zone's name takes where it is looked for, or its stamp */
	MOST_FALSE_ALARMS = 3,
	MOST_WAITS = 16 /* more than a single zone of 1,024 can make */
};

/* One transaction after the other about the same zones, until each has its verdict. */
struct delivery_run {
	struct target *target;
	struct transact_failure failure; /* of the last one that failed */
	int64_t end_ms;                  /* monotonic; of the first attempt, then of each one of the search */
	int64_t budget_ms;               /* monotonic; behind it the search begins no further one */
	size_t failed;                   /* of those of parts of a batch */
	size_t waited;                   /* of them in a row, for a lock or the like, up to now */
};

static int64_t now_ms(void)
{
	return clock_mono_ms(clock_system());
}

/* ---- verdicts without a transaction ---- */

static void settle_down(struct work *const *works, size_t count, const struct transact_failure *failure)
{
	for (size_t i = 0; i < count; i++) {
		if (works[i]->settled)
			continue;
		works[i]->settled = true;
		works[i]->item->verdict = BACKEND_DOWN;
		works[i]->item->lost = failure->lost;
		works[i]->item->err = failure->err;
	}
}

static void settle_alone(struct work *work, const struct transact_failure *failure)
{
	work->settled = true;
	work->item->verdict = failure->verdict;
	work->item->err = failure->err;
}

/* Refused before any statement is sent. */
static void refuse_unfit(struct target *target, struct work *const *works, size_t count)
{
	bool refreshed = false;

	for (size_t i = 0; i < count; i++) {
		struct backend_item *item = works[i]->item;
		struct err err = { 0 };
		bool is_signed = item->zone != NULL && zone_is_signed(item->zone);

		if (fits_check(item, &target->schema, &err) < 0) {
			/* An administrator may have widened the column since we connected. */
			if (!refreshed && schema_refresh(&target->link, &target->schema) &&
				fits_check(item, &target->schema, &err) == 0) {
				refreshed = true;
				continue;
			}
			refreshed = true;
		} else if (is_signed && target->settings->signed_zones == COREDNS_MYSQL_SIGNED_REFUSE) {
			err_set(&err, ERR_INVALID, "the zone is signed (DNSSEC); signed_zones: refuse");
		} else {
			if (is_signed && told_first(target->params.name, item->name))
				target_notice(target, "signed_zone", item->name,
					"the zone is signed (DNSSEC): the public CoreDNS plugin cannot serve it right");
			continue;
		}
		works[i]->settled = true;
		item->verdict = BACKEND_REJECT;
		item->err = err;
	}
}

/* ---- transactions ---- */

enum chosen { CHOSEN_CHECKS, CHOSEN_ALL };

/* Those that are not settled, into out; how many. */
static size_t choose(struct work *const *works, size_t count, enum chosen which, struct work **out)
{
	size_t chosen = 0;

	for (size_t i = 0; i < count; i++) {
		const struct backend_item *item = works[i]->item;

		if (works[i]->settled || (which == CHOSEN_CHECKS && !item->check))
			continue;
		out[chosen++] = works[i];
	}
	return chosen;
}

static bool must_be_careful(const struct target *target)
{
	return !target->stops || target->false_alarms >= MOST_FALSE_ALARMS;
}

/* Once. Where rows turned out wrong, once more to find out which; then without those that were refused. */
static enum transact_end transact_once(struct delivery_run *run, struct work **works, size_t count)
{
	struct target *target = run->target;
	enum transact_way way = must_be_careful(target) ? TRANSACT_CAREFUL : TRANSACT_SWIFT;
	enum transact_end end = transact_run(target, works, count, way, run->end_ms, &run->failure);

	while (end == TRANSACT_MISMATCH || end == TRANSACT_PARTED) {
		way = end == TRANSACT_MISMATCH || must_be_careful(target) ? TRANSACT_CAREFUL : TRANSACT_SWIFT;
		count = choose(works, count, CHOSEN_ALL, works);
		if (count == 0)
			return TRANSACT_DONE;
		end = transact_run(target, works, count, way, run->end_ms, &run->failure);
	}
	return end;
}

/* All of works: first those to be checked, of which most need no transaction. */
static enum transact_end attempt_once(struct delivery_run *run, struct work **works, size_t count, struct work **chosen)
{
	enum transact_end end = TRANSACT_DONE;
	size_t chosen_count = choose(works, count, CHOSEN_CHECKS, chosen);

	if (chosen_count > 0)
		end = transact_check(run->target, chosen, chosen_count, run->end_ms, &run->failure);
	if (end != TRANSACT_DONE)
		return end;
	chosen_count = choose(works, count, CHOSEN_ALL, chosen);
	return chosen_count == 0 ? TRANSACT_DONE : transact_once(run, chosen, chosen_count);
}

/* DONE: all are settled. ZONE, DOWN: some are not, and failure says why. */
static enum transact_end attempt(struct delivery_run *run, struct work **works, size_t count)
{
	struct target *target = run->target;
	struct work **chosen = xcalloc(count, sizeof(*chosen));
	enum transact_end end = TRANSACT_DOWN;

	for (int turn = 0; turn < 2; turn++) {
		if (target_ready(target, &run->failure.err) < 0) {
			run->failure.verdict = BACKEND_DOWN;
			run->failure.lost = false;
			end = TRANSACT_DOWN;
			break;
		}
		bool fresh = target->fresh;
		end = attempt_once(run, works, count, chosen);
		/* It died while nobody used it (a restarted server, wait_timeout), or knew an older schema: that is no failure
		   of anything. */
		if (end != TRANSACT_DOWN || !run->failure.untouched || fresh)
			break;
	}
	free(chosen);
	return end;
}

/* ---- who is to blame ---- */

static void give_up(struct delivery_run *run, struct work *const *works, size_t count)
{
	run->failure.verdict = BACKEND_RETRY;
	err_set(&run->failure.err, ERR_TIMEOUT, "%s: not tried alone, others of the batch took too long",
		run->target->params.name);
	for (size_t i = 0; i < count; i++) {
		if (works[i]->settled)
			continue;
		settle_alone(works[i], &run->failure);
		works[i]->item->untried = true;
	}
}

static enum transact_end search(struct delivery_run *run, struct work **works, size_t count);

/* One part of those of which some are to blame. DONE, or DOWN for all that are not settled. */
static enum transact_end try_part(struct delivery_run *run, struct work **works, size_t count, bool surely)
{
	enum transact_end end = TRANSACT_ZONE;

	if (now_ms() >= run->budget_ms) {
		give_up(run, works, count);
		return TRANSACT_DONE;
	}
	/* One alone must fail for itself. */
	if (!surely || count == 1) {
		run->end_ms = now_ms() + run->target->settings->transaction_max_ms;
		end = attempt(run, works, count);
		run->failed += end == TRANSACT_ZONE;
		run->waited = end == TRANSACT_ZONE && run->failure.verdict == BACKEND_RETRY ? run->waited + 1 : 0;
	}
	if (end == TRANSACT_ZONE && count > 1 && run->waited >= MOST_WAITS) {
		/* All that was tried lately had to wait for others: it is not found out of each one. */
		give_up(run, works, count);
		return TRANSACT_DONE;
	}
	if (end == TRANSACT_ZONE)
		return search(run, works, count);
	if (end == TRANSACT_DOWN) {
		/* Of these alone the transaction was open. */
		settle_down(works, count, &run->failure);
		run->failure.lost = false;
	}
	return end;
}

/*
 * A transaction about all of works failed by some of them. Halves of halves of them are tried, until whoever fails is
 * alone: about two transactions for each doubling of their number.
 */
static enum transact_end search(struct delivery_run *run, struct work **works, size_t count)
{
	count = choose(works, count, CHOSEN_ALL, works);
	if (count == 0)
		return TRANSACT_DONE;
	if (count == 1) {
		settle_alone(works[0], &run->failure);
		return TRANSACT_DONE;
	}
	size_t half = count / 2;
	bool lasting = run->failure.verdict == BACKEND_REJECT;
	size_t failed = run->failed;
	enum transact_end end = try_part(run, works, half, false);
	if (end == TRANSACT_DOWN)
		return end;
	/* What the first half has not, and does not pass, the second has. */
	return try_part(run, works + half, count - half, lasting && run->failed == failed);
}

/* On a target that is ready. False: the back end is down, failure says why. */
static bool apply_batch(struct delivery_run *run, struct work **works, size_t count)
{
	struct target *target = run->target;

	refuse_unfit(target, works, count);
	run->end_ms = now_ms() + target->settings->transaction_max_ms;
	enum transact_end end = attempt(run, works, count);
	if (end == TRANSACT_ZONE) {
		run->budget_ms = now_ms() + target->settings->transaction_max_ms;
		target->hasty = true;
		end = search(run, works, count);
		target->hasty = false;
	}
	if (end == TRANSACT_DOWN)
		settle_down(works, count, &run->failure);
	return end != TRANSACT_DOWN;
}

static void clear_answers(struct backend_item *item)
{
	item->verdict = BACKEND_DOWN;
	item->lost = item->untried = false;
	item->found = (struct backend_stamp){ 0 };
	item->rows_inserted = item->rows_updated = item->rows_deleted = 0;
	item->err = (struct err){ 0 };
}

/* Where nobody was found out all have failed: none may be left without its back-off. */
static void blame_all(struct backend_item *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (items[i].verdict != BACKEND_OK && !items[i].untried)
			return;
	}
	for (size_t i = 0; i < count; i++)
		items[i].untried = false;
}

/* How many zones go together: there is always room for their names, and for their stamps. */
static size_t most_of(const struct target *target)
{
	size_t room = target->packet_limit / ITEM_SIZE;

	return room < BACKEND_ITEMS_MAX ? room : BACKEND_ITEMS_MAX;
}

void apply_items(struct target *target, struct backend_item *items, size_t count)
{
	size_t capacity = count < BACKEND_ITEMS_MAX ? count : BACKEND_ITEMS_MAX;
	struct work *works = xcalloc(capacity + 1, sizeof(*works));
	struct work **order = xcalloc(capacity + 1, sizeof(*order));
	struct err err = { 0 };
	size_t at = 0;

	for (size_t i = 0; i < count; i++)
		clear_answers(&items[i]);
	while (at < count && target_ready(target, &err) == 0) {
		struct delivery_run run = { .target = target, .failure = { .verdict = BACKEND_DOWN } };
		size_t most = most_of(target);
		size_t batch = count - at < most ? count - at : most;

		for (size_t i = 0; i < batch; i++) {
			works[i] = (struct work){ .item = &items[at + i] };
			order[i] = &works[i];
		}
		bool up = apply_batch(&run, order, batch);
		blame_all(items + at, batch);
		at += batch;
		if (!up) {
			err = run.failure.err;
			break;
		}
	}
	for (; at < count; at++)
		items[at].err = err;
	free(works);
	free(order);
}
