/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A fake engine for the tests of lib/http: the functions of engine/engine.h
 * over a table of zones in memory. It answers from within engine_submit (the
 * loop thread) through a queue with a descriptor, as the real one does; the
 * test's thread steers and looks under a lock. Included by one program each.
 */
#pragma once

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/queue.h"
#include "engine/engine.h"
#include "engine/message.h"
#include "zone/zone.h"

enum { FAKE_ZONES_MAX = 256 };

struct fake_zone {
	char *name; /* plain, lower case */
	char *hostname;
	char *username;
	char *text;
	size_t size;
};

struct engine {
	pthread_mutex_t lock;
	struct queue *messages;
	struct fake_zone zones[FAKE_ZONES_MAX];
	size_t zone_count;
	unsigned busy;        /* bits of enum engine_queue: of these engine_submit says ERR_BUSY */
	bool busy_behind_a_page; /* questions, after the first page of PEER_ZONES */
	int64_t pages;        /* of PEER_ZONES */
	bool closed;          /* ... ERR_CLOSED */
	bool hold;            /* replies are kept until fake_release */
	struct engine_message *held[512];
	size_t held_count;
	size_t submits;       /* taken, of what was asked by somebody */
	size_t refusals;      /* ERR_BUSY answers */
	size_t pushes, urgent, deletes, kept;
	size_t retries;
	size_t last_limit;
	int64_t last_before;
	char last_after[300];
	char last_zone[300];
	char last_source[64];
	char last_actor[64];
	char last_identities[128];
	char last_backend[64];
	bool last_dry_run;
	enum err_code push_code; /* what a push is answered; 0: saved */
	const char *stalled;     /* what engine_stalled says */
};

static void *fake_copy(const char *text)
{
	return xstrdup(text != NULL ? text : "");
}

static struct engine *fake_create(void)
{
	struct engine *fake = xcalloc(1, sizeof(*fake));

	pthread_mutex_init(&fake->lock, NULL);
	fake->messages = queue_create(4096, true);
	return fake;
}

static struct engine_message *fake_message(enum engine_message_kind kind)
{
	struct engine_message *message = xcalloc(1, sizeof(*message));

	message->kind = kind;
	return message;
}

static void fake_post(struct engine *fake, struct engine_message *message)
{
	CHECK(queue_push(fake->messages, message) == 0);
}

static void fake_post_name(struct engine *fake, enum engine_message_kind kind, const char *name,
	const char *hostname, const char *username)
{
	struct engine_message *message = fake_message(kind);
	char *canonical = xasprintf("%s.", name); /* with the final dot */

	engine_message_add_name(message, canonical, hostname == NULL ? "" : hostname, username == NULL ? "" : username);
	free(canonical);
	fake_post(fake, message);
}

static void fake_free_zone(struct fake_zone *zone)
{
	free(zone->name);
	free(zone->hostname);
	free(zone->username);
	free(zone->text);
}

static void fake_destroy(struct engine *fake)
{
	struct engine_message *message;

	while (engine_take(fake, &message, 1) == 1)
		engine_message_destroy(message);
	for (size_t i = 0; i < fake->held_count; i++)
		engine_message_destroy(fake->held[i]);
	for (size_t i = 0; i < fake->zone_count; i++)
		fake_free_zone(&fake->zones[i]);
	queue_destroy(fake->messages);
	pthread_mutex_destroy(&fake->lock);
	free(fake);
}

/* The plain name, as the real engine takes it; NULL: it is none. */
static char *fake_normalise(const char *text, struct err *err)
{
	char name[ZONE_NAME_SIZE], plain[ZONE_NAME_SIZE];

	if (zone_name_parse(text, strlen(text), name, err) != 0)
		return NULL;
	return xstrdup(zone_name_plain(name, plain));
}

static struct fake_zone *fake_find(struct engine *fake, const char *name)
{
	for (size_t i = 0; i < fake->zone_count; i++) {
		if (strcmp(fake->zones[i].name, name) == 0)
			return &fake->zones[i];
	}
	return NULL;
}

static void fake_push(struct engine *fake, const struct engine_request *request, struct engine_message *reply)
{
	char *name = fake_normalise(request->zone, &reply->err);
	struct fake_zone *zone = name == NULL ? NULL : fake_find(fake, name);

	if (name == NULL)
		return;
	if (request->text_size == 0 || fake->push_code != 0) {
		err_set(&reply->err, fake->push_code != 0 ? fake->push_code : ERR_INVALID, "line 1: no SOA & no text");
		free(name);
		return;
	}
	if (zone == NULL) {
		CHECK(fake->zone_count < FAKE_ZONES_MAX);
		zone = &fake->zones[fake->zone_count++];
	} else {
		fake_free_zone(zone);
	}
	zone->name = name;
	zone->hostname = fake_copy(request->hostname);
	zone->username = fake_copy(request->username);
	zone->text = xmemdup(request->text, request->text_size);
	zone->size = request->text_size;
	fake->pushes++;
	fake->urgent += request->urgent ? 1 : 0;
	fake_post_name(fake, ENGINE_NAME_SET, name, zone->hostname, zone->username);
}

static void fake_delete(struct engine *fake, const struct engine_request *request)
{
	for (size_t i = 0; i < request->name_count; i++) {
		char *name = fake_normalise(request->names[i], NULL);
		struct fake_zone *zone = name == NULL ? NULL : fake_find(fake, name);

		if (zone == NULL) {
			free(name);
			continue;
		}
		if (strcmp(zone->hostname, request->hostname != NULL ? request->hostname : "") != 0) {
			fake->kept++;
		} else {
			fake_free_zone(zone);
			*zone = fake->zones[--fake->zone_count];
			fake->deletes++;
			fake_post_name(fake, ENGINE_NAME_GONE, name, "", "");
		}
		free(name);
	}
}

static void fake_status(struct engine_message *reply)
{
	struct engine_status *status = xcalloc(1, sizeof(*status));

	status->zones_total = 2;
	status->store_ok = true;
	status->pushes = 7;
	status->started_at_us = 1700000000000000;
	status->lanes = xcalloc(2, sizeof(*status->lanes));
	status->lane_count = 2;
	for (size_t i = 0; i < 2; i++) {
		struct engine_lane *lane = &status->lanes[i];
		lane->backend = xstrdup(i == 0 ? "dc1" : "dc2");
		lane->type = xstrdup("coredns_mysql");
		lane->state = i == 0 ? "up" : "down";
		lane->since_us = 1700000000000000;
		lane->pending = i * 3;
		lane->oldest_pending_us = (int64_t)i * 65000000;
		lane->canary = i == 1;
		lane->next_heal_us = (int64_t)i * 1700003600000000;
		lane->last_error = i == 0 ? NULL : xstrdup("connection refused\xff");
		if (i == 0)
			continue;
		lane->heal = (struct engine_heal){ .pass = 1700000000000001, .state = "comparing",
			.started_at_us = 1700000000000001, .took_us = 1500000, .zones = 10, .compared = 4, .missing = 1 };
	}
	reply->status = status;
}

static void fake_fill_zone(struct engine_zone *out, const char *name)
{
	out->name = xasprintf("%s.", name);
	out->generation = 3;
	out->serial = 2026030401;
	out->records = 12;
	memcpy(out->digest, "0123456789abcdef0123456789abcdef", 33);
	out->hostname = xstrdup("da1.host.example");
	out->username = xstrdup("fred");
	out->updated_at_us = 1700000000123456;
}

/* Zones z000.example to z004.example, behind `after`. */
static void fake_list(const struct engine_request *request, struct engine_message *reply)
{
	reply->zones = xcalloc(5, sizeof(*reply->zones));
	reply->refused = xcalloc(5, sizeof(*reply->refused));
	for (int i = 0; i < 5; i++) {
		char name[32];

		snprintf(name, sizeof(name), "z%03d.example", i);
		if (request->after != NULL && strcmp(name, request->after) <= 0)
			continue;
		if (reply->zone_count + reply->refused_count == request->limit) {
			reply->more = true;
			return;
		}
		if (request->op == ENGINE_ZONES) {
			fake_fill_zone(&reply->zones[reply->zone_count++], name);
		} else {
			struct engine_refused *refused = &reply->refused[reply->refused_count++];
			refused->zone = xasprintf("%s.", name);
			refused->error = xstrdup("line 3: no such type");
			refused->at_us = 1700000000000000;
			refused->text_size = 9;
		}
	}
}

static void fake_one(const struct engine_request *request, struct engine_message *reply)
{
	if (strcmp(request->zone, "shop.example") != 0) {
		err_set(&reply->err, ERR_NOTFOUND, "no such zone: %s", request->zone);
		return;
	}
	if (request->op == ENGINE_REJECTED) {
		reply->refused = xcalloc(1, sizeof(*reply->refused));
		reply->refused_count = 1;
		reply->refused[0].zone = xstrdup("shop.example.");
		reply->refused[0].error = xstrdup("line 3: no such type");
		reply->refused[0].text = xmemdup("@ A \"\xff\"\n", 8);
		reply->refused[0].text_size = 8;
		return;
	}
	reply->zones = xcalloc(1, sizeof(*reply->zones));
	reply->zone_count = 1;
	fake_fill_zone(&reply->zones[0], "shop.example");
	reply->zones[0].deliveries = xcalloc(1, sizeof(struct engine_delivery));
	reply->zones[0].delivery_count = 1;
	reply->zones[0].deliveries[0].backend = xstrdup("dc1");
	reply->zones[0].deliveries[0].state = "wait";
	reply->zones[0].deliveries[0].wanted = 3;
	reply->zones[0].deliveries[0].applied = 2;
	reply->zones[0].deliveries[0].last_error = xstrdup("1205 lock wait time-out");
}

static void fake_events(struct engine_message *reply)
{
	reply->events = xcalloc(1, sizeof(*reply->events));
	reply->event_count = 1;
	reply->more = true;
	reply->events[0].id = 41;
	reply->events[0].at_us = 1700000000000000;
	reply->events[0].kind = xstrdup("takeover");
	reply->events[0].zone = xstrdup("shop.example.");
}

/* One of two pages of a whole list, with one zone each. */
static void fake_page(struct engine *fake, const struct engine_request *request, struct engine_message *reply)
{
	bool first = request->after == NULL || request->after[0] == '\0';

	reply->doc = doc_create();
	doc_int(doc_object(doc_list(reply->doc, "zones"), NULL), "page", ++fake->pages);
	doc_text(reply->doc, "next", first ? "m" : NULL);
	if (fake->busy_behind_a_page)
		fake->busy |= 1U << ENGINE_QUEUE_QUESTIONS;
}

static void fake_answer(struct engine *fake, const struct engine_request *request)
{
	struct engine_message *reply = fake_message(ENGINE_REPLY);

	reply->id = request->id;
	reply->op = request->op;
	if (request->op == ENGINE_PUSH)
		fake_push(fake, request, reply);
	else if (request->op == ENGINE_DELETE)
		fake_delete(fake, request);
	else if (request->op == ENGINE_STATUS)
		fake_status(reply);
	else if (request->op == ENGINE_ZONE || (request->op == ENGINE_REJECTED && request->zone != NULL))
		fake_one(request, reply);
	else if (request->op == ENGINE_ZONES || request->op == ENGINE_REJECTED)
		fake_list(request, reply);
	else if (request->op == ENGINE_EVENTS)
		fake_events(reply);
	else if (request->op == ENGINE_HEALS)
		fake_status(reply);
	else if (request->op == ENGINE_HEAL) {
		if (request->backend != NULL && strcmp(request->backend, "dc2") == 0)
			err_set(&reply->err, ERR_BUSY, "a healing pass is under way at dc2");
		reply->pass = 1700000000000001;
		reply->affected = request->backend == NULL ? 2 : 1;
	} else if (request->op == ENGINE_PAUSE || request->op == ENGINE_RESUME) {
		if (strcmp(request->backend, "dc1") != 0)
			err_set(&reply->err, ERR_NOTFOUND, "there is no back end %s; there is dc1", request->backend);
		reply->affected = request->op == ENGINE_PAUSE;
	} else if (request->op == ENGINE_PEER_ZONES) {
		fake_page(fake, request, reply);
	} else if (request->op == ENGINE_SYNC_PEERS) {
		reply->doc = doc_create();
		doc_int(reply->doc, "pass", 1);
	} else {
		fake->retries++;
		reply->affected = 4;
	}
	if (fake->hold)
		fake->held[fake->held_count++] = reply;
	else
		fake_post(fake, reply);
}

static void UNUSED fake_release(struct engine *fake)
{
	pthread_mutex_lock(&fake->lock);
	fake->hold = false;
	for (size_t i = 0; i < fake->held_count; i++)
		fake_post(fake, fake->held[i]);
	fake->held_count = 0;
	pthread_mutex_unlock(&fake->lock);
}

/* ---- engine.h ---- */

int engine_submit(struct engine *fake, struct engine_request *request)
{
	int ret = 0;

	pthread_mutex_lock(&fake->lock);
	if (fake->closed) {
		ret = ERR_CLOSED;
	} else if (fake->busy & 1U << engine_queue_of(request->op)) {
		fake->refusals++;
		ret = ERR_BUSY;
	} else {
		/* The page takes its samples by the clock, whatever is asked meanwhile. */
		fake->submits += request->op != ENGINE_STATUS || request->source[0] != '\0';
		fake->last_limit = request->limit;
		fake->last_before = request->before;
		snprintf(fake->last_after, sizeof(fake->last_after), "%s", request->after != NULL ? request->after : "");
		snprintf(fake->last_zone, sizeof(fake->last_zone), "%s", request->zone != NULL ? request->zone : "");
		snprintf(fake->last_backend, sizeof(fake->last_backend), "%s",
			request->backend != NULL ? request->backend : "");
		fake->last_dry_run = request->dry_run;
		snprintf(fake->last_source, sizeof(fake->last_source), "%s", request->source);
		snprintf(fake->last_actor, sizeof(fake->last_actor), "%s", request->actor != NULL ? request->actor : "");
		snprintf(fake->last_identities, sizeof(fake->last_identities), "%s",
			request->identities != NULL ? request->identities : "");
		fake_answer(fake, request);
		engine_request_destroy(request);
	}
	pthread_mutex_unlock(&fake->lock);
	return ret;
}

int engine_fd(const struct engine *fake)
{
	return queue_fd(fake->messages);
}

size_t engine_take(struct engine *fake, struct engine_message **out, size_t most)
{
	return queue_take(fake->messages, (void **)out, most, 0);
}

void engine_publish(struct engine *fake UNUSED, const char *key UNUSED, struct doc *doc)
{
	doc_destroy(doc);
}

const char *engine_stalled(struct engine *fake)
{
	pthread_mutex_lock(&fake->lock);
	const char *stalled = fake->stalled;
	pthread_mutex_unlock(&fake->lock);
	return stalled;
}
