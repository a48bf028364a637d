/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http/json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/clock.h"

/* An oldest delivery that waits longer than this is no longer the way of things: the back end is behind. */
enum { BEHIND_US = 15 * 1000 * 1000 };

/* Many readers of JSON refuse \u0000 or end the text there. */
static void append_without_nul(struct buf *out, const char *text, size_t size)
{
	for (size_t at = 0; at < size;) {
		const char *nul = memchr(text + at, '\0', size - at);
		size_t part = nul != NULL ? (size_t)(nul - (text + at)) : size - at;

		buf_append(out, text + at, part);
		at += part;
		if (nul != NULL) {
			buf_puts(out, "\xef\xbf\xbd"); /* U+FFFD */
			at++;
		}
	}
}

static json_t *text_of(const char *text, size_t size)
{
	struct buf clean = { 0 };
	json_t *probe = json_stringn(text, size);
	json_t *out;

	if (probe != NULL && memchr(text, '\0', size) == NULL)
		return probe;
	buf_append(&clean, text, size);
	for (size_t i = 0; probe == NULL && i < size; i++) {
		if ((unsigned char)clean.data[i] >= 0x80)
			clean.data[i] = '?';
	}
	json_decref(probe);
	struct buf whole = { 0 };
	append_without_nul(&whole, clean.data, size);
	out = json_stringn(whole.data, whole.size);
	buf_free(&clean);
	buf_free(&whole);
	CHECK(out != NULL);
	return out;
}

json_t *json_text(const char *text)
{
	return text != NULL ? text_of(text, strlen(text)) : json_null();
}

json_t *json_name(const char *name)
{
	size_t size;

	if (name == NULL)
		return json_null();
	size = strlen(name);
	return text_of(name, size > 1 && name[size - 1] == '.' ? size - 1 : size);
}

/* 0: never, or not known. */
static json_t *time_of(int64_t wall_us)
{
	char text[CLOCK_TEXT_SIZE];

	return wall_us != 0 ? json_string(clock_text(wall_us, text)) : json_null();
}

/* To the millisecond. */
static json_t *seconds_of(int64_t took_us)
{
	int64_t took_ms = took_us / 1000;

	return json_real((double)took_ms / 1e3);
}

static json_t *number_of(uint64_t number)
{
	return json_integer((json_int_t)number);
}

static void set(json_t *object, const char *key, json_t *value)
{
	CHECK(json_object_set_new(object, key, value) == 0);
}

json_t *json_heal(const struct engine_heal *heal)
{
	json_t *out;

	if (heal->pass == 0)
		return json_null();
	out = json_object();
	set(out, "pass", json_integer(heal->pass));
	set(out, "state", json_text(heal->state));
	set(out, "trigger", json_text(heal->trigger));
	set(out, "dry_run", json_boolean(heal->dry_run));
	set(out, "started_at", time_of(heal->started_at_us));
	set(out, "ended_at", time_of(heal->ended_at_us));
	set(out, "seconds", seconds_of(heal->took_us));
	set(out, "zones", number_of(heal->zones));
	set(out, "compared", number_of(heal->compared));
	set(out, "missing", number_of(heal->missing));
	set(out, "changed", number_of(heal->changed));
	set(out, "stamp", number_of(heal->stamp));
	set(out, "undeleted", number_of(heal->undeleted));
	set(out, "stray", number_of(heal->stray));
	set(out, "waiting", number_of(heal->waiting));
	set(out, "repaired", number_of(heal->repaired));
	set(out, "unrepaired", number_of(heal->unrepaired));
	set(out, "contested", number_of(heal->contested));
	set(out, "error", json_text(heal->error[0] != '\0' ? heal->error : NULL));
	return out;
}

json_t *json_heals(const struct engine_status *status)
{
	json_t *out = json_object(), *backends = json_array();

	for (size_t i = 0; i < status->lane_count; i++) {
		json_t *lane = json_object();

		set(lane, "name", json_text(status->lanes[i].backend));
		set(lane, "heal", json_heal(&status->lanes[i].heal));
		CHECK(json_array_append_new(backends, lane) == 0);
	}
	set(out, "backends", backends);
	return out;
}

/* shown: what lib/verify says of the back end's name servers; NULL: it has just begun. */
static json_t *verify_of(const struct engine_lane *lane, const struct doc *shown)
{
	json_t *out;

	if (!lane->verified)
		return json_null();
	out = shown != NULL ? json_doc(shown) : json_object();
	set(out, "waiting", number_of(lane->waiting));
	set(out, "unanswered", number_of(lane->unanswered));
	set(out, "oldest_unanswered_seconds",
		lane->oldest_unanswered_us > 0 ? seconds_of(lane->oldest_unanswered_us) : json_null());
	set(out, "still_answers", number_of(lane->still_answers));
	set(out, "canary", json_boolean(lane->canary));
	set(out, "canary_answered_at", time_of(lane->canary_answered_at_us));
	return out;
}

static json_t *lane_of(const struct engine_lane *lane, const struct doc *verify)
{
	json_t *out = json_object();

	set(out, "name", json_text(lane->backend));
	set(out, "type", json_text(lane->type));
	set(out, "state", json_text(lane->state));
	set(out, "since", time_of(lane->since_us));
	set(out, "pending", number_of(lane->pending));
	set(out, "oldest_pending_seconds",
		lane->oldest_pending_us > 0 ? seconds_of(lane->oldest_pending_us) : json_null());
	set(out, "inflight", number_of(lane->inflight));
	set(out, "delivered", number_of(lane->tally.ok));
	set(out, "dead", number_of(lane->dead));
	set(out, "rejected", number_of(lane->rejected));
	set(out, "suspect", number_of(lane->suspect));
	set(out, "parked", number_of(lane->parked));
	set(out, "next_probe", time_of(lane->next_probe_us));
	set(out, "last_error", json_text(lane->last_error));
	set(out, "contested", number_of(lane->contested));
	set(out, "next_heal", time_of(lane->next_heal_us));
	set(out, "heal", json_heal(&lane->heal));
	set(out, "verify", verify_of(lane, verify == NULL ? NULL : doc_get(verify, lane->backend)));
	return out;
}

struct sums {
	uint64_t pending;
	uint64_t dead;
	bool lame;
};

static struct sums sum_lanes(const struct engine_status *status)
{
	struct sums sums = { 0 };

	for (size_t i = 0; i < status->lane_count; i++) {
		const struct engine_lane *lane = &status->lanes[i];

		sums.pending += lane->pending;
		sums.dead += lane->dead + lane->rejected;
		if (strcmp(lane->state, "up") != 0 || lane->dead + lane->rejected + lane->suspect > 0 ||
			lane->oldest_pending_us > BEHIND_US)
			sums.lame = true;
	}
	return sums;
}

/* The fields that the predecessor's pages and monitors read. */
static void add_predecessors(json_t *out, const struct engine_status *status, const struct sums *sums)
{
	json_t *queues = json_object(), *workers = json_object();
	json_t *reconciler = json_object(), *peers = json_object(), *zones = json_object();

	set(queues, "save", number_of(status->queue_size));
	set(queues, "delete", json_integer(0)); /* deletes stand in the one queue */
	set(queues, "retry", number_of(sums->pending));
	set(queues, "dead_letters", number_of(sums->dead));
	set(out, "queues", queues);
	set(workers, "save", json_boolean(status->store_ok));
	set(workers, "delete", json_boolean(status->store_ok));
	set(workers, "retry_drain", json_true());
	set(out, "workers", workers);
	set(reconciler, "enabled", json_false());
	set(reconciler, "alive", json_false());
	set(out, "reconciler", reconciler);
	set(peers, "enabled", json_false());
	set(peers, "alive", json_false());
	set(peers, "peers", json_array());
	set(peers, "total", json_integer(0));
	set(peers, "healthy", json_integer(0));
	set(peers, "degraded", json_integer(0));
	set(out, "peer_sync", peers);
	set(zones, "total", number_of(status->zones_total));
	set(out, "zones", zones);
	/* Rooms that are switched on say it themselves; what name servers are like stands with each back end. */
	for (const struct doc *shown = status->shown == NULL ? NULL : status->shown->children; shown != NULL; shown = shown->next) {
		if (strcmp(shown->key, "verify") != 0)
			set(out, shown->key, json_doc(shown));
	}
}

json_t *json_status(const struct engine_status *status)
{
	json_t *out = json_object(), *backends = json_array(), *store = json_object(), *counters = json_object();
	struct sums sums = sum_lanes(status);
	const struct doc *verify = status->shown == NULL ? NULL : doc_get(status->shown, "verify");

	set(out, "status", json_string(!status->store_ok ? "error" : sums.lame ? "degraded" : "ok"));
	add_predecessors(out, status, &sums);
	for (size_t i = 0; i < status->lane_count; i++)
		CHECK(json_array_append_new(backends, lane_of(&status->lanes[i], verify)) == 0);
	set(out, "backends", backends);
	set(out, "dry_run", json_boolean(status->dry_run));
	set(store, "ok", json_boolean(status->store_ok));
	set(store, "error", json_text(status->store_error));
	set(out, "store", store);
	set(out, "frozen", number_of(status->frozen));
	set(out, "held", number_of(status->held));
	set(counters, "pushes", number_of(status->pushes));
	set(counters, "deletes", number_of(status->deletes));
	set(counters, "refused", number_of(status->refused));
	set(counters, "superseded", number_of(status->superseded));
	set(counters, "deliveries", number_of(status->deliveries));
	set(counters, "delivery_failures", number_of(status->delivery_failures));
	set(out, "counters", counters);
	set(out, "started_at", time_of(status->started_at_us));
	set(out, "version", json_string(ZONEFAN_VERSION));
	return out;
}

/* For whose sake the receipt is not "answered": most of all one that still answers, if it is deleted and any does. */
static unsigned blame_of(const struct engine_said *said, bool still)
{
	return said->answered_at_us != 0 ? 0 : still && !said->has_serial ? 1 : 2;
}

/* The name server whose word counts: the one to blame, or the last that answered. */
static const struct engine_said *word_of(const struct engine_receipt *receipt)
{
	const struct engine_said *worst = NULL;
	const bool still = receipt->state != NULL && strcmp(receipt->state, "still_answers") == 0;

	for (size_t i = 0; i < receipt->said_count; i++) {
		const struct engine_said *said = &receipt->said[i];

		if (said->generation != receipt->generation)
			continue;
		unsigned blame = blame_of(said, still), least = worst == NULL ? 0 : blame_of(worst, still);
		if (worst == NULL || blame > least || (blame == 0 && least == 0 && said->answered_at_us > worst->answered_at_us))
			worst = said;
	}
	return worst;
}

static json_t *serial_of(const struct engine_said *said)
{
	return said != NULL && said->has_serial ? number_of(said->serial) : json_null();
}

static json_t *said_of(const struct engine_receipt *receipt)
{
	json_t *out = json_array();

	for (size_t i = 0; i < receipt->said_count; i++) {
		const struct engine_said *said = &receipt->said[i];
		json_t *entry = json_object();

		set(entry, "address", json_text(said->server));
		set(entry, "generation", number_of(said->generation));
		set(entry, "asked_at", time_of(said->asked_at_us));
		set(entry, "answered_at", time_of(said->answered_at_us));
		set(entry, "serial", serial_of(said));
		set(entry, "authoritative", json_boolean(said->authoritative));
		set(entry, "error", json_text(said->error));
		CHECK(json_array_append_new(out, entry) == 0);
	}
	return out;
}

static void add_receipt(json_t *out, const struct engine_delivery *delivery)
{
	const struct engine_receipt *receipt = &delivery->receipt;
	const struct engine_said *word = word_of(receipt);
	bool answered = receipt->answered_at_us != 0;

	set(out, "written_at", time_of(delivery->applied_at_us));
	set(out, "verify_state", json_text(receipt->state));
	set(out, "answered_at", time_of(receipt->answered_at_us));
	set(out, "answered_by", json_text(answered && word != NULL ? word->server : NULL));
	set(out, "serial_answered", serial_of(word));
	set(out, "authoritative", word != NULL ? json_boolean(word->authoritative) : json_null());
	set(out, "unanswered_since", time_of(receipt->unanswered_since_us));
	set(out, "verify_error",
		word == NULL || word->error == NULL ? json_null() : json_sprintf("%s %s", word->server, word->error));
	set(out, "name_servers", said_of(receipt));
}

static json_t *delivery_of(const struct engine_delivery *delivery)
{
	json_t *out = json_object();

	set(out, "backend", json_text(delivery->backend));
	set(out, "wanted_generation", number_of(delivery->wanted));
	set(out, "applied_generation", number_of(delivery->applied));
	set(out, "state", json_text(delivery->state));
	set(out, "suspect", json_boolean(delivery->suspect));
	set(out, "contested", json_boolean(delivery->contested));
	set(out, "attempts", number_of(delivery->attempts));
	set(out, "next_try", time_of(delivery->next_try_us));
	set(out, "since", time_of(delivery->since_us));
	set(out, "applied_at", time_of(delivery->applied_at_us));
	set(out, "last_error", json_text(delivery->last_error));
	add_receipt(out, delivery);
	return out;
}

static json_t *frozen_of(const struct engine_zone *zone)
{
	json_t *out;

	if (zone->frozen_at_us == 0)
		return json_null();
	out = json_object();
	set(out, "since", time_of(zone->frozen_at_us));
	set(out, "by", json_text(zone->frozen_by));
	return out;
}

json_t *json_zone(const struct engine_zone *zone, bool with_deliveries)
{
	json_t *out = json_object(), *deliveries;

	set(out, "name", json_name(zone->name));
	set(out, "generation", number_of(zone->generation));
	set(out, "deleted", json_boolean(zone->deleted));
	set(out, "serial", number_of(zone->serial));
	set(out, "records", number_of(zone->records));
	set(out, "digest", json_text(zone->digest));
	set(out, "hostname", json_text(zone->hostname != NULL ? zone->hostname : ""));
	set(out, "username", json_text(zone->username != NULL ? zone->username : ""));
	set(out, "updated_at", time_of(zone->updated_at_us));
	set(out, "frozen", frozen_of(zone));
	if (!with_deliveries)
		return out;
	deliveries = json_array();
	for (size_t i = 0; i < zone->delivery_count; i++)
		CHECK(json_array_append_new(deliveries, delivery_of(&zone->deliveries[i])) == 0);
	set(out, "deliveries", deliveries);
	return out;
}

json_t *json_refused(const struct engine_refused *refused, bool with_text)
{
	json_t *out = json_object();

	set(out, "zone", json_name(refused->zone));
	set(out, "at", time_of(refused->at_us));
	set(out, "source", json_text(refused->source));
	set(out, "hostname", json_text(refused->hostname));
	set(out, "username", json_text(refused->username));
	set(out, "error", json_text(refused->error));
	set(out, "size", number_of(refused->text_size));
	if (with_text)
		set(out, "text", refused->text != NULL ? text_of(refused->text, refused->text_size) : json_null());
	return out;
}

json_t *json_event(const struct engine_event *event)
{
	json_t *out = json_object();

	set(out, "id", json_integer(event->id));
	set(out, "at", time_of(event->at_us));
	set(out, "kind", json_text(event->kind));
	set(out, "zone", event->zone != NULL && *event->zone != '\0' ? json_name(event->zone) : json_null());
	set(out, "backend", json_text(event->backend));
	set(out, "source", json_text(event->source));
	set(out, "detail", json_text(event->detail));
	set(out, "actor", json_text(event->actor));
	set(out, "push", json_text(event->push_id));
	return out;
}

static json_t *leaf_of(const struct doc *doc)
{
	switch (doc->kind) {
	case DOC_BOOL:
		return json_boolean(doc->value.boolean);
	case DOC_INT:
		return json_integer(doc->value.number);
	case DOC_UINT:
		return number_of(doc->value.count);
	case DOC_REAL:
		return json_real(doc->value.real);
	case DOC_TEXT:
		return text_of(doc->value.text, doc->text_size);
	case DOC_TIME:
		return time_of(doc->value.number);
	default:
		return json_null();
	}
}

json_t *json_doc(const struct doc *doc)
{
	json_t *out;

	if (doc->kind != DOC_OBJECT && doc->kind != DOC_LIST)
		return leaf_of(doc);
	/* An answer that is a bare list stands under no name. */
	if (doc->kind == DOC_OBJECT && doc->children != NULL && doc->children->key[0] == '\0')
		return json_doc(doc->children);
	out = doc->kind == DOC_OBJECT ? json_object() : json_array();
	for (const struct doc *child = doc->children; child != NULL; child = child->next) {
		if (doc->kind == DOC_OBJECT)
			set(out, child->key, json_doc(child));
		else
			CHECK(json_array_append_new(out, json_doc(child)) == 0);
	}
	return out;
}
