/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a pass asks of the engine and tells it, a bounded number of zones at a time so that no push waits for it. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "sync/internal.h"

enum { PAGE = 1000, CHUNK = 200 };

/* The reply is the caller's. False: there is none, or it is an error of the engine's own. */
static bool ask(struct sync *sync, struct engine_request *request, struct engine_message **out)
{
	if (engine_ask(sync->engine, request, out) != ERR_OK)
		return false;
	if ((*out)->err.code == ERR_OK)
		return true;
	log_warn("a pass over the masters can't go on", LOG_ERR(&(*out)->err));
	engine_message_destroy(*out);
	return false;
}

static bool tell(struct sync *sync, struct engine_request *request)
{
	struct engine_message *reply;

	if (!ask(sync, request, &reply))
		return false;
	engine_message_destroy(reply);
	return true;
}

static struct engine_request *request_about(const struct sync *sync, enum engine_op op, const struct master *master)
{
	struct engine_request *request = engine_request_create(op, 0);

	request->hostname = xstrdup(master->identity);
	request->source = xstrdup(master->conf->hostname);
	request->dry_run = sync->pass.dry_run;
	return request;
}

void steps_tell_asked(struct sync *sync, const struct engine_request *order)
{
	struct engine_request *request = engine_request_create(ENGINE_MASTER_ASKED, 0);

	request->actor = xstrdup(order->actor);
	request->source = xstrdup(order->source);
	request->dry_run = order->dry_run;
	/* The pass goes on if that can't be written: what it finds can't be either, and is told. */
	if (!tell(sync, request))
		log_warn("that a pass was asked for is not recorded", LOG_STR("actor", order->actor));
}

/* ---- what is held ---- */

static int owner_of(const struct sync *sync, const char *hostname)
{
	size_t size = strlen(hostname);

	if (size > 0 && hostname[size - 1] == '.')
		size--;
	if (size == 0)
		return MIRROR_NOBODY;
	for (size_t i = 0; i < sync->params.master_count; i++) {
		if (strlen(sync->masters[i].identity) == size && strncasecmp(sync->masters[i].identity, hostname, size) == 0)
			return (int)i;
	}
	return MIRROR_OTHER;
}

static void take_zone(struct sync *sync, const struct doc *entry)
{
	struct mirror_zone zone = {
		.generation = doc_get(entry, "generation")->value.count,
		.updated_at_us = doc_get(entry, "updated_at")->value.number,
		.serial = (uint32_t)doc_get(entry, "serial")->value.count,
		.deleted = doc_get(entry, "deleted")->value.boolean,
		.owner = owner_of(sync, doc_get(entry, "hostname")->value.text),
	};

	mirror_add(&sync->pass.mirror, doc_get(entry, "name")->value.text, &zone);
	sync->pass.held_zones += zone.deleted ? 0 : 1;
	if (!zone.deleted && zone.owner >= 0)
		sync->masters[zone.owner].found.owned++;
}

bool steps_load(struct sync *sync)
{
	int64_t after = 0;

	do {
		struct engine_request *request = engine_request_create(ENGINE_HOLDINGS, 0);
		struct engine_message *reply;

		request->number = after;
		request->limit = PAGE;
		if (!ask(sync, request, &reply))
			return false;
		for (const struct doc *entry = doc_get(reply->doc, "zones")->children; entry != NULL; entry = entry->next)
			take_zone(sync, entry);
		after = doc_get(reply->doc, "next")->value.number;
		engine_message_destroy(reply);
	} while (after != 0 && sync_tick(sync));
	return after == 0;
}

/* ---- what was found out ---- */

bool steps_tell_list(struct sync *sync, struct master *master)
{
	struct engine_request *request = request_about(sync, ENGINE_MASTER_LIST, master);
	struct engine_message *reply;

	request->number = (int64_t)master->found.zones;
	request->limit = master->found.ignored;
	if (master->state == MASTER_UNKNOWN)
		request->text = xstrdup(master->err.text);
	if (!ask(sync, request, &reply))
		return false;
	master->since_us = doc_get(reply->doc, "since")->value.number;
	master->complete_at_us = doc_get(reply->doc, "complete_at")->value.number;
	engine_message_destroy(reply);
	return true;
}

static void add_zone(struct engine_request *request, const char *name, const struct mirror_zone *zone)
{
	if (request->names == NULL) {
		request->names = xcalloc(CHUNK, sizeof(*request->names));
		request->seen = xcalloc(CHUNK, sizeof(*request->seen));
	}
	request->names[request->name_count] = xstrdup(name);
	request->seen[request->name_count++] = (struct engine_seen){ .generation = zone->generation,
		.updated_at_us = zone->updated_at_us };
}

static bool is_about(const struct sync *sync, const struct mirror_zone *zone, const struct master *master,
	enum mirror_verdict verdict)
{
	int whose = verdict == MIRROR_MOVED ? zone->claimant : zone->owner;

	return zone->verdict == verdict && whose == (int)(master - sync->masters);
}

bool steps_tell_zones(struct sync *sync, struct master *master, enum engine_op op, enum mirror_verdict verdict)
{
	const struct mirror *mirror = &sync->pass.mirror;
	struct engine_request *request = request_about(sync, op, master);

	for (size_t i = 0; i < mirror->count; i++) {
		if (!is_about(sync, &mirror->zones[i], master, verdict))
			continue;
		add_zone(request, mirror_name(mirror, &mirror->zones[i]), &mirror->zones[i]);
		if (request->name_count < CHUNK)
			continue;
		if (!tell(sync, request) || !sync_tick(sync))
			return false;
		request = request_about(sync, op, master);
	}
	return tell(sync, request);
}

/* Once for each zone, until it is not contested any more. */
bool steps_tell_contested(struct sync *sync)
{
	const struct mirror *mirror = &sync->pass.mirror;

	for (size_t i = 0; i < mirror->count; i++) {
		const struct mirror_zone *zone = &mirror->zones[i];
		const char *name = mirror_name(mirror, zone);
		uint32_t told = strmap_find(&sync->contested, name, strlen(name));
		bool contested = zone->verdict == MIRROR_CONTESTED;

		if (!contested && told != 0)
			strmap_remove(&sync->contested, told);
		if (!contested || told != 0)
			continue;
		struct engine_request *request = engine_request_create(ENGINE_MASTER_CONTESTED, 0);
		request->dry_run = sync->pass.dry_run;
		add_zone(request, name, zone);
		if (!tell(sync, request) || !sync_tick(sync))
			return false;
		strmap_add(&sync->contested, name, strlen(name), 1);
	}
	return true;
}

bool steps_judge(struct sync *sync, struct master *master, bool decide)
{
	struct engine_request *request = request_about(sync, ENGINE_MASTER_JUDGE, master);
	struct engine_message *reply;

	request->orphans = sync->params.orphans;
	request->orphans.decide = decide;
	request->number = (int64_t)master->found.owned;
	if (!ask(sync, request, &reply))
		return false;
	master->found.missing = doc_get(reply->doc, "missing")->value.count;
	master->found.deleting = doc_get(reply->doc, "deleting")->value.count;
	master->found.held = doc_get(reply->doc, "held")->value.count;
	master->found.held_id = doc_get(reply->doc, "held_id")->value.number;
	engine_message_destroy(reply);
	return true;
}

/* ---- texts ---- */

bool steps_pull(struct sync *sync, const struct master *master, const char *zone, const struct mirror_zone *seen,
	struct buf *text, bool *stored, struct err *reply)
{
	struct engine_request *request = request_about(sync, ENGINE_PULL, master);
	struct engine_message *message;

	request->zone = xstrdup(zone);
	request->seen = xcalloc(1, sizeof(*request->seen));
	if (seen != NULL)
		*request->seen = (struct engine_seen){ .generation = seen->generation, .updated_at_us = seen->updated_at_us };
	request->text_size = text->size;
	request->text = buf_take(text);
	if (engine_ask(sync->engine, request, &message) != ERR_OK)
		return false;
	*reply = message->err;
	*stored = message->affected > 0;
	engine_message_destroy(message);
	return true;
}
