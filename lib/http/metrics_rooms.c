/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Masters, peers, name servers, the webhook: from the trees that their rooms publish for the status. What a tree lacks has no sample. */
#include <string.h>

#include "base/check.h"
#include "http/metrics.h"

struct leaf {
	struct expose_metric metric;
	const char *key;
};

static const struct expose_metric master_state = { "zonefan_master_state", EXPOSE_GAUGE,
	"1 for what the DirectAdmin master's last list made of it (new, ok, unknown), 0 for the others." };

static const struct leaf master_leaves[] = {
	{ { "zonefan_master_list_timestamp_seconds", EXPOSE_GAUGE, "When the master's last complete list came." }, "complete_at" },
	{ { "zonefan_master_zones", EXPOSE_GAUGE, "Zones in the master's last list." }, "zones" },
	{ { "zonefan_master_owned_zones", EXPOSE_GAUGE, "Zones of the master that are held here." }, "owned" },
	{ { "zonefan_master_missing_zones", EXPOSE_GAUGE, "Of those, what the master's list lacks." }, "missing" },
	{ { "zonefan_master_behind_zones", EXPOSE_GAUGE, "Zones that the last pass found missing or older here." }, "behind" },
	{ { "zonefan_master_pulled_zones", EXPOSE_GAUGE, "Of those, what it fetched." }, "pulled" },
	{ { "zonefan_master_failed_zones", EXPOSE_GAUGE, "Of those, what it could not fetch." }, "failed" },
};

static const struct leaf pass_leaves[] = {
	{ { "zonefan_reconciliation_completed_timestamp_seconds", EXPOSE_GAUGE, "When the last pass over the masters ended." },
		"completed_at" },
	{ { "zonefan_reconciliation_duration_seconds", EXPOSE_GAUGE, "How long it took." }, "duration_seconds" },
	{ { "zonefan_reconciliation_unknown_masters", EXPOSE_GAUGE, "Masters whose list it could not rely on." },
		"da_servers_unreachable" },
	{ { "zonefan_reconciliation_deleting_zones", EXPOSE_GAUGE, "Zones that it condemned, for their masters do not list them." },
		"orphans_queued" },
	{ { "zonefan_reconciliation_held_zones", EXPOSE_GAUGE, "Zones that it would delete, and that wait for an operator's word." },
		"orphans_held" },
	{ { "zonefan_reconciliation_contested_zones", EXPOSE_GAUGE, "Zones that two masters list." }, "zones_contested" },
};

static const struct leaf peer_leaves[] = {
	{ { "zonefan_peer_healthy", EXPOSE_GAUGE, "1 if the peer answered when it was asked last." }, "healthy" },
	{ { "zonefan_peer_seen_timestamp_seconds", EXPOSE_GAUGE, "When the peer answered last." }, "last_seen" },
	{ { "zonefan_peer_failures", EXPOSE_GAUGE, "How often it failed in a row." }, "consecutive_failures" },
	{ { "zonefan_peer_skew_seconds", EXPOSE_GAUGE, "How far its clock is ahead of ours." }, "skew_seconds" },
	{ { "zonefan_peer_behind_zones", EXPOSE_GAUGE, "Zones that are newer there." }, "behind" },
	{ { "zonefan_peer_capped_zones", EXPOSE_GAUGE, "Zones that are not taken from it without an operator's word." }, "capped" },
};

static const struct leaf notify_leaves[] = {
	{ { "zonefan_notify_waiting_messages", EXPOSE_GAUGE, "Notifications that wait to be posted." }, "waiting" },
	{ { "zonefan_notify_sent_messages_total", EXPOSE_COUNTER, "Notifications that were posted." }, "sent" },
	{ { "zonefan_notify_lost_messages_total", EXPOSE_COUNTER, "Notifications that were given up, for too many waited." }, "lost" },
};

static const struct expose_metric answering = { "zonefan_name_server_answering", EXPOSE_GAUGE,
	"1 if the name server answered when it was asked last, 0 if it was silent; whatever it said." };

static void add_value(struct expose *expose, const struct expose_metric *metric, const char *const *labels,
	const struct doc *value)
{
	switch (value == NULL ? DOC_NULL : value->kind) {
	case DOC_BOOL:
		expose_count(expose, metric, labels, value->value.boolean);
		return;
	case DOC_UINT:
		expose_count(expose, metric, labels, value->value.count);
		return;
	case DOC_TIME:
		expose_us(expose, metric, labels, value->value.number);
		return;
	case DOC_REAL:
		expose_real(expose, metric, labels, value->value.real);
		return;
	default:
		return;
	}
}

static const char *text_of(const struct doc *object, const char *key)
{
	const struct doc *value = doc_get(object, key);

	return value != NULL && value->kind == DOC_TEXT ? value->value.text : "";
}

/* Each leaf of each element of a list, which bears the label's value under name_key. */
static void add_list(struct expose *expose, const struct doc *list, const char *label, const char *name_key,
	const struct leaf *leaves, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (const struct doc *entry = list == NULL ? NULL : list->children; entry != NULL; entry = entry->next) {
			const struct doc *self = doc_get(entry, "self");

			if (self == NULL || !self->value.boolean)
				add_value(expose, &leaves[i].metric, EXPOSE_LABELS(label, text_of(entry, name_key)),
					doc_get(entry, leaves[i].key));
		}
	}
}

static void add_master_states(struct expose *expose, const struct doc *masters)
{
	static const char *const states[] = { "new", "ok", "unknown" };

	for (const struct doc *master = masters == NULL ? NULL : masters->children; master != NULL; master = master->next) {
		for (size_t i = 0; i < ARRAY_SIZE(states); i++)
			expose_count(expose, &master_state,
				EXPOSE_LABELS("master", text_of(master, "identity"), "state", states[i]),
				strcmp(text_of(master, "state"), states[i]) == 0);
	}
}

static void add_masters(struct expose *expose, const struct doc *reconciler)
{
	const struct doc *pass = doc_get(reconciler, "last_run");
	const struct doc *masters = doc_get(reconciler, "masters");

	for (size_t i = 0; pass != NULL && pass->kind == DOC_OBJECT && i < ARRAY_SIZE(pass_leaves); i++)
		add_value(expose, &pass_leaves[i].metric, NULL, doc_get(pass, pass_leaves[i].key));
	add_master_states(expose, masters);
	add_list(expose, masters, "master", "identity", master_leaves, ARRAY_SIZE(master_leaves));
}

/* Those that were asked already. */
static void add_name_servers(struct expose *expose, const struct doc *verify)
{
	for (const struct doc *backend = verify == NULL ? NULL : verify->children; backend != NULL; backend = backend->next) {
		const struct doc *servers = doc_get(backend, "servers");

		for (const struct doc *server = servers == NULL ? NULL : servers->children; server != NULL; server = server->next) {
			const char *state = text_of(server, "state");

			if (strcmp(state, "new") != 0)
				expose_count(expose, &answering,
					EXPOSE_LABELS("backend", backend->key, "server", text_of(server, "address")),
					strcmp(state, "up") == 0);
		}
	}
}

void metrics_add_rooms(struct expose *expose, const struct engine_status *status)
{
	const struct doc *reconciler = status->shown == NULL ? NULL : doc_get(status->shown, "reconciler");
	const struct doc *peers = status->shown == NULL ? NULL : doc_get(status->shown, "peer_sync");

	const struct doc *notify = status->shown == NULL ? NULL : doc_get(status->shown, "notify");

	if (reconciler != NULL)
		add_masters(expose, reconciler);
	if (peers != NULL)
		add_list(expose, doc_get(peers, "peers"), "peer", "url", peer_leaves, ARRAY_SIZE(peer_leaves));
	add_name_servers(expose, status->shown == NULL ? NULL : doc_get(status->shown, "verify"));
	for (size_t i = 0; notify != NULL && i < ARRAY_SIZE(notify_leaves); i++)
		add_value(expose, &notify_leaves[i].metric, NULL, doc_get(notify, notify_leaves[i].key));
}
