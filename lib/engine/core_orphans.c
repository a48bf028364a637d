/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Zones that their master does not list any more: what becomes of them after a
 * pass, and their end. A zone is condemned first, by the pass or by an
 * operator's approval, and deleted in a later turn, a few at a time so that no
 * push waits, and only if everything that condemned it is still true.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "engine/core_internal.h"
#include "engine/message.h"
#include "engine/orphan.h"
#include "store/held.h"
#include "store/masters.h"

enum { CHUNK = 32 };

static const int64_t second_us = 1000000;

/* ---- after a pass ---- */

struct absent {
	const struct engine_orphan_policy *policy;
	int64_t pass;
	int64_t wall_us;
	struct store_missing *rows;     /* missing in this pass, the ripe ones first */
	size_t count;
	size_t ripe;
	struct store_missing *back;     /* listed again */
	size_t back_count;
};

static void push_row(struct store_missing **rows, size_t *count, const struct store_missing *row)
{
	if ((*count & (*count - 1)) == 0)
		*rows = xrealloc(*rows, (*count == 0 ? 1 : *count * 2) * sizeof(**rows));
	(*rows)[(*count)++] = *row;
}

static bool gather(void *ctx, const struct store_missing *row)
{
	struct orphan_record record = { .first_at_us = row->first_at_us, .passes = row->passes };
	struct absent *absent = ctx;

	if (row->last_pass != absent->pass) {
		push_row(&absent->back, &absent->back_count, row);
		return true;
	}
	push_row(&absent->rows, &absent->count, row);
	if (orphan_is_ripe(absent->policy, &record, absent->wall_us)) {
		struct store_missing unripe = absent->rows[absent->ripe];

		absent->rows[absent->ripe++] = absent->rows[absent->count - 1];
		absent->rows[absent->count - 1] = unripe;
	}
	return true;
}

static int clear_back(struct core *core, const struct engine_request *request, const struct absent *absent, struct err *err)
{
	char plain[ZONE_NAME_SIZE];
	int ret = ERR_OK;

	for (size_t i = 0; ret == ERR_OK && i < absent->back_count; i++) {
		if (core->orphan_events.back++ < CORE_ORPHANS_TOLD)
			core_note(core, "orphan_back", zone_name_plain(absent->back[i].name, plain), NULL, request->source,
				"%s lists it again, or it changed, or it is gone", request->hostname);
		ret = store_missing_drop(core->store, absent->back[i].zone_id, err);
	}
	return ret;
}

/* The rest is not told one by one. */
static void note_more(struct core *core, const struct engine_request *request)
{
	const struct orphan_events *events = &core->orphan_events;

	if (events->missing > CORE_ORPHANS_TOLD)
		core_note(core, "orphan", NULL, NULL, request->source, "%s owns %" PRIu64 " more and does not list them any more",
			request->hostname, events->missing - CORE_ORPHANS_TOLD);
	if (events->back > CORE_ORPHANS_TOLD)
		core_note(core, "orphan_back", NULL, NULL, request->source,
			"%s lists %" PRIu64 " more again, or they changed, or they are gone", request->hostname,
			events->back - CORE_ORPHANS_TOLD);
	core->orphan_events = (struct orphan_events){ 0 };
}

static int condemn(struct core *core, struct store_missing *row, struct err *err)
{
	row->condemned = true;
	core->condemned_us = 0;
	return store_missing_save(core->store, row, err);
}

static int drop_held(struct core *core, const char *identity, const char *source, struct err *err)
{
	int64_t id;
	int ret = store_held_find(core->store, "deletes", identity, &id, err);

	if (ret != ERR_OK)
		return ret == ERR_NOTFOUND ? ERR_OK : ret;
	core_note(core, "held_replaced", NULL, NULL, source,
		"what was held as %" PRId64 " is dropped: %s lacks other zones now, or none, or it is damaged", id, identity);
	return store_held_drop(core->store, id, err);
}

struct matching {
	const struct absent *absent;
	size_t at;
	size_t found;
};

static int by_id(const void *a, const void *b)
{
	int64_t left = ((const struct store_missing *)a)->zone_id;
	int64_t right = ((const struct store_missing *)b)->zone_id;

	return left < right ? -1 : left > right;
}

/* Both come in the order of their ids. */
static bool match(void *ctx, int64_t zone_id, uint64_t generation)
{
	struct matching *matching = ctx;
	const struct store_missing *rows = matching->absent->rows;

	while (matching->at < matching->absent->ripe && rows[matching->at].zone_id < zone_id)
		matching->at++;
	if (matching->at < matching->absent->ripe && rows[matching->at].zone_id == zone_id)
		matching->found += rows[matching->at].generation == generation;
	return true;
}

/* All that are ripe are in the set that is held: its id, and what the operator saw, still stand. What is damaged nobody could approve. */
static int is_held(struct core *core, const char *identity, const struct absent *absent, int64_t *id, bool *held,
	struct err *err)
{
	struct matching matching = { .absent = absent };
	bool whole = false;
	int ret = store_held_find(core->store, "deletes", identity, id, err);

	*held = false;
	if (ret != ERR_OK)
		return ret == ERR_NOTFOUND ? ERR_OK : ret;
	ret = store_held_check(core->store, *id, &whole, err);
	qsort(absent->rows, absent->ripe, sizeof(*absent->rows), by_id);
	if (ret == ERR_OK)
		ret = store_held_zones(core->store, *id, 0, SIZE_MAX, match, &matching, err);
	*held = whole && matching.found == absent->ripe;
	return ret;
}

static int write_held(struct core *core, const struct engine_request *request, const struct absent *absent, int64_t *id,
	struct err *err)
{
	char plain[ZONE_NAME_SIZE];
	struct buf names = { 0 };
	bool fresh;

	for (size_t i = 0; i < absent->ripe; i++)
		buf_printf(&names, "%s\n", zone_name_plain(absent->rows[i].name, plain));
	char *reason = xasprintf("%s does not list %zu of its %" PRId64 " zones any more, more than %" PRIu64
		" are not deleted unasked", request->hostname, absent->count, request->number,
		orphan_limit(absent->policy, (uint64_t)request->number));
	struct store_held held = { .kind = "deletes", .subject = request->hostname, .at_us = absent->wall_us, .origin = "",
		.source = request->source == NULL ? "" : request->source, .actor = "", .hostname = request->hostname,
		.username = "", .reason = reason, .text = names.data, .text_size = names.size };
	int ret = store_held_put(core->store, &held, &fresh, err);
	for (size_t i = 0; ret == ERR_OK && i < absent->ripe; i++)
		ret = store_held_add_zone(core->store, held.id, absent->rows[i].zone_id, absent->rows[i].generation, err);
	*id = held.id;
	if (ret == ERR_OK)
		core_note(core, "orphans_held", NULL, NULL, request->source, "%zu zones are held as %" PRId64 ": %s",
			absent->ripe, held.id, reason);
	free(reason);
	buf_free(&names);
	return ret;
}

static int hold(struct core *core, const struct engine_request *request, const struct absent *absent, int64_t *id,
	struct err *err)
{
	bool held;
	int ret = is_held(core, request->hostname, absent, id, &held, err);

	if (ret != ERR_OK || held)
		return ret;
	ret = drop_held(core, request->hostname, request->source, err);
	return ret == ERR_OK ? write_held(core, request, absent, id, err) : ret;
}

static int settle(struct core *core, const struct engine_request *request, struct absent *absent, struct doc *doc,
	struct err *err)
{
	enum orphan_verdict verdict = orphan_judge(absent->policy, (uint64_t)request->number, absent->count, absent->ripe);
	int64_t held = 0;
	int ret = ERR_OK;

	if (absent->policy->decide && verdict == ORPHANS_HOLD)
		ret = hold(core, request, absent, &held, err);
	else if (absent->policy->decide)
		ret = drop_held(core, request->hostname, request->source, err);
	for (size_t i = 0; verdict == ORPHANS_DELETE && ret == ERR_OK && i < absent->ripe; i++)
		ret = condemn(core, &absent->rows[i], err);
	doc_uint(doc, "missing", absent->count);
	doc_uint(doc, "ripe", absent->ripe);
	doc_uint(doc, "deleting", verdict == ORPHANS_DELETE ? absent->ripe : 0);
	doc_uint(doc, "held", held != 0 ? absent->ripe : 0);
	doc_int(doc, "held_id", held);
	return ret;
}

int core_master_judge(struct core *core, struct core_command *command, struct err *err)
{
	const struct engine_request *request = command->request;
	struct absent absent = { .policy = &request->orphans, .wall_us = core_wall_us(core) };
	struct engine_message *reply = engine_message_reply(request, NULL);
	struct store_master master;
	int ret = core_master_find(core, request->hostname, &master, err);

	absent.pass = master.pass;
	if (ret == ERR_OK)
		ret = store_missing_list(core->store, master.identity, 0, SIZE_MAX, gather, &absent, err);
	if (ret == ERR_OK)
		ret = clear_back(core, request, &absent, err);
	note_more(core, request);
	master.judged = master.pass;
	if (ret == ERR_OK)
		ret = store_master_save(core->store, &master, err);
	/* What is condemned since an earlier pass has waited for this one. */
	core->condemned_us = 0;
	reply->doc = doc_create();
	if (ret == ERR_OK)
		ret = settle(core, request, &absent, reply->doc, err);
	core_stage(core, reply);
	store_master_clear(&master);
	free(absent.rows);
	free(absent.back);
	return ret;
}

/* ---- an operator's word ---- */

struct approval {
	struct core *core;
	int64_t pass;
	uint64_t count;
	struct err *err;
	int ret;
};

static bool approve_zone(void *ctx, int64_t zone_id, uint64_t generation)
{
	struct approval *approval = ctx;
	struct store_missing missing;
	int ret = store_missing_load(approval->core->store, zone_id, &missing, approval->err);

	if (ret == ERR_OK && missing.generation == generation && missing.last_pass == approval->pass) {
		ret = condemn(approval->core, &missing, approval->err);
		approval->count++;
	}
	approval->ret = ret == ERR_NOTFOUND ? ERR_OK : ret;
	return approval->ret == ERR_OK;
}

/* Only a list since the start, whose missing zones are all counted, says what is still missing; else the set stays held. */
static void judge_approval(const struct core *core, const struct store_master *master, struct err *refused)
{
	if (master->complete_at_us < core->wall_start_us)
		err_set(refused, ERR_BUSY, "%s gave no complete list since the start: have a pass made first, or discard the set",
			master->identity);
	else if (master->judged != master->pass)
		err_set(refused, ERR_BUSY, "a pass over %s is under way: try again when it is over", master->identity);
}

int core_orphans_approve(struct core *core, const struct store_held *held, UNUSED const struct core_cause *cause,
	struct doc *doc, struct err *refused, struct err *err)
{
	struct approval approval = { .core = core, .err = err };
	struct store_master master;
	int ret = core_master_find(core, held->subject, &master, err);

	if (ret != ERR_OK)
		return ret;
	judge_approval(core, &master, refused);
	approval.pass = master.pass;
	store_master_clear(&master);
	if (refused->code != ERR_OK)
		return ERR_OK;
	ret = store_held_zones(core->store, held->id, 0, SIZE_MAX, approve_zone, &approval, err);
	if (ret == ERR_OK)
		ret = approval.ret;
	if (ret == ERR_OK)
		ret = store_held_drop(core->store, held->id, err);
	doc_text(doc, "master", held->subject);
	doc_uint(doc, "zones", approval.count);
	return ret;
}

/* ---- the end ---- */

int core_orphans_reprieve(struct core *core, struct err *err)
{
	size_t count;
	int ret = store_missing_reprieve(core->store, &count, err);

	if (ret == ERR_OK && count > 0)
		log_warn("zones that were to be deleted before the start wait for their masters' next lists",
			LOG_UINT("zones", count));
	return ret;
}

/* Is all that condemned the zone still true? */
static bool still_holds(const struct store_missing *missing, const struct store_zone *row, const struct store_master *master)
{
	return !row->deleted && core_same_host(row->hostname, missing->master) &&
		row->generation == missing->generation && row->updated_at_us == missing->updated_at_us &&
		missing->last_pass == master->pass;
}

static int delete_one(struct core *core, const struct store_missing *missing, struct engine_message *gone, struct err *err)
{
	const struct core_cause cause = { .source = missing->master };
	struct store_zone row = { 0 };
	struct store_master master = { 0 };
	char plain[ZONE_NAME_SIZE];
	int ret = core_master_find(core, missing->master, &master, err);

	if (ret == ERR_OK)
		ret = store_zone_get(core->store, missing->zone_id, &row, err);
	if (ret == ERR_OK && still_holds(missing, &row, &master)) {
		core_note(core, "orphan_deleted", zone_name_plain(row.name, plain), NULL, missing->master,
			"its master %s did not list it in %" PRIu64 " passes", missing->master, missing->passes);
		ret = core_bury(core, &row, &cause, gone, err);
	} else if (ret == ERR_OK || ret == ERR_CORRUPT) {
		core_note(core, "orphan_spared", zone_name_plain(missing->name, plain), NULL, missing->master,
			"it changed since it was missing: it stays");
		ret = ERR_OK;
	}
	store_zone_clear(&row);
	store_master_clear(&master);
	return ret == ERR_OK ? store_missing_drop(core->store, missing->zone_id, err) : ret;
}

static int delete_chunk(struct core *core, size_t *count, struct err *err)
{
	struct engine_message *gone = engine_message_create(ENGINE_NAME_GONE);
	struct store_missing *chunk = xcalloc(CHUNK, sizeof(*chunk));
	int ret = store_begin(core->store, err);

	core_stage(core, gone);
	if (ret == ERR_OK)
		ret = store_missing_condemned(core->store, CHUNK, chunk, count, err);
	for (size_t i = 0; ret == ERR_OK && i < *count; i++)
		ret = delete_one(core, &chunk[i], gone, err);
	if (ret == ERR_OK)
		ret = core_write_events(core, err);
	if (ret == ERR_OK)
		ret = store_commit(core->store, err);
	free(chunk);
	return ret;
}

void core_orphans_go_on(struct core *core)
{
	struct err err;
	size_t count = 0;

	if (!core->store_ok || core->broken || core_now_us(core) < core->condemned_us)
		return;
	if (delete_chunk(core, &count, &err) == ERR_OK) {
		core_tell_staged(core);
		core->condemned_us = count < CHUNK ? INT64_MAX : 0;
	} else {
		store_rollback(core->store);
		core_drop_staged(core);
		log_warn("orphans are not deleted now", LOG_ERR(&err));
		core->condemned_us = core_now_us(core) + second_us;
	}
	core_forget_events(core, 0);
}
