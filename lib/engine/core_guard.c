/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The guard: a text that takes away all name servers, empties the zone, or
 * drops most of its records looks like an accident at the master. It is held
 * until an operator lets it through; the old content stays in service.
 *
 * What the counts tell is asked first. The old text is read only for a text
 * that has no NS of its own, or nothing but SOA and NS: there are few.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/core_internal.h"
#include "store/held.h"

enum { SMALL_ZONE = 20, REASON_SIZE = 160 };

/* What of a zone the guard looks at. */
struct content {
	bool served;                    /* it has an NS at its apex */
	bool more;                      /* it has more than SOA and that */
};

static struct content content_of(const struct zone *zone)
{
	struct content content = { 0 };
	size_t count;
	const struct zone_record *records = zone_records(zone, &count);

	for (size_t i = 0; i < count && !(content.served && content.more); i++) {
		bool apex = strcmp(records[i].owner, "@") == 0;
		bool ns = apex && strcmp(records[i].type, "NS") == 0;

		content.served = content.served || ns;
		content.more = content.more || (!ns && !(apex && strcmp(records[i].type, "SOA") == 0));
	}
	return content;
}

/* What can't be read any more can't be compared either: *known is false then. */
static int old_content(struct core *core, const struct store_zone *row, struct content *out, bool *known, struct err *err)
{
	struct zone *zone;
	char *text;
	size_t size;
	int ret = store_zone_text(core->store, row->id, &text, &size, err);

	*known = false;
	if (ret == ERR_CORRUPT || ret == ERR_NOTFOUND)
		return ERR_OK;
	if (ret != ERR_OK)
		return ret;
	if (zone_parse(row->name, text, size, 0, &zone, err) == ERR_OK) {
		*out = content_of(zone);
		*known = true;
		zone_unref(zone);
	}
	free(text);
	return ERR_OK;
}

/* reason stays "" if nothing is wrong. */
static int judge(struct core *core, const struct core_content *content, const struct store_zone *row,
	char reason[REASON_SIZE], struct err *err)
{
	uint64_t before = row->digest.count;
	uint64_t now = zone_digest(content->zone)->count;
	struct content fresh = content_of(content->zone);
	struct content old;
	bool known;

	reason[0] = '\0';
	if (!fresh.served || !fresh.more) {
		int ret = old_content(core, row, &old, &known, err);

		if (ret != ERR_OK)
			return ret;
		if (known && old.served && !fresh.served)
			snprintf(reason, REASON_SIZE, "it takes away all NS records of the zone itself");
		else if (known && old.more && !fresh.more)
			snprintf(reason, REASON_SIZE, "it leaves nothing of %" PRIu64 " records but SOA and NS", before);
	}
	if (reason[0] == '\0' && before > SMALL_ZONE && now < before &&
		(before - now) * 100 > before * core->params.guard_max_shrink_percent)
		snprintf(reason, REASON_SIZE, "it drops %" PRIu64 " of %" PRIu64 " records, more than %u %%", before - now,
			before, core->params.guard_max_shrink_percent);
	return ERR_OK;
}

static int hold(struct core *core, const struct core_content *content, const char *reason, struct err *told,
	struct err *err)
{
	struct store_held held = { .kind = "push", .subject = content->name, .at_us = core_wall_us(core),
		.origin = content->origin, .source = content->cause.source, .actor = content->cause.actor,
		.hostname = content->hostname, .username = content->username, .reason = reason, .text = content->text,
		.text_size = content->text_size };
	char plain[ZONE_NAME_SIZE];
	bool fresh;
	int ret = store_held_put(core->store, &held, &fresh, err);

	if (ret != ERR_OK)
		return ret;
	err_set(told, ERR_DENIED, "held: %s (%" PRId64 ")", reason, held.id);
	if (fresh)
		core_note_by(core, "push_held", zone_name_plain(content->name, plain), NULL, &content->cause,
			"%s from %s, held as %" PRId64 ": %s", content->origin,
			content->hostname == NULL || content->hostname[0] == '\0' ? "nobody named" : content->hostname,
			held.id, reason);
	return ERR_OK;
}

int core_guard(struct core *core, const struct core_content *content, const struct store_zone *row, struct err *held,
	struct err *err)
{
	char reason[REASON_SIZE];
	char plain[ZONE_NAME_SIZE];

	if (core->params.guard_mode == ENGINE_GUARD_OFF || row->id == 0 || row->deleted)
		return ERR_OK;
	int ret = judge(core, content, row, reason, err);
	if (ret != ERR_OK || reason[0] == '\0')
		return ret;
	if (core->params.guard_mode == ENGINE_GUARD_HOLD)
		return hold(core, content, reason, held, err);
	core_note_by(core, "guard_warned", zone_name_plain(content->name, plain), NULL, &content->cause, "%s: %s",
		content->origin, reason);
	return ERR_OK;
}

int core_guard_approve(struct core *core, const struct store_held *held, const struct core_cause *cause,
	struct doc *doc, struct err *refused, struct err *err)
{
	struct core_content content = { .name = held->subject, .text = held->text, .text_size = held->text_size,
		.hostname = held->hostname, .username = held->username, .origin = held->origin, .approved = true,
		/* Whose text it is; the operator is in the event of the approval. */
		.cause = { .actor = held->actor, .source = held->source, .push_id = cause->push_id } };
	struct err again;

	if (held->text == NULL || zone_parse(held->subject, held->text, held->text_size, 0, &content.zone, refused) != ERR_OK) {
		err_set(refused, ERR_INVALID, "what is held as %" PRId64 " is no zone text", held->id);
		return ERR_OK;
	}
	int ret = store_held_drop(core->store, held->id, err);
	if (ret == ERR_OK)
		ret = core_accept(core, &content, &again, err);
	doc_name(doc, "zone", held->subject);
	doc_uint(doc, "serial", zone_serial(content.zone));
	zone_unref(content.zone);
	return ret;
}
