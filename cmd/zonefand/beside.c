/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "beside.h"

#include <stddef.h>

static bool wants_masters(const struct wire *wire)
{
	return wire->reconciles;
}

static void *start_masters(const struct wire *wire, struct engine *engine)
{
	return sync_start(&wire->sync, engine);
}

static void stop_masters(void *thread)
{
	sync_stop(thread);
}

static bool wants_peers(const struct wire *wire)
{
	return wire->peers_enabled;
}

static void *start_peers(const struct wire *wire, struct engine *engine)
{
	return peer_start(&wire->peers, engine);
}

static void stop_peers(void *thread)
{
	peer_stop(thread);
}

static bool wants_verify(const struct wire *wire)
{
	return wire->verifies;
}

static void *start_verify(const struct wire *wire, struct engine *engine)
{
	return verify_start(&wire->verify, engine);
}

static void stop_verify(void *thread)
{
	verify_stop(thread);
}

static bool wants_notify(const struct wire *wire)
{
	return wire->notifies;
}

static void *start_notify(const struct wire *wire, struct engine *engine)
{
	return notify_start(&wire->notify, engine);
}

static void stop_notify(void *thread)
{
	notify_stop(thread);
}

static const struct kind {
	const char *sections[2]; /* of the configuration; NULL: no second one */
	const char *shown;   /* in the status */
	bool says_so;        /* whether it is enabled stands there */
	enum engine_room room; /* ENGINE_ROOMS: it takes no orders */
	bool (*wants)(const struct wire *wire);
	void *(*start)(const struct wire *wire, struct engine *engine);
	void (*stop)(void *thread);
} kinds[BESIDE_COUNT] = {
	[BESIDE_MASTERS] = { { "reconciliation." }, "reconciler", true, ENGINE_ROOM_MASTERS, wants_masters, start_masters,
		stop_masters },
	[BESIDE_PEERS] = { { "peer_sync." }, "peer_sync", true, ENGINE_ROOM_PEERS, wants_peers, start_peers, stop_peers },
	[BESIDE_VERIFY] = { { "dns.backends.", "verify." }, "verify", false, ENGINE_ROOM_VERIFY, wants_verify, start_verify,
		stop_verify },
	[BESIDE_NOTIFY] = { { "notify.", "verify." }, "notify", true, ENGINE_ROOMS, wants_notify, start_notify, stop_notify },
};

static void start(struct beside *beside, size_t at, struct setup *setup)
{
	struct beside_room *room = &beside->rooms[at];

	room->setup = setup_ref(setup);
	if (kinds[at].wants(&setup->wire))
		room->thread = kinds[at].start(&setup->wire, beside->engine);
}

static void stop(struct beside *beside, size_t at)
{
	struct beside_room *room = &beside->rooms[at];

	if (room->thread != NULL)
		kinds[at].stop(room->thread);
	room->thread = NULL;
	setup_unref(room->setup);
	room->setup = NULL;
}

void beside_start(struct beside *beside, struct engine *engine, struct setup *setup)
{
	*beside = (struct beside){ .engine = engine };
	for (size_t i = 0; i < BESIDE_COUNT; i++)
		start(beside, i, setup);
}

/* Nobody takes its orders any more, nor tells of it. */
static void switch_off(struct beside *beside, size_t at)
{
	struct doc *doc = doc_create();

	if (kinds[at].room != ENGINE_ROOMS)
		engine_close_room(beside->engine, kinds[at].room);
	if (kinds[at].says_so) {
		doc_bool(doc, "enabled", false);
		doc_bool(doc, "alive", false);
	}
	engine_publish(beside->engine, kinds[at].shown, doc);
}

static bool is_same(const struct kind *kind, const struct conf *before, const struct conf *after)
{
	return conf_is_same(before, after, kind->sections[0]) &&
		(kind->sections[1] == NULL || conf_is_same(before, after, kind->sections[1]));
}

void beside_change(struct beside *beside, struct setup *setup)
{
	for (size_t i = 0; i < BESIDE_COUNT; i++) {
		struct beside_room *room = &beside->rooms[i];
		bool ran = room->thread != NULL;

		if (is_same(&kinds[i], room->setup->conf, setup->conf))
			continue;
		stop(beside, i);
		start(beside, i, setup);
		if (ran && room->thread == NULL)
			switch_off(beside, i);
	}
}

void beside_stop(struct beside *beside)
{
	for (size_t i = BESIDE_COUNT; i > 0; i--)
		stop(beside, i - 1);
}
