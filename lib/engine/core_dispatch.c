/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What goes to which lane next. What is due is a query, newest first; zones
 * under suspicion go alone after the others, suspects alone after those
 * (decisions.md 2, reliability.md 3.4).
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "engine/core_internal.h"

enum { DUE_PAGE = 1024, SUMMARY_ZONES = 100, DOUBTFUL_TURN = 4, DOUBTFUL_LOOKS = 64 };

static const int64_t idle_us = 1000000;
static const int64_t summary_us = 60000000;

/* Zones picked for one job. */
struct pick {
	int64_t ids[CORE_BATCH_ZONES];
	size_t count;
	size_t most;
};

static void consider(const struct core_lane *lane, struct pick *pick, const struct store_due *due)
{
	if (idmap_get(&lane->inflight, due->zone_id) != NULL)
		return;
	if (!due->suspect && idmap_get(&lane->suspicion, due->zone_id) != NULL)
		return;
	pick->ids[pick->count++] = due->zone_id;
}

static int collect(struct core *core, const struct core_lane *lane, bool suspect, struct pick *pick, struct err *err)
{
	struct store_due page[DUE_PAGE];
	int64_t before_us = INT64_MAX;
	int64_t before_id = INT64_MAX;
	int64_t now_us = core_now_us(core);
	size_t limit = pick->most + lane->inflight.size;
	size_t got;

	if (limit > DUE_PAGE)
		limit = DUE_PAGE;
	do {
		int ret = store_due_list(core->store, lane->backend_id, suspect, now_us, before_us, before_id, limit,
			page, &got, err);

		if (ret != ERR_OK)
			return ret;
		for (size_t i = 0; i < got && pick->count < pick->most; i++)
			consider(lane, pick, &page[i]);
		if (got > 0) {
			before_us = page[got - 1].next_try_us;
			before_id = page[got - 1].zone_id;
		}
	} while (got == limit && pick->count < pick->most);
	return ERR_OK;
}

/* Is it due, and among its equals? Suspects have their place behind all others. */
static int is_due(struct core *core, const struct core_lane *lane, int64_t zone_id, bool *due, struct err *err)
{
	struct delivery delivery = { 0 };
	int ret = store_delivery_load(core->store, zone_id, lane->backend_id, &delivery, err);

	*due = ret == ERR_OK && !delivery.suspect && delivery.state != DELIVERY_CLEAN &&
		delivery.next_try_us <= core_now_us(core);
	delivery_clear(&delivery);
	return ret == ERR_NOTFOUND ? ERR_OK : ret;
}

void core_hurry(struct core *core, int64_t zone_id)
{
	for (size_t i = 0; i < core->lane_count; i++) {
		struct core_lane *lane = &core->lanes[i];

		if (lane->urgent_count < URGENT_MOST)
			lane->urgent[lane->urgent_count++] = zone_id;
	}
}

static bool is_picked(const struct pick *pick, int64_t zone_id)
{
	for (size_t i = 0; i < pick->count; i++) {
		if (pick->ids[i] == zone_id)
			return true;
	}
	return false;
}

/*
 * The urgent ones: a small job, that waits for no other zone. They stay urgent until they are seen settled: one that is
 * in flight may come back with its lane gone down.
 */
static int collect_urgent(struct core *core, struct core_lane *lane, struct pick *pick, struct err *err)
{
	size_t kept = 0;
	int ret = ERR_OK;

	for (size_t i = 0; i < lane->urgent_count; i++) {
		int64_t id = lane->urgent[i];
		bool due = false;
		bool waits = idmap_get(&lane->inflight, id) != NULL || pick->count == pick->most || ret != ERR_OK;

		if (!waits && idmap_get(&lane->suspicion, id) == NULL)
			ret = is_due(core, lane, id, &due, err);
		if (due && !is_picked(pick, id))
			pick->ids[pick->count++] = id;
		if (due || waits)
			lane->urgent[kept++] = id;
	}
	lane->urgent_count = kept;
	return ret;
}

/* One zone under suspicion that is due, each in its turn; looks at no more than that many. */
static int collect_doubtful(struct core *core, struct core_lane *lane, size_t looks, struct pick *pick,
	struct err *err)
{
	for (size_t i = 0; i < looks && i < lane->suspicion.size && pick->count == 0; i++) {
		bool due;
		int64_t id;

		if (idmap_next(&lane->suspicion, &lane->suspicion_at, &id) == NULL) {
			lane->suspicion_at = 0;
			CHECK(idmap_next(&lane->suspicion, &lane->suspicion_at, &id) != NULL);
		}
		if (idmap_get(&lane->inflight, id) != NULL)
			continue;
		int ret = is_due(core, lane, id, &due, err);
		if (ret != ERR_OK)
			return ret;
		if (due)
			pick->ids[pick->count++] = id;
	}
	return ERR_OK;
}

/*
 * Picks what goes next; *alone: it must be the only job out. Empty: nothing is due that may go now. Zones under
 * suspicion come after the others, but get a turn now and then: one bad moment must not hold them up for ever.
 */
static int choose(struct core *core, struct core_lane *lane, struct pick *pick, bool *alone, struct err *err)
{
	int ret = collect_urgent(core, lane, pick, err);

	*alone = false;
	if (ret == ERR_OK && pick->count == 0 && !lane->health.trial && lane->streak >= DOUBTFUL_TURN)
		ret = collect_doubtful(core, lane, DOUBTFUL_LOOKS, pick, err);
	if (ret == ERR_OK && pick->count == 0) {
		lane->streak++;
		ret = collect(core, lane, false, pick, err);
	}
	if (ret != ERR_OK || pick->count > 0)
		return ret;
	/* Nothing else to do: all of them, so that none is slept over. */
	ret = collect_doubtful(core, lane, lane->suspicion.size, pick, err);
	if (ret != ERR_OK || pick->count > 0 || lane->jobs_out > lane->pages_out)
		return ret;
	*alone = true;
	pick->most = 1;
	return collect(core, lane, true, pick, err);
}

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
	if (supersede != NULL)
		zone->item->supersede = *supersede;
	delivery_move(delivery, DELIVERY_TAKEN, &args, &core->policy);
	flight->generation = row->generation;
	idmap_set(&lane->inflight, row->id, flight);
}

/* What all lanes that deliver this generation share. */
static int find_source(struct core *core, const struct store_zone *row, struct source **out, struct err *err)
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

/* Loads one zone into the job; *full, and nothing done: it has no room for that one. */
static int load_zone(struct core *core, struct core_lane *lane, int64_t zone_id, struct core_job *job, bool *full,
	struct err *err)
{
	struct core_job_zone *zone = &job->zones[job->zone_count];
	struct delivery delivery = { 0 };
	struct store_zone row = { 0 };
	int ret = store_delivery_open(core->store, zone_id, lane->backend_id, &row, &delivery, err);

	*full = ret == ERR_OK && job->zone_count > 0 && job->bytes + row.text_size > CORE_BATCH_BYTES;
	if (ret == ERR_OK && !*full && !row.deleted)
		ret = find_source(core, &row, &zone->source, err);
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
	job->backend = lane->index;
	job->slot = idle_slot(lane);
	CHECK(job->slot < lane->connections);
	lane->slots[job->slot] = job;
	job->sent_us = core_now_us(core);
	if (job->kind == CORE_JOB_COMPARE)
		lane->pages_out++;
	else if (lane->jobs_out == lane->pages_out)
		lane->batch.busy_since_us = core_now_us(core);
	lane->jobs_out++;
	core->params.send(core->params.ctx, job);
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
 * Loads what was picked, as far as there is room; a zone whose stored text is damaged is set aside, any other trouble
 * ends it.
 */
static int fill_job(struct core *core, struct core_lane *lane, const struct pick *pick, struct core_job *job,
	struct err *err)
{
	bool full = false;

	job->zones = xcalloc(pick->count, sizeof(*job->zones));
	job->items = xcalloc(pick->count, sizeof(*job->items));
	for (size_t i = 0; i < pick->count && !full; i++) {
		int ret = load_zone(core, lane, pick->ids[i], job, &full, err);

		if (ret == ERR_CORRUPT || ret == ERR_NOTFOUND) {
			log_error("a zone can't be read from the store", LOG_STR("backend", lane->name),
				LOG_INT("zone_id", pick->ids[i]), LOG_ERR(err));
			ret = set_aside(core, lane, pick->ids[i], err);
		}
		if (ret != ERR_OK)
			return ret;
	}
	return ERR_OK;
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
	struct core_job *job;
	struct err err;
	bool alone;

	if (store_read_begin(core->store, &err) != ERR_OK || choose(core, lane, &pick, &alone, &err) != ERR_OK)
		return give_up(core, lane, &err);
	if (pick.count == 0) {
		if (store_due_next(core->store, lane->backend_id, core_now_us(core), &lane->next_due_us, &err) != ERR_OK)
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
