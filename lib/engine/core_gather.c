/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a turn gathers until its commit: events to write, messages to tell. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "engine/core_internal.h"

/* What goes well, or as somebody wants it, is no warning; what everybody does all the time is for those who look for it. */
static enum log_level level_of(const char *kind)
{
	static const char *const quiet[] = { "lane_up", "lane_paused", "lane_resumed", "held_approved",
		"held_discarded", "held_replaced", "frozen", "thawed", "rollback", "undelete", "rollback_ended",
		"dead_replayed", "dead_dropped", "retired", "backup", "owner_imported", "reconcile", "master_known", "orphan_back", "owner_found",
		"owner_moved", "pulled", "peer_taken", "peer_deleted", "peer_recovered" };

	for (size_t i = 0; i < ARRAY_SIZE(quiet); i++) {
		if (strcmp(kind, quiet[i]) == 0)
			return LOG_LEVEL_INFO;
	}
	if (strcmp(kind, "push") == 0 || strcmp(kind, "delete") == 0)
		return LOG_LEVEL_DEBUG;
	return LOG_LEVEL_WARN;
}

PRINTF_LIKE(6, 0)
static void note(struct core *core, const char *kind, const char *zone, const char *backend,
	const struct core_cause *cause, const char *format, va_list args)
{
	char detail[2 * ERR_TEXT_SIZE];

	vsnprintf(detail, sizeof(detail), format, args);
	log_at(level_of(kind), kind, LOG_STR("zone", zone), LOG_STR("backend", backend), LOG_STR("actor", cause->actor),
		LOG_STR("source", cause->source), LOG_STR("push", cause->push_id), LOG_STR("detail", detail));
	core->events = xrealloc(core->events, (core->event_count + 1) * sizeof(*core->events));
	core->events[core->event_count++] = (struct noted_event){ .kind = xstrdup(kind), .zone = xstrdup(zone),
		.backend = xstrdup(backend), .source = xstrdup(cause->source), .detail = xstrdup(detail),
		.actor = xstrdup(cause->actor), .push_id = xstrdup(cause->push_id) };
}

void core_note(struct core *core, const char *kind, const char *zone, const char *backend, const char *source,
	const char *format, ...)
{
	const struct core_cause cause = { .source = source };
	va_list args;

	va_start(args, format);
	note(core, kind, zone, backend, &cause, format, args);
	va_end(args);
}

void core_note_by(struct core *core, const char *kind, const char *zone, const char *backend,
	const struct core_cause *cause, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	note(core, kind, zone, backend, cause, format, args);
	va_end(args);
}

struct core_cause core_cause_of(const struct engine_request *request)
{
	return (struct core_cause){ .actor = request->actor, .source = request->source, .push_id = request->push_id };
}

struct engine_request *core_copy_order(const struct engine_request *request)
{
	struct engine_request *copy = engine_request_create(request->op, request->id);

	copy->mailbox = request->mailbox;
	copy->backend = xstrdup(request->backend);
	copy->actor = xstrdup(request->actor);
	copy->source = xstrdup(request->source);
	copy->push_id = xstrdup(request->push_id);
	return copy;
}

void core_forget_events(struct core *core, size_t keep)
{
	while (core->event_count > keep) {
		struct noted_event *event = &core->events[--core->event_count];

		free(event->kind);
		free(event->zone);
		free(event->backend);
		free(event->source);
		free(event->detail);
		free(event->actor);
		free(event->push_id);
	}
}

int core_write_events(struct core *core, struct err *err)
{
	for (size_t i = 0; i < core->event_count; i++) {
		const struct noted_event *noted = &core->events[i];
		struct store_event event = { .at_us = core_wall_us(core), .kind = noted->kind, .zone = noted->zone,
			.backend = noted->backend, .source = noted->source, .detail = noted->detail,
			.actor = noted->actor, .push_id = noted->push_id };
		int ret = store_event_add(core->store, &event, err);

		if (ret != ERR_OK)
			return ret;
	}
	return ERR_OK;
}

void core_stage(struct core *core, struct engine_message *message)
{
	/* Nobody waits for a reply to request 0. */
	if (message->kind == ENGINE_REPLY && message->id == 0) {
		engine_message_destroy(message);
		return;
	}
	if ((core->staged_count & (core->staged_count - 1)) == 0) {
		size_t room = core->staged_count == 0 ? 1 : core->staged_count * 2;

		core->staged = xrealloc(core->staged, room * sizeof(*core->staged));
	}
	core->staged[core->staged_count++] = message;
}

void core_keep(struct core *core, int64_t zone_id, uint64_t generation, struct zone *zone, const char *push_id)
{
	core->fresh = xrealloc(core->fresh, (core->fresh_count + 1) * sizeof(*core->fresh));
	core->fresh[core->fresh_count++] = (struct fresh){ .zone_id = zone_id, .generation = generation,
		.zone = zone == NULL ? NULL : zone_ref(zone), .push_id = xstrdup(push_id) };
}

static void forget_fresh(struct core *core)
{
	for (size_t i = 0; i < core->fresh_count; i++) {
		zone_unref(core->fresh[i].zone);
		free(core->fresh[i].push_id);
	}
	core->fresh_count = 0;
}

void core_tell_staged(struct core *core)
{
	core_obey(core, true);
	core_freeze_settle(core, true);
	core_retire_settle(core, true);
	core_replay_settle(core, true);
	for (size_t i = 0; i < core->fresh_count; i++) {
		struct source *source = source_parsed(core->fresh[i].zone, core->fresh[i].push_id);

		recent_put(&core->recent, core->fresh[i].zone_id, core->fresh[i].generation, source);
		source_unref(source);
	}
	forget_fresh(core);
	for (size_t i = 0; i < core->staged_count; i++)
		core->params.tell(core->params.ctx, core->staged[i]);
	core->staged_count = 0;
}

void core_drop_staged(struct core *core)
{
	core_obey(core, false);
	core_freeze_settle(core, false);
	core_retire_settle(core, false);
	core_replay_settle(core, false);
	forget_fresh(core);
	for (size_t i = 0; i < core->staged_count; i++)
		engine_message_destroy(core->staged[i]);
	core->staged_count = 0;
}

struct core_notice *core_notice_create(const char *backend, const char *kind, const char *zone, const char *text)
{
	struct core_notice *notice = xcalloc(1, sizeof(*notice));

	*notice = (struct core_notice){ .backend = xstrdup(backend), .kind = xstrdup(kind), .zone = xstrdup(zone),
		.text = xstrdup(text) };
	return notice;
}

void core_notice_destroy(struct core_notice *notice)
{
	free(notice->backend);
	free(notice->kind);
	free(notice->zone);
	free(notice->text);
	free(notice);
}

void core_notify(struct core *core, struct core_notice *notice)
{
	char plain[ZONE_NAME_SIZE];

	core_note(core, notice->kind, notice->zone == NULL ? NULL : zone_name_plain(notice->zone, plain),
		notice->backend, NULL, "%s", notice->text);
	core_notice_destroy(notice);
}
