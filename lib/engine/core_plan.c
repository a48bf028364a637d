/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Plan: what would be written at a back end now, record by record. It asks the
 * way a healing pass does, one page for each request, on an idle connection
 * when nothing is due; also while the back end is paused, for it writes
 * nothing. It changes nothing in the store, so it goes beside the transaction
 * of a turn, and is answered when the lane has.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/core_internal.h"
#include "engine/message.h"

enum { PLAN_ZONES = 200 }; /* of a page */

static const int64_t wait_us = 20000000; /* for a connection; whoever asks waits 30 s */

struct plan {
	struct engine_request *request;
	char zone[ZONE_NAME_SIZE];  /* "": all, a page of them ... */
	char after[ZONE_NAME_SIZE]; /* ... behind this one */
	char last[ZONE_NAME_SIZE];  /* the page ends with it */
	bool more;                  /* and there may be others */
	int64_t deadline_us;
};

static void destroy(struct plan *plan)
{
	engine_request_destroy(plan->request);
	free(plan);
}

/* ---- answers ---- */

static void tell(struct core *core, struct plan *plan, struct doc *doc, const struct err *err)
{
	struct engine_message *reply = engine_message_reply(plan->request, err);

	reply->doc = doc;
	if (plan->request->id != 0)
		core->params.tell(core->params.ctx, reply);
	else
		engine_message_destroy(reply);
	destroy(plan);
}

static struct doc *begin_doc(const struct core_lane *lane)
{
	struct doc *doc = doc_create();

	doc_text(doc, "backend", lane->name);
	doc_text(doc, "state", lane_state_name(&lane->health));
	return doc;
}

static void end_doc(struct doc *doc, uint64_t compared, const char *next, const char *error)
{
	doc_uint(doc, "compared", compared);
	doc_name(doc, "next", next);
	doc_text(doc, "error", error);
}

/* The back end can't be asked: that is an answer too. */
static void tell_unknown(struct core *core, const struct core_lane *lane, struct plan *plan, const char *error)
{
	struct doc *doc = begin_doc(lane);

	doc_list(doc, "zones");
	end_doc(doc, 0, NULL, error);
	tell(core, plan, doc, NULL);
}

static struct plan *take_first(struct core_lane *lane)
{
	struct plan *plan = lane->plans[0];

	lane->plan_count--;
	memmove(lane->plans, lane->plans + 1, lane->plan_count * sizeof(struct plan *));
	return plan;
}

/* ---- requests ---- */

static int check_names(struct core *core, struct plan *plan, struct err *err)
{
	const struct engine_request *request = plan->request;
	struct store_zone row = { 0 };

	if (request->after != NULL && request->after[0] != '\0' &&
		zone_name_parse(request->after, strlen(request->after), plan->after, err) != ERR_OK)
		return err_prefix(err, "after");
	if (request->zone == NULL)
		return ERR_OK;
	int ret = zone_name_parse(request->zone, strlen(request->zone), plan->zone, NULL);
	if (ret == ERR_OK)
		ret = store_zone_find(core->store, plan->zone, &row, err);
	store_zone_clear(&row);
	if (ret == ERR_INVALID || ret == ERR_NOTFOUND)
		return err_set(err, ERR_NOTFOUND, "zone %s is not held", request->zone);
	return ret;
}

static int accept(struct core *core, struct plan *plan, struct err *err)
{
	const char *name = plan->request->backend;
	struct core_lane *lane = name == NULL ? NULL : core_find_lane(core, name);

	if (core->quiesced || core->broken)
		return err_set(err, ERR_CLOSED, "zonefand stops");
	if (name == NULL)
		return err_set(err, ERR_INVALID, "backend is missing: a plan is of one back end");
	if (lane == NULL)
		return core_no_such_lane(core, name, err);
	if (lane->plan_count == CORE_PLANS_MOST)
		return err_set(err, ERR_BUSY, "%s is asked for too many plans", name);
	int ret = check_names(core, plan, err);
	if (ret == ERR_OK)
		lane->plans[lane->plan_count++] = plan;
	return ret;
}

size_t core_plan_take(struct core *core, struct core_command **commands, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		struct core_command *command = commands[i];
		struct plan *plan;
		struct err err;

		if (command->request->op != ENGINE_PLAN) {
			commands[kept++] = command;
			continue;
		}
		plan = xcalloc(1, sizeof(*plan));
		plan->request = command->request;
		plan->deadline_us = core_now_us(core) + wait_us;
		command->request = NULL;
		core_command_destroy(command);
		if (accept(core, plan, &err) != ERR_OK)
			tell(core, plan, NULL, &err);
	}
	return kept;
}

/* ---- a page goes out ---- */

struct filling {
	struct core *core;
	struct plan *plan;
	struct inspect *inspect;
	uint64_t bytes;
	size_t seen;
};

static void add_unknown(struct inspect *inspect, const char *zone, const struct err *err)
{
	struct doc *object = doc_object(inspect->zone_list, NULL);

	doc_name(object, "zone", zone);
	doc_text(object, "change", "unknown");
	doc_text(object, "error", err->text);
}

/* Texts of a page are bounded as those of a job are. */
static bool add_zone(void *ctx, const struct store_zone *zone)
{
	struct filling *filling = ctx;
	struct source *source = NULL;
	struct err err;

	if (filling->inspect->count > 0 && filling->bytes + zone->text_size > CORE_BATCH_BYTES) {
		filling->plan->more = true;
		return false;
	}
	memcpy(filling->plan->last, zone->name, sizeof(filling->plan->last));
	filling->plan->more = ++filling->seen == PLAN_ZONES;
	if (!zone->deleted && core_source(filling->core, zone, &source, &err) != ERR_OK) {
		add_unknown(filling->inspect, zone->name, &err);
		return true;
	}
	filling->bytes += zone->deleted ? 0 : zone->text_size;
	inspect_add(filling->inspect, zone, source);
	return true;
}

static int fill(struct filling *filling, struct err *err)
{
	struct plan *plan = filling->plan;
	struct store_zone row = { 0 };

	if (plan->zone[0] == '\0') {
		int ret = store_zone_list(filling->core->store, plan->after, PLAN_ZONES, true, add_zone, filling, err);

		/* All others were given. */
		if (ret == ERR_CORRUPT)
			add_unknown(filling->inspect, NULL, err);
		return ret == ERR_CORRUPT ? ERR_OK : ret;
	}
	int ret = store_zone_find(filling->core->store, plan->zone, &row, err);
	if (ret == ERR_OK)
		(void)add_zone(filling, &row);
	store_zone_clear(&row);
	plan->more = false;
	return ret;
}

static void send(struct core *core, struct core_lane *lane)
{
	struct filling filling = { .core = core, .plan = take_first(lane),
		.inspect = inspect_create(INSPECT_LIST, store_id(core->store), PLAN_ZONES) };
	struct core_job *job;
	struct err err;

	filling.inspect->list = begin_doc(lane);
	filling.inspect->zone_list = doc_list(filling.inspect->list, "zones");
	if (fill(&filling, &err) != ERR_OK) {
		tell(core, filling.plan, NULL, &err);
		inspect_destroy(filling.inspect);
		return;
	}
	job = xcalloc(1, sizeof(*job));
	job->kind = CORE_JOB_INSPECT;
	job->inspect = filling.inspect;
	lane->plan_out = filling.plan;
	core_send(core, lane, job);
}

/* ---- and comes back ---- */

void core_plan_land(struct core *core, struct core_lane *lane, struct inspect *inspect)
{
	struct plan *plan = lane->plan_out;
	uint64_t compared = 0;
	bool known = inspect->verdict == BACKEND_OK;
	const char *next = plan->more ? plan->last : NULL;

	lane->plan_out = NULL;
	if (!known)
		core_lane_move(core, lane, LANE_LOST, inspect->err.text);
	for (size_t i = 0; i < inspect->done; i++)
		compared += !inspect->zones[i].deleted;
	if (inspect->done > 0 && inspect->done < inspect->count)
		next = inspect->zones[inspect->done - 1].name;
	end_doc(inspect->list, compared, known ? next : NULL, known ? NULL : inspect->err.text);
	tell(core, plan, inspect->list, NULL);
	inspect->list = NULL;
	inspect_destroy(inspect);
}

static bool may_ask(const struct core *core, const struct core_lane *lane)
{
	if (lane->health.state == LANE_PAUSED)
		return lane->pages_out == 0 && core_has_idle_slot(lane);
	return core_may_ask(core, lane);
}

void core_plan_go_on(struct core *core, struct core_lane *lane)
{
	char text[ERR_TEXT_SIZE + 128];

	while (lane->plan_count > 0 && lane->plan_out == NULL) {
		if (lane->health.state == LANE_DOWN) {
			snprintf(text, sizeof(text), "%s is down: %s", lane->name, lane->health.last_error);
			tell_unknown(core, lane, take_first(lane), text);
		} else if (may_ask(core, lane)) {
			send(core, lane);
		} else if (lane->plans[0]->deadline_us <= core_now_us(core)) {
			snprintf(text, sizeof(text), "%s is busy with deliveries, which go first", lane->name);
			tell_unknown(core, lane, take_first(lane), text);
		} else {
			return;
		}
	}
}

int64_t core_plan_wake_us(const struct core_lane *lane)
{
	return lane->plan_count > 0 && lane->plan_out == NULL ? lane->plans[0]->deadline_us : INT64_MAX;
}

void core_plan_close(struct core *core)
{
	struct err err;

	err_set(&err, ERR_CLOSED, "zonefand stops");
	for (size_t i = 0; i < core->lane_count; i++) {
		while (core->lanes[i]->plan_count > 0)
			tell(core, take_first(core->lanes[i]), NULL, &err);
	}
}

void core_plan_send_away(struct core *core, struct core_lane *lane)
{
	while (lane->plan_count > 0)
		tell_unknown(core, lane, take_first(lane), "its settings have just changed: ask again");
}

void core_plan_free(struct core_lane *lane)
{
	while (lane->plan_count > 0)
		destroy(take_first(lane));
	if (lane->plan_out != NULL)
		destroy(lane->plan_out);
}
