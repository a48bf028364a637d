/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sched/lane.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"

void lane_init(struct lane *lane, int64_t wall_us)
{
	*lane = (struct lane){ .state = LANE_DOWN, .since_us = wall_us };
}

/* 1, 2, 5, 10, 20, 30 times the initial delay, never above the greatest. */
static int64_t probe_delay_us(const struct lane *lane, const struct lane_policy *policy)
{
	static const int64_t factors[] = { 1, 2, 5, 10, 20, 30 };
	size_t step = lane->step < ARRAY_SIZE(factors) ? lane->step : ARRAY_SIZE(factors) - 1;
	int64_t delay_ms = policy->probe_initial_ms * factors[step];
	int64_t spread = (int64_t)policy->jitter_percent;

	if (delay_ms > policy->probe_max_ms)
		delay_ms = policy->probe_max_ms;
	return delay_ms * 1000 * rng_between(policy->rng, 100 - spread, 100 + spread) / 100;
}

static bool tell_down(struct lane *lane, int64_t wall_us)
{
	if (lane->told == LANE_TOLD_DOWN)
		return false;
	lane->told = LANE_TOLD_DOWN;
	lane->since_us = wall_us;
	return true;
}

static bool go_down(struct lane *lane, int64_t now_us, int64_t wall_us, const char *error,
	const struct lane_policy *policy)
{
	lane->state = LANE_DOWN;
	lane->trial = false;
	lane->next_probe_us = now_us + probe_delay_us(lane, policy);
	lane->step++;
	snprintf(lane->last_error, sizeof(lane->last_error), "%s", error);
	return tell_down(lane, wall_us);
}

static bool tell_up(struct lane *lane, int64_t wall_us)
{
	if (lane->told == LANE_TOLD_UP)
		return false;
	lane->told = LANE_TOLD_UP;
	lane->since_us = wall_us;
	return true;
}

static bool go_up(struct lane *lane, int64_t wall_us)
{
	lane->state = LANE_UP;
	lane->trial = true;
	return !lane->proving && tell_up(lane, wall_us);
}

/* It is up for people, too. */
static bool prove(struct lane *lane, int64_t wall_us)
{
	lane->proving = false;
	lane->last_error[0] = '\0';
	return tell_up(lane, wall_us);
}

static bool delivered(struct lane *lane, int64_t wall_us)
{
	lane->lost_count = 0;
	/* An answer that was under way when the lane went down says nothing about now. */
	if (lane->state != LANE_UP)
		return false;
	lane->trial = false;
	lane->step = 0;
	return prove(lane, wall_us);
}

static bool lost(struct lane *lane, int64_t now_us, int64_t wall_us, const char *error,
	const struct lane_policy *policy)
{
	if (lane->state != LANE_UP)
		return false;
	if (lane_is_to_blame(lane)) {
		lane->proving = true;
		return go_down(lane, now_us, wall_us, error, policy);
	}
	lane->state = LANE_DOUBT;
	snprintf(lane->last_error, sizeof(lane->last_error), "%s", error);
	return false;
}

/* What was known before is not held against it afterwards: the operator had it in hand. */
static void pause_lane(struct lane *lane, int64_t wall_us)
{
	CHECK(lane->state != LANE_PAUSED);
	lane->state = LANE_PAUSED;
	lane->trial = false;
	lane->proving = false;
	lane->told = LANE_TOLD_NOTHING;
	lane->step = 0;
	lane->since_us = wall_us;
	lane->lost_count = 0;
	lane->last_error[0] = '\0';
}

static void resume_lane(struct lane *lane, int64_t now_us, int64_t wall_us)
{
	CHECK(lane->state == LANE_PAUSED);
	lane->state = LANE_DOWN;
	lane->next_probe_us = now_us;
	lane->since_us = wall_us;
}

bool lane_move(struct lane *lane, enum lane_event event, int64_t now_us, int64_t wall_us, const char *error,
	const struct lane_policy *policy)
{
	switch (event) {
	case LANE_PROBE_SENT:
		CHECK(lane->state == LANE_DOWN || lane->state == LANE_DOUBT);
		if (lane->state == LANE_DOWN)
			lane->state = LANE_PROBING;
		return false;
	case LANE_PROBE_OK:
		if (lane->state != LANE_PROBING && lane->state != LANE_DOUBT)
			return false;
		return go_up(lane, wall_us);
	case LANE_PROBE_FAILED:
		if (lane->state != LANE_PROBING && lane->state != LANE_DOUBT)
			return false;
		return go_down(lane, now_us, wall_us, error, policy);
	case LANE_DELIVERED:
		return delivered(lane, wall_us);
	case LANE_LOST:
		return lost(lane, now_us, wall_us, error, policy);
	case LANE_FAILED:
	case LANE_SUSPECTED:
		/* Further failures of what was in flight together are one failure: one step of the clock. */
		if (lane->state != LANE_UP && lane->state != LANE_DOUBT)
			return false;
		lane->proving = lane->proving || event == LANE_FAILED;
		return go_down(lane, now_us, wall_us, error, policy);
	case LANE_IDLE:
		return lane->state == LANE_UP && lane->proving && prove(lane, wall_us);
	case LANE_PAUSE:
		pause_lane(lane, wall_us);
		return true;
	case LANE_RESUME:
		resume_lane(lane, now_us, wall_us);
		return true;
	}
	WRONG("a lane event that the diagram does not know");
}

void lane_note_lost(struct lane *lane, int64_t zone_id)
{
	for (unsigned i = 0; i < lane->lost_count; i++) {
		if (lane->lost[i] == zone_id)
			return;
	}
	if (lane->lost_count < LANE_BLAME)
		lane->lost[lane->lost_count++] = zone_id;
}

bool lane_is_to_blame(const struct lane *lane)
{
	return lane->lost_count >= LANE_BLAME;
}

unsigned lane_window(const struct lane *lane, unsigned connections)
{
	if (lane->state != LANE_UP)
		return 0;
	return lane->trial ? 1 : connections;
}

const char *lane_state_name(const struct lane *lane)
{
	switch (lane->state) {
	case LANE_UP:
		return lane->proving ? "probing" : "up";
	case LANE_DOWN:
		return "down";
	case LANE_DOUBT:
	case LANE_PROBING:
		return "probing";
	case LANE_PAUSED:
		return "paused";
	}
	WRONG("a lane state that the diagram does not know");
}
