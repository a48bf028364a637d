/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The reader thread: answers lists and status from a read-only handle, so that
 * a long list holds up neither the loop nor a push (decisions.md 17).
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "engine/engine_internal.h"
#include "engine/message.h"
#include "engine/reader.h"
#include "store/audit.h"
#include "store/frozen.h"
#include "store/held.h"

enum { LIST_MOST = 1000 };

struct listing {
	struct engine *engine;
	struct engine_message *message;
	size_t limit; /* of elements; one more is asked of the store, to know whether there is more */
};

size_t reader_limit(const struct engine_request *request)
{
	return request->limit == 0 || request->limit > LIST_MOST ? LIST_MOST : request->limit;
}

void reader_board(struct engine *engine, struct core_board *out)
{
	CHECK(pthread_mutex_lock(&engine->board.lock) == 0);
	*out = engine->board.content;
	pthread_mutex_unlock(&engine->board.lock);
}

struct doc *reader_shown(struct engine *engine)
{
	CHECK(pthread_mutex_lock(&engine->board.lock) == 0);
	struct doc *shown = engine->board.shown == NULL ? NULL : doc_copy(engine->board.shown);
	pthread_mutex_unlock(&engine->board.lock);
	return shown;
}

/* ---- zones ---- */

static void fill_zone(struct engine_zone *out, const struct store_zone *row)
{
	*out = (struct engine_zone){ .name = xstrdup(row->name), .generation = row->generation,
		.deleted = row->deleted, .serial = row->serial, .records = row->digest.count,
		.hostname = xstrdup(row->hostname), .username = xstrdup(row->username),
		.updated_at_us = row->updated_at_us };
	zone_digest_text(&row->digest, out->digest);
}

static void show_frozen(void *ctx, const struct store_frozen *frozen)
{
	struct engine_zone *zone = ctx;

	zone->frozen_at_us = frozen->at_us;
	zone->frozen_by = xstrdup(frozen->actor);
}

static bool list_zone(void *ctx, const struct store_zone *row)
{
	struct listing *listing = ctx;
	struct engine_message *message = listing->message;

	if (message->zone_count == listing->limit) {
		message->more = true;
		return false;
	}
	struct engine_zone *zone = &message->zones[message->zone_count++];
	struct err err;

	fill_zone(zone, row);
	if (store_frozen_list(listing->engine->reader, row->id, show_frozen, zone, &err) != ERR_OK)
		log_error("whether a zone is frozen can't be read", LOG_ERR(&err));
	return true;
}

static int list_zones(struct engine *engine, const struct engine_request *request, struct engine_message *message,
	struct err *err)
{
	struct listing listing = { .engine = engine, .message = message, .limit = reader_limit(request) };
	char after[ZONE_NAME_SIZE] = "";

	if (request->after != NULL && request->after[0] != '\0') {
		int ret = zone_name_parse(request->after, strlen(request->after), after, err);

		if (ret != ERR_OK)
			return ret;
	}
	message->zones = xcalloc(listing.limit, sizeof(*message->zones));
	int ret = store_zone_list(engine->reader, after, listing.limit + 1, false, list_zone, &listing, err);
	if (ret != ERR_CORRUPT)
		return ret;
	/* All but the damaged rows were listed: that is worth more to an operator than an error. */
	log_error("a stored zone is damaged", LOG_ERR(err));
	*err = (struct err){ 0 };
	return ERR_OK;
}

static const char *shown_state(const struct delivery *delivery, const struct core_board_lane *lane)
{
	bool waits = delivery->state == DELIVERY_DUE || delivery->state == DELIVERY_WAIT;

	if (waits && strcmp(lane->state, "up") != 0)
		return "held";
	return delivery_state_name(delivery->state);
}

static bool is_contested(const struct core_board_lane *lane, int64_t zone_id)
{
	for (size_t i = 0; i < lane->contested_count; i++) {
		if (lane->contested[i] == zone_id)
			return true;
	}
	return false;
}

static int add_delivery(struct engine *engine, const struct core_board *board, size_t index,
	const struct store_zone *row, struct engine_zone *zone, struct err *err)
{
	struct delivery delivery = { 0 };
	int ret = store_delivery_load(engine->reader, row->id, board->lanes[index].backend_id, &delivery, err);

	if (ret == ERR_NOTFOUND)
		return ERR_OK;
	if (ret != ERR_OK)
		return ret;
	zone->deliveries[zone->delivery_count++] = (struct engine_delivery){
		.backend = xstrdup(board->lanes[index].name),
		.wanted = delivery.wanted,
		.applied = delivery.applied,
		.state = shown_state(&delivery, &board->lanes[index]),
		.suspect = delivery.suspect,
		.contested = is_contested(&board->lanes[index], row->id),
		.attempts = delivery.attempts,
		.next_try_us = delivery.state == DELIVERY_CLEAN || delivery.state == DELIVERY_PARKED ? 0 :
			delivery.next_try_us,
		.since_us = delivery.since_us,
		.applied_at_us = delivery.applied_at_us,
		.last_error = xstrdup(delivery.last_error),
	};
	delivery_clear(&delivery);
	return reader_add_receipt(engine, &board->lanes[index], row->id,
		&zone->deliveries[zone->delivery_count - 1].receipt, err);
}

static int show_zone(struct engine *engine, const struct engine_request *request, struct engine_message *message,
	struct err *err)
{
	char name[ZONE_NAME_SIZE];
	struct store_zone row = { 0 };
	struct core_board board;
	const char *asked = request->zone == NULL ? "" : request->zone;

	if (zone_name_parse(asked, strlen(asked), name, err) != ERR_OK)
		return err_set(err, ERR_NOTFOUND, "no zone has such a name");
	int ret = store_zone_find(engine->reader, name, &row, err);
	if (ret == ERR_NOTFOUND)
		return err_set(err, ERR_NOTFOUND, "zone %s is not held", asked);
	if (ret != ERR_OK)
		return ret;
	reader_board(engine, &board);
	message->zones = xcalloc(1, sizeof(*message->zones));
	message->zone_count = 1;
	fill_zone(&message->zones[0], &row);
	ret = store_frozen_list(engine->reader, row.id, show_frozen, &message->zones[0], err);
	message->zones[0].deliveries = xcalloc(board.lane_count, sizeof(struct engine_delivery));
	for (size_t i = 0; ret == ERR_OK && i < board.lane_count; i++)
		ret = add_delivery(engine, &board, i, &row, &message->zones[0], err);
	store_zone_clear(&row);
	return ret;
}

/* ---- refused pushes, events ---- */

static bool list_refused(void *ctx, const struct store_rejected *row)
{
	struct listing *listing = ctx;
	struct engine_message *message = listing->message;

	if (message->refused_count == listing->limit) {
		message->more = true;
		return false;
	}
	message->refused[message->refused_count++] = (struct engine_refused){
		.zone = xstrdup(row->name),
		.at_us = row->at_us,
		.source = xstrdup(row->source),
		.hostname = xstrdup(row->hostname),
		.username = xstrdup(row->username),
		.error = xstrdup(row->error),
		.text = row->text == NULL ? NULL : xmemdup(row->text, row->text_size),
		.text_size = row->text_size,
	};
	return true;
}

static int list_rejected(struct engine *engine, const struct engine_request *request, struct engine_message *message,
	struct err *err)
{
	struct listing listing = { .message = message, .limit = reader_limit(request) };
	const char *asked = request->zone != NULL ? request->zone : request->after;
	char name[ZONE_NAME_SIZE] = "";

	if (asked != NULL && asked[0] != '\0') {
		int ret = zone_name_parse(asked, strlen(asked), name, err);

		if (ret != ERR_OK)
			return ret;
	}
	message->refused = xcalloc(listing.limit, sizeof(*message->refused));
	if (request->zone == NULL)
		return store_rejected_list(engine->reader, name, listing.limit + 1, list_refused, &listing, err);
	int ret = store_rejected_get(engine->reader, name, list_refused, &listing, err);
	if (ret == ERR_NOTFOUND)
		return err_set(err, ERR_NOTFOUND, "no push of %s was refused", request->zone);
	return ret;
}

static bool list_event(void *ctx, const struct store_event *row)
{
	struct listing *listing = ctx;
	struct engine_message *message = listing->message;

	if (message->event_count == listing->limit) {
		message->more = true;
		return false;
	}
	message->events[message->event_count++] = (struct engine_event){
		.id = row->id,
		.at_us = row->at_us,
		.kind = xstrdup(row->kind),
		.zone = xstrdup(row->zone),
		.backend = xstrdup(row->backend),
		.source = xstrdup(row->source),
		.detail = xstrdup(row->detail),
		.actor = xstrdup(row->actor),
		.push_id = xstrdup(row->push_id),
	};
	return true;
}

static int list_events(struct engine *engine, const struct engine_request *request, struct engine_message *message,
	struct err *err)
{
	struct listing listing = { .message = message, .limit = reader_limit(request) };
	struct store_audit audit = { .before = request->before, .after = request->number, .zone = request->zone,
		.kind = request->kind };

	message->events = xcalloc(listing.limit, sizeof(*message->events));
	return store_audit_list(engine->reader, &audit, listing.limit + 1, list_event, &listing, err);
}

/* ---- status ---- */

static int fill_lane(struct engine *engine, const struct core_board *board, size_t index, struct engine_lane *out,
	struct err *err)
{
	const struct core_board_lane *lane = &board->lanes[index];
	struct store_counts counts = { 0 };
	int64_t now_us = clock_mono_ms(engine->params.clock) * 1000 + board->engine_offset_us;
	int ret = store_backend_counts(engine->reader, lane->backend_id, &counts, err);

	if (ret != ERR_OK)
		return ret;
	*out = (struct engine_lane){
		.backend = xstrdup(lane->name),
		.type = xstrdup(lane->type),
		.state = lane->state,
		.since_us = lane->since_us,
		.pending = counts.pending,
		.oldest_pending_us = counts.oldest_since_us == 0 ? 0 : now_us - counts.oldest_since_us,
		.inflight = lane->inflight_count,
		.dead = counts.dead,
		.rejected = counts.rejected,
		.suspect = counts.suspect,
		.parked = counts.parked,
		.next_probe_us = lane->next_probe_us,
		.last_error = xstrdup(lane->last_error[0] != '\0' ? lane->last_error :
				counts.pending > 0 && lane->trouble[0] != '\0' ? lane->trouble : NULL),
		.contested = lane->contested_count,
		.next_heal_us = lane->next_heal_us,
		.heal = lane->heal,
		.tally = lane->tally,
	};
	if (out->oldest_pending_us < 0)
		out->oldest_pending_us = 0;
	ret = reader_count_receipts(engine, lane, out, err);
	if (ret != ERR_OK) {
		free(out->backend);
		free(out->type);
		free(out->last_error);
	}
	return ret;
}

static int show_heals(struct engine *engine, struct engine_message *message)
{
	struct engine_status *status = xcalloc(1, sizeof(*status));
	struct core_board board;

	reader_board(engine, &board);
	message->status = status;
	status->lanes = xcalloc(board.lane_count, sizeof(*status->lanes));
	status->lane_count = board.lane_count;
	for (size_t i = 0; i < board.lane_count; i++) {
		status->lanes[i].backend = xstrdup(board.lanes[i].name);
		status->lanes[i].heal = board.lanes[i].heal;
	}
	return ERR_OK;
}

static void show_counters(const struct core_counters *counters, struct engine_status *status)
{
	status->pushes = counters->pushes;
	status->deletes = counters->deletes;
	status->refused = counters->refused;
	status->guarded = counters->guarded;
	status->superseded = counters->superseded;
	status->deliveries = counters->deliveries;
	status->delivery_failures = counters->delivery_failures;
	status->started_at_us = counters->started_at_us;
}

static void show_space(struct engine *engine, struct engine_status *status)
{
	struct store_space space;

	store_space(engine->reader, &space);
	status->store_bytes = space.file_bytes;
	status->store_log_bytes = space.log_bytes;
	status->store_free_bytes = space.free_bytes;
}

static int show_status(struct engine *engine, struct engine_message *message, struct err *err)
{
	struct engine_status *status = xcalloc(1, sizeof(*status));
	struct core_board board;

	reader_board(engine, &board);
	message->status = status;
	status->queue_size = atomic_load(&engine->under_way);
	status->dry_run = board.dry_run;
	status->store_ok = board.store_ok;
	status->store_error = board.store_ok ? NULL : xstrdup(board.store_error);
	show_counters(&board.counters, status);
	show_space(engine, status);
	status->shown = reader_shown(engine);
	if (status->shown == NULL)
		status->shown = doc_create();
	status->lanes = xcalloc(board.lane_count, sizeof(*status->lanes));
	int ret = store_zone_count(engine->reader, &status->zones_total, err);
	if (ret == ERR_OK)
		ret = store_held_count(engine->reader, &status->held, err);
	if (ret == ERR_OK)
		ret = store_frozen_count(engine->reader, &status->frozen, err);
	if (ret == ERR_OK)
		ret = reader_add_strangers(engine, status->shown, err);
	for (size_t i = 0; ret == ERR_OK && i < board.lane_count; i++) {
		ret = fill_lane(engine, &board, i, &status->lanes[i], err);
		if (ret == ERR_OK)
			status->lane_count++;
	}
	return ret;
}

/* ---- the thread ---- */

static int answer(struct engine *engine, const struct engine_request *request, struct engine_message *message,
	struct err *err)
{
	switch (request->op) {
	case ENGINE_STATUS:
		return show_status(engine, message, err);
	case ENGINE_HEALS:
		return show_heals(engine, message);
	case ENGINE_ZONES:
		return list_zones(engine, request, message, err);
	case ENGINE_ZONE:
		return show_zone(engine, request, message, err);
	case ENGINE_REJECTED:
		return list_rejected(engine, request, message, err);
	case ENGINE_EVENTS:
		return list_events(engine, request, message, err);
	case ENGINE_HISTORY:
		return reader_list_history(engine, request, message, err);
	case ENGINE_DIFF:
		return reader_show_diff(engine, request, message, err);
	case ENGINE_DEAD:
		return reader_list_dead(engine, request, message, err);
	case ENGINE_DEAD_ZONE:
		return reader_show_dead(engine, request, message, err);
	case ENGINE_BACKUP_STATE:
		return reader_show_backup(engine, message);
	case ENGINE_STRANGER:
		return reader_show_stranger(engine, request, message, err);
	case ENGINE_HELD:
		return reader_list_held(engine, request, message, err);
	case ENGINE_PEER_ZONES:
		return reader_list_peer_zones(engine, request, message, err);
	case ENGINE_PEER_URLS:
		return reader_list_peer_urls(engine, message);
	case ENGINE_COMPARE:
		return reader_compare(engine, request, message, err);
	case ENGINE_HELD_ONE:
		return reader_show_held(engine, request, message, err);
	case ENGINE_HOLDINGS:
		return reader_list_holdings(engine, request, message, err);
	case ENGINE_UNANSWERED:
		return reader_list_unanswered(engine, request, message, err);
	case ENGINE_SAMPLE:
		return reader_list_sample(engine, request, message, err);
	case ENGINE_ORPHANS:
		return reader_list_orphans(engine, request, message, err);
	default:
		WRONG("a command among the queries");
	}
}

void *reader_check(void *arg)
{
	struct engine *engine = arg;
	struct err err;

	if (store_quick_check(engine->checker, &err) == ERR_OK)
		log_info("the store was checked after an unclean end", LOG_STR("path", engine->params.store_path));
	else if (!atomic_load(&engine->stopping))
		log_error("the store is damaged", LOG_STR("path", engine->params.store_path), LOG_ERR(&err));
	return NULL;
}

void *reader_run(void *arg)
{
	struct engine *engine = arg;
	void *item;

	while (queue_take(engine->queries, &item, 1, -1) == 1) {
		struct engine_request *request = item;
		struct engine_message *message = engine_message_reply(request, NULL);

		message->err.code = (enum err_code)answer(engine, request, message, &message->err);
		engine_tell(engine, message);
		engine_request_destroy(request);
	}
	return NULL;
}
