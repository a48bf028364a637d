/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a peer offers: taken, joined, left or refused; and what counts as a change of ours. */
#include "test_engine_rig.h"

#include <inttypes.h>

#include "base/buf.h"
#include "sched/version.h"

#define PEER "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define URL "http://peer.example:2222"

/* What peers are told of the zone. */
static struct engine_message *told(const char *zone)
{
	struct engine_request *request = engine_request_create(ENGINE_PEER_ZONES, ++rig.next_id);

	request->zone = xstrdup(zone);
	request->number = 2;
	struct engine_message *message = ask(request);
	assert_int_equal(message->err.code, ERR_OK);
	return message;
}

static const char *text_at(const struct engine_message *message, const char *key)
{
	return doc_get(message->doc, key)->value.text;
}

/* The counter of a store in the vector that peers are told; 0: it is not in it. */
static unsigned counter_of(const char *zone, const char *id)
{
	struct engine_message *message = told(zone);
	const char *own = strcmp(id, "own") == 0 ? text_at(message, "store_id") : id;
	const char *at = strstr(text_at(message, "vector"), own);
	unsigned counter = at == NULL ? 0 : (unsigned)strtoul(at + strlen(own) + 1, NULL, 10);

	engine_message_destroy(message);
	return counter;
}

struct offer {
	const char *vector;
	unsigned content;        /* 0: deleted */
	const char *hostname;
	int64_t ago_s;
	bool lies;               /* the digest is not that of the text */
	bool learnt;
	int64_t pass;
};

static struct engine_request *offer_request(const char *zone, const struct offer *offer)
{
	struct engine_request *request = engine_request_create(ENGINE_MERGE, ++rig.next_id);
	struct engine_peer_zone *said = request->peer_zones = xcalloc(1, sizeof(*said));
	char digest[ZONE_DIGEST_TEXT_SIZE];
	struct zone *parsed;
	struct err err;

	request->peer_zone_count = 1;
	request->peer = xstrdup(URL);
	request->number = offer->pass;
	request->learnt = offer->learnt;
	*said = (struct engine_peer_zone){ .name = xstrdup(zone), .vector = xstrdup(offer->vector), .origin = xstrdup(PEER),
		.deleted = offer->content == 0, .serial = 1, .hostname = xstrdup(offer->hostname), .username = xstrdup(""),
		.accepted_us = clock_wall_us(&rig_clock) - offer->ago_s * 1000000 };
	char *text = text_of(offer->content + offer->lies);
	char *name = xasprintf("%s.", zone);
	assert_int_equal(zone_parse(name, text, strlen(text), 0, &parsed, &err), ERR_OK);
	said->digest = xstrdup(zone_digest_text(zone_digest(parsed), digest));
	said->records = zone_digest(parsed)->count;
	zone_unref(parsed);
	free(name);
	free(text);
	if (offer->content == 0)
		return request;
	request->zone = xstrdup(zone);
	request->text = text_of(offer->content);
	request->text_size = strlen(request->text);
	return request;
}

/* Offers it; how many were taken. */
static uint64_t offered(const char *zone, struct offer offer)
{
	struct engine_message *message = ask(offer_request(zone, &offer));

	assert_int_equal(message->err.code, ERR_OK);
	uint64_t taken = doc_get(message->doc, "taken")->value.count;
	engine_message_destroy(message);
	return taken;
}

static void what_is_newer_is_taken_and_delivered(void **state)
{
	(void)state;
	assert_int_equal(offered("new.example", (struct offer){ PEER ":1:00000000", 1, "da1.example", 10, .pass = 1 }), 1);
	await_clean("new.example");
	assert_int_equal(counter_of("new.example", PEER), 1);
	assert_int_equal(counter_of("new.example", "own"), 0);
	/* The same again is nothing new; older is nothing. */
	assert_int_equal(offered("new.example", (struct offer){ PEER ":1:00000000", 1, "da1.example", 10, .pass = 1 }), 0);
	push("new.example", 2);
	assert_int_equal(counter_of("new.example", "own"), 1);
	assert_int_equal(offered("new.example", (struct offer){ PEER ":1:00000000", 1, "da1.example", -1, .pass = 1 }), 0);
	/* Changed there and here: the later one. */
	assert_int_equal(offered("new.example", (struct offer){ PEER ":2:00000000", 3, "da1.example", 10, .pass = 1 }), 0);
	assert_int_equal(count_events("peer_conflict"), 1);
	assert_int_equal(counter_of("new.example", PEER), 2);
	assert_int_equal(count_events("peer_taken"), 1);
}

static void a_delete_is_taken_from_the_owner_alone(void **state)
{
	(void)state;
	push("shop.example", 1);
	atomic_store(&rig.skew_us, 60000000);
	assert_int_equal(offered("shop.example", (struct offer){ PEER ":1:00000000", 0, "da2.example", 1, .pass = 1 }), 0);
	assert_int_equal(offered("shop.example", (struct offer){ PEER ":2:00000000", 0, "", 1, .pass = 1 }), 0);
	struct engine_message *view = zone_view("shop.example");
	assert_false(view->zones[0].deleted);
	engine_message_destroy(view);
	assert_int_equal(offered("shop.example", (struct offer){ PEER ":3:00000000", 0, "DA1.example.", 1, .pass = 1 }), 1);
	view = zone_view("shop.example");
	assert_true(view->zones[0].deleted);
	engine_message_destroy(view);
	await_clean("shop.example");
	assert_int_equal(count_events("peer_deleted"), 1);
}

static char *numbered(unsigned number)
{
	return xasprintf("zone%03u.example", number);
}

/* Of the zones with these numbers, in a pass: how many were taken. */
static unsigned deleted(unsigned from, unsigned to, int64_t pass)
{
	unsigned taken = 0;

	for (unsigned i = from; i < to; i++) {
		char *zone = numbered(i);

		taken += (unsigned)offered(zone, (struct offer){ PEER ":9:00000000", 0, "da1.example", 1, .pass = pass });
		free(zone);
	}
	return taken;
}

/* The only thing that is held is of that kind; whether it is approved. */
static bool held(const char *kind, int64_t *id)
{
	struct engine_message *message = ask(engine_request_create(ENGINE_HELD, ++rig.next_id));
	const struct doc *first = doc_get(message->doc, "held")->children;

	assert_non_null(first);
	assert_null(first->next);
	assert_string_equal(doc_get(first, "kind")->value.text, kind);
	assert_string_equal(doc_get(first, "subject")->value.text, URL);
	*id = doc_get(first, "id")->value.number;
	bool approved = doc_get(first, "approved")->value.boolean;
	engine_message_destroy(message);
	return approved;
}

static size_t count_held(void)
{
	struct engine_message *message = ask(engine_request_create(ENGINE_HELD, ++rig.next_id));
	size_t count = 0;

	for (const struct doc *each = doc_get(message->doc, "held")->children; each != NULL; each = each->next)
		count++;
	engine_message_destroy(message);
	return count;
}

static void approve(int64_t id)
{
	struct engine_request *request = engine_request_create(ENGINE_APPROVE, ++rig.next_id);

	request->number = id;
	assert_int_equal(ask_code(request), ERR_OK);
}

static void a_mass_delete_elsewhere_waits_for_a_word(void **state)
{
	int64_t id;

	(void)state;
	for (unsigned i = 0; i < 360; i++) {
		char *zone = numbered(i);

		push(zone, 1);
		free(zone);
	}
	atomic_store(&rig.skew_us, 60000000);
	assert_int_equal(deleted(0, 150, 1), 100);
	assert_false(held("peer_deletes", &id));
	assert_int_equal(count_events("peer_deletes_held"), 1);
	/* A change is no delete. */
	assert_int_equal(offered("zone149.example", (struct offer){ PEER ":9:00000000", 2, "da1.example", 1, .pass = 1 }), 1);
	/* Each pass brings its share, and is held but once. */
	assert_int_equal(deleted(150, 251, 2), 100);
	assert_int_equal(count_events("peer_deletes_held"), 1);
	approve(id);
	assert_int_equal(deleted(250, 251, 2), 0);
	/* The word outlives the process, and is for one pass. */
	stop();
	start();
	assert_true(held("peer_deletes", &id));
	assert_int_equal(deleted(250, 355, 3), 105);
	assert_int_equal(count_held(), 0);
	assert_int_equal(deleted(100, 149, 4), 49);
	struct engine_message *view = zone_view("zone149.example");
	assert_false(view->zones[0].deleted);
	engine_message_destroy(view);
}

static void new_zones_wait_for_a_word_that_outlives_the_process(void **state)
{
	int64_t id;

	(void)state;
	assert_int_equal(deleted(0, 101, 1), 100);
	assert_false(held("peer_zones", &id));
	approve(id);
	stop();
	start();
	assert_true(held("peer_zones", &id));
	assert_int_equal(deleted(100, 202, 2), 102);
	assert_int_equal(count_held(), 0);
	assert_int_equal(deleted(202, 303, 3), 100);
}

/* A vector of our own store and of the peer, in their order. */
static char *vector_of(unsigned own, unsigned peer)
{
	struct engine_message *message = told("back.example");
	const char *id = text_at(message, "store_id");
	char *vector = strcmp(id, PEER) < 0 ? xasprintf("%s:%u:00000001,%s:%u:00000001", id, own, PEER, peer)
					    : xasprintf("%s:%u:00000001,%s:%u:00000001", PEER, peer, id, own);

	engine_message_destroy(message);
	return vector;
}

/* The peer knows changes of ours that an older copy of the store does not; since then the same was done here again. */
static void what_a_store_that_went_back_does_again_is_newer(void **state)
{
	(void)state;
	push("back.example", 1);
	await_clean("back.example");
	delete_from("back.example", "da1.example");
	char *known = vector_of(9, 1), *older = vector_of(9, 2);
	assert_int_equal(offered("back.example", (struct offer){ known, 0, "da1.example", 600, .pass = 1 }), 0);
	assert_int_equal(counter_of("back.example", "own"), 10);
	/* A push from before our delete, by somebody who knew only what we forgot. */
	assert_int_equal(offered("back.example", (struct offer){ older, 3, "da1.example", 60, .pass = 1 }), 0);
	assert_int_equal(counter_of("back.example", PEER), 2);
	free(known);
	free(older);
}

static void a_learnt_peer_deletes_nothing(void **state)
{
	struct offer offer = { PEER ":1:00000000", 0, "da1.example", 1, .learnt = true, .pass = 1 };

	(void)state;
	push("shop.example", 1);
	atomic_store(&rig.skew_us, 60000000);
	assert_int_equal(offered("shop.example", offer), 0);
	assert_int_equal(offered("never.example", offer), 0);
	assert_int_equal(count_events("peer_doubt"), 2);
	struct engine_message *view = zone_view("shop.example");
	assert_false(view->zones[0].deleted);
	engine_message_destroy(view);
	/* Nothing of it is remembered: the same from one that was chosen is taken. */
	offer.learnt = false;
	assert_int_equal(offered("shop.example", offer), 1);
}

/* The peer's delete must not reach a zone that somebody else made at a back end of ours. */
static void a_delete_of_what_we_never_held_touches_no_back_end(void **state)
{
	struct memory_zone foreign = { .name = "foreign.example.", .exists = true, .digest = { .count = 3, .low = 7 } };
	struct engine_request *request;
	struct memory_zone held;

	(void)state;
	memory_target_put(rig.targets[0], &foreign);
	assert_int_equal(offered("foreign.example", (struct offer){ PEER ":1:00000000", 0, "da1.example", 10, .pass = 1 }), 1);
	for (int restarts = 0; restarts < 2; restarts++) {
		request = engine_request_create(ENGINE_RETRY, ++rig.next_id);
		request->zone = xstrdup("foreign.example");
		assert_int_equal(ask_code(request), ERR_NOTFOUND);
		assert_int_equal(ask_code(engine_request_create(ENGINE_RETRY, ++rig.next_id)), ERR_OK);
		stop();
		start();
	}
	push("other.example", 1);
	await_clean("other.example");
	assert_true(memory_target_get(rig.targets[0], "foreign.example.", &held) && held.exists);
	/* Older than that delete: it stays deleted. */
	assert_int_equal(offered("foreign.example", (struct offer){ PEER ":1:00000000", 1, "da1.example", 20, .pass = 1 }), 0);
	/* A push of ours makes it a zone like any other. */
	push("foreign.example", 1);
	await_clean("foreign.example");
}

static void a_text_must_be_what_its_digest_says(void **state)
{
	struct offer offer = { PEER ":1:00000000", 1, "da1.example", 10, .lies = true, .pass = 1 };

	(void)state;
	assert_int_equal(ask_code(offer_request("new.example", &offer)), ERR_INVALID);
	struct engine_request *request = engine_request_create(ENGINE_ZONE, ++rig.next_id);
	request->zone = xstrdup("new.example");
	assert_int_equal(ask_code(request), ERR_NOTFOUND);
	assert_int_equal(count_events("peer_refused"), 1);
}

/* Else a store that was restored would look newer than its peers for nothing but what its back ends bear. */
static void a_generation_raised_above_a_stamp_is_no_change(void **state)
{
	struct backend_stamp stamp = { .generation = 40 };

	(void)state;
	push("shop.example", 1);
	await_clean("shop.example");
	struct engine_message *message = told("shop.example");
	memcpy(stamp.store_id, text_at(message, "store_id"), sizeof(stamp.store_id));
	engine_message_destroy(message);
	memory_target_stamp(rig.targets[1], "shop.example.", &stamp);
	push("shop.example", 2);
	await_clean("shop.example");
	message = zone_view("shop.example");
	assert_true(message->zones[0].generation > 40);
	engine_message_destroy(message);
	assert_int_equal(counter_of("shop.example", "own"), 2);
	push("shop.example", 3);
	assert_int_equal(counter_of("shop.example", "own"), 3);
}

/* A vector of the peer and of as many other stores as there may be. */
static char *full_vector(void)
{
	struct buf vector = { 0 };

	for (unsigned i = 1; i < VERSION_MOST; i++)
		buf_printf(&vector, "%032x:1:00000001,", i);
	buf_puts(&vector, PEER ":1:00000001");
	return vector.data;
}

/* The store is well, and says so: what can't be counted is no fault of the disk. */
static void assert_store_is_well(void)
{
	struct engine_message *message = ask(engine_request_create(ENGINE_STATUS, ++rig.next_id));

	assert_true(message->status->store_ok);
	engine_message_destroy(message);
	push("other.example", 1);
}

/* So many stores changed the zone that there is no room for ours: its pushes, and deletes, are taken all the same. */
static void a_full_vector_refuses_no_push(void **state)
{
	char *vector = full_vector();

	(void)state;
	stop();
	rig.peers = true;
	start();
	assert_int_equal(offered("full.example", (struct offer){ vector, 1, "da1.example", 600, .pass = 1 }), 1);
	push("full.example", 1);
	assert_store_is_well();
	delete_from("full.example", "da1.example");
	delete_from("full.example", "da1.example");
	assert_store_is_well();
	push("full.example", 2);
	await_clean("full.example");
	free(vector);
}

/* A database bears a stamp that is as high as any that is believed: what is pushed then can still be counted. */
static void the_highest_stamp_refuses_no_push(void **state)
{
	struct backend_stamp stamp = { .generation = (UINT64_C(1) << 62) - 1 };

	(void)state;
	stop();
	rig.peers = true;
	start();
	push("high.example", 1);
	await_clean("high.example");
	memcpy(stamp.store_id, PEER, sizeof(PEER) - 1);
	memory_target_stamp(rig.targets[0], "high.example.", &stamp);
	push("high.example", 2);
	await_clean("high.example");
	push("high.example", 3);
	push("high.example", 3);
	assert_store_is_well();
	engine_message_destroy(told("high.example"));
	await_clean("high.example");
}

/* A peer says that we changed the zone more often than can be counted. */
static void a_counter_at_its_end_refuses_no_push(void **state)
{
	(void)state;
	push("back.example", 1);
	await_clean("back.example");
	struct engine_message *message = told("back.example");
	char *vector = xasprintf("%s:%" PRIu64 ":00000001", text_at(message, "store_id"), VERSION_COUNTER_MAX);
	engine_message_destroy(message);
	message = ask(offer_request("back.example", &(struct offer){ vector, 1, "da1.example", 600, .pass = 1 }));
	assert_int_equal(message->err.code, ERR_OK);
	assert_int_equal(doc_get(message->doc, "waiting")->value.count, 1);
	engine_message_destroy(message);
	assert_store_is_well();
	free(vector);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_newer_is_taken_and_delivered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_delete_is_taken_from_the_owner_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_delete_of_what_we_never_held_touches_no_back_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_mass_delete_elsewhere_waits_for_a_word, set_up, tear_down),
		cmocka_unit_test_setup_teardown(new_zones_wait_for_a_word_that_outlives_the_process, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_a_store_that_went_back_does_again_is_newer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_learnt_peer_deletes_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_text_must_be_what_its_digest_says, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_generation_raised_above_a_stamp_is_no_change, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_full_vector_refuses_no_push, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_counter_at_its_end_refuses_no_push, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_highest_stamp_refuses_no_push, set_up, tear_down),
	};

	log_setup((enum log_level)(LOG_LEVEL_ERROR + 1), LOG_FORMAT_LOGFMT, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
