/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One visit to one peer: its list, what of it is newer, the texts of that. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "sync/peer_internal.h"

enum {
	AT_ONCE = 1000,                /* zones in one question to the engine */
	PAGE_BYTES = 4 * 1024 * 1024,
	LIST_BYTES = 16 * 1024 * 1024, /* of directdnsonly, which has no pages: about 100,000 zones */
	TEXT_BYTES = 32 * 1024 * 1024,
	LEFT_MOST = 20000
};

/* ---- what was left ---- */

/* Names what the peer says of the zone and what was to be done with it: the same again is the same in the end. */
static uint32_t mark_of(const struct engine_peer_zone *zone, int64_t step)
{
	char *text = xasprintf("%" PRId64 " %s %s", step, zone->vector == NULL ? "" : zone->vector,
		zone->digest == NULL ? "" : zone->digest);
	uint8_t hash[HASH_SIZE];
	uint32_t mark;

	hash_sha256(text, strlen(text), hash);
	free(text);
	memcpy(&mark, hash, sizeof(mark));
	return mark;
}

/* directdnsonly says nothing of a version but its stamp. */
static uint32_t mark_with_stamp(const struct peer_node *node, const struct engine_peer_zone *zone, int64_t step)
{
	uint32_t mark = mark_of(zone, step);

	/* By its own clock: our measure of the offset is never twice the same. */
	return zone->vector != NULL ? mark : mark ^ (uint32_t)((zone->accepted_us + node->offset_us) / 1000);
}

static bool was_left(const struct peer_node *node, const struct engine_peer_zone *zone, int64_t step)
{
	uint32_t entry = strmap_find(&node->left, zone->name, strlen(zone->name));

	return entry != 0 && strmap_get(&node->left, entry) == mark_with_stamp(node, zone, step);
}

static void leave(struct peer_node *node, const struct engine_peer_zone *zone, int64_t step)
{
	uint32_t entry = strmap_find(&node->left, zone->name, strlen(zone->name));
	uint32_t mark = mark_with_stamp(node, zone, step);

	if (entry != 0) {
		*strmap_value(&node->left, entry) = mark;
		return;
	}
	/* Forgotten: one more question each, and one more event. */
	if (node->left.count >= LEFT_MOST)
		strmap_free(&node->left);
	strmap_add(&node->left, zone->name, strlen(zone->name), mark);
}

/* ---- the engine ---- */

static char *copy(const char *text)
{
	return text == NULL ? NULL : xstrdup(text);
}

static struct engine_peer_zone copy_zone(const struct engine_peer_zone *zone)
{
	struct engine_peer_zone out = *zone;

	out.name = copy(zone->name);
	out.vector = copy(zone->vector);
	out.origin = copy(zone->origin);
	out.digest = copy(zone->digest);
	out.hostname = copy(zone->hostname);
	out.username = copy(zone->username);
	return out;
}

static struct engine_request *ask_about(const struct peer_node *node, enum engine_op op, size_t room)
{
	struct engine_request *request = engine_request_create(op, 0);

	request->peer = xstrdup(node->url);
	request->learnt = node->learnt;
	request->number = node->walk;
	request->peer_zones = xcalloc(room, sizeof(*request->peer_zones));
	return request;
}

static int ask(struct peer_sync *sync, struct engine_request *request, struct engine_message **out, struct err *err)
{
	int ret = engine_ask(sync->engine, request, out);

	if (ret != ERR_OK)
		return err_set(err, ERR_CLOSED, "stopping");
	if ((*out)->err.code == ERR_OK)
		return ERR_OK;
	*err = (*out)->err;
	engine_message_destroy(*out);
	return err->code;
}

static uint64_t count_of(const struct engine_message *message, const char *key)
{
	const struct doc *value = doc_get(message->doc, key);

	return value == NULL ? 0 : value->value.count;
}

/* Posts it; *waiting: some of it was not taken, and none of that would be if it came again. */
static int merge(struct peer_sync *sync, struct peer_node *node, struct engine_request *request, bool *waiting,
	struct err *err)
{
	struct engine_message *message;
	int ret = ask(sync, request, &message, err);

	if (ret != ERR_OK)
		return ret;
	node->found.taken += count_of(message, "taken");
	node->found.waiting += count_of(message, "waiting");
	node->found.capped += count_of(message, "capped");
	*waiting = count_of(message, "waiting") > 0 && count_of(message, "capped") == 0;
	engine_message_destroy(message);
	return ERR_OK;
}

/* ---- one zone's text ---- */

/* How far its clock is ahead of ours. directdnsonly only has the header Date, in whole seconds: less is no difference. */
static int64_t offset_of(const struct peer_form *form, const struct peer_answer *answer)
{
	enum { DATE_US = 1500000 };
	int64_t offset_us = form->now_us != 0 ? form->now_us - (answer->asked_us + answer->answered_us) / 2 :
			    answer->date_us != 0 ? answer->date_us + 500000 - answer->answered_us : 0;

	return form->now_us == 0 && offset_us < DATE_US && offset_us > -DATE_US ? 0 : offset_us;
}

static void by_our_clock(struct peer_form *form, int64_t offset_us)
{
	for (size_t i = 0; i < form->count; i++) {
		struct engine_peer_zone *zone = &form->zones[i];

		if (zone->accepted_us != 0)
			zone->accepted_us = zone->accepted_us > offset_us ? zone->accepted_us - offset_us : 1;
	}
}

static int fetch(struct peer_node *node, const char *name, struct peer_form *out, struct err *err)
{
	char *encoded = peer_client_encode(name);
	char *path = xasprintf("/internal/zones?domain=%s%s", encoded, node->versioned ? "&v=2" : "");
	struct peer_answer answer;
	int ret = peer_client_get(node->client, path, TEXT_BYTES, &answer, err);

	free(path);
	free(encoded);
	*out = (struct peer_form){ .versioned = false };
	if (ret == ERR_OK && answer.status == 404)
		ret = err_set(err, ERR_NOTFOUND, "it is gone there");
	else if (ret == ERR_OK && answer.status == 500) /* that zone's own trouble: its text is damaged there */
		ret = err_set(err, ERR_NOTFOUND, "it answers 500");
	else if (ret == ERR_OK && answer.status != 200)
		ret = err_set(err, ERR_IO, "it answers %ld", answer.status);
	if (ret == ERR_OK)
		ret = peer_form_zone(&answer.body, out, err);
	if (ret == ERR_OK && (out->versioned != node->versioned || strcmp(out->zones[0].name, name) != 0))
		ret = err_set(err, ERR_INVALID, "it answers with something else");
	if (ret == ERR_OK)
		by_our_clock(out, offset_of(out, &answer));
	peer_answer_clear(&answer);
	return ret;
}

static int merge_text(struct peer_sync *sync, struct peer_node *node, struct peer_form *form, bool *waiting, struct err *err)
{
	struct engine_request *request = ask_about(node, ENGINE_MERGE, 1);

	request->zone = xstrdup(form->zones[0].name);
	request->peer_zones[0] = copy_zone(&form->zones[0]);
	request->peer_zone_count = 1;
	request->text = form->text;
	request->text_size = form->text_size;
	form->text = NULL;
	return merge(sync, node, request, waiting, err);
}

/* An error ends the pass; what is wrong with this zone alone is counted. */
static int take_text(struct peer_sync *sync, struct peer_node *node, const struct engine_peer_zone *zone, struct err *err)
{
	struct peer_form form;
	uint64_t capped = node->found.capped;
	bool waiting = false;

	node->texts++;
	int ret = fetch(node, zone->name, &form, err);

	if (ret == ERR_OK)
		ret = merge_text(sync, node, &form, &waiting, err);
	node->full |= node->found.capped > capped;
	if (waiting || ret == ERR_INVALID || ret == ERR_LIMIT)
		leave(node, zone, 2);
	peer_form_clear(&form);
	if (ret == ERR_INVALID || ret == ERR_LIMIT || ret == ERR_NOTFOUND || ret == ERR_NOSPACE) {
		node->found.failed++;
		log_warn("a peer's zone is not taken", LOG_STR("peer", node->url), LOG_STR("zone", zone->name), LOG_ERR(err));
		return ERR_OK;
	}
	return ret;
}

/* ---- a page ---- */

static bool is_late(const struct peer_node *node)
{
	return clock_mono_ms(clock_system()) >= node->deadline_ms;
}

/* Those that need no text, in one command. */
static int merge_bare(struct peer_sync *sync, struct peer_node *node, const struct engine_peer_zone *zones, size_t count,
	const int64_t *steps, struct err *err)
{
	struct engine_request *request = ask_about(node, ENGINE_MERGE, count);
	bool waiting = false;

	for (size_t i = 0; i < count; i++) {
		if (steps[i] == 1 && !was_left(node, &zones[i], 1))
			request->peer_zones[request->peer_zone_count++] = copy_zone(&zones[i]);
	}
	node->found.newer += request->peer_zone_count;
	if (request->peer_zone_count == 0) {
		engine_request_destroy(request);
		return ERR_OK;
	}
	int ret = merge(sync, node, request, &waiting, err);
	/* Which of them waits is not said: those that are merged are not asked about again. */
	for (size_t i = 0; ret == ERR_OK && waiting && i < count; i++) {
		if (steps[i] == 1)
			leave(node, &zones[i], 1);
	}
	return ret;
}

static int compare(struct peer_sync *sync, struct peer_node *node, const struct engine_peer_zone *zones, size_t count,
	int64_t *steps, struct err *err)
{
	struct engine_request *request = ask_about(node, ENGINE_COMPARE, count);
	struct engine_message *message;
	size_t at = 0;

	for (size_t i = 0; i < count; i++)
		request->peer_zones[i] = copy_zone(&zones[i]);
	request->peer_zone_count = count;
	int ret = ask(sync, request, &message, err);
	if (ret != ERR_OK)
		return ret;
	for (const struct doc *step = doc_get(message->doc, "steps")->children; step != NULL; step = step->next)
		steps[at++] = step->value.number;
	CHECK(at == count);
	engine_message_destroy(message);
	return ERR_OK;
}

static int take_some(struct peer_sync *sync, struct peer_node *node, const struct engine_peer_zone *zones, size_t count,
	struct err *err)
{
	int64_t steps[AT_ONCE];
	int ret = compare(sync, node, zones, count, steps, err);

	if (ret == ERR_OK)
		ret = merge_bare(sync, node, zones, count, steps, err);
	for (size_t i = 0; ret == ERR_OK && i < count; i++) {
		if (steps[i] < 2 || was_left(node, &zones[i], 2))
			continue;
		/* The rest of the new ones would only be fetched to be left. */
		bool left = steps[i] == 3 && node->full;
		node->cut = !left && node->texts > 0 && is_late(node);
		if (node->cut)
			break;
		node->found.newer++;
		if (left)
			node->found.capped++;
		else
			ret = take_text(sync, node, &zones[i], err);
	}
	return ret;
}

static int take_page(struct peer_sync *sync, struct peer_node *node, const struct peer_form *form, struct err *err)
{
	int ret = ERR_OK;

	for (size_t at = 0; ret == ERR_OK && !node->cut && at < form->count; at += AT_ONCE) {
		size_t count = form->count - at < AT_ONCE ? form->count - at : AT_ONCE;

		ret = take_some(sync, node, &form->zones[at], count, err);
	}
	if (!node->cut)
		node->found.zones += form->count;
	return ret;
}

/* ---- the list ---- */

/* *plain: it is directdnsonly, which knows no such parameters, and was asked for its whole list. */
static int get_page(struct peer_node *node, const char *after, struct peer_answer *answer, bool *plain, struct err *err)
{
	char *encoded = peer_client_encode(after);
	char *path = xasprintf("/internal/zones?v=2&limit=%d%s%s", AT_ONCE, after[0] == '\0' ? "" : "&after=", encoded);
	int ret = peer_client_get(node->client, path, PAGE_BYTES, answer, err);

	free(path);
	free(encoded);
	*plain = ret == ERR_OK && after[0] == '\0' && (answer->status == 404 || answer->status == 400);
	if (*plain) {
		peer_answer_clear(answer);
		ret = peer_client_get(node->client, "/internal/zones", LIST_BYTES, answer, err);
	}
	if (ret == ERR_OK && answer->status != 200)
		ret = err_set(err, ERR_IO, "it answers %ld to /internal/zones", answer->status);
	return ret;
}

static int read_page(struct peer_sync *sync, struct peer_node *node, const char *after, struct peer_form *form,
	struct err *err)
{
	struct peer_answer answer;
	bool plain;
	int ret = get_page(node, after, &answer, &plain, err);

	*form = (struct peer_form){ .versioned = false };
	if (ret == ERR_OK)
		ret = peer_form_list(&answer.body, form, err);
	if (ret == ERR_OK && form->next != NULL && strcmp(form->next, after) <= 0)
		ret = err_set(err, ERR_INVALID, "its pages do not go on");
	if (ret == ERR_OK) {
		node->versioned = form->versioned;
		memcpy(node->store_id, form->store_id, sizeof(node->store_id));
		/* directdnsonly tells no id, and ours could not be read perhaps. */
		node->self = sync->store_id[0] != '\0' && strcmp(node->store_id, sync->store_id) == 0;
		node->offset_us = offset_of(form, &answer);
		by_our_clock(form, node->offset_us);
	}
	peer_answer_clear(&answer);
	return ret;
}

/* The next page, and behind it node->after; that stays if the page is cut. */
static int walk_page(struct peer_sync *sync, struct peer_node *node, struct err *err)
{
	struct peer_form form;
	int ret = read_page(sync, node, node->after, &form, err);

	if (ret == ERR_OK && !node->self)
		ret = take_page(sync, node, &form, err);
	if (ret == ERR_OK && !node->cut) {
		node->walked += form.count + 1;
		free(node->after);
		node->after = node->self ? NULL : form.next;
		form.next = node->self ? form.next : NULL;
	}
	if (ret == ERR_OK && node->after != NULL && node->walked > sync->params->zones_most)
		ret = err_set(err, ERR_LIMIT, "its list does not end");
	peer_form_clear(&form);
	return ret;
}

static void begin_walk(const struct peer_sync *sync, struct peer_node *node)
{
	node->after = xstrdup("");
	node->walk = sync->pass;
	node->walked = 0;
	node->full = false;
	node->found = (struct peer_found){ .zones = 0 };
}

int peer_visit(struct peer_sync *sync, struct peer_node *node, struct err *err)
{
	int ret;

	if (node->after == NULL)
		begin_walk(sync, node);
	uint64_t before = node->walked + node->found.taken + node->found.waiting;
	node->deadline_ms = clock_mono_ms(clock_system()) + sync->params->visit_ms;
	node->texts = 0;
	node->cut = false;
	do
		ret = walk_page(sync, node, err);
	while (ret == ERR_OK && !node->cut && node->after != NULL && !is_late(node));
	if (ret == ERR_OK && node->cut && node->walked + node->found.taken + node->found.waiting == before)
		ret = err_set(err, ERR_TIMEOUT, "nothing of it came in the time it has");
	if (ret != ERR_OK) {
		free(node->after);
		node->after = NULL;
	}
	return ret;
}
