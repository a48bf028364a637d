/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What goes to which lane next: jobs and probes. Which zones a job gets is
 * chosen in core_choose.c.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/testing.h"
#include "engine/core_choose.h"

enum { SUMMARY_ZONES = 100 };

static const int64_t idle_us = 1000000;
static const int64_t summary_us = 60000000;

/* From now on it is in flight. */
static void enlist(struct core *core, struct core_lane *lane, struct core_job_zone *zone, const struct store_zone *row,
	struct delivery *delivery)
{
	struct delivery_args args = { .now_us = core_now_us(core), .wall_us = core_wall_us(core),
		.generation = row->generation };
	const struct backend_stamp *supersede = idmap_get(&lane->overrides, row->id);
	struct flight *flight = xcalloc(1, sizeof(*flight));

	zone->zone_id = row->id;
	memcpy(zone->name, row->name, sizeof(zone->name));
	zone->deleted = row->deleted;
	zone->suspect = delivery->suspect;
	zone->item->generation = row->generation;
	zone->item->check = delivery->check;
	if (row->deleted)
		zone->item->last = row->digest;
	if (supersede != NULL)
		zone->item->supersede = *supersede;
	delivery_move(delivery, DELIVERY_TAKEN, &args, &core->policy);
	flight->generation = row->generation;
	idmap_set(&lane->inflight, row->id, flight);
}

/* What all lanes that deliver this generation share. */
int core_source(struct core *core, const struct store_zone *row, struct source **out, struct err *err)
{
	char *text;
	size_t size;

	*out = recent_get(&core->recent, row->id, row->generation);
	if (*out != NULL)
		return ERR_OK;
	int ret = store_zone_text(core->store, row->id, &text, &size, err);
	if (ret != ERR_OK)
		return ret;
	*out = source_create(text, size);
	recent_put(&core->recent, row->id, row->generation, *out);
	return ERR_OK;
}

/* What is said to be due is: not done, not frozen, not under way. Where it is not, the index that says so is damaged. */
static bool may_fly(const struct core_lane *lane, int64_t zone_id, const struct delivery *delivery)
{
	return delivery->state != DELIVERY_CLEAN && delivery->state != DELIVERY_PARKED && delivery->state != DELIVERY_INFLIGHT &&
		idmap_get(&lane->inflight, zone_id) == NULL;
}

/* Loads one zone into the job; ERR_INVALID: it is not due; *full, and nothing done: it has no room for that one. */
static int load_zone(struct core *core, struct core_lane *lane, int64_t zone_id, struct core_job *job, bool *full,
	struct err *err)
{
	struct core_job_zone *zone = &job->zones[job->zone_count];
	struct delivery delivery = { 0 };
	struct store_zone row = { 0 };
	int ret = store_delivery_open(core->store, zone_id, lane->backend_id, &row, &delivery, err);

	if (ret == ERR_OK && !may_fly(lane, row.id, &delivery))
		ret = err_set(err, ERR_INVALID, "it is listed as due, and is not: the index is damaged");
	*full = ret == ERR_OK && job->zone_count > 0 && job->bytes + row.text_size > CORE_BATCH_BYTES;
	if (ret == ERR_OK && !*full && row.deleted)
		zone->source = recent_get(&core->recent, row.id, row.generation);
	else if (ret == ERR_OK && !*full)
		ret = core_source(core, &row, &zone->source, err);
	if (ret == ERR_OK && !*full) {
		zone->item = &job->items[job->zone_count];
		enlist(core, lane, zone, &row, &delivery);
		job->bytes += row.text_size;
		job->zone_count++;
	}
	delivery_clear(&delivery);
	store_zone_clear(&row);
	return ret;
}

/* A row that can't be read must not be tried in a loop: it waits as one that this back end can't hold. */
static int set_aside(struct core *core, struct core_lane *lane, int64_t zone_id, struct err *err)
{
	struct delivery delivery = { 0 };
	struct delivery_args args = { .now_us = core_now_us(core),
		.error = "the stored text is damaged; a new push of the zone mends it" };
	int ret = store_begin(core->store, err);

	if (ret == ERR_OK)
		ret = store_delivery_load(core->store, zone_id, lane->backend_id, &delivery, err);
	if (ret == ERR_OK && !may_fly(lane, zone_id, &delivery))
		ret = err_set(err, ERR_CORRUPT, "it is not due either");
	if (ret == ERR_OK) {
		args.generation = delivery.wanted;
		delivery_move(&delivery, DELIVERY_TAKEN, &args, &core->policy);
		delivery_move(&delivery, DELIVERY_REJECT, &args, &core->policy);
		ret = store_delivery_save(core->store, zone_id, lane->backend_id, &delivery, err);
	}
	if (ret == ERR_OK)
		ret = store_commit(core->store, err);
	if (ret != ERR_OK)
		store_rollback(core->store);
	core_heal_delivered(core, lane, zone_id, DELIVERY_REJECT);
	delivery_clear(&delivery);
	return ret;
}

static unsigned idle_slot(const struct core_lane *lane)
{
	unsigned slot = 0;

	while (slot < lane->connections && lane->slots[slot] != NULL)
		slot++;
	return slot;
}

bool core_has_idle_slot(const struct core_lane *lane)
{
	return idle_slot(lane) < lane->connections;
}

void core_send(struct core *core, struct core_lane *lane, struct core_job *job)
{
	job->lane = lane;
	job->handle = lane->handle;
	job->slot = idle_slot(lane);
	CHECK(job->slot < lane->connections);
	lane->slots[job->slot] = job;
	job->sent_us = core_now_us(core);
	if (core_is_question(job))
		lane->pages_out++;
	else if (lane->jobs_out == lane->pages_out)
		lane->batch.busy_since_us = core_now_us(core);
	lane->jobs_out++;
	core->params.send(core->params.ctx, job);
	if (job->kind == CORE_JOB_APPLY)
		FAULT_POINT(job_sent);
}

static void send_probe(struct core *core, struct core_lane *lane)
{
	struct core_job *job = xcalloc(1, sizeof(*job));

	job->kind = CORE_JOB_PROBE;
	lane->probe_out = true;
	core_lane_move(core, lane, LANE_PROBE_SENT, NULL);
	core_send(core, lane, job);
}

/*
 * Loads what was picked, as far as there is room; a zone whose stored text is damaged is set aside, one that is not due after all
 * is passed over, any other trouble ends it. ERR_INVALID: all were passed over.
 */
static int fill_job(struct core *core, struct core_lane *lane, const struct pick *pick, struct core_job *job,
	struct err *err)
{
	bool full = false;
	int passed_over = ERR_OK;

	job->zones = xcalloc(pick->count, sizeof(*job->zones));
	job->items = xcalloc(pick->count, sizeof(*job->items));
	for (size_t i = 0; i < pick->count && !full; i++) {
		int ret = load_zone(core, lane, pick->ids[i], job, &full, err);

		if (ret == ERR_CORRUPT || ret == ERR_NOTFOUND) {
			log_error("a zone can't be read from the store", LOG_STR("backend", lane->name),
				LOG_INT("zone_id", pick->ids[i]), LOG_ERR(err));
			ret = set_aside(core, lane, pick->ids[i], err);
		}
		if (ret == ERR_INVALID)
			passed_over = ret;
		else if (ret != ERR_OK)
			return ret;
	}
	return job->zone_count == 0 ? passed_over : ERR_OK;
}

/* The store can't be read (or written): nothing is sent for a while. */
static bool give_up(struct core *core, struct core_lane *lane, const struct err *err)
{
	log_error("what is due can't be read", LOG_STR("backend", lane->name), LOG_ERR(err));
	lane->next_due_us = core_now_us(core) + idle_us;
	if (err->code == ERR_IO)
		core_store_failed(core, err);
	return false;
}

/* Sends one job; false: nothing may go now. */
static bool send_zones(struct core *core, struct core_lane *lane)
{
	struct pick pick = { .most = lane->health.trial ? 1 : batch_zones(&lane->size) };
	/* Looked at before choosing: what becomes due meanwhile is next, and not slept over. */
	int64_t now_us = core_now_us(core);
	struct core_job *job;
	struct err err;
	bool alone;

	if (store_read_begin(core->store, &err) != ERR_OK || core_choose(core, lane, &pick, &alone, &err) != ERR_OK)
		return give_up(core, lane, &err);
	if (pick.frozen_count > 0 && core_park_due(core, lane, pick.frozen, pick.frozen_count, &err) != ERR_OK)
		return give_up(core, lane, &err);
	if (pick.count == 0 && pick.frozen_count > 0)
		return true;
	if (pick.count == 0) {
		if (store_due_next(core->store, lane->backend_id, now_us, &lane->next_due_us, &err) != ERR_OK)
			give_up(core, lane, &err);
		else if (lane->next_due_us == INT64_MAX && lane->jobs_out == lane->pages_out)
			lane->trouble[0] = '\0';
		return false;
	}
	job = xcalloc(1, sizeof(*job));
	job->kind = CORE_JOB_APPLY;
	int ret = fill_job(core, lane, &pick, job, &err);
	if (job->zone_count == 0) {
		core_job_destroy(job);
		return ret == ERR_OK || give_up(core, lane, &err);
	}
	lane->alone_out = alone;
	if (pick.count == 1 && idmap_get(&lane->suspicion, pick.ids[0]) != NULL)
		lane->streak = 0;
	core_send(core, lane, job);
	return ret == ERR_OK || give_up(core, lane, &err);
}

void core_dispatch(struct core *core, struct core_lane *lane)
{
	int64_t now_us = core_now_us(core);
	bool probe_due = lane->health.state == LANE_DOUBT ||
		(lane->health.state == LANE_DOWN && lane->health.next_probe_us <= now_us);

	if (probe_due && !lane->probe_out && idle_slot(lane) < lane->connections) {
		send_probe(core, lane);
		return;
	}
	while (lane->next_due_us <= now_us && !lane->alone_out &&
		lane->jobs_out < lane_window(&lane->health, lane->connections)) {
		if (!send_zones(core, lane))
			break;
	}
	store_read_end(core->store);
}

static bool batch_is_over(const struct core_lane *lane)
{
	return lane->jobs_out == lane->pages_out && lane->batch.zones + lane->batch.failures > 0;
}

/* When the summary may be printed: a second after the last delivery, and not more than one a minute unless it is big. */
static int64_t batch_tell_us(const struct core_lane *lane)
{
	int64_t at = lane->batch.last_us + idle_us;

	if (lane->batch.zones + lane->batch.failures < SUMMARY_ZONES && lane->batch.told_us != 0 &&
		lane->batch.told_us + summary_us > at)
		at = lane->batch.told_us + summary_us;
	return at;
}

void core_batch_tell(struct core *core, struct core_lane *lane, bool now)
{
	struct batch_stats *batch = &lane->batch;
	int64_t now_us = core_now_us(core);

	if (!batch_is_over(lane) || (!now && now_us < batch_tell_us(lane)))
		return;
	double seconds = (double)batch->busy_us / 1e6;
	log_info("batch done", LOG_STR("backend", lane->name), LOG_UINT("zones", batch->zones),
		LOG_UINT("failures", batch->failures), LOG_REAL("seconds", seconds),
		LOG_REAL("zones_per_second", seconds > 0 ? (double)batch->zones / seconds : 0.0));
	*batch = (struct batch_stats){ .told_us = now_us };
}

int64_t core_lane_wake_us(const struct core *core, const struct core_lane *lane)
{
	bool has_room = idle_slot(lane) < lane->connections;
	int64_t wake = INT64_MAX;
	int64_t send_us = INT64_MAX;

	if (batch_is_over(lane))
		wake = batch_tell_us(lane);
	if (core->quiesced || core->broken)
		return wake;
	/* Where there is no room an answer from the lane wakes us anyway. */
	if (lane->health.state == LANE_DOWN && has_room && !lane->probe_out)
		send_us = lane->health.next_probe_us;
	if (lane->health.state == LANE_DOUBT && has_room && !lane->probe_out)
		send_us = 0;
	if (lane->jobs_out < lane_window(&lane->health, lane->connections) && !lane->alone_out)
		send_us = lane->next_due_us;
	if (send_us < core->dispatch_us)
		send_us = core->dispatch_us;
	return send_us < wake ? send_us : wake;
}
