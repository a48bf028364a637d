/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the store still knows of back ends that are not configured any more. */
#include <stdlib.h>
#include <string.h>

#include "engine/reader.h"
#include "store/retire.h"

struct strangers {
	struct core_board board;
	struct doc *list;
	const char *name; /* looked for; NULL: all */
	int64_t id;
	bool configured;
};

static void look_at(void *ctx, int64_t id, const char *name)
{
	struct strangers *strangers = ctx;
	bool configured = false;

	for (size_t i = 0; i < strangers->board.lane_count; i++)
		configured = configured || strangers->board.lanes[i].backend_id == id;
	if (strangers->list != NULL && !configured)
		doc_text(strangers->list, NULL, name);
	if (strangers->name != NULL && strcmp(name, strangers->name) == 0) {
		strangers->id = id;
		strangers->configured = configured;
	}
}

int reader_add_strangers(struct engine *engine, struct doc *doc, struct err *err)
{
	struct strangers strangers = { .list = doc_list(doc, "unconfigured") };

	reader_board(engine, &strangers.board);
	return store_backend_list(engine->reader, look_at, &strangers, err);
}

int reader_show_stranger(struct engine *engine, const struct engine_request *request, struct engine_message *message,
	struct err *err)
{
	struct strangers strangers = { .name = request->backend == NULL ? "" : request->backend };
	struct store_counts counts;
	uint64_t rows = 0;

	reader_board(engine, &strangers.board);
	int ret = store_backend_list(engine->reader, look_at, &strangers, err);
	if (ret == ERR_OK && strangers.id == 0)
		ret = err_set(err, ERR_NOTFOUND, "the store knows no back end %.200s", strangers.name);
	if (ret == ERR_OK)
		ret = store_backend_rows(engine->reader, strangers.id, &rows, err);
	if (ret == ERR_OK)
		ret = store_backend_counts(engine->reader, strangers.id, &counts, err);
	if (ret != ERR_OK)
		return ret;
	message->doc = doc_create();
	doc_text(message->doc, "backend", strangers.name);
	doc_bool(message->doc, "configured", strangers.configured);
	doc_uint(message->doc, "deliveries", rows);
	doc_uint(message->doc, "pending", counts.pending);
	doc_uint(message->doc, "dead", counts.dead + counts.rejected);
	doc_uint(message->doc, "parked", counts.parked);
	return ERR_OK;
}
