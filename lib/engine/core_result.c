/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a lane's answer means: for the lane's health, for who is under
 * suspicion, and for the rows (decisions.md 1-4).
 *
 * Landing happens in memory and once; the rows are written in a second step
 * that may be repeated after a rollback. If it can't be written at all, the
 * rows stay as they were before the flight: the zone is delivered again, which
 * changes nothing there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/testing.h"
#include "engine/core_internal.h"

enum { SUSPICION_MAX = 8192, REPAIRS_PER_HOUR = 3 };

static const int64_t hour_us = INT64_C(3600000000);

static struct outcome *add_outcome(struct core *core, struct core_lane *lane, int64_t zone_id,
	enum delivery_event event, uint64_t generation)
{
	if ((core->outcome_count & (core->outcome_count - 1)) == 0) {
		size_t room = core->outcome_count == 0 ? 1 : core->outcome_count * 2;

		core->outcomes = xrealloc(core->outcomes, room * sizeof(*core->outcomes));
	}
	struct outcome *outcome = &core->outcomes[core->outcome_count++];
	core_heal_delivered(core, lane, zone_id, event);
	*outcome = (struct outcome){
		.lane = lane, .zone_id = zone_id, .event = event, .generation = generation
	};
	return outcome;
}

static void count_failure(struct core *core, struct core_lane *lane)
{
	core->counters.delivery_failures++;
	lane->batch.failures++;
}

static void clear_suspicion(struct core_lane *lane, int64_t zone_id)
{
	free(idmap_remove(&lane->suspicion, zone_id));
}

static bool is_contested(struct core *core, struct core_lane *lane, int64_t zone_id)
{
	struct repairs *repairs = idmap_get(&lane->contested, zone_id);
	int64_t now_us = core_now_us(core);

	if (repairs == NULL) {
		repairs = xcalloc(1, sizeof(*repairs));
		repairs->window_us = now_us;
		idmap_set(&lane->contested, zone_id, repairs);
	}
	if (now_us - repairs->window_us > hour_us) {
		/* Once contested it gets one repair per hour, no longer three. */
		repairs->count = repairs->count > REPAIRS_PER_HOUR ? REPAIRS_PER_HOUR - 1 : 0;
		repairs->window_us = now_us;
	}
	return ++repairs->count > REPAIRS_PER_HOUR;
}

static void note_stale(struct core *core, struct core_lane *lane, const struct core_job_zone *zone, bool contested)
{
	const struct backend_stamp *found = &zone->item->found;
	bool ours = strcmp(found->store_id, store_id(core->store)) == 0;
	char plain[ZONE_NAME_SIZE];

	zone_name_plain(zone->name, plain);
	if (contested)
		core_note(core, "contested", plain, lane->name, NULL,
			"another store (%s) keeps writing this zone: overwritten %d times within an hour, from now on "
			"once per hour",
			found->store_id, REPAIRS_PER_HOUR);
	else if (ours)
		core_note(core, "generation_raised", plain, lane->name, NULL,
			"the database bears generation %llu of this store, we are at %llu: the store went back in time",
			(unsigned long long)found->generation, (unsigned long long)zone->item->generation);
	else
		core_note(core, "stamp_taken_over", plain, lane->name, NULL,
			"the database bears generation %llu of store %s", (unsigned long long)found->generation,
			found->store_id);
}

/* What an operator is told of a lane that is up and yet has something waiting. */
static void note_trouble(struct core_lane *lane, const char *zone, const char *text)
{
	snprintf(lane->trouble, sizeof(lane->trouble), "zone %.200s: %.300s", zone, text);
}

static void land_stale(struct core *core, struct core_lane *lane, struct core_job_zone *zone, bool again)
{
	bool ours = strcmp(zone->item->found.store_id, store_id(core->store)) == 0;
	bool contested = !ours && is_contested(core, lane, zone->zone_id);
	struct outcome *outcome;

	note_stale(core, lane, zone, contested);
	/* Where there is no rising above, or no sense in it, that very stamp may be overwritten. */
	if (!ours || zone->item->found.generation >= CORE_GENERATION_MAX) {
		struct backend_stamp *stamp = xmalloc(sizeof(*stamp));

		*stamp = zone->item->found;
		free(idmap_remove(&lane->overrides, zone->zone_id));
		idmap_set(&lane->overrides, zone->zone_id, stamp);
	}
	outcome = add_outcome(core, lane, zone->zone_id, contested ? DELIVERY_CONTESTED : DELIVERY_STALE,
		zone->item->generation);
	outcome->again = again;
	outcome->found = zone->item->found;
	if (contested) {
		char plain[ZONE_NAME_SIZE];

		core_contest_show(core, lane, zone->zone_id);
		note_trouble(lane, zone_name_plain(zone->name, plain), "contested: another store keeps writing it there");
	}
	snprintf(outcome->error, sizeof(outcome->error), "the database bears generation %llu of %s",
		(unsigned long long)zone->item->found.generation, ours ? "this store" : "another store");
}

/* The request whose content it is; NULL: not known, after a restart. */
static const char *push_of(const struct core_job_zone *zone)
{
	return zone->source == NULL ? NULL : source_push_id(zone->source);
}

static void land_ok(struct core *core, struct core_lane *lane, struct core_job_zone *zone, const struct flight *flight)
{
	struct outcome *outcome;

	clear_suspicion(lane, zone->zone_id);
	free(idmap_remove(&lane->overrides, zone->zone_id));
	core->counters.deliveries++;
	lane->batch.zones++;
	lane->successes++;
	log_debug("delivered", LOG_STR("backend", lane->name), LOG_STR("zone", zone->name),
		LOG_UINT("generation", zone->item->generation), LOG_STR("push", push_of(zone)));
	outcome = add_outcome(core, lane, zone->zone_id, DELIVERY_OK, zone->item->generation);
	outcome->again = flight->again;
	outcome->newer_us = flight->newer_us;
}

static void land_failed(struct core *core, struct core_lane *lane, struct core_job_zone *zone, bool again)
{
	const struct core_cause cause = { .push_id = push_of(zone) };
	bool rejected = zone->item->verdict == BACKEND_REJECT;
	char plain[ZONE_NAME_SIZE];
	struct outcome *outcome;

	count_failure(core, lane);
	zone_name_plain(zone->name, plain);
	if (rejected)
		core_note_by(core, "rejected", plain, lane->name, &cause, "%s", zone->item->err.text);
	else
		log_warn("delivery failed", LOG_STR("backend", lane->name), LOG_STR("zone", plain),
			LOG_UINT("generation", zone->item->generation), LOG_STR("push", cause.push_id),
			LOG_ERR(&zone->item->err));
	outcome = add_outcome(core, lane, zone->zone_id, rejected ? DELIVERY_REJECT : DELIVERY_RETRY,
		zone->item->generation);
	outcome->again = again;
	memcpy(outcome->error, zone->item->err.text, sizeof(outcome->error));
	note_trouble(lane, plain, zone->item->err.text);
}

/* Its row is as it was before the flight: due, and nothing is charged. */
static void land_untried(struct core_lane *lane, const struct core_job_zone *zone)
{
	char plain[ZONE_NAME_SIZE];

	note_trouble(lane, zone_name_plain(zone->name, plain), zone->item->err.text);
}

static struct accused accused_of(const struct core_lane *lane, const struct core_job_zone *zone)
{
	struct accused accused = { .zone_id = zone->zone_id, .generation = zone->item->generation,
		.successes = lane->successes };

	memcpy(accused.name, zone->name, sizeof(accused.name));
	memcpy(accused.error, zone->item->err.text, sizeof(accused.error));
	return accused;
}

static void accuse(struct core_lane *lane, const struct core_job_zone *zone)
{
	lane->accused = xrealloc(lane->accused, (lane->accused_count + 1) * sizeof(*lane->accused));
	lane->accused[lane->accused_count++] = accused_of(lane, zone);
}

static void put_under_suspicion(struct core_lane *lane, const struct accused *accused)
{
	struct accused *entry = idmap_get(&lane->suspicion, accused->zone_id);

	if (entry == NULL) {
		if (lane->suspicion.size >= SUSPICION_MAX)
			return;
		entry = xmalloc(sizeof(*entry));
		idmap_set(&lane->suspicion, accused->zone_id, entry);
	}
	*entry = *accused;
}

/* The loss or failure is the zone's own: it becomes a suspect, or as a suspect is charged an attempt. */
static void charge(struct core *core, struct core_lane *lane, const struct accused *accused, bool suspect)
{
	char plain[ZONE_NAME_SIZE];

	if (!suspect)
		core_note(core, "suspect", zone_name_plain(accused->name, plain), lane->name, NULL,
			"failed twice in a way of its own, and the server is good: from now on it goes alone and last (%s)",
			accused->error);
	put_under_suspicion(lane, accused);
	struct outcome *outcome = add_outcome(core, lane, accused->zone_id, suspect ? DELIVERY_RETRY : DELIVERY_SUSPECT,
		accused->generation);
	memcpy(outcome->error, accused->error, sizeof(outcome->error));
	count_failure(core, lane);
	note_trouble(lane, zone_name_plain(accused->name, plain), accused->error);
}

/*
 * A zone that was answered DOWN without a lost connection: the back end's fault, unless others were delivered since it
 * failed alone the same way before: then a probe decides, as it does after a loss. Returns true if it is the back end's.
 */
static bool land_down(struct core_lane *lane, const struct core_job_zone *zone, size_t crowd)
{
	const struct accused *before = idmap_get(&lane->suspicion, zone->zone_id);

	if (before != NULL && crowd == 1 && lane->successes > before->successes) {
		accuse(lane, zone);
		return false;
	}
	if (before == NULL && !batch_is_crowd(crowd)) {
		struct accused accused = accused_of(lane, zone);

		put_under_suspicion(lane, &accused);
	}
	return true;
}

/* One zone of a job of crowd zones. Returns true if it says that the whole back end is down. */
static bool land_zone(struct core *core, struct core_lane *lane, struct core_job_zone *zone, size_t crowd)
{
	struct flight *flight = idmap_remove(&lane->inflight, zone->zone_id);
	bool down = false;

	CHECK(flight != NULL && flight->generation == zone->item->generation);
	if (PLANTED(retry_old_body) && zone->item->verdict != BACKEND_OK && !zone->deleted)
		recent_put(&core->recent, zone->zone_id, flight->generation + 1, zone->source);
	if (!zone->item->untried)
		core_tally_verdict(lane, zone->item->verdict);
	switch (zone->item->verdict) {
	case BACKEND_OK:
		land_ok(core, lane, zone, flight);
		break;
	case BACKEND_RETRY:
	case BACKEND_REJECT:
		if (zone->item->untried) {
			land_untried(lane, zone);
			break;
		}
		clear_suspicion(lane, zone->zone_id);
		land_failed(core, lane, zone, flight->again);
		break;
	case BACKEND_STALE:
		land_stale(core, lane, zone, flight->again);
		break;
	case BACKEND_DOWN:
		if (PLANTED(down_burns_attempts)) {
			land_failed(core, lane, zone, flight->again);
			down = true;
			break;
		}
		/* Of a great many none is accused: they come again in smaller jobs, and then it shows. */
		if (!zone->item->lost)
			down = land_down(lane, zone, crowd);
		else if (!batch_is_crowd(crowd))
			accuse(lane, zone);
		break;
	}
	free(flight);
	return down;
}

/* The first zone of a job that was answered DOWN, or NULL; one under which the connection was lost before any other. */
static const struct core_job_zone *find_down(const struct core_job *job)
{
	const struct core_job_zone *found = NULL;

	for (size_t i = 0; i < job->zone_count; i++) {
		const struct core_job_zone *zone = &job->zones[i];

		if (zone->item->verdict == BACKEND_DOWN && (found == NULL || (zone->item->lost && !found->item->lost)))
			found = zone;
	}
	return found;
}

static void learn_size(struct core *core, struct core_lane *lane, const struct core_job *job,
	const struct core_job_zone *failed)
{
	if (failed != NULL)
		batch_lost(&lane->size, job->zone_count);
	else
		batch_landed(&lane->size, job->zone_count, core_now_us(core) - job->sent_us);
}

static bool any_answered(const struct core_job *job)
{
	for (size_t i = 0; i < job->zone_count; i++) {
		if (job->zones[i].item->verdict != BACKEND_DOWN)
			return true;
	}
	return false;
}

static void land_apply(struct core *core, struct core_lane *lane, struct core_job *job)
{
	const struct core_job_zone *failed = find_down(job);
	size_t accused = lane->accused_count;
	bool down = false;

	for (size_t i = 0; i < job->zone_count; i++)
		down = land_zone(core, lane, &job->zones[i], job->zone_count) || down;
	learn_size(core, lane, job, failed);
	lane->batch.last_us = core_now_us(core);
	if (any_answered(job))
		core_lane_move(core, lane, LANE_DELIVERED, NULL);
	/* A zone that is known as suspect is no evidence against the lane. */
	if (failed != NULL && !failed->suspect)
		lane_note_lost(&lane->health, failed->zone_id);
	if (lane->accused_count > accused || (failed != NULL && failed->item->lost))
		core_lane_move(core, lane, LANE_LOST, failed->item->err.text);
	else if (down)
		core_lane_move(core, lane, failed->suspect ? LANE_SUSPECTED : LANE_FAILED, failed->item->err.text);
	if (lane->health.state != LANE_DOUBT)
		lane->accused_count = 0;
	lane->alone_out = false;
}

/* The lane is good, so the loss is the zones': once is chance, twice is suspicion. */
static void judge(struct core *core, struct core_lane *lane, const struct accused *accused)
{
	struct delivery delivery = { 0 };
	struct err err;
	bool suspect;

	if (store_delivery_load(core->store, accused->zone_id, lane->backend_id, &delivery, &err) != ERR_OK)
		return;
	suspect = delivery.suspect;
	delivery_clear(&delivery);
	if (!suspect && idmap_get(&lane->suspicion, accused->zone_id) == NULL)
		put_under_suspicion(lane, accused);
	else
		charge(core, lane, accused, suspect);
}

static void land_probe(struct core *core, struct core_lane *lane, struct core_job *job)
{
	bool doubt = lane->health.state == LANE_DOUBT;

	lane->probe_out = false;
	core_lane_move(core, lane, job->verdict == BACKEND_OK ? LANE_PROBE_OK : LANE_PROBE_FAILED, job->err.text);
	if (doubt && job->verdict == BACKEND_OK) {
		for (size_t i = 0; i < lane->accused_count; i++)
			judge(core, lane, &lane->accused[i]);
	}
	lane->accused_count = 0;
}

void core_land(struct core *core, struct core_job *job)
{
	struct core_lane *lane = job->lane;

	if (job->kind == CORE_JOB_APPLY)
		FAULT_POINT(result_received);
	CHECK(lane->slots[job->slot] == job);
	lane->slots[job->slot] = NULL;
	lane->jobs_out--;
	if (core_is_question(job))
		lane->pages_out--;
	else if (lane->jobs_out == lane->pages_out)
		lane->batch.busy_us += core_now_us(core) - lane->batch.busy_since_us;
	lane->next_due_us = 0;
	if (job->kind == CORE_JOB_PROBE) {
		land_probe(core, lane, job);
	} else if (job->kind == CORE_JOB_COMPARE) {
		core_heal_land(core, lane, job->page);
		job->page = NULL;
	} else if (job->kind == CORE_JOB_INSPECT) {
		if (job->inspect->form == INSPECT_LIST)
			core_plan_land(core, lane, job->inspect);
		else
			core_detail_land(core, lane, job->inspect);
		job->inspect = NULL;
	} else {
		land_apply(core, lane, job);
	}
	core_job_destroy(job);
}

/* Our generation must rise above what the target bears, for every back end alike. */
static int raise_generation(struct core *core, const struct outcome *outcome, struct err *err)
{
	struct store_zone row = { 0 };
	int ret = store_zone_get(core->store, outcome->zone_id, &row, err);

	if (ret != ERR_OK)
		return ret;
	if (row.generation <= outcome->found.generation && outcome->found.generation < CORE_GENERATION_MAX) {
		uint64_t was = row.generation;

		ret = core_raise_uncounted(core, &row, outcome->found.generation + 1, err);
		for (size_t i = 0; ret == ERR_OK && i < core->lane_count; i++) {
			/* A contested zone keeps its slow clock here; wanted follows the zone by itself. */
			if (outcome->event == DELIVERY_CONTESTED && core->lanes[i] == outcome->lane)
				continue;
			ret = core_move_asked(core, core->lanes[i], row.id, was, DELIVERY_RAISED, row.generation, err);
		}
	}
	store_zone_clear(&row);
	return ret;
}

static int write_outcome(struct core *core, struct outcome *outcome, struct err *err)
{
	struct core_lane *lane = outcome->lane;
	struct delivery delivery = { 0 };
	struct delivery_args args = { .now_us = core_now_us(core), .wall_us = core_wall_us(core),
		.generation = outcome->generation, .error = outcome->error, .newer_us = outcome->newer_us };
	int ret = store_delivery_load(core->store, outcome->zone_id, lane->backend_id, &delivery, err);

	/* No such row any more: nothing to record. */
	if (ret == ERR_NOTFOUND)
		return ERR_OK;
	if (ret != ERR_OK)
		return ret;
	/* Only a doubt that was cleared up late can find the row settled by another flight. */
	if (delivery.state == DELIVERY_CLEAN) {
		delivery_clear(&delivery);
		return ERR_OK;
	}
	if (outcome->event == DELIVERY_OK && delivery.applied < outcome->generation)
		outcome->since_us = delivery.since_us;
	delivery.resting = delivery.state;
	delivery.state = DELIVERY_INFLIGHT;
	delivery.inflight = outcome->generation;
	delivery.again = outcome->again;
	delivery_move(&delivery, outcome->event, &args, &core->policy);
	ret = store_delivery_save(core->store, outcome->zone_id, lane->backend_id, &delivery, err);
	delivery_clear(&delivery);
	if (ret == ERR_OK && outcome->event == DELIVERY_OK)
		ret = core_receipt_write(core, outcome, err);
	if (ret == ERR_OK && (outcome->event == DELIVERY_STALE || outcome->event == DELIVERY_CONTESTED))
		ret = raise_generation(core, outcome, err);
	return ret;
}

int core_write_outcomes(struct core *core, size_t first, size_t count, struct err *err)
{
	for (size_t i = first; i < first + count; i++) {
		int ret = write_outcome(core, &core->outcomes[i], err);

		if (ret != ERR_OK)
			return ret;
	}
	return ERR_OK;
}
