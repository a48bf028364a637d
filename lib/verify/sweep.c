/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A sample of all zones, evenly over the time: what was answered once may not
 * be any more, and what was written before name servers were asked never was.
 * Either is noted as lost, and then followed like a new delivery.
 */
#include "verify/internal.h"

enum {
	PAGE = 100,
	SAMPLE = 60,        /* zones in an interval; or so many that a round takes ROUND intervals */
	ROUND = 288,        /* a day of the five minutes that are the default */
	GAP_LEAST_MS = 40,
	IDLE_MS = 5000
};

static int64_t interval_ms(const struct verify_backend *conf)
{
	return (int64_t)conf->interval_seconds * 1000;
}

void sweep_begin(struct sweep *sweep, const struct verify_backend *conf)
{
	sweep->gap_ms = interval_ms(conf) / SAMPLE > GAP_LEAST_MS ? interval_ms(conf) / SAMPLE : GAP_LEAST_MS;
	sweep->next_ms = verify_now_ms() + sweep->gap_ms;
}

void sweep_pause(struct sweep *sweep, const struct verify_backend *conf)
{
	sweep->next_ms = verify_now_ms() + interval_ms(conf);
}

static void set_pace(struct sweep *sweep, const struct verify_backend *conf, uint64_t zones)
{
	int64_t sample = zones / ROUND > SAMPLE ? (int64_t)(zones / ROUND) : SAMPLE;

	sweep->gap_ms = interval_ms(conf) / sample > GAP_LEAST_MS ? interval_ms(conf) / sample : GAP_LEAST_MS;
}

/* False: there is none. */
static bool get_page(struct verify *verify, const struct centre *centre, struct sweep *sweep)
{
	struct engine_request *request = engine_request_create(ENGINE_SAMPLE, 0);
	struct engine_message *reply;

	request->backend = xstrdup(centre->conf->name);
	request->number = sweep->after;
	request->limit = PAGE;
	doc_destroy(sweep->page);
	sweep->page = NULL;
	sweep->at = NULL;
	if (!verify_ask(verify, request, "zones can't be sampled", &reply))
		return false;
	sweep->page = reply->doc;
	reply->doc = NULL;
	engine_message_destroy(reply);
	if (sweep->after == 0)
		sweep->round_us = verify_wall_us();
	sweep->after = doc_get(sweep->page, "next")->value.number;
	if (sweep->after == 0)
		sweep->last_round_us = verify_wall_us();
	set_pace(sweep, centre->conf, doc_get(sweep->page, "total")->value.count);
	sweep->at = doc_get(sweep->page, "zones")->children;
	return sweep->at != NULL;
}

const struct doc *sweep_next(struct verify *verify, struct centre *centre, struct server *server)
{
	struct sweep *sweep = &server->sweep;

	sweep->next_ms = verify_now_ms() + sweep->gap_ms;
	if (sweep->at == NULL && !get_page(verify, centre, sweep)) {
		sweep->next_ms = verify_now_ms() + (sweep->gap_ms > IDLE_MS ? sweep->gap_ms : IDLE_MS);
		return NULL;
	}
	const struct doc *zone = sweep->at;
	sweep->at = zone->next;
	/* It is being asked for anyway. */
	if (doc_get(zone, "open")->value.boolean)
		return NULL;
	if (doc_get(zone, "answered")->value.boolean)
		return zone;
	tell_lost(verify, centre, doc_get(zone, "zone_id")->value.number, doc_get(zone, "generation")->value.count);
	return NULL;
}

static const struct doc *find_zone(const struct sweep *sweep, const struct ask *ask)
{
	const struct doc *zone = sweep->page == NULL ? NULL : doc_get(sweep->page, "zones")->children;

	while (zone != NULL && doc_get(zone, "zone_id")->value.number != ask->zone_id)
		zone = zone->next;
	return zone;
}

void sweep_judge(struct verify *verify, struct centre *centre, struct server *server, const struct ask *ask)
{
	const struct doc *zone = find_zone(&server->sweep, ask);
	uint32_t serial;

	CHECK(zone != NULL);
	server->sweep.asked++;
	if (ask->ret == ERR_OK && dns_answer_serial(&ask->answer, &serial) && serial == doc_get(zone, "serial")->value.count)
		return;
	server->sweep.lost++;
	tell_lost(verify, centre, ask->zone_id, ask->generation);
}
