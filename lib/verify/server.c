/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One name server: what it is asked next, and when; whether it says anything at all. */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "verify/internal.h"

enum { GAP_MS = 40, SILENT_AFTER = 2, MUCH = 100 /* zones to ask for: the serial is enough */ };

static const int64_t silences_ms[] = { 1000, 2000, 5000, 10000, 20000, 30000 };

/* ---- asking ---- */

static void send(struct server *server, const struct dns_question *question, int64_t zone_id, uint64_t generation, bool sample)
{
	struct ask *ask = xcalloc(1, sizeof(*ask));

	ask->question = *question;
	ask->question.name = xstrdup(question->name);
	ask->zone_id = zone_id;
	ask->generation = generation;
	ask->sample = sample;
	server->busy = true;
	asker_ask(server->asker, ask);
}

static bool ask_sample(struct verify *verify, struct centre *centre, struct server *server)
{
	const struct doc *zone = sweep_next(verify, centre, server);

	if (zone == NULL)
		return false;
	const struct dns_question question = { .name = doc_get(zone, "zone")->value.text, .type = DNS_TYPE_SOA };
	send(server, &question, doc_get(zone, "zone_id")->value.number, doc_get(zone, "generation")->value.count, true);
	return true;
}

int64_t server_go_on(struct verify *verify, struct centre *centre, unsigned index)
{
	struct server *server = &centre->servers[index];
	int64_t now_ms = verify_now_ms(), next_ms;

	if (server->busy)
		return INT64_MAX;
	if (now_ms < server->next_ms)
		return server->next_ms;
	const struct follow *follow = follow_next(&centre->follows, index, now_ms, &next_ms);
	if (follow != NULL) {
		const struct dns_question question = follow_question(follow, index);

		send(server, &question, follow->zone_id, follow->generation, false);
		return INT64_MAX;
	}
	if (now_ms >= server->sweep.next_ms && ask_sample(verify, centre, server))
		return INT64_MAX;
	return next_ms < server->sweep.next_ms ? next_ms : server->sweep.next_ms;
}

/* ---- what came of it ---- */

static void is_silent(struct verify *verify, struct centre *centre, struct server *server, const struct err *err)
{
	size_t last = ARRAY_SIZE(silences_ms) - 1;

	if (server->state != SERVER_SILENT)
		server->since_us = verify_wall_us();
	server->state = SERVER_SILENT;
	snprintf(server->error, sizeof(server->error), "%s", err->text);
	server->next_ms = verify_now_ms() + silences_ms[server->failures < last ? server->failures : last];
	if (++server->failures < SILENT_AFTER || server->told)
		return;
	server->told = true;
	tell_note(verify, "server_silent", centre, NULL, "name server %s: %s", server->address, err->text);
}

static void speaks(struct verify *verify, struct centre *centre, unsigned index)
{
	struct server *server = &centre->servers[index];

	if (server->state != SERVER_UP)
		server->since_us = verify_wall_us();
	/* One question without an answer may be that zone's own trouble. */
	if (server->state == SERVER_SILENT)
		follow_wake(&centre->follows, index, server->told, verify_now_ms());
	if (server->told) {
		sweep_pause(&server->sweep, centre->conf);
		tell_note(verify, "server_answers", centre, NULL, "name server %s answers again", server->address);
	}
	server->state = SERVER_UP;
	server->told = false;
	server->failures = 0;
	server->error[0] = '\0';
	server->last_ok_us = verify_wall_us();
	server->next_ms = verify_now_ms() + GAP_MS;
}

/* NULL: something newer was written, or it is at another question: what was said is void. */
static struct follow *find_followed(const struct centre *centre, unsigned index, const struct ask *ask)
{
	struct follow *follow = ask->sample ? NULL : follow_find(&centre->follows, ask->zone_id);

	if (follow == NULL || follow->generation != ask->generation ||
		follow_question(follow, index).type != ask->question.type)
		return NULL;
	return follow;
}

static void land_missed(struct centre *centre, unsigned index, const struct ask *ask)
{
	struct follow *follow = find_followed(centre, index, ask);

	if (follow == NULL)
		return;
	/* A word that stands is as old as it was. */
	if (follow_miss(follow, index, &ask->err, verify_now_ms()))
		follow->servers[index].wrong_us = verify_wall_us();
}

static void land_followed(struct verify *verify, struct centre *centre, unsigned index, const struct ask *ask)
{
	struct follow *follow = find_followed(centre, index, ask);

	if (follow == NULL)
		return;
	follow->servers[index].wrong_us = verify_wall_us(); /* unless it turns out to be right, or half of it */
	if (ask->ret != ERR_OK) {
		follow_refuse(follow, index, &ask->err, verify_now_ms());
		return;
	}
	if (!follow_judge(follow, index, &ask->answer, centre->follows.count > MUCH, verify_now_ms()))
		return;
	tell_answer(verify, centre, follow, index);
	if (follow_is_whole(&centre->follows, follow))
		follow_remove(&centre->follows, follow);
}

void server_land(struct verify *verify, struct centre *centre, unsigned index)
{
	struct server *server = &centre->servers[index];
	struct ask *ask = asker_take(server->asker);

	if (ask == NULL)
		return;
	server->busy = false;
	if (ask->ret == ERR_TIMEOUT || ask->ret == ERR_IO) {
		land_missed(centre, index, ask);
		is_silent(verify, centre, server, &ask->err);
	} else if (ask->ret != ERR_CLOSED) {
		speaks(verify, centre, index);
		if (ask->sample)
			sweep_judge(verify, centre, server, ask);
		else
			land_followed(verify, centre, index, ask);
	}
	ask_destroy(ask);
}
