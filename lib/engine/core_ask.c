/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Deliveries that are asked for: by newer content, by an equal push, by an operator. */
#include <stdlib.h>

#include "engine/core_internal.h"

/* It would be parked before it is sent anyway. */
static void park_frozen(struct core *core, int64_t zone_id, struct delivery *delivery)
{
	if (core_is_frozen(core, zone_id) && delivery->state != DELIVERY_CLEAN)
		delivery_move(delivery, DELIVERY_PARK, NULL, &core->policy);
}

int core_move_asked(struct core *core, struct core_lane *lane, int64_t zone_id, uint64_t was,
	enum delivery_event event, uint64_t generation, struct err *err)
{
	struct flight *flight = idmap_get(&lane->inflight, zone_id);
	struct delivery delivery = { 0 };
	struct delivery_args args = { .now_us = core_now_us(core), .wall_us = core_wall_us(core),
		.generation = generation };
	int ret = store_delivery_load(core->store, zone_id, lane->backend_id, &delivery, err);

	if (ret != ERR_OK && ret != ERR_NOTFOUND)
		return ret;
	delivery.wanted = was;
	if (flight != NULL) {
		delivery.resting = delivery.state;
		delivery.state = DELIVERY_INFLIGHT;
		delivery.inflight = flight->generation;
		delivery.again = flight->again;
	} else if (event == DELIVERY_PUSHED && delivery.state != DELIVERY_CLEAN) {
		core->counters.superseded++;
	}
	delivery_move(&delivery, event, &args, &core->policy);
	if (flight != NULL) {
		flight->again = delivery.again;
		if (event == DELIVERY_PUSHED && flight->newer_us == 0)
			flight->newer_us = args.now_us;
	} else {
		park_frozen(core, zone_id, &delivery);
	}
	ret = store_delivery_save(core->store, zone_id, lane->backend_id, &delivery, err);
	delivery_clear(&delivery);
	lane->next_due_us = 0;
	return ret;
}

/* The first generation of a zone: there is no row yet, and nothing in flight. */
static int ask_first(struct core *core, struct core_lane *lane, int64_t zone_id, uint64_t generation, struct err *err)
{
	struct delivery_args args = { .now_us = core_now_us(core), .wall_us = core_wall_us(core),
		.generation = generation };
	struct delivery delivery = { 0 };

	delivery_move(&delivery, DELIVERY_PUSHED, &args, &core->policy);
	int ret = store_delivery_add(core->store, zone_id, lane->backend_id, &delivery, err);
	delivery_clear(&delivery);
	lane->next_due_us = 0;
	return ret;
}

int core_retry_zone(struct core *core, const struct store_zone *row, struct err *err)
{
	for (size_t i = 0; i < core->lane_count; i++) {
		struct delivery delivery = { 0 };
		int ret = store_delivery_load(core->store, row->id, core->lanes[i]->backend_id, &delivery, err);
		/* What is there is compared, for the operator has a reason to ask; what is on its way goes at once. */
		enum delivery_event event = delivery.state == DELIVERY_CLEAN ? DELIVERY_CHECK : DELIVERY_REPLAY;

		delivery_clear(&delivery);
		if (ret == ERR_OK || ret == ERR_NOTFOUND)
			ret = core_move_asked(core, core->lanes[i], row->id, row->generation, event, row->generation, err);
		if (ret != ERR_OK)
			return ret;
	}
	return ERR_OK;
}

int core_unpark_away(struct core *core, int64_t zone_id, struct err *err)
{
	int64_t *ids = xcalloc(core->lane_count + 1, sizeof(*ids));

	for (size_t i = 0; i < core->lane_count; i++)
		ids[i] = core->lanes[i]->backend_id;
	int ret = store_backends_unpark(core->store, zone_id, ids, core->lane_count, err);
	free(ids);
	return ret;
}

int core_ask_all(struct core *core, int64_t zone_id, uint64_t was, enum delivery_event event, uint64_t generation,
	struct err *err)
{
	for (size_t i = 0; i < core->lane_count; i++) {
		struct core_lane *lane = core->lanes[i];
		int ret = was == 0 ? ask_first(core, lane, zone_id, generation, err)
				   : core_move_asked(core, lane, zone_id, was, event, generation, err);

		if (ret != ERR_OK)
			return ret;
	}
	return was == 0 ? ERR_OK : core_unpark_away(core, zone_id, err);
}
