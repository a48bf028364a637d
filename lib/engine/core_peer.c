/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How many new zones a peer may bring (reliability.md 4.7 X05), and how many of
 * ours it may delete. What is counted here is of the pass that is under way, and
 * forgotten with the process; an operator's word is kept until a pass begins.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "engine/core_internal.h"
#include "engine/message.h"
#include "store/held.h"

enum {
	CHANGES = 100,           /* so many zones in a pass of one peer, or so many percent of ours, are no surprise */
	CHANGES_PERCENT = 1,
	REASON_SIZE = 256
};

static const struct {
	const char *held;        /* the kind of what waits */
	const char *event;
	const char *verb, *state; /* it VERB more than N zones that we STATE */
} changes[CORE_PEER_CHANGES] = {
	[CORE_PEER_CREATE] = { "peer_zones", "peer_zones_held", "offers", "do not hold" },
	[CORE_PEER_DELETE] = { "peer_deletes", "peer_deletes_held", "deletes", "hold" },
};

static struct core_peer *find_peer(struct core *core, const char *url)
{
	for (size_t i = 0; i < core->peer_count; i++) {
		if (strcmp(core->peers[i].url, url) == 0)
			return &core->peers[i];
	}
	core->peers = xrealloc(core->peers, (core->peer_count + 1) * sizeof(*core->peers));
	core->peers[core->peer_count] = (struct core_peer){ .url = xstrdup(url) };
	return &core->peers[core->peer_count++];
}

/* What was approved is for this pass, and for no other. */
static int use_approval(struct core *core, struct core_peer *peer, enum core_peer_change change, struct err *err)
{
	struct store_held held;
	int64_t id;
	int ret = store_held_find(core->store, changes[change].held, peer->url, &id, err);

	if (ret == ERR_OK)
		ret = store_held_get(core->store, id, &held, err);
	if (ret == ERR_NOTFOUND)
		return ERR_OK;
	if (ret == ERR_CORRUPT) {
		/* Then nothing was approved. The operator may discard it. */
		log_error("what is held is damaged", LOG_ERR(err));
		return ERR_OK;
	}
	if (ret != ERR_OK)
		return ret;
	if (held.approved) {
		peer->most[change] = UINT64_MAX;
		ret = store_held_drop(core->store, id, err);
	}
	store_held_clear(&held);
	return ret;
}

int core_peer_begin(struct core *core, const char *url, int64_t pass, struct err *err)
{
	struct core_peer *peer = find_peer(core, url);
	uint64_t zones;

	if (peer->pass == pass)
		return ERR_OK;
	int ret = store_zone_count(core->store, &zones, err);
	for (enum core_peer_change change = 0; ret == ERR_OK && change < CORE_PEER_CHANGES; change++) {
		peer->done[change] = 0;
		peer->most[change] = zones * CHANGES_PERCENT / 100 > CHANGES ? zones * CHANGES_PERCENT / 100 : CHANGES;
		peer->held[change] = false;
		ret = use_approval(core, peer, change, err);
	}
	if (ret == ERR_OK)
		peer->pass = pass;
	return ret;
}

static int hold(struct core *core, const struct core_peer *peer, const struct core_cause *cause, enum core_peer_change change,
	struct err *err)
{
	char reason[REASON_SIZE];
	struct store_held held = { .kind = changes[change].held, .subject = peer->url, .at_us = core_wall_us(core),
		.origin = "peer", .source = peer->url, .actor = "", .hostname = "", .username = "", .reason = reason };
	bool fresh;

	snprintf(reason, sizeof(reason), "it %s more than %" PRIu64 " zones that we %s: the rest waits until approved",
		changes[change].verb, peer->most[change], changes[change].state);
	int ret = store_held_put(core->store, &held, &fresh, err);
	if (ret == ERR_OK && fresh)
		core_note_by(core, changes[change].event, NULL, NULL, cause, "held as %" PRId64 ": %s", held.id, reason);
	return ret;
}

int core_peer_may(struct core *core, const struct core_cause *cause, enum core_peer_change change, bool *may, struct err *err)
{
	struct core_peer *peer = find_peer(core, cause->source);

	*may = peer->done[change] < peer->most[change];
	if (*may)
		peer->done[change]++;
	if (*may || peer->held[change])
		return ERR_OK;
	peer->held[change] = true;
	return hold(core, peer, cause, change, err);
}

int core_peer_approve(struct core *core, const struct store_held *held, UNUSED const struct core_cause *cause, struct doc *doc,
	UNUSED struct err *refused, struct err *err)
{
	doc_text(doc, "peer", held->subject);
	return store_held_approve(core->store, held->id, err);
}

void core_peers_free(struct core *core)
{
	for (size_t i = 0; i < core->peer_count; i++)
		free(core->peers[i].url);
	free(core->peers);
}

int core_peer_note(struct core *core, struct core_command *command, UNUSED struct err *err)
{
	const struct engine_request *request = command->request;
	struct core_cause cause = { .actor = "peer", .source = request->peer };

	core_note_by(core, request->kind, NULL, NULL, &cause, "%s", request->text == NULL ? "" : request->text);
	core_stage(core, engine_message_reply(request, NULL));
	return ERR_OK;
}
