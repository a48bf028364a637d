/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a peer offers: taken, joined, left or refused; and what counts as a change of ours. */
#include "test_engine_rig.h"

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
	request->number = 1;
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
	assert_int_equal(offered("new.example", (struct offer){ PEER ":1:00000000", 1, "da1.example", 10, false }), 1);
	await_clean("new.example");
	assert_int_equal(counter_of("new.example", PEER), 1);
	assert_int_equal(counter_of("new.example", "own"), 0);
	/* The same again is nothing new; older is nothing. */
	assert_int_equal(offered("new.example", (struct offer){ PEER ":1:00000000", 1, "da1.example", 10, false }), 0);
	push("new.example", 2);
	assert_int_equal(counter_of("new.example", "own"), 1);
	assert_int_equal(offered("new.example", (struct offer){ PEER ":1:00000000", 1, "da1.example", -1, false }), 0);
	/* Changed there and here: the later one. */
	assert_int_equal(offered("new.example", (struct offer){ PEER ":2:00000000", 3, "da1.example", 10, false }), 0);
	assert_int_equal(count_events("peer_conflict"), 1);
	assert_int_equal(counter_of("new.example", PEER), 2);
	assert_int_equal(count_events("peer_taken"), 1);
}

static void a_delete_is_taken_from_the_owner_alone(void **state)
{
	(void)state;
	push("shop.example", 1);
	atomic_store(&rig.skew_us, 60000000);
	assert_int_equal(offered("shop.example", (struct offer){ PEER ":1:00000000", 0, "da2.example", 1, false }), 0);
	assert_int_equal(offered("shop.example", (struct offer){ PEER ":2:00000000", 0, "", 1, false }), 0);
	struct engine_message *view = zone_view("shop.example");
	assert_false(view->zones[0].deleted);
	engine_message_destroy(view);
	assert_int_equal(offered("shop.example", (struct offer){ PEER ":3:00000000", 0, "DA1.example.", 1, false }), 1);
	view = zone_view("shop.example");
	assert_true(view->zones[0].deleted);
	engine_message_destroy(view);
	await_clean("shop.example");
	assert_int_equal(count_events("peer_deleted"), 1);
}

/* The peer's delete must not reach a zone that somebody else made at a back end of ours. */
static void a_delete_of_what_we_never_held_touches_no_back_end(void **state)
{
	struct memory_zone foreign = { .name = "foreign.example.", .exists = true, .digest = { .count = 3, .low = 7 } };
	struct engine_request *request;
	struct memory_zone held;

	(void)state;
	memory_target_put(rig.targets[0], &foreign);
	assert_int_equal(offered("foreign.example", (struct offer){ PEER ":1:00000000", 0, "da1.example", 10, false }), 1);
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
	assert_int_equal(offered("foreign.example", (struct offer){ PEER ":1:00000000", 1, "da1.example", 20, false }), 0);
	/* A push of ours makes it a zone like any other. */
	push("foreign.example", 1);
	await_clean("foreign.example");
}

static void a_text_must_be_what_its_digest_says(void **state)
{
	struct offer offer = { PEER ":1:00000000", 1, "da1.example", 10, true };

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_newer_is_taken_and_delivered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_delete_is_taken_from_the_owner_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_delete_of_what_we_never_held_touches_no_back_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_text_must_be_what_its_digest_says, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_generation_raised_above_a_stamp_is_no_change, set_up, tear_down),
	};

	log_setup((enum log_level)(LOG_LEVEL_ERROR + 1), LOG_FORMAT_LOGFMT, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
