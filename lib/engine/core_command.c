/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pushes, deletes and retries: what a command does to desired state (decisions.md 6, 11). */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "engine/core_internal.h"
#include "engine/message.h"

static bool is_given(const char *text)
{
	return text != NULL && text[0] != '\0';
}

/* True if it is another text now. */
static bool replace_text(char **slot, const char *text)
{
	if (text == NULL)
		text = "";
	if (*slot != NULL && strcmp(*slot, text) == 0)
		return false;
	free(*slot);
	*slot = xstrdup(text);
	return true;
}

bool core_same_host(const char *a, const char *b)
{
	size_t a_size = strlen(a);
	size_t b_size = strlen(b);

	if (a_size > 0 && a[a_size - 1] == '.')
		a_size--;
	if (b_size > 0 && b[b_size - 1] == '.')
		b_size--;
	return a_size == b_size && strncasecmp(a, b, a_size) == 0;
}

/* RFC 1982 3.2: is a greater than b? */
static bool serial_is_greater(uint32_t a, uint32_t b)
{
	return a != b && (uint32_t)(a - b) < UINT32_C(0x80000000);
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
	if (flight != NULL)
		flight->again = delivery.again;
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

static int ask_all(struct core *core, int64_t zone_id, uint64_t was, enum delivery_event event, uint64_t generation,
	struct err *err)
{
	for (size_t i = 0; i < core->lane_count; i++) {
		struct core_lane *lane = &core->lanes[i];
		int ret = was == 0 ? ask_first(core, lane, zone_id, generation, err)
				   : core_move_asked(core, lane, zone_id, was, event, generation, err);

		if (ret != ERR_OK)
			return ret;
	}
	return ERR_OK;
}

/* Who owns the zone after this push. A push without hostname keeps the owner. True if that is somebody else now. */
static bool settle_owner(struct core *core, struct store_zone *row, const struct engine_request *request)
{
	char plain[ZONE_NAME_SIZE];
	bool moved = false;

	if (!is_given(request->hostname)) {
		if (row->hostname == NULL)
			moved = replace_text(&row->hostname, "");
		if (row->username == NULL || is_given(request->username))
			moved = replace_text(&row->username, request->username) || moved;
		return moved;
	}
	if (is_given(row->hostname) && !row->deleted && !core_same_host(row->hostname, request->hostname))
		core_note(core, "takeover", zone_name_plain(row->name, plain), NULL, request->source,
			"owner was %s, is now %s", row->hostname, request->hostname);
	moved = replace_text(&row->hostname, request->hostname);
	return replace_text(&row->username, request->username) || moved;
}

static void note_serial(struct core *core, const struct store_zone *row, const struct zone *zone, const char *source)
{
	char plain[ZONE_NAME_SIZE];

	if (row->id == 0 || row->deleted || serial_is_greater(zone_serial(zone), row->serial))
		return;
	core_note(core, "serial_not_raised", zone_name_plain(row->name, plain), NULL, source,
		"other content, but serial %u after %u", zone_serial(zone), row->serial);
}

static int refuse_push(struct core *core, struct core_command *command, struct err *err)
{
	const struct engine_request *request = command->request;
	char plain[ZONE_NAME_SIZE];
	struct store_rejected rejected = {
		.name = command->name,
		.at_us = core_wall_us(core),
		.source = request->source,
		.hostname = request->hostname,
		.username = request->username,
		.error = command->err.text,
		.text = request->text,
		.text_size = request->text_size,
	};

	core->counters.refused++;
	core_stage(core, engine_message_reply(request, &command->err));
	/* A name that is none cannot be listed under itself; there is nothing to keep but the event. */
	core_note(core, "push_refused", command->name[0] == '\0' ? NULL : zone_name_plain(command->name, plain), NULL,
		request->source, "%s", command->err.text);
	if (command->name[0] == '\0')
		return ERR_OK;
	return store_rejected_add(core->store, &rejected, err);
}

/* *told: the loop knows the zone and its owner already. */
static int write_push(struct core *core, struct core_command *command, struct store_zone *row, bool *told, struct err *err)
{
	const struct engine_request *request = command->request;
	const struct zone_digest *digest = zone_digest(command->zone);
	bool equal = row->id != 0 && !row->deleted && zone_digest_equal(&row->digest, digest);
	uint64_t was = row->generation;

	*told = row->id != 0 && !row->deleted;
	if (settle_owner(core, row, request))
		*told = false;
	if (!equal) {
		note_serial(core, row, command->zone, request->source);
		row->generation++;
	}
	row->deleted = false;
	row->digest = *digest;
	row->serial = zone_serial(command->zone);
	row->updated_at_us = core_wall_us(core);
	int ret = store_zone_put(core->store, row, request->text, request->text_size, err);
	if (ret == ERR_OK)
		ret = ask_all(core, row->id, was, equal ? DELIVERY_CHECK : DELIVERY_PUSHED, row->generation, err);
	if (ret == ERR_OK && request->urgent)
		core_hurry(core, row->id);
	if (ret == ERR_OK)
		ret = store_rejected_drop(core->store, row->name, err);
	return ret == ERR_NOTFOUND ? ERR_OK : ret;
}

static void tell_name(struct core *core, const struct store_zone *row)
{
	struct engine_message *set = engine_message_create(ENGINE_NAME_SET);

	engine_message_add_name(set, row->name, row->hostname, row->username);
	core_stage(core, set);
}

static int push(struct core *core, struct core_command *command, struct err *err)
{
	struct store_zone row = { 0 };
	char plain[ZONE_NAME_SIZE];
	bool told;
	int ret;

	if (command->zone == NULL)
		return refuse_push(core, command, err);
	ret = store_zone_find(core->store, command->name, &row, err);
	bool damaged = ret == ERR_CORRUPT;
	if (damaged) {
		core_note(core, "zone_mended", zone_name_plain(command->name, plain), NULL, command->request->source,
			"the stored zone was damaged, this push replaces it (%s)", err->text);
		ret = store_zone_salvage(core->store, command->name, &row, err);
	}
	if (ret == ERR_NOTFOUND) {
		row = (struct store_zone){ 0 };
		memcpy(row.name, command->name, sizeof(row.name));
	} else if (ret != ERR_OK) {
		return ret;
	}
	ret = write_push(core, command, &row, &told, err);
	if (ret == ERR_OK) {
		core->counters.pushes++;
		if (!told || damaged)
			tell_name(core, &row);
		core_stage(core, engine_message_reply(command->request, NULL));
		core_keep(core, row.id, row.generation, command->zone);
	}
	store_zone_clear(&row);
	return ret;
}

static int bury(struct core *core, struct store_zone *row, struct engine_message *gone, struct err *err)
{
	uint64_t was = row->generation;

	row->generation++;
	row->deleted = true;
	row->updated_at_us = core_wall_us(core);
	core->counters.deletes++;
	engine_message_add_name(gone, row->name, row->hostname, row->username);
	int ret = store_zone_put(core->store, row, NULL, 0, err);
	return ret == ERR_OK ? ask_all(core, row->id, was, DELIVERY_PUSHED, row->generation, err) : ret;
}

/* Honoured only from the owner; a refusal is no error for the master, which could do nothing about it. */
static bool may_delete(struct core *core, const struct store_zone *row, const struct engine_request *request)
{
	char plain[ZONE_NAME_SIZE];

	zone_name_plain(row->name, plain);
	if (!is_given(row->hostname))
		return true;
	if (!is_given(request->hostname)) {
		core_note(core, "delete_refused", plain, NULL, request->source,
			"the delete names no hostname, the owner is %s", row->hostname);
		return false;
	}
	if (!core_same_host(row->hostname, request->hostname)) {
		core_note(core, "delete_refused", plain, NULL, request->source,
			"the delete is from %s, the owner is %s", request->hostname, row->hostname);
		return false;
	}
	return true;
}

static int delete_one(struct core *core, const struct engine_request *request, const char *sent,
	struct engine_message *gone, struct err *refused, struct err *err)
{
	struct store_zone row = { 0 };
	char name[ZONE_NAME_SIZE];
	char plain[ZONE_NAME_SIZE];

	if (zone_name_parse(sent, strlen(sent), name, refused) != ERR_OK)
		return ERR_OK;
	int ret = store_zone_find(core->store, name, &row, err);
	if (ret == ERR_NOTFOUND) {
		core_note(core, "delete_unknown", zone_name_plain(name, plain), NULL, request->source,
			"a delete of a zone that was never held");
		return ERR_OK;
	}
	if (ret != ERR_OK)
		return ret;
	if (!row.deleted && may_delete(core, &row, request))
		ret = bury(core, &row, gone, err);
	store_zone_clear(&row);
	return ret;
}

static int delete(struct core *core, struct core_command *command, struct err *err)
{
	const struct engine_request *request = command->request;
	struct engine_message *gone = engine_message_create(ENGINE_NAME_GONE);
	struct err refused = { 0 };

	/* One message however many names: what is told is bounded by what is under way. */
	core_stage(core, gone);
	for (size_t i = 0; i < request->name_count; i++) {
		int ret = delete_one(core, request, request->names[i], gone, &refused, err);

		if (ret != ERR_OK)
			return ret;
	}
	core_stage(core, engine_message_reply(request, &refused));
	return ERR_OK;
}

static int retry_one(struct core *core, struct core_command *command, struct err *err)
{
	struct engine_message *reply;
	struct store_zone row = { 0 };
	struct err refused;
	char plain[ZONE_NAME_SIZE];
	int ret = command->name[0] == '\0' ? ERR_NOTFOUND :
					     store_zone_find(core->store, command->name, &row, err);

	if (ret == ERR_NOTFOUND) {
		err_set(&refused, ERR_NOTFOUND, "zone %s is not held",
			command->name[0] == '\0' ? command->request->zone : zone_name_plain(command->name, plain));
		core_stage(core, engine_message_reply(command->request, &refused));
		return ERR_OK;
	}
	if (ret != ERR_OK)
		return ret;
	/* One that is clean is compared: the operator has a reason to ask. */
	ret = ask_all(core, row.id, row.generation, DELIVERY_CHECK, row.generation, err);
	reply = engine_message_reply(command->request, NULL);
	reply->affected = core->lane_count;
	core_stage(core, reply);
	store_zone_clear(&row);
	return ret;
}

struct replay {
	struct core *core;
	struct core_lane *lane;
	struct err *err;
	int ret;
	uint64_t count;
	size_t seen;
	int64_t after;
};

static bool replay_row(void *ctx, int64_t zone_id, UNUSED const char *zone_name, const struct delivery *delivery)
{
	struct replay *replay = ctx;

	replay->after = zone_id;
	replay->seen++;
	replay->count++;
	/* What is due anyway need not be written: there may be a hundred thousand of them. */
	if (delivery->state == DELIVERY_DUE && delivery->next_try_us <= core_now_us(replay->core))
		return true;
	replay->ret = core_move_asked(replay->core, replay->lane, zone_id, delivery->wanted, DELIVERY_REPLAY,
		delivery->wanted, replay->err);
	return replay->ret == ERR_OK;
}

static int retry_lane(struct core *core, struct core_lane *lane, uint64_t *count, struct err *err)
{
	struct replay replay = { .core = core, .lane = lane, .err = err };
	int ret;

	do {
		replay.seen = 0;
		ret = store_pending_list(core->store, lane->backend_id, replay.after, 1000, replay_row, &replay, err);
		if (ret == ERR_OK)
			ret = replay.ret;
	} while (ret == ERR_OK && replay.seen == 1000);
	*count += replay.count;
	if (lane->health.state == LANE_DOWN)
		lane->health.next_probe_us = core_now_us(core);
	return ret;
}

static int retry(struct core *core, struct core_command *command, struct err *err)
{
	uint64_t count = 0;

	if (command->request->zone != NULL)
		return retry_one(core, command, err);
	for (size_t i = 0; i < core->lane_count; i++) {
		int ret = retry_lane(core, &core->lanes[i], &count, err);

		if (ret != ERR_OK)
			return ret;
	}
	struct engine_message *reply = engine_message_reply(command->request, NULL);
	reply->affected = count;
	core_stage(core, reply);
	return ERR_OK;
}

int core_carry_out(struct core *core, struct core_command *command, struct err *err)
{
	if (!core_may_act(core, command))
		return ERR_OK;
	switch (command->request->op) {
	case ENGINE_PUSH:
		return push(core, command, err);
	case ENGINE_DELETE:
		return delete (core, command, err);
	case ENGINE_RETRY:
		return retry(core, command, err);
	case ENGINE_PAUSE:
	case ENGINE_RESUME:
		core_order(core, command);
		return ERR_OK;
	case ENGINE_HEAL:
		core_heal_order(core, command);
		return ERR_OK;
	default:
		WRONG("a query among the commands");
	}
}
