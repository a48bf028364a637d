/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The delivery: how far one zone is on one back end, and the one function that
 * moves it. Pure logic: no I/O, no thread, no clock of its own. The diagram is
 * in schema/states.md; the rules are decisions.md 2-6.
 *
 * Times are engine time in microseconds: wall clock at start plus monotonic
 * time since, so that a jump of the wall clock moves nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rng.h"

enum delivery_state {
	DELIVERY_CLEAN = 0,    /* the back end holds the wanted generation */
	DELIVERY_DUE = 1,      /* to be delivered now */
	DELIVERY_INFLIGHT = 2, /* with a lane; in memory only, stored as it was before */
	DELIVERY_WAIT = 3,     /* failed; next_try says when again */
	DELIVERY_REJECTED = 4, /* this back end cannot hold this data; tried again hourly, on push, on replay */
	DELIVERY_DEAD = 5,     /* attempts used up; tried again hourly, on push, on replay, when the lane comes up */
	DELIVERY_PARKED = 6    /* not tried until somebody asks: its zone is frozen, or its dead letter was dropped */
};

enum delivery_event {
	DELIVERY_PUSHED,   /* other content is wanted: it is written as it is, whatever was to be compared */
	DELIVERY_RAISED,   /* the same content is wanted under a higher generation */
	DELIVERY_CHECK,    /* equal push: compare the rows there */
	DELIVERY_TAKEN,    /* a lane took generation args->generation */
	DELIVERY_OK,       /* that generation is committed there */
	DELIVERY_RETRY,    /* this zone failed; the lane is good */
	DELIVERY_REJECT,   /* this zone cannot be held there */
	DELIVERY_STALE,    /* the target bears a stamp we must rise above; wanted was raised, or supersede is known */
	DELIVERY_CONTESTED, /* another store keeps writing it there: once per hour from now on, and on push */
	DELIVERY_SUSPECT,  /* the connection was lost under it twice, the lane is good: from now on alone and last */
	DELIVERY_REPLAY,   /* the operator: try at once */
	DELIVERY_PARK      /* the operator: not until somebody asks again */
};

struct delivery {
	enum delivery_state state;
	enum delivery_state resting; /* while INFLIGHT: the state that is stored */
	uint64_t wanted;             /* the zone's generation */
	uint64_t applied;            /* the newest generation that the back end is known to hold; 0: none */
	uint64_t inflight;           /* while INFLIGHT: the generation the lane has */
	bool check;                  /* compare rows even if applied == wanted; of a delete: only what is ours goes (backend.h) */
	bool again;                  /* while INFLIGHT: a check was asked for meanwhile */
	bool suspect;                /* decisions.md 2: delivered alone, after all others */
	uint32_t attempts;           /* counted failures since the last success or push */
	int64_t next_try_us;         /* due when <= now; meaningless while CLEAN, INT64_MAX while PARKED */
	int64_t since_us;            /* left CLEAN at; 0 while CLEAN */
	int64_t applied_at_us;       /* wall clock of the last OK; 0: never */
	char *last_error;            /* owned; NULL: none */
};

struct delivery_policy {
	const int64_t *backoff_ms;   /* retry.backoff_seconds; the last one repeats */
	unsigned backoff_count;      /* at least 1 */
	unsigned max_attempts;       /* retries after the first counted failure */
	int64_t slow_retry_ms;       /* of DEAD and REJECTED: 3600000 */
	unsigned jitter_percent;     /* 20 */
	struct rng *rng;
};

struct delivery_args {
	int64_t now_us;              /* engine time */
	int64_t wall_us;             /* for applied_at */
	uint64_t generation;         /* TAKEN, OK: the generation it is about; PUSHED, RAISED: the new wanted */
	const char *error;           /* RETRY, REJECT, STALE, SUSPECT: why (copied) */
	int64_t newer_us;            /* OK: since when newer content is wanted; engine time, 0: not known */
};

/*
 * Moves the delivery. A pair of state and event that the diagram does not know ends the process. On OK with
 * wanted > inflight, or a check asked for meanwhile, it is DUE again. A lane that goes down under a delivery is no
 * event: the row is as it was before it was taken, and no attempt is burnt.
 */
void delivery_move(struct delivery *delivery, enum delivery_event event, const struct delivery_args *args,
	const struct delivery_policy *policy);
void delivery_clear(struct delivery *delivery); /* frees last_error, zeroes the rest */
const char *delivery_state_name(enum delivery_state state);   /* "clean", "due", ... */
/* The stored number back to a state; false for a number that is none or may not be stored. */
MUST_CHECK bool delivery_state_parse(int64_t number, enum delivery_state *out);
