/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "notify/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

struct state {
	const char *kind;
	char backend[WATCH_NAME_SIZE];
	bool told_bad;
	bool differs;              /* it is otherwise than what was told, */
	int64_t differs_ms;        /* since then; monotonic */
	int64_t since_us;          /* and by the wall clock */
	bool seen;                 /* in this look */
};

struct watch {
	int64_t least_ms;
	struct state *states;
	size_t count;
};

struct watch *watch_create(int64_t least_ms)
{
	struct watch *watch = xcalloc(1, sizeof(*watch));

	watch->least_ms = least_ms;
	return watch;
}

void watch_destroy(struct watch *watch)
{
	if (watch == NULL)
		return;
	free(watch->states);
	free(watch);
}

static struct state *find(struct watch *watch, const struct watch_fact *fact)
{
	struct state *state;

	for (size_t i = 0; i < watch->count; i++) {
		state = &watch->states[i];
		if (strcmp(state->kind, fact->kind) == 0 && strcmp(state->backend, fact->backend) == 0)
			return state;
	}
	watch->states = xrealloc(watch->states, (watch->count + 1) * sizeof(*watch->states));
	state = &watch->states[watch->count++];
	*state = (struct state){ .kind = fact->kind };
	snprintf(state->backend, sizeof(state->backend), "%s", fact->backend);
	return state;
}

/* Whether it has been otherwise than what was told for long enough. */
static bool is_news(const struct watch *watch, struct state *state, bool bad, int64_t now_ms, int64_t wall_us)
{
	if (bad == state->told_bad) {
		state->differs = false;
		return false;
	}
	if (!state->differs) {
		state->differs = true;
		state->differs_ms = now_ms;
		state->since_us = wall_us;
	}
	return now_ms - state->differs_ms >= watch->least_ms;
}

/* Back ends that are not configured any more: what was told of them is over. */
static void forget_unseen(struct watch *watch, int64_t wall_us, void (*each)(void *ctx, const struct watch_news *news), void *ctx)
{
	size_t kept = 0;

	for (size_t i = 0; i < watch->count; i++) {
		struct state *state = &watch->states[i];

		if (!state->seen && state->told_bad) {
			struct watch_fact gone = { .kind = state->kind, .moot = "not configured any more" };

			memcpy(gone.backend, state->backend, sizeof(gone.backend));
			each(ctx, &(struct watch_news){ .fact = &gone, .since_us = wall_us });
		}
		if (state->seen)
			watch->states[kept++] = *state;
	}
	watch->count = kept;
}

void watch_look(struct watch *watch, const struct watch_fact *facts, size_t count, int64_t now_ms, int64_t wall_us,
	void (*each)(void *ctx, const struct watch_news *news), void *ctx)
{
	for (size_t i = 0; i < watch->count; i++)
		watch->states[i].seen = false;
	for (size_t i = 0; i < count; i++) {
		struct state *state = find(watch, &facts[i]);

		state->seen = true;
		if (!is_news(watch, state, facts[i].bad, now_ms, wall_us))
			continue;
		state->told_bad = facts[i].bad;
		state->differs = false;
		each(ctx, &(struct watch_news){ .fact = &facts[i], .since_us = state->since_us });
	}
	forget_unseen(watch, wall_us, each, ctx);
}
