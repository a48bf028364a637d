/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Frozen zones: what is pushed of them is stored, and parked instead of being
 * delivered, at new back ends too. Who is frozen is asked at each delivery, so
 * it stands in memory; the store has the record.
 */
#include <stdlib.h>

#include "engine/core_internal.h"
#include "engine/message.h"
#include "store/frozen.h"

bool core_is_frozen(const struct core *core, int64_t zone_id)
{
	return core->frozen.size > 0 && idmap_get(&core->frozen, zone_id) != NULL;
}

static void add_frozen(void *ctx, const struct store_frozen *frozen)
{
	struct core *core = ctx;

	idmap_set(&core->frozen, frozen->zone_id, core);
}

int core_freeze_load(struct core *core, struct err *err)
{
	return store_frozen_list(core->store, 0, add_frozen, core, err);
}

static void change(struct core *core, int64_t zone_id, bool freeze)
{
	if (freeze)
		idmap_set(&core->frozen, zone_id, core);
	else
		idmap_remove(&core->frozen, zone_id);
}

void core_freeze_settle(struct core *core, bool committed)
{
	for (size_t i = core->freeze_change_count; !committed && i > 0; i--)
		change(core, core->freeze_changes[i - 1].zone_id, !core->freeze_changes[i - 1].freeze);
	core->freeze_change_count = 0;
}

void core_freeze_free(struct core *core)
{
	idmap_free(&core->frozen);
	free(core->freeze_changes);
}

int core_park(struct core *core, struct core_lane *lane, int64_t zone_id, struct err *err)
{
	struct delivery delivery = { 0 };
	int ret = store_delivery_load(core->store, zone_id, lane->backend_id, &delivery, err);

	if (ret != ERR_OK)
		return ret == ERR_NOTFOUND ? ERR_OK : ret;
	/* What is in flight ends; if it is due again then, it is parked instead of being sent. */
	if (delivery.state != DELIVERY_CLEAN && delivery.state != DELIVERY_PARKED &&
		idmap_get(&lane->inflight, zone_id) == NULL) {
		delivery_move(&delivery, DELIVERY_PARK, NULL, &core->policy);
		ret = store_delivery_save(core->store, zone_id, lane->backend_id, &delivery, err);
		core_heal_delivered(core, lane, zone_id, DELIVERY_PARK);
	}
	delivery_clear(&delivery);
	return ret;
}

int core_park_due(struct core *core, struct core_lane *lane, const int64_t *ids, size_t count, struct err *err)
{
	int ret = store_begin(core->store, err);

	for (size_t i = 0; ret == ERR_OK && i < count; i++)
		ret = core_park(core, lane, ids[i], err);
	if (ret == ERR_OK)
		ret = store_commit(core->store, err);
	if (ret != ERR_OK)
		store_rollback(core->store);
	return ret;
}

static int park_all(struct core *core, int64_t zone_id, struct err *err)
{
	int ret = ERR_OK;

	for (size_t i = 0; ret == ERR_OK && i < core->lane_count; i++)
		ret = core_park(core, core->lanes[i], zone_id, err);
	return ret;
}

static int unpark_all(struct core *core, const struct store_zone *row, struct err *err)
{
	int ret = ERR_OK;

	for (size_t i = 0; ret == ERR_OK && i < core->lane_count; i++)
		ret = core_move_asked(core, core->lanes[i], row->id, row->generation, DELIVERY_REPLAY, row->generation,
			err);
	return ret == ERR_OK ? core_unpark_away(core, row->id, err) : ret;
}

static int write(struct core *core, const struct store_zone *row, const struct core_cause *cause, bool freeze,
	struct err *err)
{
	struct store_frozen frozen = { .zone_id = row->id, .at_us = core_wall_us(core), .actor = cause->actor };
	char plain[ZONE_NAME_SIZE];

	core_note_by(core, freeze ? "frozen" : "thawed", zone_name_plain(row->name, plain), NULL, cause, "%s",
		freeze ? "from now on it is stored and not delivered" : "the newest is delivered");
	int ret = freeze ? store_frozen_set(core->store, &frozen, err) : store_frozen_clear(core->store, row->id, err);
	core->freeze_changes = xrealloc(core->freeze_changes, (core->freeze_change_count + 1) *
		sizeof(*core->freeze_changes));
	core->freeze_changes[core->freeze_change_count++] = (struct freeze_change){ row->id, freeze };
	change(core, row->id, freeze);
	if (ret != ERR_OK)
		return ret;
	return freeze ? park_all(core, row->id, err) : unpark_all(core, row, err);
}

int core_freeze_order(struct core *core, struct core_command *command, struct err *err)
{
	bool freeze = command->request->op == ENGINE_FREEZE;
	struct core_cause cause = core_cause_of(command->request);
	struct store_zone row;
	int ret = core_find_asked(core, command, &row, err);

	if (ret != ERR_OK || row.id == 0)
		return ret;
	bool changed = core_is_frozen(core, row.id) != freeze;
	if (changed)
		ret = write(core, &row, &cause, freeze, err);
	if (ret == ERR_OK) {
		struct engine_message *reply = engine_message_reply(command->request, NULL);

		reply->doc = doc_create();
		doc_name(reply->doc, "zone", row.name);
		doc_bool(reply->doc, "frozen", freeze);
		doc_bool(reply->doc, "changed", changed);
		core_stage(core, reply);
	}
	store_zone_clear(&row);
	return ret;
}
