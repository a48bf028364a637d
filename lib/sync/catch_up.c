/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * DirectAdmin does not repeat what it pushed while zonefan was away: what a
 * master lists and we lack is fetched; what we hold is compared by the SOA
 * serial that the master's own name server tells, or, where that says nothing,
 * fetched in rotation.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "sync/internal.h"
#include "sync/soa.h"

enum {
	QUERIES_A_SECOND = 200,
	SILENT_AFTER = 3,      /* time-outs in a row: there is no name server to ask */
	TROUBLES_MOST = 3,     /* failures of the panel in a row: it is left alone until the next pass */
	ROTATION_LEAST = 200,  /* fetched in a pass; or so many that it takes a day of hourly passes */
	ROTATION_PASSES = 24,
	PULLING_MOST_MS = 5 * 60000 /* in a pass: a pull may take half a minute, and the next master waits for all of them */
};

struct visit {
	struct sync *sync;
	struct master *master;
	unsigned silences;     /* in a row */
	unsigned troubles;     /* in a row */
	int64_t pulling_ms;    /* so long the panel took for all pulls of this pass */
	struct mirror_zone **unsure; /* nobody tells their serial */
	size_t unsure_count;
};

static int64_t now_ms(void)
{
	return clock_mono_ms(clock_system());
}

static bool goes_on(const struct visit *visit)
{
	return visit->troubles < TROUBLES_MOST && sync_tick(visit->sync);
}

/* Else what is still to be fetched is counted, and goes on with the next pass. */
static bool has_time(const struct visit *visit)
{
	return visit->pulling_ms < PULLING_MOST_MS;
}

/* ---- fetching ---- */

/* What is wrong with the text itself is wrong with it tomorrow too; all else may be better in the next pass. */
static bool is_lasting(enum err_code code)
{
	return code == ERR_INVALID || code == ERR_LIMIT || code == ERR_DENIED;
}

static void store(struct visit *visit, const char *zone, const struct mirror_zone *seen, uint32_t serial, struct buf *text)
{
	struct master *master = visit->master;
	struct err reply = { 0 };
	bool stored = false;

	if (tried_has_text(&master->tried, zone, text->data, text->size, now_ms()))
		return;
	tried_note(&master->tried, zone, serial, text->data, text->size, now_ms());
	if (!steps_pull(visit->sync, master, zone, seen, text, &stored, &reply))
		return;
	master->found.pulled += stored ? 1 : 0;
	master->found.failed += reply.code != ERR_OK && reply.code != ERR_BUSY ? 1 : 0;
	if (stored || (reply.code != ERR_OK && !is_lasting(reply.code)))
		tried_forget(&master->tried, zone);
}

/* seen NULL: never held. serial: the master's, or ours if it is not known. */
static void fetch(struct visit *visit, const char *zone, const struct mirror_zone *seen, uint32_t serial)
{
	struct master *master = visit->master;
	struct buf text = { 0 };
	struct err err;
	int64_t begun_ms = now_ms();
	int ret = da_client_pull(master->client, zone, &text, &err);

	visit->pulling_ms += now_ms() - begun_ms;
	visit->troubles = ret == ERR_OK || ret == ERR_INVALID ? 0 : visit->troubles + 1;
	if (ret == ERR_OK)
		store(visit, zone, seen, serial, &text);
	else if (ret == ERR_INVALID)
		tried_note(&master->tried, zone, serial, NULL, 0, now_ms());
	if (ret != ERR_OK && ret != ERR_CLOSED) {
		master->found.failed++;
		log_warn("a zone could not be fetched", LOG_STR("zone", zone), LOG_STR("master", master->identity), LOG_ERR(&err));
	}
	buf_free(&text);
}

static void want(struct visit *visit, const char *zone, const struct mirror_zone *seen, uint32_t serial)
{
	if (tried_has_serial(&visit->master->tried, zone, serial, now_ms()))
		return;
	visit->master->found.behind++;
	if (visit->sync->pass.dry_run)
		return;
	if (has_time(visit))
		fetch(visit, zone, seen, serial);
	else
		visit->master->found.postponed++;
}

/* ---- serials ---- */

/* After some silence in a row nobody is asked any more: ERR_TIMEOUT. */
static int ask_serial(struct visit *visit, const char *zone, uint32_t *serial)
{
	const struct master *master = visit->master;
	struct dns_server server = { .address = da_client_address(master->client), .port = master->conf->dns_port,
		.tick = sync_tick, .ctx = visit->sync };
	struct err err;

	if (visit->silences >= SILENT_AFTER)
		return ERR_TIMEOUT;
	int ret = soa_ask(&server, zone, serial, &err);
	visit->silences = ret == ERR_TIMEOUT ? visit->silences + 1 : 0;
	return ret;
}

static void pause_queries(const struct visit *visit)
{
	static const struct timespec pause = { .tv_nsec = 1000000000L / QUERIES_A_SECOND };

	if (visit->silences < SILENT_AFTER)
		nanosleep(&pause, NULL);
}

/* ---- what we lack ---- */

static void fetch_lacking(struct visit *visit)
{
	const struct sync *sync = visit->sync;
	int self = (int)(visit->master - sync->masters);
	size_t at = 0;
	const char *name;

	while (goes_on(visit) && (name = da_list_next(&visit->master->list.names, &at)) != NULL) {
		const struct mirror_zone *held = mirror_find(&sync->pass.mirror, name);
		uint32_t serial;

		/* A tombstone in the mirror is older than the list. */
		if (claims_of(&sync->pass.claims, name) != self || (held != NULL && !held->deleted))
			continue;
		if (ask_serial(visit, name, &serial) != ERR_OK)
			serial = 0;
		want(visit, name, held, serial);
		pause_queries(visit);
	}
}

/* ---- what we hold ---- */

static void compare(struct visit *visit, struct mirror_zone *zone)
{
	const char *name = mirror_name(&visit->sync->pass.mirror, zone);
	uint32_t serial;
	int ret = ask_serial(visit, name, &serial);

	if (ret == ERR_OK && serial != zone->serial)
		want(visit, name, zone, serial);
	else if (ret != ERR_OK && ret != ERR_CLOSED)
		visit->unsure[visit->unsure_count++] = zone;
	pause_queries(visit);
}

static void compare_held(struct visit *visit)
{
	struct sync *sync = visit->sync;
	int self = (int)(visit->master - sync->masters);

	visit->unsure = xcalloc(sync->pass.mirror.count + 1, sizeof(*visit->unsure));
	for (size_t i = 0; i < sync->pass.mirror.count && goes_on(visit); i++) {
		struct mirror_zone *zone = &sync->pass.mirror.zones[i];

		if ((zone->verdict == MIRROR_KEPT || zone->verdict == MIRROR_MOVED) && zone->claimant == self)
			compare(visit, zone);
	}
}

/* ---- in rotation ---- */

static size_t rotation_start(const struct visit *visit)
{
	const struct mirror *mirror = &visit->sync->pass.mirror;

	for (size_t i = 0; i < visit->unsure_count; i++) {
		if (strcmp(mirror_name(mirror, visit->unsure[i]), visit->master->turn) == 0)
			return i + 1;
	}
	return 0;
}

static void fetch_in_rotation(struct visit *visit)
{
	size_t count = visit->unsure_count;
	size_t most = count / ROTATION_PASSES < ROTATION_LEAST ? ROTATION_LEAST : count / ROTATION_PASSES;
	size_t start = rotation_start(visit);

	if (visit->sync->pass.dry_run)
		return;
	for (size_t i = 0; i < count && i < most && has_time(visit) && goes_on(visit); i++) {
		const struct mirror_zone *zone = visit->unsure[(start + i) % count];
		const char *name = mirror_name(&visit->sync->pass.mirror, zone);

		memcpy(visit->master->turn, name, strlen(name) + 1);
		fetch(visit, name, zone, zone->serial);
	}
}

void catch_up(struct sync *sync, struct master *master)
{
	struct visit visit = { .sync = sync, .master = master };

	fetch_lacking(&visit);
	compare_held(&visit);
	fetch_in_rotation(&visit);
	free(visit.unsure);
}
