/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the status shows of peers: directdnsonly's fields, and ours. */
#include <string.h>

#include "sync/peer_internal.h"

static void show_node(struct doc *out, const struct peer_node *node)
{
	bool seen = node->last_seen_us != 0;
	int64_t offset_ms = node->offset_us / 1000;

	doc_text(out, "url", node->url);
	doc_bool(out, "healthy", node->healthy);
	doc_uint(out, "consecutive_failures", node->failures);
	doc_time(out, "last_seen", node->last_seen_us);
	doc_text(out, "last_error", node->err.code == ERR_OK ? NULL : node->err.text);
	doc_bool(out, "learnt", node->learnt);
	doc_bool(out, "self", node->self);
	doc_text(out, "kind", !seen ? NULL : node->versioned ? "zonefan" : "directdnsonly");
	doc_text(out, "store_id", node->store_id[0] == '\0' ? NULL : node->store_id);
	if (seen)
		doc_real(out, "skew_seconds", (double)offset_ms / 1e3);
	else
		doc_null(out, "skew_seconds");
	doc_bool(out, "unfinished", node->after != NULL);
	doc_uint(out, "zones", node->found.zones);
	doc_uint(out, "behind", node->found.newer - (node->found.taken < node->found.newer ? node->found.taken : node->found.newer));
	doc_uint(out, "taken", node->found.taken);
	doc_uint(out, "waiting", node->found.waiting);
	doc_uint(out, "capped", node->found.capped);
	doc_uint(out, "failed", node->found.failed);
}

void peer_show(struct peer_sync *sync)
{
	struct doc *out = doc_create();
	uint64_t healthy = 0;

	doc_bool(out, "enabled", true);
	doc_bool(out, "alive", true);
	doc_uint(out, "interval_minutes", sync->params->interval_minutes);
	struct doc *peers = doc_list(out, "peers");
	for (size_t i = 0; i < sync->node_count; i++) {
		show_node(doc_object(peers, NULL), &sync->nodes[i]);
		healthy += sync->nodes[i].healthy;
	}
	doc_uint(out, "total", sync->node_count);
	doc_uint(out, "healthy", healthy);
	doc_uint(out, "degraded", sync->node_count - healthy);
	doc_int(out, "pass", sync->pass);
	doc_int(out, "passed", sync->passed);
	doc_time(out, "last_pass", sync->passed_at_us);
	engine_publish(sync->engine, "peer_sync", out);
}
