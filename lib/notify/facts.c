/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "notify/facts.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t certificate_warn_us = INT64_C(14) * 86400 * 1000000;

PRINTF_LIKE(5, 6) static void add(struct facts *facts, const char *kind, const char *backend, bool bad, const char *format, ...)
{
	struct watch_fact *fact;
	va_list args;

	facts->list = xrealloc(facts->list, (facts->count + 1) * sizeof(*facts->list));
	fact = &facts->list[facts->count++];
	*fact = (struct watch_fact){ .kind = kind, .bad = bad };
	snprintf(fact->backend, sizeof(fact->backend), "%s", backend);
	va_start(args, format);
	vsnprintf(fact->text, sizeof(fact->text), format, args);
	va_end(args);
}

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

static void add_certificate(const struct engine_status *status, int64_t wall_us, struct facts *out)
{
	const struct doc *tls = status->shown == NULL ? NULL : doc_get(status->shown, "tls");
	const struct doc *expires = tls == NULL ? NULL : doc_get(tls, "expires_at");
	char text[CLOCK_TEXT_SIZE];

	if (expires == NULL || expires->kind != DOC_TIME || expires->value.number == 0)
		return;
	add(out, "certificate_expires", "", expires->value.number - wall_us < certificate_warn_us,
		"%s", clock_text(expires->value.number, text));
}

static void add_lane(const struct engine_lane *lane, int64_t unanswered_us, struct facts *out)
{
	bool down = strcmp(lane->state, "down") == 0 || strcmp(lane->state, "probing") == 0;
	uint64_t dead = lane->dead + lane->rejected;

	add(out, "backend_down", lane->backend, down, "%s", !down ? "" : lane->last_error == NULL ? "it has not answered yet" : lane->last_error);
	if (strcmp(lane->state, "paused") == 0)
		out->list[out->count - 1].moot = "paused";
	if (lane->verified)
		add(out, "unanswered", lane->backend, lane->oldest_unanswered_us > unanswered_us,
			"%" PRIu64 " zone%s", lane->unanswered, plural(lane->unanswered));
	add(out, "dead_letters", lane->backend, dead > 0, "%" PRIu64 " zone%s", dead, plural(dead));
	add(out, "contested", lane->backend, lane->contested > 0, "%" PRIu64 " zone%s", lane->contested,
		plural(lane->contested));
}

void facts_gather(const struct engine_status *status, int64_t unanswered_us, int64_t wall_us, struct facts *out)
{
	*out = (struct facts){ 0 };
	add(out, "store_not_writable", "", !status->store_ok, "%s", status->store_error == NULL ? "" : status->store_error);
	add(out, "held", "", status->held > 0, "%" PRIu64 " change%s", status->held, plural(status->held));
	add_certificate(status, wall_us, out);
	for (size_t i = 0; i < status->lane_count; i++)
		add_lane(&status->lanes[i], unanswered_us, out);
}

void facts_clear(struct facts *facts)
{
	free(facts->list);
	*facts = (struct facts){ 0 };
}
