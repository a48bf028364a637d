/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A text becomes a zone's content, whoever brought it: a push, a pull, a
 * peer, history (decisions.md 6, 11). And a zone's end.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/core_internal.h"
#include "engine/message.h"
#include "sched/version.h"
#include "store/held.h"
#include "store/history.h"
#include "store/override.h"

static bool is_given(const char *text)
{
	return text != NULL && text[0] != '\0';
}

/* True if it is another text now. */
static bool replace_text(char **slot, const char *text)
{
	if (text == NULL)
		text = "";
	if (*slot != NULL && strcmp(*slot, text) == 0)
		return false;
	free(*slot);
	*slot = xstrdup(text);
	return true;
}

/* Host names of masters are compared as host names are: without case, without a final dot. */
bool core_same_host(const char *a, const char *b)
{
	size_t a_size = strlen(a);
	size_t b_size = strlen(b);

	if (a_size > 0 && a[a_size - 1] == '.')
		a_size--;
	if (b_size > 0 && b[b_size - 1] == '.')
		b_size--;
	return a_size == b_size && strncasecmp(a, b, a_size) == 0;
}

/* Who owns the zone from now on. A text without hostname keeps the owner. True if that is somebody else now. */
static bool settle_owner(struct core *core, struct store_zone *row, const struct core_content *content)
{
	char plain[ZONE_NAME_SIZE];
	bool moved = false;

	if (!is_given(content->hostname)) {
		if (row->hostname == NULL)
			moved = replace_text(&row->hostname, "");
		if (row->username == NULL || is_given(content->username))
			moved = replace_text(&row->username, content->username) || moved;
		return moved;
	}
	if (is_given(row->hostname) && !row->deleted && !core_same_host(row->hostname, content->hostname))
		core_note_by(core, "takeover", zone_name_plain(row->name, plain), NULL, &content->cause,
			"owner was %s, is now %s", row->hostname, content->hostname);
	moved = replace_text(&row->hostname, content->hostname);
	return replace_text(&row->username, content->username) || moved;
}

static void note_serial(struct core *core, const struct store_zone *row, const struct core_content *content)
{
	uint32_t serial = zone_serial(content->zone);
	char plain[ZONE_NAME_SIZE];

	if (row->id == 0 || row->deleted || version_serial_greater(serial, row->serial))
		return;
	core_note_by(core, "serial_not_raised", zone_name_plain(row->name, plain), NULL, &content->cause,
		"other content, but serial %u after %u", serial, row->serial);
}

/* A newer push settles what an older one waits for. */
static int drop_held(struct core *core, const char *name, const struct core_cause *cause, struct err *err)
{
	char plain[ZONE_NAME_SIZE];
	int64_t id;
	int ret = store_held_find(core->store, "push", name, &id, err);

	if (ret != ERR_OK)
		return ret == ERR_NOTFOUND ? ERR_OK : ret;
	core_note_by(core, "held_replaced", zone_name_plain(name, plain), NULL, cause,
		"what was held as %lld is dropped: it is no longer the newest", (long long)id);
	return store_held_drop(core->store, id, err);
}

/* Not from a master, but out of history. */
static bool is_operators(const struct core_content *content)
{
	return strcmp(content->origin, "rollback") == 0 || strcmp(content->origin, "undelete") == 0;
}

/* The master speaks again: what an operator put in its place is over. */
static int end_rollback(struct core *core, const struct core_content *content, const struct store_zone *row,
	struct err *err)
{
	char plain[ZONE_NAME_SIZE];
	bool dropped = false;
	int ret = row->id == 0 || is_operators(content) ? ERR_OK :
							  store_override_drop(core->store, row->id, &dropped, err);

	if (dropped)
		core_note_by(core, "rollback_ended", zone_name_plain(row->name, plain), NULL, &content->cause,
			"the %s replaces what was rolled back to, serial %u after %u", content->origin,
			zone_serial(content->zone), row->serial);
	return ret;
}

/* Content that is the same makes no version, only its layout may be another. */
static int write_text(struct core *core, const struct core_content *content, struct store_zone *row,
	const struct store_origin *origin, struct err *err)
{
	row->deleted = false;
	row->digest = *zone_digest(content->zone);
	row->serial = zone_serial(content->zone);
	row->updated_at_us = origin->at_us;
	if (origin->version == 0)
		return store_zone_put(core->store, row, content->text, content->text_size, err);
	return store_history_put(core->store, row, content->text, content->text_size, origin, err);
}

/* version: what this text is called in history; 0: it is the content that is there. */
static int write_row(struct core *core, const struct core_content *content, struct store_zone *row, uint64_t version,
	struct err *err)
{
	struct store_origin origin = { .version = version,
		.at_us = content->at_us != 0 ? content->at_us : core_wall_us(core), .origin = content->origin,
		.source = content->cause.source, .actor = content->cause.actor };
	uint64_t was = row->generation;
	bool equal = version == 0;

	if (!equal) {
		note_serial(core, row, content);
		row->generation++;
	}
	int ret = write_text(core, content, row, &origin, err);
	if (ret == ERR_OK && equal)
		ret = core_count_change(core, row, err);
	if (ret == ERR_OK)
		ret = core_ask_all(core, row->id, was, equal ? DELIVERY_CHECK : DELIVERY_PUSHED, row->generation, err);
	if (ret == ERR_OK && content->urgent)
		core_hurry(core, row->id);
	if (ret == ERR_OK)
		ret = store_rejected_drop(core->store, row->name, err);
	return ret == ERR_NOTFOUND ? ERR_OK : ret;
}

void core_tell_name(struct core *core, const struct store_zone *row)
{
	struct engine_message *set = engine_message_create(ENGINE_NAME_SET);

	engine_message_add_name(set, row->name, row->hostname, row->username);
	core_stage(core, set);
}

/* The row as it is, or a new one; *damaged: nobody can tell what stood there. */
static int find_row(struct core *core, const struct core_content *content, struct store_zone *row, bool *damaged,
	struct err *err)
{
	char plain[ZONE_NAME_SIZE];
	int ret = store_zone_find(core->store, content->name, row, err);

	*damaged = ret == ERR_CORRUPT;
	if (*damaged) {
		core_note_by(core, "zone_mended", zone_name_plain(content->name, plain), NULL, &content->cause,
			"the stored zone was damaged, this push replaces it (%s)", err->text);
		ret = store_zone_salvage(core->store, content->name, row, err);
	}
	if (ret != ERR_NOTFOUND)
		return ret;
	*row = (struct store_zone){ 0 };
	memcpy(row->name, content->name, strlen(content->name) + 1);
	return ERR_OK;
}

/* The audit: one for each text that was accepted, whoever brought it. An operator's own orders have an event of theirs. */
static void note_accepted(struct core *core, const struct core_content *content, const struct store_zone *row, bool equal)
{
	char plain[ZONE_NAME_SIZE];

	if (is_operators(content) || content->canary)
		return;
	core_note_by(core, "push", zone_name_plain(row->name, plain), NULL, &content->cause,
		"%s%sserial %u, generation %llu%s", strcmp(content->origin, "push") == 0 ? "" : content->origin,
		strcmp(content->origin, "push") == 0 ? "" : ", ", row->serial, (unsigned long long)row->generation,
		equal ? ", equal" : "");
}

static int accept(struct core *core, const struct core_content *content, struct store_zone *row, bool damaged,
	struct err *err)
{
	bool told = row->id != 0 && !row->deleted && !damaged;
	bool equal = row->id != 0 && !row->deleted && zone_digest_equal(&row->digest, zone_digest(content->zone));
	uint64_t version = equal ? 0 : 1;
	int ret = drop_held(core, content->name, &content->cause, err);

	if (ret == ERR_OK)
		ret = end_rollback(core, content, row, err);
	if (ret == ERR_OK && !equal && row->id != 0)
		ret = store_history_keep(core->store, row->id, damaged ? NULL : row, core->params.history_versions, &version,
			err);
	if (ret != ERR_OK)
		return ret;
	bool moved = settle_owner(core, row, content);
	ret = write_row(core, content, row, version, err);
	if (ret != ERR_OK)
		return ret;
	/* The loop knows it and its owner already. */
	if (!told || moved)
		core_tell_name(core, row);
	note_accepted(core, content, row, version == 0);
	core_keep(core, row->id, row->generation, content->zone, content->cause.push_id);
	return ERR_OK;
}

int core_accept(struct core *core, const struct core_content *content, struct err *held, struct err *err)
{
	struct store_zone row = { 0 };
	bool damaged;

	*held = (struct err){ 0 };
	int ret = find_row(core, content, &row, &damaged, err);
	if (ret == ERR_OK && !damaged && !content->approved)
		ret = core_guard(core, content, &row, held, err);
	if (ret == ERR_OK && held->code == ERR_OK)
		ret = accept(core, content, &row, damaged, err);
	store_zone_clear(&row);
	return ret;
}

int core_bury(struct core *core, struct store_zone *row, const struct core_cause *cause, struct engine_message *gone,
	struct err *err)
{
	/* What is deleted once more, as peers may tell, was gone here: what stands there since is not ours to remove. */
	enum delivery_event event = row->deleted ? DELIVERY_RAISED : DELIVERY_PUSHED;
	uint64_t was = row->generation;
	char plain[ZONE_NAME_SIZE];

	row->generation++;
	row->deleted = true;
	core_note_by(core, "delete", zone_name_plain(row->name, plain), NULL, cause, "generation %llu",
		(unsigned long long)row->generation);
	core_keep(core, row->id, row->generation, NULL, cause->push_id);
	row->updated_at_us = core_wall_us(core);
	core->counters.deletes++;
	engine_message_add_name(gone, row->name, row->hostname, row->username);
	int ret = store_zone_put(core->store, row, NULL, 0, err);
	if (ret == ERR_OK)
		ret = drop_held(core, row->name, cause, err);
	return ret == ERR_OK ? core_ask_all(core, row->id, was, event, row->generation, err) : ret;
}
