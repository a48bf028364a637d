/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The versions of a zone, and how two of them differ. */
#include <stdlib.h>
#include <string.h>

#include "engine/reader.h"
#include "store/history.h"
#include "store/override.h"

struct version_list {
	struct doc *items;
	size_t count;
	size_t limit;
	int64_t last;
	bool more;
};

static bool list_version(void *ctx, const struct store_text_version *version)
{
	struct version_list *list = ctx;
	char digest[ZONE_DIGEST_TEXT_SIZE];

	list->more = list->count == list->limit;
	if (list->more)
		return false;
	list->count++;
	list->last = (int64_t)version->version;
	struct doc *item = doc_object(list->items, NULL);
	doc_uint(item, "version", version->version);
	doc_bool(item, "current", version->current);
	doc_time(item, "at", version->at_us);
	doc_text(item, "origin", version->origin);
	doc_text(item, "source", version->source);
	doc_text(item, "actor", version->actor);
	doc_text(item, "hostname", version->hostname);
	doc_text(item, "username", version->username);
	doc_uint(item, "serial", version->serial);
	doc_uint(item, "records", version->digest.count);
	doc_text(item, "digest", zone_digest_text(&version->digest, digest));
	doc_uint(item, "size", version->text_size);
	return true;
}

int reader_find_zone(struct engine *engine, const struct engine_request *request, struct store_zone *out, struct err *err)
{
	const char *asked = request->zone == NULL ? "" : request->zone;
	char name[ZONE_NAME_SIZE];

	*out = (struct store_zone){ 0 };
	if (zone_name_parse(asked, strlen(asked), name, err) != ERR_OK)
		return err_set(err, ERR_NOTFOUND, "no zone has such a name");
	int ret = store_zone_find(engine->reader, name, out, err);
	return ret == ERR_NOTFOUND ? err_set(err, ERR_NOTFOUND, "zone %.255s is not held", asked) : ret;
}

static int add_rollback(struct engine *engine, const struct store_zone *row, struct doc *doc, struct err *err)
{
	struct store_override override;
	int ret = store_override_get(engine->reader, row->id, &override, err);

	if (ret == ERR_OK) {
		struct doc *item = doc_object(doc, "rolled_back");

		doc_time(item, "at", override.at_us);
		doc_uint(item, "master_serial", override.master_serial);
	} else {
		doc_null(doc, "rolled_back");
	}
	return ret == ERR_NOTFOUND ? ERR_OK : ret;
}

int reader_list_history(struct engine *engine, const struct engine_request *request, struct engine_message *message,
	struct err *err)
{
	struct version_list list = { .limit = reader_limit(request) };
	struct store_zone row;
	int ret = reader_find_zone(engine, request, &row, err);

	if (ret != ERR_OK)
		return ret;
	message->doc = doc_create();
	doc_name(message->doc, "zone", row.name);
	doc_bool(message->doc, "deleted", row.deleted);
	ret = add_rollback(engine, &row, message->doc, err);
	list.items = doc_list(message->doc, "versions");
	if (ret == ERR_OK)
		ret = store_history_list(engine->reader, &row, (uint64_t)request->before, list.limit + 1, list_version, &list,
			err);
	if (list.more)
		doc_int(message->doc, "next", list.last);
	else
		doc_null(message->doc, "next");
	store_zone_clear(&row);
	return ret;
}

static int parse_version(struct engine *engine, const struct store_zone *row, int64_t version, struct zone **out,
	struct err *err)
{
	char *text;
	size_t size;
	int ret = version == 0 ? store_zone_text(engine->reader, row->id, &text, &size, err) :
				 store_history_text(engine->reader, row, (uint64_t)version, &text, &size, err);

	if (ret != ERR_OK)
		return ret;
	ret = zone_parse(row->name, text, size, 0, out, err);
	free(text);
	return ret;
}

int reader_show_diff(struct engine *engine, const struct engine_request *request, struct engine_message *message,
	struct err *err)
{
	struct zone *from = NULL, *to = NULL;
	struct store_zone row;
	int ret = reader_find_zone(engine, request, &row, err);

	if (ret == ERR_OK)
		ret = parse_version(engine, &row, request->number, &from, err);
	if (ret == ERR_OK)
		ret = parse_version(engine, &row, request->other, &to, err);
	if (ret == ERR_OK) {
		message->doc = doc_create();
		doc_name(message->doc, "zone", row.name);
		reader_add_diff(message->doc, from, to);
	}
	zone_unref(from);
	zone_unref(to);
	store_zone_clear(&row);
	return ret;
}
