/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What /status shows as "reconciler": the predecessor's fields, and each master. */
#include "sync/internal.h"

static void add_sums(const struct sync *sync, struct doc *run)
{
	struct master_found sum = { 0 };

	for (size_t i = 0; i < sync->params.master_count; i++) {
		const struct master_found *found = &sync->masters[i].shown;

		sum.zones += found->zones;
		sum.missing += found->missing;
		sum.deleting += found->deleting;
		sum.held += found->held;
		sum.behind += found->behind;
		sum.pulled += found->pulled;
		sum.failed += found->failed;
	}
	doc_uint(run, "zones_in_da", sum.zones);
	doc_uint(run, "orphans_found", sum.missing);
	doc_uint(run, "orphans_queued", sum.deleting);
	doc_uint(run, "orphans_held", sum.held);
	doc_uint(run, "zones_behind", sum.behind);
	doc_uint(run, "zones_pulled", sum.pulled);
	doc_uint(run, "pulls_failed", sum.failed);
}

static void add_last_run(const struct sync *sync, struct doc *doc)
{
	const struct pass *pass = &sync->last;

	if (pass->number == 0) {
		doc_null(doc, "last_run");
		return;
	}
	struct doc *run = doc_object(doc, "last_run");
	doc_int(run, "pass", pass->number);
	doc_text(run, "status", !pass->complete ? "failed" : pass->unknown > 0 ? "unknown" : "ok");
	doc_bool(run, "dry_run", pass->dry_run);
	doc_time(run, "started_at", pass->started_at_us);
	doc_time(run, "completed_at", pass->ended_at_us);
	doc_real(run, "duration_seconds", (double)(pass->ended_at_us - pass->started_at_us) / 1e6);
	doc_uint(run, "da_servers_polled", sync->params.master_count);
	doc_uint(run, "da_servers_unreachable", pass->unknown);
	doc_uint(run, "zones_in_db", pass->held_zones);
	doc_uint(run, "hostnames_backfilled", pass->found_owner);
	doc_uint(run, "hostnames_migrated", pass->moved);
	doc_uint(run, "zones_contested", pass->contested);
	doc_uint(run, "zones_listed_as_foreign", pass->foreign);
	add_sums(sync, run);
}

static void add_master(struct doc *list, const struct master *master)
{
	static const char *const states[] = { [MASTER_NEW] = "new", [MASTER_KNOWN] = "ok", [MASTER_UNKNOWN] = "unknown" };
	const struct master_found *found = &master->shown;
	struct doc *entry = doc_object(list, NULL);

	doc_text(entry, "identity", master->identity);
	doc_text(entry, "hostname", master->conf->hostname);
	doc_text(entry, "state", states[master->state]);
	doc_time(entry, "since", master->since_us);
	doc_time(entry, "complete_at", master->complete_at_us);
	doc_uint(entry, "zones", found->zones);
	doc_uint(entry, "ignored_names", found->ignored);
	doc_uint(entry, "owned", found->owned);
	doc_uint(entry, "missing", found->missing);
	doc_uint(entry, "deleting", found->deleting);
	doc_uint(entry, "held", found->held);
	if (found->held_id == 0)
		doc_null(entry, "held_id");
	else
		doc_int(entry, "held_id", found->held_id);
	doc_uint(entry, "behind", found->behind);
	doc_uint(entry, "pulled", found->pulled);
	doc_uint(entry, "postponed", found->postponed);
	doc_uint(entry, "failed", found->failed);
	doc_text(entry, "error", master->state == MASTER_UNKNOWN ? master->err.text : NULL);
}

void report_publish(struct sync *sync)
{
	struct doc *doc = doc_create();

	doc_bool(doc, "enabled", true);
	doc_bool(doc, "alive", true);
	doc_bool(doc, "dry_run", sync->params.dry_run);
	doc_uint(doc, "interval_minutes", sync->params.interval_minutes);
	doc_bool(doc, "running", sync->pass.number > 0 && sync->pass.ended_at_us == 0);
	doc_int(doc, "pass", sync->pass.number);
	doc_int(doc, "asked", sync->pass.number + sync->again);
	add_last_run(sync, doc);
	struct doc *masters = doc_list(doc, "masters");
	for (size_t i = 0; i < sync->params.master_count; i++)
		add_master(masters, &sync->masters[i]);
	engine_publish(sync->engine, "reconciler", doc);
}
