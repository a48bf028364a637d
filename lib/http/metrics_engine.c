/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the engine counts, as tables: a further figure of it is a further row. */
#include <stddef.h>
#include <string.h>

#include "base/check.h"
#include "http/metrics.h"

enum value_kind { VALUE_COUNT, VALUE_US, VALUE_TIME }; /* TIME: since 1970; 0 is never, and not shown */

struct row {
	struct expose_metric metric;
	enum value_kind kind;
	size_t offset;                 /* of the uint64_t or int64_t */
};

/* Metrics with a second label: the rows of one metric follow each other. */
struct split_row {
	const struct expose_metric *metric;
	const char *value;             /* of the label */
	size_t offset;                 /* of the uint64_t */
};

#define STATUS(member) offsetof(struct engine_status, member)
#define LANE(member) offsetof(struct engine_lane, member)

/* ---- the whole ---- */

static const struct expose_metric pushes = { "zonefan_pushes_total", EXPOSE_COUNTER,
	"Zone pushes, by what became of them: accepted, refused for what they hold, held for an operator's word." };

static const struct split_row push_rows[] = {
	{ &pushes, "accepted", STATUS(pushes) },
	{ &pushes, "refused", STATUS(refused) },
	{ &pushes, "held", STATUS(guarded) },
};

static const struct row status_rows[] = {
	{ { "zonefan_deletes_total", EXPOSE_COUNTER, "Zones that were deleted." }, VALUE_COUNT, STATUS(deletes) },
	{ { "zonefan_superseded_deliveries_total", EXPOSE_COUNTER, "Deliveries that newer content made needless before they began." },
		VALUE_COUNT, STATUS(superseded) },
	{ { "zonefan_zones", EXPOSE_GAUGE, "Zones in service." }, VALUE_COUNT, STATUS(zones_total) },
	{ { "zonefan_frozen_zones", EXPOSE_GAUGE, "Zones whose pushes are stored and not delivered." }, VALUE_COUNT, STATUS(frozen) },
	{ { "zonefan_held_changes", EXPOSE_GAUGE, "Pushes and sets of deletes that wait for an operator's word." }, VALUE_COUNT,
		STATUS(held) },
	{ { "zonefan_queued_requests", EXPOSE_GAUGE, "Requests that wait for the engine." }, VALUE_COUNT, STATUS(queue_size) },
	{ { "zonefan_store_file_bytes", EXPOSE_GAUGE, "Size of the store's database." }, VALUE_COUNT, STATUS(store_bytes) },
	{ { "zonefan_store_log_bytes", EXPOSE_GAUGE, "Size of the store's write-ahead log." }, VALUE_COUNT, STATUS(store_log_bytes) },
	{ { "zonefan_store_free_bytes", EXPOSE_GAUGE, "Room on the file system of the store." }, VALUE_COUNT,
		STATUS(store_free_bytes) },
};

static const struct expose_metric writable = { "zonefan_store_writable", EXPOSE_GAUGE,
	"1 if pushes can be made durable, 0 if they are refused because the store can't be written." };
static const struct expose_metric dry_run = { "zonefan_dry_run", EXPOSE_GAUGE,
	"1 if app.dry_run keeps all back ends paused." };

/* ---- back ends ---- */

static const struct row lane_rows[] = {
	{ { "zonefan_backend_state_since_timestamp_seconds", EXPOSE_GAUGE, "Since when the back end is in its state." }, VALUE_TIME,
		LANE(since_us) },
	{ { "zonefan_backend_pending_deliveries", EXPOSE_GAUGE, "Zones whose newest state the back end does not hold yet." },
		VALUE_COUNT, LANE(pending) },
	{ { "zonefan_backend_oldest_undelivered_seconds", EXPOSE_GAUGE, "Age of the oldest of them, 0 if there is none: how far it is behind." },
		VALUE_US, LANE(oldest_pending_us) },
	{ { "zonefan_backend_inflight_deliveries", EXPOSE_GAUGE, "Zones that are being written there." }, VALUE_COUNT, LANE(inflight) },
	{ { "zonefan_backend_dead_deliveries", EXPOSE_GAUGE, "Zones that were given up after too many failures, and are tried hourly." },
		VALUE_COUNT, LANE(dead) },
	{ { "zonefan_backend_rejected_deliveries", EXPOSE_GAUGE, "Zones that the back end cannot hold as they are." }, VALUE_COUNT,
		LANE(rejected) },
	{ { "zonefan_backend_suspect_zones", EXPOSE_GAUGE, "Zones under which its connection broke, and which go alone." }, VALUE_COUNT,
		LANE(suspect) },
	{ { "zonefan_backend_parked_deliveries", EXPOSE_GAUGE, "Zones that are not delivered until somebody asks." }, VALUE_COUNT,
		LANE(parked) },
	{ { "zonefan_backend_contested_zones", EXPOSE_GAUGE, "Zones that somebody else keeps writing there." }, VALUE_COUNT,
		LANE(contested) },
};

/* Of back ends whose name servers are asked. */
static const struct row verify_rows[] = {
	{ { "zonefan_backend_unanswered_zones", EXPOSE_GAUGE, "Zones that are written or deleted there, and that not all its name servers answer so." },
		VALUE_COUNT, LANE(unanswered) },
	{ { "zonefan_backend_oldest_unanswered_seconds", EXPOSE_GAUGE, "Age of the oldest of them, 0 if there is none." }, VALUE_US,
		LANE(oldest_unanswered_us) },
	{ { "zonefan_backend_still_answered_zones", EXPOSE_GAUGE, "Deleted zones that its name servers answer all the same." },
		VALUE_COUNT, LANE(still_answers) },
};

/* With 0 for never: a canary that never comes through is what it is there to tell. */
static const struct expose_metric canary = { "zonefan_backend_canary_answered_timestamp_seconds", EXPOSE_GAUGE,
	"When all its name servers answered the canary last, 0 if they did not since the start." };

static const struct expose_metric deliveries = { "zonefan_backend_deliveries_total", EXPOSE_COUNTER,
	"Answers to deliveries: ok, retry (the zone failed), reject (it can't be held), stale (a newer stamp), down (the back end failed)." };
static const struct expose_metric passes = { "zonefan_backend_healing_passes_total", EXPOSE_COUNTER,
	"Healing passes that ended, by how." };
static const struct expose_metric findings = { "zonefan_backend_healing_findings_total", EXPOSE_COUNTER,
	"Zones that differed when a healing pass compared them, by how." };
static const struct expose_metric repairs = { "zonefan_backend_healing_repairs_total", EXPOSE_COUNTER,
	"What came of repairs that healing passes began." };

static const struct split_row lane_split_rows[] = {
	{ &deliveries, "ok", LANE(tally.ok) },
	{ &deliveries, "retry", LANE(tally.retry) },
	{ &deliveries, "reject", LANE(tally.reject) },
	{ &deliveries, "stale", LANE(tally.stale) },
	{ &deliveries, "down", LANE(tally.down) },
	{ &passes, "done", LANE(tally.heals_done) },
	{ &passes, "failed", LANE(tally.heals_failed) },
	{ &passes, "stopped", LANE(tally.heals_stopped) },
	{ &findings, "missing", LANE(tally.missing) },
	{ &findings, "changed", LANE(tally.changed) },
	{ &findings, "stamp", LANE(tally.stamp) },
	{ &findings, "undeleted", LANE(tally.undeleted) },
	{ &findings, "stray", LANE(tally.stray) },
	{ &repairs, "repaired", LANE(tally.repaired) },
	{ &repairs, "unrepaired", LANE(tally.unrepaired) },
};

/* With 0 for never: a pass that never gets to its end must be seen. */
static const struct expose_metric healed = { "zonefan_backend_healed_timestamp_seconds", EXPOSE_GAUGE,
	"When the last healing pass got to its end, 0 if none did since the start, and one is to come." };

static const struct expose_metric state = { "zonefan_backend_state", EXPOSE_GAUGE,
	"1 for the state that the back end is in, 0 for the others." };
static const struct expose_metric commit = { "zonefan_backend_push_to_commit_seconds", EXPOSE_HISTOGRAM,
	"Time from when content was accepted (or the back end became known) to its commit there." };

static const struct expose_metric answer = { "zonefan_backend_push_to_answer_seconds", EXPOSE_HISTOGRAM,
	"Time from when content was accepted until all name servers of the back end answered it." };

/* ---- how rows are shown ---- */

static uint64_t count_at(const void *object, size_t offset)
{
	uint64_t count;

	memcpy(&count, (const char *)object + offset, sizeof(count));
	return count;
}

static void add_row(struct expose *expose, const struct row *row, const char *const *labels, const void *object)
{
	uint64_t value = count_at(object, row->offset);

	if (row->kind == VALUE_COUNT)
		expose_count(expose, &row->metric, labels, value);
	else if (row->kind == VALUE_US || value != 0)
		expose_us(expose, &row->metric, labels, (int64_t)value);
}

static void add_whole(struct expose *expose, const struct engine_status *status)
{
	for (size_t i = 0; i < ARRAY_SIZE(push_rows); i++)
		expose_count(expose, push_rows[i].metric, EXPOSE_LABELS("result", push_rows[i].value),
			count_at(status, push_rows[i].offset));
	for (size_t i = 0; i < ARRAY_SIZE(status_rows); i++)
		add_row(expose, &status_rows[i], NULL, status);
	expose_count(expose, &writable, NULL, status->store_ok);
	expose_count(expose, &dry_run, NULL, status->dry_run);
}

static void add_states(struct expose *expose, const struct engine_status *status)
{
	static const char *const states[] = { "up", "down", "probing", "paused" };

	for (size_t i = 0; i < status->lane_count; i++) {
		const struct engine_lane *lane = &status->lanes[i];

		for (size_t k = 0; k < ARRAY_SIZE(states); k++)
			expose_count(expose, &state, EXPOSE_LABELS("backend", lane->backend, "state", states[k]),
				strcmp(lane->state, states[k]) == 0);
	}
}

/* Rows first last of one metric, for each back end. */
static void add_split(struct expose *expose, const struct engine_status *status, size_t first, size_t end)
{
	for (size_t i = 0; i < status->lane_count; i++) {
		const struct engine_lane *lane = &status->lanes[i];

		for (size_t k = first; k < end; k++)
			expose_count(expose, lane_split_rows[k].metric,
				EXPOSE_LABELS("backend", lane->backend, "result", lane_split_rows[k].value),
				count_at(lane, lane_split_rows[k].offset));
	}
}

static void add_lanes(struct expose *expose, const struct engine_status *status)
{
	add_states(expose, status);
	for (size_t i = 0; i < ARRAY_SIZE(lane_rows); i++) {
		for (size_t k = 0; k < status->lane_count; k++)
			add_row(expose, &lane_rows[i], EXPOSE_LABELS("backend", status->lanes[k].backend), &status->lanes[k]);
	}
	for (size_t i = 0; i < status->lane_count; i++) {
		const struct engine_lane *lane = &status->lanes[i];

		if (lane->tally.healed_at_us != 0 || lane->next_heal_us != 0)
			expose_us(expose, &healed, EXPOSE_LABELS("backend", lane->backend), lane->tally.healed_at_us);
	}
	for (size_t first = 0, end; first < ARRAY_SIZE(lane_split_rows); first = end) {
		end = first + 1;
		while (end < ARRAY_SIZE(lane_split_rows) && lane_split_rows[end].metric == lane_split_rows[first].metric)
			end++;
		add_split(expose, status, first, end);
	}
	for (size_t i = 0; i < status->lane_count; i++)
		expose_histogram(expose, &commit, EXPOSE_LABELS("backend", status->lanes[i].backend),
			&status->lanes[i].tally.commit);
}

static void add_verified(struct expose *expose, const struct engine_status *status)
{
	for (size_t i = 0; i < ARRAY_SIZE(verify_rows); i++) {
		for (size_t k = 0; k < status->lane_count; k++) {
			if (status->lanes[k].verified)
				add_row(expose, &verify_rows[i], EXPOSE_LABELS("backend", status->lanes[k].backend), &status->lanes[k]);
		}
	}
	for (size_t i = 0; i < status->lane_count; i++) {
		if (status->lanes[i].canary)
			expose_us(expose, &canary, EXPOSE_LABELS("backend", status->lanes[i].backend),
				status->lanes[i].canary_answered_at_us);
	}
	for (size_t i = 0; i < status->lane_count; i++) {
		if (status->lanes[i].verified)
			expose_histogram(expose, &answer, EXPOSE_LABELS("backend", status->lanes[i].backend),
				&status->lanes[i].tally.answer);
	}
}

void metrics_add_engine(struct expose *expose, const struct engine_status *status)
{
	add_whole(expose, status);
	add_lanes(expose, status);
	add_verified(expose, status);
}
