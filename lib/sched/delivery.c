/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sched/delivery.h"

#include <stdlib.h>
#include <string.h>

static const char *const state_names[] = {
	[DELIVERY_CLEAN] = "clean", [DELIVERY_DUE] = "due",           [DELIVERY_INFLIGHT] = "inflight",
	[DELIVERY_WAIT] = "wait",   [DELIVERY_REJECTED] = "rejected", [DELIVERY_DEAD] = "dead",
	[DELIVERY_PARKED] = "parked",
};

static void set_error(struct delivery *delivery, const char *error)
{
	free(delivery->last_error);
	delivery->last_error = xstrdup(error);
}

/* The state a delivery has outside its flight. */
static enum delivery_state *resting(struct delivery *delivery)
{
	return delivery->state == DELIVERY_INFLIGHT ? &delivery->resting : &delivery->state;
}

static void make_due(struct delivery *delivery, int64_t now_us)
{
	enum delivery_state *state = resting(delivery);

	/* Nobody was behind while it was parked. */
	if (*state == DELIVERY_CLEAN || *state == DELIVERY_PARKED || delivery->since_us == 0)
		delivery->since_us = now_us;
	*state = DELIVERY_DUE;
	delivery->next_try_us = now_us;
}

static int64_t jittered_us(int64_t delay_ms, const struct delivery_policy *policy)
{
	int64_t spread = (int64_t)policy->jitter_percent;
	int64_t percent = rng_between(policy->rng, 100 - spread, 100 + spread);

	return delay_ms * 1000 * percent / 100;
}

static void land(struct delivery *delivery, enum delivery_state state)
{
	delivery->state = state;
	delivery->resting = state;
	delivery->inflight = 0;
	delivery->again = false;
}

/* Something newer than what is in flight is wanted, or was asked for since it was taken. */
static bool asked_meanwhile(const struct delivery *delivery)
{
	return delivery->wanted > delivery->inflight || delivery->again;
}

static void taken(struct delivery *delivery, uint64_t generation)
{
	CHECK(delivery->state != DELIVERY_CLEAN && delivery->state != DELIVERY_INFLIGHT &&
		delivery->state != DELIVERY_PARKED);
	delivery->resting = delivery->state;
	delivery->state = DELIVERY_INFLIGHT;
	delivery->inflight = generation;
	delivery->again = false;
}

static void succeeded(struct delivery *delivery, const struct delivery_args *args)
{
	bool again = delivery->again;

	delivery->applied = delivery->inflight;
	delivery->applied_at_us = args->wall_us;
	delivery->attempts = 0;
	delivery->suspect = false;
	set_error(delivery, NULL);
	land(delivery, DELIVERY_CLEAN);
	delivery->check = again;
	delivery->since_us = 0;
	if (delivery->wanted > delivery->applied || again)
		make_due(delivery, args->now_us);
	if (delivery->wanted > delivery->applied && args->newer_us != 0)
		delivery->since_us = args->newer_us;
}

static void failed(struct delivery *delivery, enum delivery_event event, const struct delivery_args *args,
	const struct delivery_policy *policy)
{
	bool newer = asked_meanwhile(delivery);

	set_error(delivery, args->error);
	if (newer) {
		/* What failed is not wanted any more: the newer content has its own attempts. */
		land(delivery, DELIVERY_DUE);
		delivery->attempts = 0;
		delivery->next_try_us = args->now_us;
		return;
	}
	if (event == DELIVERY_REJECT) {
		land(delivery, DELIVERY_REJECTED);
		delivery->next_try_us = args->now_us + jittered_us(policy->slow_retry_ms, policy);
		return;
	}
	delivery->attempts++;
	if (delivery->attempts > policy->max_attempts) {
		land(delivery, DELIVERY_DEAD);
		delivery->next_try_us = args->now_us + jittered_us(policy->slow_retry_ms, policy);
		return;
	}
	unsigned step = delivery->attempts - 1;
	if (step >= policy->backoff_count)
		step = policy->backoff_count - 1;
	land(delivery, DELIVERY_WAIT);
	delivery->next_try_us = args->now_us + jittered_us(policy->backoff_ms[step], policy);
}

/* Its slow clock is for the content that was fought over: what was asked for meanwhile has not been tried yet. */
static void contested(struct delivery *delivery, const struct delivery_args *args, const struct delivery_policy *policy)
{
	bool newer = asked_meanwhile(delivery);

	set_error(delivery, args->error);
	land(delivery, newer ? DELIVERY_DUE : DELIVERY_WAIT);
	delivery->next_try_us = args->now_us + (newer ? 0 : jittered_us(policy->slow_retry_ms, policy));
}

static void asked(struct delivery *delivery, enum delivery_event event, const struct delivery_args *args)
{
	if (event == DELIVERY_REPLAY && delivery->state == DELIVERY_CLEAN)
		return;
	if (event == DELIVERY_PUSHED || event == DELIVERY_RAISED) {
		CHECK(args->generation > delivery->wanted);
		delivery->wanted = args->generation;
	}
	if (event == DELIVERY_PUSHED)
		delivery->check = false;
	else if (event == DELIVERY_CHECK || (event == DELIVERY_RAISED && delivery->state == DELIVERY_CLEAN))
		delivery->check = true;
	if (delivery->state == DELIVERY_INFLIGHT)
		delivery->again = event != DELIVERY_PUSHED;
	delivery->attempts = 0;
	make_due(delivery, args->now_us);
}

static void park(struct delivery *delivery)
{
	CHECK(delivery->state != DELIVERY_CLEAN && delivery->state != DELIVERY_INFLIGHT);
	delivery->state = delivery->resting = DELIVERY_PARKED;
	delivery->next_try_us = INT64_MAX;
}

void delivery_move(struct delivery *delivery, enum delivery_event event, const struct delivery_args *args,
	const struct delivery_policy *policy)
{
	switch (event) {
	case DELIVERY_PUSHED:
	case DELIVERY_RAISED:
	case DELIVERY_CHECK:
	case DELIVERY_REPLAY:
		asked(delivery, event, args);
		return;
	case DELIVERY_PARK:
		park(delivery);
		return;
	case DELIVERY_TAKEN:
		taken(delivery, args->generation);
		return;
	default:
		break;
	}
	/* All others end a flight. */
	CHECK(delivery->state == DELIVERY_INFLIGHT);
	switch (event) {
	case DELIVERY_OK:
		succeeded(delivery, args);
		return;
	case DELIVERY_RETRY:
	case DELIVERY_REJECT:
		failed(delivery, event, args, policy);
		return;
	case DELIVERY_STALE:
		set_error(delivery, args->error);
		land(delivery, DELIVERY_DUE);
		delivery->next_try_us = args->now_us;
		return;
	case DELIVERY_CONTESTED:
		contested(delivery, args, policy);
		return;
	case DELIVERY_SUSPECT:
		set_error(delivery, args->error);
		land(delivery, delivery->resting);
		delivery->suspect = true;
		return;
	default:
		WRONG("a delivery event that the diagram does not know");
	}
}

void delivery_clear(struct delivery *delivery)
{
	free(delivery->last_error);
	*delivery = (struct delivery){ 0 };
}

const char *delivery_state_name(enum delivery_state state)
{
	CHECK((size_t)state < ARRAY_SIZE(state_names));
	return state_names[state];
}

bool delivery_state_parse(int64_t number, enum delivery_state *out)
{
	if (number < 0 || number >= (int64_t)ARRAY_SIZE(state_names) || number == DELIVERY_INFLIGHT)
		return false;
	*out = (enum delivery_state)number;
	return true;
}
