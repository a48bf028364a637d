/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How many new zones a peer may bring (reliability.md 4.7 X05). What is counted
 * here is of the pass that is under way, and forgotten with the process.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/core_internal.h"
#include "engine/message.h"
#include "store/held.h"

enum {
	NEW_ZONES = 100,         /* so many new zones of one peer in a pass, or so many percent of ours, are no surprise */
	NEW_ZONES_PERCENT = 1,
	REASON_SIZE = 256
};

static const char new_zones_kind[] = "peer_zones";

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

int core_peer_begin(struct core *core, const char *url, int64_t pass, struct err *err)
{
	struct core_peer *peer = find_peer(core, url);
	uint64_t zones;

	if (peer->pass == pass)
		return ERR_OK;
	int ret = store_zone_count(core->store, &zones, err);
	if (ret != ERR_OK)
		return ret;
	peer->pass = pass;
	peer->created = 0;
	peer->most = zones * NEW_ZONES_PERCENT / 100 > NEW_ZONES ? zones * NEW_ZONES_PERCENT / 100 : NEW_ZONES;
	if (peer->approved)
		peer->most = UINT64_MAX;
	peer->approved = false;
	return ERR_OK;
}

int core_peer_may_create(struct core *core, const struct core_cause *cause, bool *may, struct err *err)
{
	struct core_peer *peer = find_peer(core, cause->source);
	char reason[REASON_SIZE];
	struct store_held held = { .kind = new_zones_kind, .subject = peer->url, .at_us = core_wall_us(core), .origin = "peer",
		.source = peer->url, .actor = "", .hostname = "", .username = "", .reason = reason };
	bool fresh;

	*may = peer->created < peer->most;
	if (*may) {
		peer->created++;
		return ERR_OK;
	}
	if (peer->held_pass == peer->pass)
		return ERR_OK;
	peer->held_pass = peer->pass;
	snprintf(reason, sizeof(reason), "it offers more than %" PRIu64 " zones that we do not hold: the rest waits until approved",
		peer->most);
	int ret = store_held_put(core->store, &held, &fresh, err);
	if (ret == ERR_OK && fresh)
		core_note_by(core, "peer_zones_held", NULL, NULL, cause, "held as %" PRId64 ": %s", held.id, reason);
	return ret;
}

int core_peer_approve(struct core *core, const struct store_held *held, UNUSED const struct core_cause *cause, struct doc *doc,
	UNUSED struct err *refused, struct err *err)
{
	int ret = store_held_drop(core->store, held->id, err);

	if (ret != ERR_OK)
		return ret;
	find_peer(core, held->subject)->approved = true;
	doc_text(doc, "peer", held->subject);
	return ERR_OK;
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
