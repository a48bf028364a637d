/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What peers hold becomes ours where it is newer (decisions.md 19), inside the
 * transaction of the turn, judged by what the store holds then.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "engine/core_internal.h"
#include "engine/message.h"
#include "engine/peering.h"

/* One ENGINE_MERGE. */
struct merge {
	struct core *core;
	const struct core_command *command;
	struct core_cause cause;
	struct engine_message *gone;
	uint64_t merged;         /* what a peer did is noted, our content stayed */
	uint64_t taken;
	uint64_t waiting;
	uint64_t capped;
};

/* ---- writing ---- */

/* Not in the future: what comes next must be able to be later. */
static int64_t accepted_us(const struct core *core, const struct peering_offer *offer)
{
	int64_t now_us = core_wall_us(core);

	return offer->claim.accepted_us == 0 || offer->claim.accepted_us > now_us ? now_us : offer->claim.accepted_us;
}

static void own(char **slot, const char *text)
{
	free(*slot);
	*slot = xstrdup(text);
}

/* The same content, by a later push there: who owns it is said by that one. */
static int follow(struct merge *merge, struct store_zone *row, const struct peering_offer *offer, struct err *err)
{
	if (accepted_us(merge->core, offer) <= row->updated_at_us)
		return ERR_OK;
	row->updated_at_us = accepted_us(merge->core, offer);
	bool moved = offer->hostname != NULL && offer->hostname[0] != '\0' && !core_same_host(offer->hostname, row->hostname);
	if (moved) {
		own(&row->hostname, offer->hostname);
		own(&row->username, offer->username == NULL ? "" : offer->username);
	}
	if (moved && !row->deleted)
		core_tell_name(merge->core, row);
	return store_zone_put(merge->core->store, row, NULL, 0, err);
}

/* Our content stays; from now on it is known as newer than theirs, or the same. */
static int join(struct merge *merge, struct peering_held *held, const struct peering_offer *offer,
	const struct store_version *known, const struct peering_verdict *verdict, struct err *err)
{
	struct store_version version = *known;
	struct err full;
	int ret = ERR_OK;

	/* Theirs has a number that was ours once, for something else: with that number ours would seem known to all who know theirs. */
	if (verdict->forgot && store_version_count(merge->core->store, &held->row, &version, &full) != ERR_OK) {
		merge->waiting++;
		return ERR_OK;
	}
	if (version_claims_equal(&held->claim, &offer->claim))
		ret = follow(merge, &held->row, offer, err);
	version = *known;
	if (ret == ERR_OK && verdict->forgot) /* by the row as it is now */
		ret = store_version_count(merge->core->store, &held->row, &version, err);
	merge->merged++;
	return ret == ERR_OK ? store_version_save(merge->core->store, &held->row, &version, err) : ret;
}

/* The row as it is now gets the peer's time and, if it has one, its version. */
static int stamp(struct merge *merge, const struct peering_offer *offer, const struct store_version *known, struct err *err)
{
	struct core *core = merge->core;
	struct store_zone row = { 0 };
	int ret = store_zone_find(core->store, offer->name, &row, err);

	if (ret != ERR_OK)
		return ret;
	row.updated_at_us = accepted_us(core, offer);
	ret = store_zone_put(core->store, &row, NULL, 0, err);
	if (ret == ERR_OK && offer->versioned)
		ret = store_version_save(core->store, &row, known, err);
	store_zone_clear(&row);
	return ret;
}

static int take_delete(struct merge *merge, struct peering_held *held, const struct peering_offer *offer, struct err *err)
{
	struct store_zone *row = &held->row;
	char plain[ZONE_NAME_SIZE];

	if (offer->hostname != NULL && row->id != 0)
		own(&row->hostname, offer->hostname);
	if (row->id == 0)
		return core_put_tombstone(merge->core, offer->name, offer->hostname, row, err);
	core_note_by(merge->core, "peer_deleted", zone_name_plain(offer->name, plain), NULL, &merge->cause,
		"it was deleted at store %s", offer->origin == NULL ? "unknown" : offer->origin);
	return core_bury(merge->core, row, &merge->cause, merge->gone, err);
}

static int take_text(struct merge *merge, const struct peering_offer *offer, bool *took, struct err *err)
{
	const struct engine_request *request = merge->command->request;
	const struct core_content content = { .name = offer->name, .zone = merge->command->zone, .text = request->text,
		.text_size = request->text_size, .hostname = offer->hostname, .username = offer->username, .origin = "peer",
		.cause = merge->cause };
	char plain[ZONE_NAME_SIZE];
	struct err held;

	int ret = core_accept(merge->core, &content, &held, err);
	*took = ret == ERR_OK && held.code == ERR_OK;
	if (*took)
		core_note_by(merge->core, "peer_taken", zone_name_plain(offer->name, plain), NULL, &merge->cause,
			"serial %u, accepted at %s", zone_serial(merge->command->zone),
			offer->origin == NULL ? "directdnsonly" : offer->origin);
	return ret;
}

/* New zones, and deletes of what we hold, only so many at once. */
static int may_change(struct merge *merge, const struct store_zone *row, const struct peering_offer *offer, bool *may,
	struct err *err)
{
	int ret = ERR_OK;

	*may = true;
	if (row->id == 0)
		ret = core_peer_may(merge->core, &merge->cause, CORE_PEER_CREATE, may, err);
	else if (offer->claim.deleted && !row->deleted)
		ret = core_peer_may(merge->core, &merge->cause, CORE_PEER_DELETE, may, err);
	merge->capped += !*may;
	return ret;
}

static int take(struct merge *merge, struct peering_held *held, const struct peering_offer *offer,
	const struct store_version *known, struct err *err)
{
	bool may;

	/* Live, and nobody fetched its text: the question came before the answer. */
	if (!offer->claim.deleted && merge->command->zone == NULL) {
		merge->waiting++;
		return ERR_OK;
	}
	int ret = may_change(merge, &held->row, offer, &may, err);
	if (ret == ERR_OK && may)
		ret = offer->claim.deleted ? take_delete(merge, held, offer, err) : take_text(merge, offer, &may, err);
	if (ret == ERR_OK && may)
		ret = stamp(merge, offer, known, err);
	merge->taken += ret == ERR_OK && may;
	merge->waiting += ret == ERR_OK && !may;
	return ret;
}

/* ---- judging ---- */

static void note_verdict(struct merge *merge, const struct peering_offer *offer, const struct peering_verdict *verdict)
{
	char plain[ZONE_NAME_SIZE];

	zone_name_plain(offer->name, plain);
	if (verdict->step == PEERING_WAIT)
		core_note_by(merge->core, "peer_doubt", plain, NULL, &merge->cause, "not taken: %s", verdict->why);
	else if (verdict->forgot)
		core_note_by(merge->core, "peer_conflict", plain, NULL, &merge->cause,
			"the peer knows changes of ours that we do not: our store went back in time; %s", verdict->why);
	else if (verdict->conflict && verdict->step != PEERING_NOTHING)
		core_note_by(merge->core, "peer_conflict", plain, NULL, &merge->cause, "changed here and there: %s", verdict->why);
}

static int carry_out(struct merge *merge, struct peering_held *held, const struct peering_offer *offer,
	const struct peering_verdict *verdict, struct err *err)
{
	struct store_version known = held->version;
	struct err full;

	if (verdict->step == PEERING_NOTHING)
		return ERR_OK;
	if (verdict->step == PEERING_WAIT || version_merge(&known.vector, &offer->vector, &full) != ERR_OK) {
		merge->waiting++;
		return ERR_OK;
	}
	if (verdict->step == PEERING_JOIN)
		return join(merge, held, offer, &known, verdict, err);
	snprintf(known.origin, sizeof(known.origin), "%s", offer->origin == NULL ? "" : offer->origin);
	return take(merge, held, offer, &known, err);
}

static int merge_one(struct merge *merge, const struct peering_offer *offer, struct err *err)
{
	struct core *core = merge->core;
	struct peering_held held;
	int ret = peering_find(core->store, offer->name, &held, err);

	if (ret == ERR_CORRUPT) {
		/* The next push of it mends it; nothing else of the peer hangs on it. */
		log_error("a stored zone is damaged", LOG_ERR(err));
		merge->waiting++;
		return ERR_OK;
	}
	if (ret != ERR_OK)
		return ret;
	struct peering_verdict verdict = peering_judge(&held, store_id(core->store), offer, core_wall_us(core));
	/* Nobody here chose to believe it. */
	if (verdict.step == PEERING_TAKE && offer->claim.deleted && merge->command->request->learnt)
		verdict = (struct peering_verdict){ .step = PEERING_WAIT, .why = "a peer that was only learnt deletes nothing here" };
	note_verdict(merge, offer, &verdict);
	ret = carry_out(merge, &held, offer, &verdict, err);
	peering_clear(&held);
	return ret;
}

/* What the text says counts, not what is said of it. */
static int check_text(const struct core_command *command, struct peering_offer *offer, struct err *refused)
{
	const struct engine_request *request = command->request;

	if (request->text == NULL)
		return ERR_OK;
	if (command->zone == NULL) {
		*refused = command->err;
		return err_prefix(refused, "zone %.255s", request->zone);
	}
	if (offer->versioned && !zone_digest_equal(&offer->claim.digest, zone_digest(command->zone)))
		return err_set(refused, ERR_INVALID, "zone %.255s: its text is not that of its digest", request->zone);
	offer->known = true;
	offer->claim.digest = *zone_digest(command->zone);
	offer->claim.serial = zone_serial(command->zone);
	return ERR_OK;
}

static int read_offer(const struct merge *merge, size_t at, struct peering_offer *offer, struct err *refused)
{
	int ret = peering_read(&merge->command->request->peer_zones[at], offer, refused);

	return ret == ERR_OK ? check_text(merge->command, offer, refused) : ret;
}

static int merge_all(struct merge *merge, struct err *refused, struct err *err)
{
	const struct engine_request *request = merge->command->request;
	struct peering_offer offer;
	int ret = ERR_OK;

	/* All or nothing: an answer with one thing wrong is not believed. */
	for (size_t i = 0; i < request->peer_zone_count; i++) {
		if (read_offer(merge, i, &offer, refused) == ERR_OK)
			continue;
		core_note_by(merge->core, "peer_refused", request->text == NULL ? NULL : request->zone, NULL, &merge->cause, "%s",
			refused->text);
		return ERR_OK;
	}
	for (size_t i = 0; ret == ERR_OK && i < request->peer_zone_count; i++) {
		CHECK(read_offer(merge, i, &offer, refused) == ERR_OK);
		ret = merge_one(merge, &offer, err);
	}
	return ret;
}

int core_merge(struct core *core, struct core_command *command, struct err *err)
{
	const struct engine_request *request = command->request;
	struct merge merge = { .core = core, .command = command, .cause = { .actor = "peer", .source = request->peer } };
	struct engine_message *reply = engine_message_reply(request, NULL);

	CHECK(request->text == NULL || request->peer_zone_count == 1);
	merge.gone = engine_message_create(ENGINE_NAME_GONE);
	core_stage(core, merge.gone);
	int ret = core_peer_begin(core, request->peer, request->number, err);
	if (ret == ERR_OK)
		ret = merge_all(&merge, &reply->err, err);
	reply->doc = doc_create();
	doc_uint(reply->doc, "merged", merge.merged);
	doc_uint(reply->doc, "taken", merge.taken);
	doc_uint(reply->doc, "waiting", merge.waiting);
	doc_uint(reply->doc, "capped", merge.capped);
	core_stage(core, reply);
	return ret;
}
