/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What name servers are to be asked, and what they said. Reader thread; a read-only handle. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "engine/changed.h"
#include "engine/reader.h"
#include "store/history.h"
#include "store/receipt.h"

/* False: none of that name is configured. */
static bool find_backend(struct engine *engine, const char *name, int64_t *id)
{
	struct core_board board;
	size_t at = 0;

	reader_board(engine, &board);
	while (at < board.lane_count && strcmp(board.lanes[at].name, name) != 0)
		at++;
	*id = at < board.lane_count ? board.lanes[at].backend_id : 0;
	return at < board.lane_count;
}

/* ---- what is to be answered ---- */


struct before {
	uint64_t version; /* the newest but one; 0: there is none */
};

static bool find_before(void *ctx, const struct store_text_version *version)
{
	struct before *before = ctx;

	if (version->current)
		return true;
	before->version = version->version;
	return false;
}

/* The content before the present one; NULL: there is none, or it is not kept. */
static struct zone *content_before(struct engine *engine, const struct store_zone *row)
{
	struct before before = { .version = 0 };
	struct zone *zone = NULL;
	char *text = NULL;
	size_t size;

	if (store_history_list(engine->reader, row, 0, 2, find_before, &before, NULL) == ERR_OK && before.version != 0 &&
		store_history_text(engine->reader, row, before.version, &text, &size, NULL) == ERR_OK &&
		zone_parse(row->name, text, size, 0, &zone, NULL) != ERR_OK)
		zone = NULL;
	free(text);
	return zone;
}

static void add_changed(struct doc *entry, const char *zone_name, const struct changed *changed)
{
	struct doc *data;
	char *name = strcmp(changed->owner, "@") == 0 ? xstrdup(zone_name) : xasprintf("%s.%s", changed->owner, zone_name);

	doc_text(entry, "name", name);
	doc_text(entry, "type", changed->type);
	doc_uint(entry, "type_code", changed->type_code);
	data = doc_list(entry, "data");
	for (size_t i = 0; i < changed->count; i++)
		doc_text(data, NULL, changed->records[i].data);
	free(name);
}

/* Which name tells the present content from the one before. */
static void add_question(struct engine *engine, struct doc *entry, const struct store_zone *row)
{
	struct zone *now, *before;
	struct changed changed;

	if (reader_zone(engine, row->id, row->name, &now, NULL) != ERR_OK)
		return;
	before = content_before(engine, row);
	/* Under the same serial it tells nothing. */
	doc_bool(entry, "raised", before == NULL || zone_serial(before) != zone_serial(now));
	if (changed_pick(before, now, &changed))
		add_changed(entry, row->name, &changed);
	zone_unref(before);
	zone_unref(now);
}

struct unanswered {
	struct engine *engine;
	struct doc *list;
	int64_t last;
	struct err *err;
	int ret;
};

static bool list_unanswered(void *ctx, const struct store_receipt *receipt)
{
	struct unanswered *list = ctx;
	struct store_zone row = { 0 };

	list->last = receipt->number;
	int ret = store_zone_get(list->engine->reader, receipt->zone_id, &row, list->err);
	if (ret != ERR_OK) {
		log_error("a stored zone can't be verified", LOG_ERR(list->err));
		return true;
	}
	struct doc *entry = doc_object(list->list, NULL);
	doc_int(entry, "number", receipt->number);
	doc_int(entry, "zone_id", receipt->zone_id);
	doc_text(entry, "zone", row.name);
	doc_uint(entry, "generation", receipt->generation);
	doc_bool(entry, "deleted", receipt->deleted);
	doc_uint(entry, "serial", receipt->serial);
	doc_int(entry, "since", receipt->since_us);
	doc_bool(entry, "told", receipt->late);
	doc_bool(entry, "still", receipt->still);
	/* Once there is newer content, the serial of what was written is all that is still known of it. */
	if (!receipt->deleted && row.generation == receipt->generation)
		add_question(list->engine, entry, &row);
	store_zone_clear(&row);
	return true;
}

int reader_list_unanswered(struct engine *engine, const struct engine_request *request, struct engine_message *message,
	struct err *err)
{
	struct err ignored = { 0 };
	struct unanswered list = { .engine = engine, .last = request->number, .err = &ignored };
	int64_t backend_id;
	int ret = ERR_OK;

	message->doc = doc_create();
	list.list = doc_list(message->doc, "written");
	/* While the configuration changes, who asks may not know yet what is gone: there is nothing. */
	if (find_backend(engine, request->backend, &backend_id))
		ret = store_receipt_list(engine->reader, backend_id, request->number, reader_limit(request), list_unanswered, &list,
			err);
	doc_int(message->doc, "next", list.last);
	return ret;
}

/* ---- samples ---- */

struct samples {
	struct doc *list;
	int64_t last;
	size_t count;
};

static void list_sample(void *ctx, const struct store_sample *sample)
{
	struct samples *samples = ctx;
	struct doc *entry = doc_object(samples->list, NULL);

	samples->last = sample->zone_id;
	samples->count++;
	doc_int(entry, "zone_id", sample->zone_id);
	doc_text(entry, "zone", sample->name);
	doc_uint(entry, "generation", sample->generation);
	doc_uint(entry, "serial", sample->serial);
	doc_bool(entry, "answered", sample->answered);
	doc_bool(entry, "open", sample->open);
}

int reader_list_sample(struct engine *engine, const struct engine_request *request, struct engine_message *message,
	struct err *err)
{
	struct samples samples = { .last = 0 };
	size_t limit = reader_limit(request);
	uint64_t zones = 0;
	int64_t backend_id;

	if (!find_backend(engine, request->backend, &backend_id))
		return err_set(err, ERR_NOTFOUND, "there is no back end %s", request->backend);
	message->doc = doc_create();
	samples.list = doc_list(message->doc, "zones");
	int ret = store_zone_count(engine->reader, &zones, err);
	if (ret == ERR_OK)
		ret = store_receipt_sample(engine->reader, backend_id, request->number, limit, list_sample, &samples, err);
	doc_uint(message->doc, "total", zones);
	doc_int(message->doc, "next", samples.count == limit ? samples.last : 0);
	return ret;
}

/* ---- what they said ---- */

static void add_said(void *ctx, const struct store_answer *answer)
{
	struct engine_receipt *receipt = ctx;

	receipt->said = xrealloc(receipt->said, (receipt->said_count + 1) * sizeof(*receipt->said));
	receipt->said[receipt->said_count++] = (struct engine_said){ .server = xstrdup(answer->server),
		.generation = answer->generation, .asked_at_us = answer->asked_at_us, .answered_at_us = answer->answered_at_us,
		.has_serial = answer->has_serial, .serial = answer->serial, .authoritative = answer->authoritative,
		.error = xstrdup(answer->error) };
}

int reader_add_receipt(struct engine *engine, const struct core_board_lane *lane, int64_t zone_id, struct engine_receipt *out,
	struct err *err)
{
	struct store_receipt receipt;

	if (!lane->verified)
		return ERR_OK;
	int ret = store_receipt_load(engine->reader, zone_id, lane->backend_id, &receipt, err);
	if (ret != ERR_OK)
		return ret == ERR_NOTFOUND ? ERR_OK : ret;
	out->generation = receipt.generation;
	out->written_at_us = receipt.written_at_us;
	out->answered_at_us = receipt.answered_at_us;
	out->unanswered_since_us = receipt.answered_at_us == 0 ? receipt.since_us : 0;
	ret = store_answer_list(engine->reader, zone_id, lane->backend_id, add_said, out, err);
	out->state = receipt.answered_at_us != 0 ? "answered" :
		     !receipt.late		 ? "waiting" :
		     receipt.still		 ? "still_answers" :
						   "unanswered";
	return ret;
}

int reader_count_receipts(struct engine *engine, const struct core_board_lane *lane, struct engine_lane *out, struct err *err)
{
	struct store_receipt_counts counts;

	out->verified = lane->verified;
	if (!out->verified)
		return ERR_OK;
	int ret = store_receipt_counts(engine->reader, lane->backend_id, &counts, err);
	if (ret != ERR_OK)
		return ret;
	out->waiting = counts.waiting;
	out->unanswered = counts.unanswered;
	out->still_answers = counts.still;
	out->canary = lane->canary;
	out->canary_answered_at_us = lane->canary_answered_us;
	if (counts.oldest_since_us != 0)
		out->oldest_unanswered_us = clock_wall_us(engine->params.clock) - counts.oldest_since_us;
	if (out->oldest_unanswered_us < 0)
		out->oldest_unanswered_us = 0;
	return ERR_OK;
}
