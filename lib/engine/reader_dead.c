/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dead letters, and the content that waits in them. */
#include <stdlib.h>
#include <string.h>

#include "engine/reader.h"
#include "store/dead.h"

struct dead_list {
	struct core_board board;
	struct doc *items;
	size_t count;
	size_t limit;
	int64_t last;      /* zone */
	bool more;
};

static const char *backend_of(const struct dead_list *list, int64_t backend_id)
{
	for (size_t i = 0; i < list->board.lane_count; i++) {
		if (list->board.lanes[i].backend_id == backend_id)
			return list->board.lanes[i].name;
	}
	return NULL;
}

static bool list_dead(void *ctx, const struct store_dead *dead)
{
	struct dead_list *list = ctx;
	const struct delivery *delivery = dead->delivery;
	const char *backend = backend_of(list, dead->backend_id);

	if (backend == NULL)
		return true;
	/* A page ends with a zone, for the next one begins behind it. */
	list->more = list->count >= list->limit && dead->zone_id != list->last;
	if (list->more)
		return false;
	list->count++;
	list->last = dead->zone_id;
	struct doc *item = doc_object(list->items, NULL);
	doc_name(item, "zone", dead->zone);
	doc_text(item, "backend", backend);
	doc_text(item, "state", delivery->state == DELIVERY_PARKED ? "dropped" : delivery_state_name(delivery->state));
	doc_text(item, "error", delivery->last_error);
	doc_uint(item, "attempts", delivery->attempts);
	doc_uint(item, "generation", delivery->wanted);
	doc_time(item, "since", delivery->since_us);
	doc_time(item, "next_try", delivery->state == DELIVERY_PARKED ? 0 : delivery->next_try_us);
	return true;
}

static int find_backend(const struct dead_list *list, const char *name, int64_t *id, struct err *err)
{
	for (size_t i = 0; name != NULL && i < list->board.lane_count; i++) {
		if (strcmp(list->board.lanes[i].name, name) == 0) {
			*id = list->board.lanes[i].backend_id;
			return ERR_OK;
		}
	}
	return name == NULL ? ERR_OK : err_set(err, ERR_NOTFOUND, "there is no back end %.200s", name);
}

int reader_list_dead(struct engine *engine, const struct engine_request *request, struct engine_message *message,
	struct err *err)
{
	struct dead_list list = { .limit = reader_limit(request) };
	struct store_dead_filter filter = { .after = request->number, .dropped = request->all };

	reader_board(engine, &list.board);
	int ret = find_backend(&list, request->backend, &filter.backend_id, err);
	if (ret != ERR_OK)
		return ret;
	message->doc = doc_create();
	list.items = doc_list(message->doc, "dead");
	/* Any number of rows may be of back ends that are not configured any more: list_dead ends it. */
	ret = store_dead_list(engine->reader, &filter, SIZE_MAX, list_dead, &list, err);
	if (list.more)
		doc_int(message->doc, "next", list.last);
	else
		doc_null(message->doc, "next");
	return ret;
}

/* What waits: the newest text, or that the zone is to go. */
static int add_content(struct engine *engine, const struct store_zone *row, struct doc *doc, struct err *err)
{
	char *text;
	size_t size;

	if (row->deleted) {
		doc_null(doc, "text");
		return ERR_OK;
	}
	int ret = store_zone_text(engine->reader, row->id, &text, &size, err);
	if (ret != ERR_OK)
		return ret;
	doc_bytes(doc, "text", text, size);
	free(text);
	return ERR_OK;
}

int reader_show_dead(struct engine *engine, const struct engine_request *request, struct engine_message *message,
	struct err *err)
{
	struct dead_list list = { .limit = SIZE_MAX };
	struct store_dead_filter filter = { .dropped = true };
	struct store_zone row;
	int ret = reader_find_zone(engine, request, &row, err);

	reader_board(engine, &list.board);
	if (ret == ERR_OK)
		ret = find_backend(&list, request->backend, &filter.backend_id, err);
	if (ret != ERR_OK) {
		store_zone_clear(&row);
		return ret;
	}
	filter.zone_id = row.id;
	message->doc = doc_create();
	doc_name(message->doc, "zone", row.name);
	doc_bool(message->doc, "deleted", row.deleted);
	list.items = doc_list(message->doc, "dead");
	ret = store_dead_list(engine->reader, &filter, SIZE_MAX, list_dead, &list, err);
	if (ret == ERR_OK && list.count == 0)
		ret = err_set(err, ERR_NOTFOUND, "zone %.255s has no dead letter", request->zone);
	if (ret == ERR_OK)
		ret = add_content(engine, &row, message->doc, err);
	store_zone_clear(&row);
	return ret;
}
