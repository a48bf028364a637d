/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "verify/follow.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "zone/zone.h"

enum { SHOWN_MOST = 200 };

/* Pauses between questions: a reader refreshes within seconds, the public plugin reads its zones once a minute. */
static const int64_t pauses_ms[] = { 250, 500, 1000, 2000, 4000, 8000, 15000, 30000, 60000, 300000 };
/* What a name server keeps in its memory it keeps until it is started anew. */
static const int64_t still_pause_ms = 3600000;
/* A server that says nothing is asked so often at least: that it is back is found out with any zone. */
static const int64_t missed_pause_most_ms = 30000;

/* ---- the list ---- */

static void free_set(struct follow_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		free(set->data[i]);
	free(set->data);
	free(set->name);
	free(set->type);
}

static void destroy(const struct follows *follows, struct follow *follow)
{
	for (unsigned i = 0; i < follows->server_count; i++)
		free(follow->servers[i].error);
	free(follow->servers);
	free_set(&follow->set);
	free(follow->zone);
	free(follow);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void take_set(struct follow_set *set, const struct doc *entry)
{
	const struct doc *name = doc_get(entry, "name"), *data = doc_get(entry, "data");

	if (name == NULL)
		return;
	set->name = xstrdup(name->value.text);
	set->type = xstrdup(doc_get(entry, "type")->value.text);
	set->type_code = (uint16_t)doc_get(entry, "type_code")->value.count;
	for (const struct doc *at = data->children; at != NULL; at = at->next) {
		set->data = xrealloc(set->data, (set->count + 1) * sizeof(*set->data));
		set->data[set->count++] = xstrdup(at->value.text);
	}
	if (set->count > 0)
		qsort(set->data, set->count, sizeof(*set->data), compare_texts);
}

static struct follow *make(const struct follows *follows, const struct doc *entry, int64_t now_ms)
{
	struct follow *follow = xcalloc(1, sizeof(*follow));

	follow->number = doc_get(entry, "number")->value.number;
	follow->zone_id = doc_get(entry, "zone_id")->value.number;
	follow->zone = xstrdup(doc_get(entry, "zone")->value.text);
	follow->generation = doc_get(entry, "generation")->value.count;
	follow->deleted = doc_get(entry, "deleted")->value.boolean;
	follow->serial = (uint32_t)doc_get(entry, "serial")->value.count;
	follow->since_us = doc_get(entry, "since")->value.number;
	follow->told = doc_get(entry, "told")->value.boolean;
	follow->still = doc_get(entry, "still")->value.boolean;
	follow->raised = doc_get(entry, "raised") != NULL && doc_get(entry, "raised")->value.boolean;
	take_set(&follow->set, entry);
	follow->servers = xcalloc(follows->server_count, sizeof(*follow->servers));
	for (unsigned i = 0; i < follows->server_count; i++)
		follow->servers[i].due_ms = now_ms;
	return follow;
}

struct follow *follow_find(const struct follows *follows, int64_t zone_id)
{
	uint32_t entry = strmap_find(&follows->places, &zone_id, sizeof(zone_id));

	return entry == 0 ? NULL : follows->all[strmap_get(&follows->places, entry)];
}

struct follow *follow_add(struct follows *follows, const struct doc *entry, int64_t now_ms)
{
	struct follow *follow = make(follows, entry, now_ms);
	struct follow *old = follow_find(follows, follow->zone_id);

	if (old != NULL)
		follow_remove(follows, old);
	if (follows->count == follows->room) {
		follows->room = follows->room == 0 ? 64 : follows->room * 2;
		follows->all = xrealloc(follows->all, follows->room * sizeof(struct follow *));
	}
	strmap_add(&follows->places, &follow->zone_id, sizeof(follow->zone_id), (uint32_t)follows->count);
	follows->all[follows->count++] = follow;
	return follow;
}

void follow_remove(struct follows *follows, struct follow *follow)
{
	uint32_t entry = strmap_find(&follows->places, &follow->zone_id, sizeof(follow->zone_id));
	uint32_t at = strmap_get(&follows->places, entry);
	struct follow *last = follows->all[--follows->count];

	strmap_remove(&follows->places, entry);
	if (last != follow) {
		follows->all[at] = last;
		*strmap_value(&follows->places, strmap_find(&follows->places, &last->zone_id, sizeof(last->zone_id))) = at;
	}
	destroy(follows, follow);
}

void follow_clear(struct follows *follows)
{
	for (size_t i = 0; i < follows->count; i++)
		destroy(follows, follows->all[i]);
	free(follows->all);
	strmap_free(&follows->places);
	*follows = (struct follows){ .server_count = follows->server_count };
}

/* ---- questions ---- */

struct follow *follow_next(const struct follows *follows, unsigned server, int64_t now_ms, int64_t *next_ms)
{
	struct follow *found = NULL;

	*next_ms = INT64_MAX;
	for (size_t i = 0; i < follows->count; i++) {
		const struct follow_server *at = &follows->all[i]->servers[server];

		if (!at->right && at->due_ms < *next_ms) {
			*next_ms = at->due_ms;
			found = follows->all[i];
		}
	}
	return *next_ms <= now_ms ? found : NULL;
}

struct dns_question follow_question(const struct follow *follow, unsigned server)
{
	if (follow->servers[server].soa_right)
		return (struct dns_question){ .name = follow->set.name, .type = follow->set.type_code };
	return (struct dns_question){ .name = follow->zone, .type = DNS_TYPE_SOA };
}

void follow_wake(struct follows *follows, unsigned server, bool missed, int64_t now_ms)
{
	for (size_t i = 0; i < follows->count; i++) {
		struct follow_server *at = &follows->all[i]->servers[server];

		if (at->missed && !missed)
			continue;
		at->tries = 0;
		if (at->due_ms > now_ms)
			at->due_ms = now_ms;
	}
}

bool follow_still_answers(const struct follows *follows, const struct follow *follow)
{
	for (unsigned i = 0; i < follows->server_count && follow->deleted; i++) {
		const struct follow_server *at = &follow->servers[i];

		if (!at->right && (at->error == NULL ? follow->still : at->has_serial))
			return true;
	}
	return false;
}

bool follow_is_whole(const struct follows *follows, const struct follow *follow)
{
	for (unsigned i = 0; i < follows->server_count; i++) {
		if (!follow->servers[i].right)
			return false;
	}
	return true;
}

/* ---- answers ---- */

const char *follow_rcode(unsigned rcode, char out[16])
{
	static const char *const names[] = { "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED" };

	if (rcode < ARRAY_SIZE(names))
		return names[rcode];
	snprintf(out, 16, "code %u", rcode);
	return out;
}

static int64_t pause_ms(const struct follow *follow, unsigned tries)
{
	size_t last = ARRAY_SIZE(pauses_ms) - 1;

	if (follow->deleted && follow->told)
		return still_pause_ms;
	return pauses_ms[tries < last ? tries : last];
}

/* Takes the text. */
static void be_wrong(struct follow *follow, unsigned server, char *error, int64_t now_ms)
{
	struct follow_server *at = &follow->servers[server];

	at->due_ms = now_ms + pause_ms(follow, at->tries++);
	at->missed = false;
	at->reported = at->reported && strcmp(at->error, error) == 0;
	free(at->error);
	at->error = error;
}

/* What was wrong is not so any more. */
static void forget_error(struct follow_server *at)
{
	at->reported = false;
	free(at->error);
	at->error = NULL;
}

static void be_right(struct follow_server *at)
{
	at->right = true;
	forget_error(at);
}

/* Nothing was heard of the zone: nobody knows whether one that was deleted is still answered there. */
static void be_unheard(struct follow *follow, unsigned server, const struct err *err, int64_t now_ms)
{
	if (follow->deleted)
		follow->servers[server].has_serial = false;
	be_wrong(follow, server, xstrdup(err->text), now_ms);
}

void follow_refuse(struct follow *follow, unsigned server, const struct err *err, int64_t now_ms)
{
	be_unheard(follow, server, err, now_ms);
}

bool follow_miss(struct follow *follow, unsigned server, const struct err *err, int64_t now_ms)
{
	struct follow_server *at = &follow->servers[server];

	bool stands = follow->deleted && at->has_serial && !at->missed;

	if (stands)
		at->due_ms = now_ms + pause_ms(follow, at->tries++);
	else
		be_unheard(follow, server, err, now_ms);
	at->missed = true;
	if (at->due_ms > now_ms + missed_pause_most_ms)
		at->due_ms = now_ms + missed_pause_most_ms;
	return !stands;
}

/* NXDOMAIN, REFUSED, and what the public plugin says of all that it does not have: all the same, there is no SOA of it. */
static bool judge_deleted(struct follow *follow, unsigned server, int64_t now_ms)
{
	struct follow_server *at = &follow->servers[server];

	if (!at->has_serial) {
		be_right(at);
		return true;
	}
	be_wrong(follow, server, xasprintf("still answers, with serial %" PRIu32, at->serial), now_ms);
	return false;
}

static bool judge_soa(struct follow *follow, unsigned server, const struct dns_answer *answer, bool brief, int64_t now_ms)
{
	struct follow_server *at = &follow->servers[server];
	char code[16];

	at->authoritative = answer->authoritative;
	at->has_serial = dns_answer_serial(answer, &at->serial);
	if (follow->deleted)
		return judge_deleted(follow, server, now_ms);
	if (!at->has_serial) {
		be_wrong(follow, server, xasprintf("answers %s, without the zone's SOA", follow_rcode(answer->rcode, code)), now_ms);
		return false;
	}
	if (at->serial != follow->serial) {
		be_wrong(follow, server,
			xasprintf("answers serial %" PRIu32 ", %" PRIu32 " was written", at->serial, follow->serial), now_ms);
		return false;
	}
	if (follow->set.name == NULL || (brief && follow->raised)) {
		be_right(at);
		return true;
	}
	at->soa_right = true;
	at->due_ms = now_ms;
	forget_error(at);
	return false;
}

/* Sorted; NULL for one that is malformed. The caller frees them. */
static char **texts_of(uint16_t type, const struct dns_answer *answer)
{
	char **texts = xcalloc(answer->count + 1, sizeof(*texts));

	for (size_t i = 0; i < answer->count; i++) {
		struct buf text = { 0 };

		if (zone_data_print(type, answer->records[i].data, answer->records[i].size, &text, NULL) != ERR_OK)
			buf_clear(&text);
		texts[i] = text.size == 0 ? xstrdup("") : xmemdup(text.data, text.size);
		buf_free(&text);
	}
	qsort(texts, answer->count, sizeof(*texts), compare_texts);
	return texts;
}

/* Records that are doubled count once, as everywhere (RFC 2181 5). */
static size_t fold(char **texts, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (kept > 0 && strcmp(texts[kept - 1], texts[i]) == 0)
			free(texts[i]);
		else
			texts[kept++] = texts[i];
	}
	return kept;
}

static bool same_texts(const struct follow_set *set, char *const *texts, size_t count)
{
	if (count != set->count)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (strcmp(texts[i], set->data[i]) != 0)
			return false;
	}
	return true;
}

static char *describe_set(const struct follow_set *set, const struct dns_answer *answer, char *const *texts, size_t count)
{
	char code[16];

	if (count == 0)
		return xasprintf("answers %s for %s %s, which was written", follow_rcode(answer->rcode, code), set->name, set->type);
	if (set->count == 0)
		return xasprintf("still answers %s %s, which is gone: %.*s", set->name, set->type, SHOWN_MOST, texts[0]);
	return xasprintf("answers other data for %s %s: %.*s%s", set->name, set->type, SHOWN_MOST, texts[0],
		count > 1 ? ", ..." : "");
}

static bool judge_set(struct follow *follow, unsigned server, const struct dns_answer *answer, int64_t now_ms)
{
	char **texts = texts_of(follow->set.type_code, answer);
	size_t count = fold(texts, answer->count);
	bool right = same_texts(&follow->set, texts, count);

	if (right)
		be_right(&follow->servers[server]);
	else
		be_wrong(follow, server, describe_set(&follow->set, answer, texts, count), now_ms);
	for (size_t i = 0; i < count; i++)
		free(texts[i]);
	free(texts);
	return right;
}

bool follow_judge(struct follow *follow, unsigned server, const struct dns_answer *answer, bool brief, int64_t now_ms)
{
	if (follow->servers[server].soa_right)
		return judge_set(follow, server, answer, now_ms);
	return judge_soa(follow, server, answer, brief, now_ms);
}
