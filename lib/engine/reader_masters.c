/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lists for and about the comparison with the masters. Reader thread; a read-only handle. */
#include "engine/reader.h"

#include "base/log.h"
#include "store/masters.h"
#include "store/override.h"

/* ---- what sync compares with ---- */

struct holdings {
	struct store *store;
	struct doc *list;
	int ret;
	struct err *err;
};

static void add_holding(struct holdings *holdings, const struct store_zone *zone)
{
	struct doc *entry = doc_object(holdings->list, NULL);
	struct store_override override;
	int ret = store_override_get(holdings->store, zone->id, &override, holdings->err);

	if (ret != ERR_OK && ret != ERR_NOTFOUND)
		holdings->ret = ret;
	doc_text(entry, "name", zone->name);
	doc_text(entry, "hostname", zone->hostname);
	doc_uint(entry, "generation", zone->generation);
	doc_int(entry, "updated_at", zone->updated_at_us);
	doc_uint(entry, "serial", ret == ERR_OK ? override.master_serial : zone->serial);
	doc_bool(entry, "deleted", zone->deleted);
}

static void take_holding(void *ctx, const struct store_zone *zone, const struct err *damage)
{
	struct holdings *holdings = ctx;

	if (damage != NULL)
		log_error("a stored zone is damaged", LOG_ERR(damage));
	else if (holdings->ret == ERR_OK)
		add_holding(holdings, zone);
}

int reader_list_holdings(struct engine *engine, const struct engine_request *request, struct engine_message *message,
	struct err *err)
{
	struct holdings holdings = { .store = engine->reader, .err = err };
	int64_t after = request->number;

	message->doc = doc_create();
	holdings.list = doc_list(message->doc, "zones");
	int ret = store_zone_walk(engine->reader, &after, reader_limit(request), take_holding, &holdings, err);
	doc_int(message->doc, "next", after == INT64_MAX ? 0 : after);
	return ret == ERR_OK ? holdings.ret : ret;
}

/* ---- orphans, for people ---- */

struct orphans {
	struct doc *list;
	size_t left;
	int64_t last;
	bool more;
};

static bool take_orphan(void *ctx, const struct store_missing *missing)
{
	struct orphans *orphans = ctx;

	orphans->more = orphans->left == 0;
	if (orphans->more)
		return false;
	orphans->left--;
	orphans->last = missing->zone_id;
	struct doc *entry = doc_object(orphans->list, NULL);
	doc_name(entry, "zone", missing->name);
	doc_text(entry, "master", missing->master);
	doc_time(entry, "first_missing_at", missing->first_at_us);
	doc_uint(entry, "passes", missing->passes);
	doc_uint(entry, "generation", missing->generation);
	doc_bool(entry, "deleting", missing->condemned);
	return true;
}

int reader_list_orphans(struct engine *engine, const struct engine_request *request, struct engine_message *message,
	struct err *err)
{
	struct orphans orphans = { .left = reader_limit(request) };

	message->doc = doc_create();
	orphans.list = doc_list(message->doc, "orphans");
	int ret = store_missing_list(engine->reader, NULL, request->number, orphans.left + 1, take_orphan, &orphans, err);
	if (orphans.more)
		doc_int(message->doc, "next", orphans.last);
	else
		doc_null(message->doc, "next");
	return ret;
}
