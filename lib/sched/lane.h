/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The lane: the health of one back end as a whole, and its breaker. Pure
 * logic: no I/O, no thread. Rules: decisions.md 2-3, 5; diagram in
 * schema/states.md.
 *
 *   UP       deliveries flow
 *   DOUBT    a connection was lost under a delivery: one probe at once decides
 *            whether the lane or the zone is to blame; nothing new is sent
 *   DOWN     waits for its own clock (1, 2, 5, 10, 20, 30 s, then 30 s, +-20 %)
 *   PROBING  one probe is out
 *   PAUSED   by the operator: nothing goes out until it is resumed, and then a probe first
 *
 * After a probe succeeded the lane is UP but on trial: one delivery at a time
 * until one has succeeded; only that success resets the clock. A lane that went
 * down by a failed delivery has that to prove: a probe writes nothing, so
 * people are told that it is up when a delivery succeeded, or when there is
 * nothing to deliver. Where the
 * connection was lost under LANE_BLAME different zones and nothing succeeded
 * between, the lane blames itself: then every further loss is its own failure
 * and no zone is charged.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rng.h"

enum { LANE_BLAME = 5 };

enum lane_state { LANE_UP, LANE_DOUBT, LANE_DOWN, LANE_PROBING, LANE_PAUSED };

enum lane_event {
	LANE_PROBE_SENT,    /* from DOWN (or at start) */
	LANE_PROBE_OK,
	LANE_PROBE_FAILED,
	LANE_DELIVERED,     /* any delivery succeeded, or failed for its zone's own reasons */
	LANE_LOST,          /* a connection was lost under a delivery */
	LANE_FAILED,        /* a delivery was answered DOWN for a reason of the whole back end */
	LANE_SUSPECTED,     /* the same of a zone that is known as suspect: it may be the zone's */
	LANE_IDLE,          /* nothing is due or on its way there */
	LANE_PAUSE,         /* the operator; not while PAUSED */
	LANE_RESUME         /* the operator; while PAUSED only */
};

struct lane_policy {
	int64_t probe_initial_ms; /* retry.probe_initial_ms, 1000 */
	int64_t probe_max_ms;     /* retry.probe_max_ms, 30000 */
	unsigned jitter_percent;  /* 20 */
	struct rng *rng;
};

struct lane {
	enum lane_state state;
	bool trial;               /* UP, but nothing has succeeded since the probe */
	bool proving;             /* a delivery brought it down, and none has succeeded since */
	enum { LANE_TOLD_NOTHING, LANE_TOLD_UP, LANE_TOLD_DOWN } told; /* what people were told last */
	unsigned step;            /* how often it failed since the last success */
	int64_t next_probe_us;    /* DOWN: when; engine time */
	int64_t since_us;         /* wall clock of when they were told */
	int64_t lost[LANE_BLAME]; /* different zones under which a connection was lost since the last success */
	unsigned lost_count;
	char last_error[ERR_TEXT_SIZE];
};

/* A lane starts DOWN with its probe due now: nothing is sent to a back end that has not answered. */
void lane_init(struct lane *lane, int64_t wall_us);
/* Returns true if the change is one that people are told of: UP, DOWN (a doubt that ends well is none), PAUSED. */
bool lane_move(struct lane *lane, enum lane_event event, int64_t now_us, int64_t wall_us, const char *error,
	const struct lane_policy *policy);
/* A connection was lost under that zone's delivery; call before LANE_LOST. */
void lane_note_lost(struct lane *lane, int64_t zone_id);
/* Too many different zones were lost in a row: it is not the zones. */
bool lane_is_to_blame(const struct lane *lane);
/* How many jobs may be out at once: 0 unless UP, 1 on trial, else connections. */
unsigned lane_window(const struct lane *lane, unsigned connections);
/* For people: "up", "down", "probing", "paused"; DOUBT reads "probing", and so does UP while it is to be proved. */
const char *lane_state_name(const struct lane *lane);
