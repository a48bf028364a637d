/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is held for an operator's word, and what it would change. */
#include <string.h>

#include "engine/reader.h"
#include "store/held.h"

struct held_list {
	struct doc *items;
	size_t count;
	size_t limit;
	int64_t last;
	bool more;
};

static void add_held(struct doc *item, const struct store_held *held)
{
	bool push = strcmp(held->kind, "push") == 0;

	doc_int(item, "id", held->id);
	doc_text(item, "kind", held->kind);
	doc_name(item, "zone", push ? held->subject : NULL);
	doc_text(item, "subject", push ? NULL : held->subject);
	doc_time(item, "at", held->at_us);
	doc_text(item, "reason", held->reason);
	doc_text(item, "origin", held->origin);
	doc_text(item, "source", held->source);
	doc_text(item, "actor", held->actor);
	doc_text(item, "hostname", held->hostname);
	doc_text(item, "username", held->username);
	doc_bool(item, "approved", held->approved);
}

static bool list_held(void *ctx, const struct store_held *held)
{
	struct held_list *list = ctx;

	list->more = list->count == list->limit;
	if (list->more)
		return false;
	list->count++;
	list->last = held->id;
	add_held(doc_object(list->items, NULL), held);
	return true;
}

int reader_list_held(struct engine *engine, const struct engine_request *request, struct engine_message *message,
	struct err *err)
{
	struct held_list list = { .limit = reader_limit(request) };

	message->doc = doc_create();
	list.items = doc_list(message->doc, "held");
	int ret = store_held_list(engine->reader, request->number, list.limit + 1, list_held, &list, err);
	if (list.more)
		doc_int(message->doc, "next", list.last);
	else
		doc_null(message->doc, "next");
	return ret;
}

/* What it would change in the zone as it is now. */
static int add_change(struct engine *engine, struct doc *doc, const struct store_held *held, struct err *err)
{
	struct zone *now = NULL, *then;
	struct store_zone row = { 0 };
	int ret = zone_parse(held->subject, held->text, held->text_size, 0, &then, err);

	if (ret != ERR_OK)
		return ret;
	ret = store_zone_find(engine->reader, held->subject, &row, err);
	if (ret == ERR_OK && !row.deleted)
		ret = reader_zone(engine, row.id, row.name, &now, err);
	if (ret == ERR_OK || ret == ERR_NOTFOUND || ret == ERR_CORRUPT) {
		reader_add_diff(doc, now, then);
		ret = ERR_OK;
	}
	zone_unref(now);
	zone_unref(then);
	store_zone_clear(&row);
	return ret;
}

struct held_set {
	struct engine *engine;
	struct doc *zones;
	struct err *err;
	int ret;
};

static bool list_zone(void *ctx, int64_t zone_id, uint64_t generation)
{
	struct held_set *set = ctx;
	struct store_zone row = { 0 };

	set->ret = store_zone_get(set->engine->reader, zone_id, &row, set->err);
	if (set->ret != ERR_OK)
		return false;
	struct doc *item = doc_object(set->zones, NULL);
	doc_name(item, "name", row.name);
	doc_text(item, "hostname", row.hostname);
	/* Only what is as it was then is touched when the set is approved. */
	doc_bool(item, "unchanged", row.generation == generation);
	store_zone_clear(&row);
	return true;
}

static int add_set(struct engine *engine, struct doc *doc, const struct store_held *held, struct err *err)
{
	struct held_set set = { .engine = engine, .zones = doc_list(doc, "zones"), .err = err };
	int ret = store_held_zones(engine->reader, held->id, 0, SIZE_MAX, list_zone, &set, err);

	return ret == ERR_OK ? set.ret : ret;
}

int reader_show_held(struct engine *engine, const struct engine_request *request, struct engine_message *message,
	struct err *err)
{
	struct store_held held;
	int ret = store_held_get(engine->reader, request->number, &held, err);

	if (ret != ERR_OK)
		return ret;
	message->doc = doc_create();
	add_held(message->doc, &held);
	if (strcmp(held.kind, "push") == 0 && held.text != NULL) {
		doc_bytes(message->doc, "text", held.text, held.text_size);
		ret = add_change(engine, message->doc, &held, err);
	} else {
		ret = add_set(engine, message->doc, &held, err);
	}
	store_held_clear(&held);
	return ret;
}
