/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside the engine: what the reader thread answers (reader*.c). All of it
 * runs on that thread, by its read-only handle, and may block on the disk.
 */
#pragma once

#include "engine/engine_internal.h"

/* How many elements of a list are asked for: 1 to 1,000. */
size_t reader_limit(const struct engine_request *request);
void reader_board(struct engine *engine, struct core_board *out);

/* What other rooms published; NULL: nothing. The caller's. */
struct doc *reader_shown(struct engine *engine);

/* Each fills message->doc; an error is the answer then. */
MUST_CHECK int reader_list_held(struct engine *engine, const struct engine_request *request,
	struct engine_message *message, struct err *err);
MUST_CHECK int reader_show_held(struct engine *engine, const struct engine_request *request,
	struct engine_message *message, struct err *err);

MUST_CHECK int reader_list_peer_zones(struct engine *engine, const struct engine_request *request,
	struct engine_message *message, struct err *err);
MUST_CHECK int reader_list_peer_urls(struct engine *engine, struct engine_message *message);
MUST_CHECK int reader_compare(struct engine *engine, const struct engine_request *request,
	struct engine_message *message, struct err *err);

MUST_CHECK int reader_list_history(struct engine *engine, const struct engine_request *request,
	struct engine_message *message, struct err *err);
MUST_CHECK int reader_show_diff(struct engine *engine, const struct engine_request *request,
	struct engine_message *message, struct err *err);

MUST_CHECK int reader_list_dead(struct engine *engine, const struct engine_request *request,
	struct engine_message *message, struct err *err);
MUST_CHECK int reader_show_dead(struct engine *engine, const struct engine_request *request,
	struct engine_message *message, struct err *err);

int reader_show_backup(struct engine *engine, struct engine_message *message);
MUST_CHECK int reader_show_stranger(struct engine *engine, const struct engine_request *request,
	struct engine_message *message, struct err *err);
/* Under "unconfigured", the names of back ends that the store knows and the configuration does not. */
MUST_CHECK int reader_add_strangers(struct engine *engine, struct doc *doc, struct err *err);

/* The zone that is asked for; ERR_NOTFOUND names it. */
MUST_CHECK int reader_find_zone(struct engine *engine, const struct engine_request *request, struct store_zone *out,
	struct err *err);
MUST_CHECK int reader_list_holdings(struct engine *engine, const struct engine_request *request,
	struct engine_message *message, struct err *err);
/* reader_receipt.c */
MUST_CHECK int reader_list_unanswered(struct engine *engine, const struct engine_request *request,
	struct engine_message *message, struct err *err);
MUST_CHECK int reader_list_sample(struct engine *engine, const struct engine_request *request,
	struct engine_message *message, struct err *err);
/* Of a zone's delivery at that back end; nothing if its name servers are not asked. */
MUST_CHECK int reader_add_receipt(struct engine *engine, const struct core_board_lane *lane, int64_t zone_id,
	struct engine_receipt *out, struct err *err);
MUST_CHECK int reader_count_receipts(struct engine *engine, const struct core_board_lane *lane, struct engine_lane *out,
	struct err *err);
MUST_CHECK int reader_list_orphans(struct engine *engine, const struct engine_request *request,
	struct engine_message *message, struct err *err);

/* reader_diff.c: under "added", "removed" and "changed", how the second record set differs; NULL: an empty one. */
void reader_add_diff(struct doc *doc, const struct zone *before, const struct zone *after);
/* The stored text of a zone, parsed. ERR_NOTFOUND: nothing of it is stored. */
MUST_CHECK int reader_zone(struct engine *engine, int64_t zone_id, const char *name, struct zone **out,
	struct err *err);
