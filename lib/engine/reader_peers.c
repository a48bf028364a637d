/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What peers are told, and which of their zones are worth fetching. In
 * directdnsonly's form a zone is {domain, zone_updated_at, hostname, username}
 * and, asked for alone, zone_data; there are no tombstones, and stamps are UTC
 * without saying so. Our own form adds to it.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "engine/peering.h"
#include "engine/reader.h"

enum {
	OWN_FORM = 2,
	PLAIN_PAGE = 200 /* of a list that is put together from pages: the loop is not long at each */
};

/* ---- one zone ---- */

/* As Python's isoformat() of a naive time in UTC. */
static void add_stamp(struct doc *item, int64_t wall_us)
{
	char text[CLOCK_TEXT_SIZE];

	clock_text(wall_us, text);
	text[strcspn(text, "Z")] = '\0';
	doc_text(item, "zone_updated_at", text);
}

static void add_plain(struct doc *item, const struct store_zone *row)
{
	doc_name(item, "domain", row->name);
	add_stamp(item, row->updated_at_us);
	doc_text(item, "hostname", row->hostname);
	doc_text(item, "username", row->username);
}

static int add_version(struct store *store, struct doc *item, const struct store_zone *row, struct err *err)
{
	struct store_version version;
	struct buf vector = { 0 };
	char digest[ZONE_DIGEST_TEXT_SIZE];
	int ret = store_version_load(store, row, &version, err);

	if (ret != ERR_OK && ret != ERR_CORRUPT)
		return ret;
	if (ret == ERR_CORRUPT)
		log_error("a stored version is damaged", LOG_ERR(err));
	version_print(&version.vector, &vector);
	doc_bool(item, "deleted", row->deleted);
	doc_text(item, "vector", vector.data == NULL ? "" : vector.data);
	doc_text(item, "origin", version.origin);
	doc_text(item, "digest", zone_digest_text(&row->digest, digest));
	doc_uint(item, "records", row->digest.count);
	doc_uint(item, "serial", row->serial);
	doc_uint(item, "generation", row->generation);
	buf_free(&vector);
	return ERR_OK;
}

/* JSON takes no byte that is not UTF-8; a zone says the same with \DDD in its place (RFC 1035 5.1). */
static void add_text(struct doc *item, const char *text, size_t size)
{
	struct buf out = { 0 };
	bool escaped = false; /* by the backslash before */

	for (size_t i = 0; i < size; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (byte >= 0x80)
			buf_printf(&out, escaped ? "%03u" : "\\%03u", byte);
		else
			buf_append(&out, &text[i], 1);
		escaped = byte == '\\' && !escaped;
	}
	doc_bytes(item, "zone_data", out.data == NULL ? "" : out.data, out.size);
	buf_free(&out);
}

static void add_self(struct engine *engine, struct doc *doc)
{
	doc_text(doc, "store_id", engine->store_id);
	doc_int(doc, "now", clock_wall_us(engine->params.clock));
}

static int fill_zone(struct engine *engine, const struct engine_request *request, const struct store_zone *row,
	struct doc *doc, struct err *err)
{
	char *text;
	size_t size;
	int ret = ERR_OK;

	add_plain(doc, row);
	if (!row->deleted) {
		ret = store_zone_text(engine->reader, row->id, &text, &size, err);
		if (ret != ERR_OK)
			return ret;
		add_text(doc, text, size);
		free(text);
	}
	if (request->number != OWN_FORM)
		return ERR_OK;
	add_self(engine, doc);
	return add_version(engine->reader, doc, row, err);
}

static int show_zone(struct engine *engine, const struct engine_request *request, struct engine_message *message,
	struct err *err)
{
	struct store_zone row = { 0 };
	char name[ZONE_NAME_SIZE];

	if (zone_name_parse(request->zone, strlen(request->zone), name, err) != ERR_OK)
		return err_set(err, ERR_NOTFOUND, "not found");
	/* One state for the row, its text and its version. */
	int ret = store_read_begin(engine->reader, err);
	if (ret == ERR_OK)
		ret = store_zone_find(engine->reader, name, &row, err);
	if (ret == ERR_NOTFOUND || (ret == ERR_OK && row.deleted && request->number != OWN_FORM))
		ret = err_set(err, ERR_NOTFOUND, "not found");
	if (ret == ERR_OK) {
		message->doc = doc_create();
		ret = fill_zone(engine, request, &row, message->doc, err);
	}
	store_read_end(engine->reader);
	store_zone_clear(&row);
	return ret;
}

/* ---- the list ---- */

struct peer_list {
	struct engine *engine;
	struct doc *items;
	size_t count;
	size_t limit;
	bool own_form;
	bool more;
	char last[ZONE_NAME_SIZE];
	struct err *err;
	int ret;
};

static bool list_zone(void *ctx, const struct store_zone *row)
{
	struct peer_list *list = ctx;

	list->more = list->count == list->limit;
	if (list->more)
		return false;
	struct doc *item = doc_object(list->items, NULL);
	list->count++;
	memcpy(list->last, row->name, sizeof(list->last));
	add_plain(item, row);
	if (list->own_form)
		list->ret = add_version(list->engine->reader, item, row, list->err);
	return list->ret == ERR_OK;
}

int reader_list_peer_zones(struct engine *engine, const struct engine_request *request, struct engine_message *message,
	struct err *err)
{
	struct peer_list list = { .engine = engine, .limit = reader_limit(request), .own_form = request->number == OWN_FORM,
		.err = err };
	char after[ZONE_NAME_SIZE] = "";

	if (request->zone != NULL)
		return show_zone(engine, request, message, err);
	if (!list.own_form && list.limit > PLAIN_PAGE)
		list.limit = PLAIN_PAGE;
	if (request->after != NULL && zone_name_parse(request->after, strlen(request->after), after, err) != ERR_OK)
		return err->code;
	message->doc = doc_create();
	if (list.own_form)
		add_self(engine, message->doc);
	list.items = doc_list(message->doc, "zones");
	int ret = store_zone_list(engine->reader, after, list.limit + 1, list.own_form, list_zone, &list, err);
	/* A damaged row is left out: a peer takes nothing from what is missing. */
	if (ret == ERR_CORRUPT) {
		log_error("a stored zone is damaged", LOG_ERR(err));
		*err = (struct err){ 0 };
		ret = ERR_OK;
	}
	doc_name(message->doc, "next", list.more ? list.last : NULL);
	return ret == ERR_OK ? list.ret : ret;
}

int reader_list_peer_urls(struct engine *engine, struct engine_message *message)
{
	struct doc *shown = reader_shown(engine);
	const struct doc *sync = shown == NULL ? NULL : doc_get(shown, "peer_sync");
	const struct doc *peers = sync == NULL ? NULL : doc_get(sync, "peers");

	message->doc = doc_create();
	struct doc *urls = doc_list(message->doc, "");
	for (const struct doc *peer = peers == NULL ? NULL : peers->children; peer != NULL; peer = peer->next) {
		const struct doc *url = doc_get(peer, "url"), *learnt = doc_get(peer, "learnt");

		if (url != NULL && (learnt == NULL || !learnt->value.boolean))
			doc_text(urls, NULL, url->value.text);
	}
	doc_destroy(shown);
	return ERR_OK;
}

/* ---- what is worth fetching ---- */

static int step_of(struct engine *engine, const struct engine_peer_zone *zone, int64_t *step, struct err *err)
{
	struct peering_offer offer;
	struct peering_held held;
	int ret = peering_read(zone, &offer, err);

	if (ret != ERR_OK)
		return ret;
	*step = 0;
	ret = peering_find(engine->reader, offer.name, &held, err);
	if (ret == ERR_CORRUPT)
		return ERR_OK;
	if (ret != ERR_OK)
		return ret;
	struct peering_verdict verdict =
		peering_judge(&held, engine->store_id, &offer, clock_wall_us(engine->params.clock));
	if (verdict.step == PEERING_TAKE && !offer.claim.deleted)
		*step = held.row.id == 0 ? 3 : 2;
	else if (verdict.step != PEERING_NOTHING)
		*step = 1;
	peering_clear(&held);
	return ERR_OK;
}

int reader_compare(struct engine *engine, const struct engine_request *request, struct engine_message *message,
	struct err *err)
{
	message->doc = doc_create();
	struct doc *steps = doc_list(message->doc, "steps");
	int ret = store_read_begin(engine->reader, err);

	for (size_t i = 0; ret == ERR_OK && i < request->peer_zone_count; i++) {
		int64_t step;

		ret = step_of(engine, &request->peer_zones[i], &step, err);
		if (ret == ERR_OK)
			doc_int(steps, NULL, step);
	}
	store_read_end(engine->reader);
	return ret;
}
