/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What lib/sync posts about the masters, checked by the engine against its state of now: nothing that changed since sync
 * looked is deleted, moved or overwritten.
 */
#include "test_engine_rig.h"

#include <sqlite3.h>

#include "base/rng.h"
#include "store/masters.h"

enum { INTERLEAVINGS = 100 };

static const char master[] = "da1.example";

/* ---- what sync says ---- */

static struct engine_seen seen_now(const char *zone)
{
	struct engine_message *message = ask(engine_request_create(ENGINE_HOLDINGS, ++rig.next_id));
	struct engine_seen seen = { 0 };
	const struct doc *entry;

	for (entry = doc_get(message->doc, "zones")->children; entry != NULL; entry = entry->next) {
		if (strncmp(doc_get(entry, "name")->value.text, zone, strlen(zone)) == 0)
			seen = (struct engine_seen){ .generation = doc_get(entry, "generation")->value.count,
				.updated_at_us = doc_get(entry, "updated_at")->value.number };
	}
	engine_message_destroy(message);
	return seen;
}

static struct engine_request *about(enum engine_op op)
{
	struct engine_request *request = engine_request_create(op, ++rig.next_id);

	request->hostname = xstrdup(master);
	request->source = xstrdup("127.0.0.1");
	return request;
}

static void tell_list(const char *error)
{
	struct engine_request *request = about(ENGINE_MASTER_LIST);

	request->number = 10;
	request->text = xstrdup(error);
	assert_int_equal(ask_code(request), ERR_OK);
}

static void tell_zone(enum engine_op op, const char *owner, const char *zone, struct engine_seen seen)
{
	struct engine_request *request = about(op);

	free(request->hostname);
	request->hostname = xstrdup(owner);
	request->names = xcalloc(1, sizeof(char *));
	request->names[0] = xasprintf("%s.", zone);
	request->seen = xcalloc(1, sizeof(*request->seen));
	request->seen[0] = seen;
	request->name_count = 1;
	assert_int_equal(ask_code(request), ERR_OK);
}

/* Returns the number under key of the answer. */
static uint64_t judge(bool decide, int64_t owned, const char *key)
{
	struct engine_request *request = about(ENGINE_MASTER_JUDGE);

	request->number = owned;
	request->orphans = (struct engine_orphan_policy){ .decide = decide, .passes = 2, .min_delete_zones = 5,
		.max_delete_percent = 2, .max_delete_zones = 50 };
	struct engine_message *message = ask(request);
	assert_int_equal(message->err.code, ERR_OK);
	uint64_t count = doc_get(message->doc, key)->value.count;
	engine_message_destroy(message);
	return count;
}

static uint64_t pass_without(const char *zone, struct engine_seen seen, bool decide, int64_t owned)
{
	tell_list(NULL);
	tell_zone(ENGINE_MASTER_MISSING, master, zone, seen);
	return judge(decide, owned, "deleting");
}

static struct engine_request *pull_request(const char *zone, struct engine_seen seen, char *text)
{
	struct engine_request *request = push_request(zone, text, master);

	request->op = ENGINE_PULL;
	request->seen = xcalloc(1, sizeof(*request->seen));
	request->seen[0] = seen;
	return request;
}

/* Its code; *stored. */
static int pull(const char *zone, struct engine_seen seen, char *text, bool *stored)
{
	struct engine_message *message = ask(pull_request(zone, seen, text));
	int code = message->err.code;

	*stored = message->affected > 0;
	engine_message_destroy(message);
	return code;
}

static bool is_deleted(const char *zone)
{
	struct engine_message *message = zone_view(zone);
	bool deleted = message->zones[0].deleted;

	engine_message_destroy(message);
	return deleted;
}

static void await_deleted(const char *zone)
{
	for (int waited_ms = 0; waited_ms < WAIT_MS && !is_deleted(zone); waited_ms += 2)
		nap();
	assert_true(is_deleted(zone));
}

static void assert_owner(const char *zone, const char *owner)
{
	struct engine_message *message = zone_view(zone);

	assert_string_equal(message->zones[0].hostname, owner);
	engine_message_destroy(message);
}

/* ---- orphans ---- */

static void an_orphan_goes_after_two_passes(void **state)
{
	(void)state;
	push("a.example", 1);
	struct engine_seen seen = seen_now("a.example");
	assert_int_equal(pass_without("a.example", seen, true, 10), 0);
	assert_int_equal(pass_without("a.example", seen, false, 10), 0); /* this one only counts */
	assert_false(is_deleted("a.example"));
	assert_int_equal(pass_without("a.example", seen, true, 10), 1);
	await_deleted("a.example");
	assert_int_equal(count_events("orphan_deleted"), 1);
	assert_int_equal(count_events("orphan"), 1);
}

/* A pass that is repeated, after a list that was not complete, is no second one. */
static void only_complete_lists_count(void **state)
{
	(void)state;
	push("a.example", 1);
	struct engine_seen seen = seen_now("a.example");
	assert_int_equal(pass_without("a.example", seen, true, 10), 0);
	tell_list("away");
	tell_list("away still");
	tell_zone(ENGINE_MASTER_MISSING, master, "a.example", seen);
	tell_zone(ENGINE_MASTER_MISSING, master, "a.example", seen);
	assert_int_equal(judge(true, 10, "deleting"), 0);
	assert_int_equal(count_events("master_unknown"), 1);
	assert_int_equal(count_events("master_known"), 1);
}

static void what_changed_since_is_not_missing(void **state)
{
	(void)state;
	push("a.example", 1);
	push("b.example", 1);
	struct engine_seen a = seen_now("a.example"), b = seen_now("b.example");
	assert_int_equal(pass_without("a.example", a, true, 10), 0);
	push("a.example", 2);
	assert_int_equal(pass_without("a.example", a, true, 10), 0);
	push("b.example", 1); /* the same content: the master has it all the same */
	assert_int_equal(pass_without("b.example", b, true, 10), 0);
	assert_int_equal(judge(true, 10, "missing"), 0);
	tell_zone(ENGINE_MASTER_MISSING, "da2.example", "a.example", seen_now("a.example")); /* not its zone */
	assert_int_equal(count_events("orphan"), 1);
	assert_false(is_deleted("a.example"));
	assert_false(is_deleted("b.example"));
}

static int64_t held_id(void)
{
	struct engine_message *held = ask(engine_request_create(ENGINE_HELD, ++rig.next_id));
	const struct doc *entry = doc_get(held->doc, "held")->children;

	assert_non_null(entry);
	int64_t id = doc_get(entry, "id")->value.number;
	engine_message_destroy(held);
	return id;
}

static int approve(int64_t id)
{
	struct engine_request *request = engine_request_create(ENGINE_APPROVE, ++rig.next_id);

	request->number = id;
	return ask_code(request);
}

static void pass_without_two(void)
{
	tell_list(NULL);
	tell_zone(ENGINE_MASTER_MISSING, master, "a.example", seen_now("a.example"));
	tell_zone(ENGINE_MASTER_MISSING, master, "b.example", seen_now("b.example"));
	assert_int_equal(judge(true, 2, "deleting"), 0);
}

static void hold_two(void)
{
	push("a.example", 1);
	push("b.example", 1);
	pass_without_two();
	pass_without_two();
}

static void a_large_set_is_held_and_let_through_once(void **state)
{
	(void)state;
	hold_two();
	int64_t id = held_id();
	push("b.example", 2);
	assert_int_equal(approve(id), ERR_OK);
	await_deleted("a.example");
	assert_false(is_deleted("b.example"));
	assert_int_equal(approve(id), ERR_NOTFOUND);
}

/* Nobody could approve it, and nothing else would bring it back: the next pass holds the same set anew. */
static void a_damaged_set_is_held_anew(void **state)
{
	sqlite3 *db;

	(void)state;
	hold_two();
	int64_t id = held_id();
	assert_int_equal(sqlite3_open(rig.path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, WAIT_MS);
	assert_int_equal(sqlite3_exec(db, "UPDATE held SET text = x'6f6e66'", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(approve(id), ERR_CORRUPT);
	pass_without_two();
	assert_true(held_id() > id);
	assert_int_equal(approve(held_id()), ERR_OK);
	await_deleted("a.example");
	await_deleted("b.example");
}

/* The new list is there, what it lacks is not counted yet: the set is neither deleted nor lost. */
static void an_approval_during_a_pass_is_refused(void **state)
{
	(void)state;
	hold_two();
	int64_t id = held_id();
	tell_list(NULL);
	assert_int_equal(approve(id), ERR_BUSY);
	tell_zone(ENGINE_MASTER_MISSING, master, "a.example", seen_now("a.example"));
	assert_int_equal(approve(id), ERR_BUSY);
	assert_int_equal(judge(true, 2, "ripe"), 1);
	assert_int_equal(approve(id), ERR_NOTFOUND); /* b is listed again, and one of two may go unasked */
}

/* Nobody knows how old the list is that it was held by; the master may not even be configured any more. */
static void an_approval_needs_a_list_since_the_start(void **state)
{
	(void)state;
	hold_two();
	int64_t id = held_id();
	stop();
	start();
	assert_int_equal(approve(id), ERR_BUSY);
	tell_list("away");
	assert_int_equal(approve(id), ERR_BUSY);
	tell_list(NULL);
	tell_zone(ENGINE_MASTER_MISSING, master, "a.example", seen_now("a.example"));
	tell_zone(ENGINE_MASTER_MISSING, master, "b.example", seen_now("b.example"));
	assert_int_equal(judge(false, 2, "ripe"), 2);
	assert_int_equal(approve(id), ERR_OK);
	await_deleted("a.example");
	await_deleted("b.example");
}

static bool condemn_row(void *ctx, const struct store_missing *missing)
{
	*(struct store_missing *)ctx = *missing;
	return false;
}

/* As a kill between the judgement and the delete leaves it. */
static void condemn_in_store(void)
{
	struct store_missing missing = { 0 };
	struct store *store;
	struct err err;

	assert_int_equal(store_open(rig.path, &store, NULL, &err), ERR_OK);
	assert_int_equal(store_missing_list(store, NULL, 0, 1, condemn_row, &missing, &err), ERR_OK);
	missing.condemned = true;
	assert_int_equal(store_missing_save(store, &missing, &err), ERR_OK);
	store_close(store);
}

static void what_was_condemned_before_a_start_waits_for_a_new_list(void **state)
{
	struct engine_seen other;

	(void)state;
	push("a.example", 1);
	push("b.example", 1);
	struct engine_seen seen = seen_now("a.example");
	assert_int_equal(pass_without("a.example", seen, true, 10), 0);
	assert_int_equal(pass_without("a.example", seen, false, 10), 0);
	stop();
	condemn_in_store();
	start();
	other = seen_now("b.example");
	assert_int_equal(pass_without("a.example", seen, false, 10), 0);
	/* Deletes go on with each turn: these would have carried it out. */
	for (unsigned i = 0; i < 5; i++)
		push("b.example", 2 + i);
	assert_false(is_deleted("a.example"));
	assert_int_equal(pass_without("b.example", other, true, 10), 0); /* a is listed again */
	assert_int_equal(pass_without("a.example", seen, true, 10), 0);
	assert_int_equal(pass_without("a.example", seen, true, 10), 1);
	await_deleted("a.example");
}

/* The rows of the masters can't be read: that costs what needs them, and no push. */
static void what_is_damaged_about_masters_costs_no_push(void **state)
{
	sqlite3 *db;

	(void)state;
	push("a.example", 1);
	struct engine_seen seen = seen_now("a.example");
	tell_list(NULL);
	assert_int_equal(sqlite3_open(rig.path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, WAIT_MS);
	if (sqlite3_exec(db, "BEGIN IMMEDIATE; PRAGMA writable_schema = ON;"
		"UPDATE sqlite_schema SET rootpage = (SELECT max(rootpage) FROM sqlite_schema WHERE type = 'index') WHERE name = 'master';"
		"CREATE TABLE whatever (id INTEGER); COMMIT", NULL, NULL, NULL) != SQLITE_OK) /* so that connections read the schema anew */
		fail_msg("%s", sqlite3_errmsg(db));
	sqlite3_close(db);
	assert_int_equal(ask_code(about(ENGINE_MASTER_JUDGE)), ERR_CORRUPT);
	struct engine_request *missing = about(ENGINE_MASTER_MISSING);
	missing->names = xcalloc(1, sizeof(char *));
	missing->names[0] = xstrdup("a.example.");
	missing->seen = xcalloc(1, sizeof(*missing->seen));
	missing->seen[0] = seen;
	missing->name_count = 1;
	assert_int_equal(ask_code(missing), ERR_CORRUPT);
	push("a.example", 2);
}

/* ---- owners ---- */

static void owners_move_only_as_seen(void **state)
{
	(void)state;
	push("a.example", 1);
	assert_int_equal(ask_code(push_request("b.example", text_of(1), "")), ERR_OK);
	struct engine_seen a = seen_now("a.example"), b = seen_now("b.example");
	tell_zone(ENGINE_MASTER_OWN, "da2.example", "a.example", a);
	tell_zone(ENGINE_MASTER_OWN, "da2.example", "b.example", b);
	assert_owner("a.example", "da2.example");
	assert_owner("b.example", "da2.example");
	assert_int_equal(count_events("owner_moved"), 1);
	assert_int_equal(count_events("owner_found"), 1);
	push("a.example", 2); /* takes it back */
	tell_zone(ENGINE_MASTER_OWN, "da2.example", "a.example", a);
	assert_owner("a.example", master);
}

/* ---- pulls ---- */

static void a_pull_is_stored_only_as_seen(void **state)
{
	struct engine_seen never = { 0 };
	bool stored;

	(void)state;
	assert_int_equal(pull("a.example", never, text_of(1), &stored), ERR_OK);
	assert_true(stored);
	assert_owner("a.example", master);
	await_clean("a.example");
	assert_int_equal(pull("a.example", never, text_of(2), &stored), ERR_BUSY);
	assert_false(stored);
	struct engine_seen seen = seen_now("a.example");
	assert_int_equal(pull("a.example", seen, text_of(1), &stored), ERR_OK);
	assert_false(stored);
	assert_int_equal(pull("a.example", seen, text_of(2), &stored), ERR_OK);
	assert_true(stored);
	assert_int_equal(pull("a.example", seen_now("a.example"), xstrdup("error=1&text=SOA"), &stored), ERR_INVALID);
	assert_false(stored);
	assert_int_equal(count_events("pulled"), 2);
	assert_int_equal(count_events("pull_refused"), 1);
	delete_from("a.example", master);
	assert_int_equal(pull("a.example", seen, text_of(3), &stored), ERR_BUSY);
	assert_int_equal(pull("a.example", seen_now("a.example"), text_of(3), &stored), ERR_OK);
	assert_true(stored && !is_deleted("a.example"));
}

static char *signed_text(unsigned content)
{
	char *plain = text_of(content);
	char *text = xasprintf("%s@ 60 IN DNSKEY 257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxIL"
		"fDLUT0rAK9iUzy1L53eKGQ==\n", plain);

	free(plain);
	return text;
}

static void an_unsigned_text_never_replaces_a_signed_zone(void **state)
{
	bool stored;

	(void)state;
	assert_int_equal(ask_code(push_request("a.example", signed_text(1), master)), ERR_OK);
	assert_int_equal(pull("a.example", seen_now("a.example"), text_of(2), &stored), ERR_DENIED);
	assert_false(stored);
	assert_int_equal(count_events("pull_unsigned"), 1);
	assert_int_equal(pull("a.example", seen_now("a.example"), signed_text(2), &stored), ERR_OK);
	assert_true(stored);
}

static void collect(uint64_t first, uint64_t second)
{
	for (int missing = 2, waited_ms = 0; missing > 0; waited_ms += 2) {
		struct engine_message *message;

		assert_true(waited_ms < WAIT_MS);
		if (engine_take(rig.engine, &message, 1) == 0) {
			nap();
			continue;
		}
		missing -= message->kind == ENGINE_REPLY && (message->id == first || message->id == second);
		engine_message_destroy(message);
	}
}

/* A push that comes after the pull began wins, whether the pulled text is stored before it or comes after it. */
static void a_push_always_wins_over_a_pull(void **state)
{
	struct rng rng = { .state = 19 };
	char name[32];

	(void)state;
	for (unsigned i = 0; i < INTERLEAVINGS; i++) {
		snprintf(name, sizeof(name), "race%u.example", i);
		bool held = rng_next(&rng) % 2 == 0, push_first = rng_next(&rng) % 2 == 0, in_between = rng_next(&rng) % 2 == 0;

		if (held)
			push(name, 1);
		if (held && rng_next(&rng) % 4 == 0)
			delete_from(name, master);
		struct engine_seen seen = seen_now(name);
		struct engine_request *newer = push_request(name, text_of(3), master);
		struct engine_request *older = pull_request(name, seen, text_of(2));
		uint64_t newer_id = newer->id, older_id = older->id;
		assert_int_equal(submit_patiently(push_first ? newer : older), ERR_OK);
		if (in_between)
			nap();
		assert_int_equal(submit_patiently(push_first ? older : newer), ERR_OK);
		collect(newer_id, older_id);
		await_clean(name);
		struct memory_zone there;
		char canonical[40];
		snprintf(canonical, sizeof(canonical), "%s.", name);
		assert_true(memory_target_get(rig.targets[0], canonical, &there));
		struct zone *wanted;
		struct err err;
		char *text = text_of(3);
		assert_int_equal(zone_parse(canonical, text, strlen(text), 0, &wanted, &err), ERR_OK);
		if (!zone_digest_equal(&there.digest, zone_digest(wanted)))
			fail_msg("interleaving %u: the pulled text won", i);
		zone_unref(wanted);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_orphan_goes_after_two_passes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(only_complete_lists_count, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_changed_since_is_not_missing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_large_set_is_held_and_let_through_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_damaged_set_is_held_anew, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_approval_during_a_pass_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_approval_needs_a_list_since_the_start, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_was_condemned_before_a_start_waits_for_a_new_list, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_damaged_about_masters_costs_no_push, set_up, tear_down),
		cmocka_unit_test_setup_teardown(owners_move_only_as_seen, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_pull_is_stored_only_as_seen, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_unsigned_text_never_replaces_a_signed_zone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_push_always_wins_over_a_pull, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
