/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "engine/peering.h"

#include <string.h>

#include "base/log.h"
#include "engine/core_internal.h"

/* ---- what a peer says ---- */

static int read_digest(const struct engine_peer_zone *zone, struct peering_offer *out, struct err *err)
{
	if (zone->digest == NULL)
		return ERR_OK;
	out->known = true;
	return zone_digest_parse(zone->digest, zone->records, &out->claim.digest, err);
}

int peering_read(const struct engine_peer_zone *zone, struct peering_offer *out, struct err *err)
{
	*out = (struct peering_offer){ .versioned = zone->vector != NULL, .hostname = zone->hostname,
		.username = zone->username, .origin = zone->origin };
	out->claim = (struct version_claim){ .accepted_us = zone->accepted_us, .serial = zone->serial,
		.deleted = zone->deleted };
	int ret = zone_name_parse(zone->name, strlen(zone->name), out->name, err);
	if (ret == ERR_OK && zone->vector != NULL)
		ret = version_parse(zone->vector, strlen(zone->vector), &out->vector, err);
	if (ret == ERR_OK)
		ret = read_digest(zone, out, err);
	if (ret == ERR_OK && out->versioned && (out->vector.count == 0 || !out->known))
		ret = err_set(err, ERR_INVALID, "its version names no store, or no digest");
	if (ret == ERR_OK && out->claim.accepted_us < 0)
		ret = err_set(err, ERR_INVALID, "it was accepted before 1970");
	return ret == ERR_OK ? ERR_OK : err_prefix(err, "zone %.255s", zone->name);
}

/* ---- what we hold ---- */

int peering_find(struct store *store, const char *name, struct peering_held *out, struct err *err)
{
	*out = (struct peering_held){ .row.id = 0 };
	int ret = store_zone_find(store, name, &out->row, err);
	if (ret == ERR_NOTFOUND)
		return ERR_OK;
	if (ret == ERR_OK)
		ret = store_version_load(store, &out->row, &out->version, err);
	/* Not knowing what peers did we judge by the clock, and the next merge writes the row anew. */
	if (ret == ERR_CORRUPT && out->row.id != 0) {
		log_error("a stored version is damaged", LOG_ERR(err));
		ret = ERR_OK;
	}
	if (ret != ERR_OK)
		return ret;
	out->claim = (struct version_claim){ .accepted_us = out->row.updated_at_us, .serial = out->row.serial,
		.deleted = out->row.deleted, .digest = out->row.digest };
	return ERR_OK;
}

void peering_clear(struct peering_held *held)
{
	store_zone_clear(&held->row);
}

/* ---- the rule ---- */

static struct peering_verdict verdict(enum peering_step step, const char *why)
{
	return (struct peering_verdict){ .step = step, .why = why };
}

static bool is_future(const struct peering_offer *offer, int64_t wall_us)
{
	return offer->claim.accepted_us > wall_us + VERSION_CLOCK_US;
}

/*
 * A delete counts only from the owner (decisions.md 11). Whoever took it may not have known of a push by another master
 * since: a zone is kept in doubt.
 */
static bool is_strangers_delete(const char *deleting, const char *owner)
{
	return owner != NULL && owner[0] != '\0' && !core_same_host(deleting == NULL ? "" : deleting, owner);
}

/* Neither vector is newer, or ours has lost its memory. */
static struct peering_verdict judge_conflict(const struct peering_held *held, const struct peering_offer *offer,
	int64_t wall_us)
{
	struct peering_verdict out = { .conflict = true };
	bool ours;

	if (is_future(offer, wall_us))
		return verdict(PEERING_WAIT, "it was accepted in the future, by our clock");
	if (held->claim.deleted != offer->claim.deleted &&
		is_strangers_delete(held->claim.deleted ? held->row.hostname : offer->hostname,
			held->claim.deleted ? offer->hostname : held->row.hostname)) {
		ours = !held->claim.deleted;
		out.why = "the delete is not from the owner";
	} else {
		ours = version_wins(&held->claim, &offer->claim);
		out.why = ours ? "ours was accepted later, or decided by serial and content"
			       : "theirs was accepted later, or decided by serial and content";
	}
	out.step = ours ? PEERING_JOIN : PEERING_TAKE;
	return out;
}

static bool knows_what_we_forgot(const struct peering_held *held, const char *store_id, const struct peering_offer *offer)
{
	uint64_t theirs = version_get(&offer->vector, store_id), ours = version_get(&held->version.vector, store_id);

	return theirs > ours ||
		(theirs == ours && version_tag(&offer->vector, store_id) != version_tag(&held->version.vector, store_id));
}

static struct peering_verdict judge_versioned(const struct peering_held *held, const char *store_id,
	const struct peering_offer *offer, int64_t wall_us)
{
	enum version_order order = version_compare(&offer->vector, &held->version.vector);
	struct peering_verdict out;

	if (order == VERSION_OLDER)
		return verdict(PEERING_NOTHING, NULL);
	if (order == VERSION_EQUAL && version_claims_equal(&held->claim, &offer->claim))
		return verdict(PEERING_NOTHING, NULL);
	bool forgot = knows_what_we_forgot(held, store_id, offer);
	if (version_claims_equal(&held->claim, &offer->claim)) {
		out = verdict(PEERING_JOIN, "both hold the same");
		out.forgot = forgot;
		return out;
	}
	if (order == VERSION_NEWER && !forgot)
		return verdict(PEERING_TAKE, "its version is newer than ours");
	out = judge_conflict(held, offer, wall_us);
	out.forgot = forgot;
	/* Both know the same and hold different things: there is nothing to note where ours stays. */
	if (order == VERSION_EQUAL && out.step == PEERING_JOIN)
		out.step = PEERING_NOTHING;
	return out;
}

/*
 * directdnsonly tells when it wrote a zone last, also when it only repaired a back end, and forgets what was deleted. So
 * its word alone is not enough: what it has must not be older by its serial, and over a tombstone it must be new.
 */
static struct peering_verdict judge_plain(const struct peering_held *held, const struct peering_offer *offer)
{
	int64_t later_us = offer->claim.accepted_us - held->claim.accepted_us;

	if (offer->claim.accepted_us == 0 || later_us <= VERSION_CLOCK_US)
		return verdict(PEERING_NOTHING, NULL);
	if (!offer->known)
		return verdict(PEERING_TAKE, "it was written there later");
	if (zone_digest_equal(&held->claim.digest, &offer->claim.digest))
		return verdict(held->claim.deleted ? PEERING_WAIT : PEERING_NOTHING,
			held->claim.deleted ? "it is what was deleted here" : NULL);
	if (version_serial_greater(held->claim.serial, offer->claim.serial) ||
		(held->claim.deleted && offer->claim.serial == held->claim.serial))
		return verdict(PEERING_WAIT, held->claim.deleted ? "it was deleted here, and its serial is not newer"
								 : "it was written there later, but its serial is older");
	return verdict(PEERING_TAKE, "it was written there later");
}

struct peering_verdict peering_judge(const struct peering_held *held, const char *store_id,
	const struct peering_offer *offer, int64_t wall_us)
{
	/* Over what we hold a newer vector counts whatever the clocks say; the rest must not come from the future. */
	bool newer = offer->versioned && held->row.id != 0;

	if (!newer && is_future(offer, wall_us))
		return verdict(PEERING_WAIT, "it was accepted in the future, by our clock");
	if (held->row.id == 0)
		return verdict(PEERING_TAKE, "we do not hold it");
	return offer->versioned ? judge_versioned(held, store_id, offer, wall_us) : judge_plain(held, offer);
}
