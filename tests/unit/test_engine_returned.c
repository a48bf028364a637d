/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A back end that is new to the store, and has been ours before or is a copy of one: what was deleted meanwhile goes there
 * too, without any healing; what somebody else made of such a name stays, there and everywhere (decisions.md 11).
 */
#include "test_engine_heal_util.h"

enum { DC1, DC2, DC3 };

static const struct backend_stamp other = { .store_id = "0123456789abcdef0123456789abcdef", .generation = 7 };

static int set_up_two(void **state)
{
	(void)state;
	return set_up_with(2);
}

/* Pushed and deleted at two back ends; as it was in between. */
static struct memory_zone deleted(const char *name)
{
	char *canonical = xasprintf("%s.", name);

	push_clean(name, 1);
	struct memory_zone alive = held(DC1, canonical);
	delete_from(name, "da1.example");
	await_clean(name);
	alive.name = name; /* of a literal, while the other belongs to the target */
	free(canonical);
	return alive;
}

static void stands(size_t target, const char *canonical, struct memory_zone zone)
{
	zone.name = canonical;
	memory_target_put(rig.targets[target], &zone);
}

static void assert_untouched(size_t target, const char *name, const struct memory_zone *zone)
{
	struct memory_zone now = held(target, name);

	assert_true(now.exists);
	assert_int_equal(now.writes, 0);
	assert_string_equal(now.stamp.store_id, zone->stamp.store_id);
	assert_int_equal(now.stamp.generation, zone->stamp.generation);
	assert_true(zone_digest_equal(&now.digest, &zone->digest));
}

static void add_dc3(void)
{
	stop();
	rig.count = TARGETS;
	start();
}

static void what_was_deleted_goes_and_what_is_theirs_stays(void **state)
{
	(void)state;
	push_clean("kept.example", 1);
	struct memory_zone live = deleted("live.example");
	struct memory_zone copy = deleted("copy.example");
	struct memory_zone made = deleted("made.example");
	struct memory_zone unstamped = deleted("unstamped.example");
	struct memory_zone others = deleted("others.example");
	(void)deleted("none.example");

	stands(DC3, "live.example.", live);
	copy.deleted = made.deleted = true;
	stands(DC3, "copy.example.", copy);
	made.digest.low++;
	stands(DC3, "made.example.", made);
	unstamped.stamp = (struct backend_stamp){ 0 };
	stands(DC3, "unstamped.example.", unstamped);
	others.stamp = other;
	stands(DC3, "others.example.", others);
	add_dc3();
	await_clean("kept.example");
	await_clean("live.example");
	await_clean("copy.example");
	await_clean("made.example");
	await_clean("unstamped.example");
	await_clean("others.example");
	await_clean("none.example");
	assert_like_others("kept.example.");
	assert_like_others("live.example.");
	assert_false(held(DC3, "copy.example.").exists);
	assert_untouched(DC3, "made.example.", &made);
	assert_untouched(DC3, "unstamped.example.", &unstamped);
	assert_untouched(DC3, "others.example.", &others);
	assert_int_equal(held(DC3, "none.example.").writes, 0);
	assert_int_equal(count_events("drift") + count_events("stamp_taken_over"), 0);
}

/* The new one bears a newer stamp of ours, so all get a higher generation: that is no reason to remove what is theirs. */
static void a_raised_delete_removes_nothing_of_theirs(void **state)
{
	struct memory_zone newer;
	struct memory_zone theirs;

	(void)state;
	newer = theirs = deleted("both.example");
	newer.stamp.generation += 40;
	stands(DC3, "both.example.", newer);
	theirs.stamp = (struct backend_stamp){ 0 };
	theirs.writes = 0;
	uint64_t writes = writes_of(DC1, "both.example.");
	stands(DC1, "both.example.", theirs);
	add_dc3();
	await_clean("both.example");
	assert_false(held(DC3, "both.example.").exists);
	assert_int_equal(held(DC3, "both.example.").stamp.generation, newer.stamp.generation + 1);
	assert_int_equal(count_events("generation_raised"), 1);
	assert_true(held(DC1, "both.example.").exists);
	assert_int_equal(writes_of(DC1, "both.example."), writes);
}

/* Nor is it one that an operator asks. */
static void an_asked_delete_removes_nothing_of_theirs(void **state)
{
	struct engine_request *request = engine_request_create(ENGINE_RETRY, ++rig.next_id);
	struct memory_zone theirs;

	(void)state;
	theirs = deleted("asked.example");
	theirs.stamp = (struct backend_stamp){ 0 };
	uint64_t writes = writes_of(DC1, "asked.example.");
	stands(DC1, "asked.example.", theirs);
	request->zone = xstrdup("asked.example");
	assert_int_equal(ask_code(request), ERR_OK);
	await_clean("asked.example");
	assert_true(held(DC1, "asked.example.").exists);
	assert_int_equal(writes_of(DC1, "asked.example."), writes);
}

/* But a delete that never got there takes with it what was saved over. */
static void an_asked_delete_on_its_way_is_one(void **state)
{
	struct engine_request *request = engine_request_create(ENGINE_RETRY, ++rig.next_id);

	(void)state;
	push_clean("way.example", 1);
	struct memory_zone before = held(DC1, "way.example.");
	before.stamp = (struct backend_stamp){ 0 };
	atomic_store(&rig.fates[DC1], MEMORY_REJECT);
	push("way.example", 2);
	await_state("way.example", DC1, "rejected");
	stands(DC1, "way.example.", before);
	delete_from("way.example", "da1.example");
	await_state("way.example", DC1, "rejected");
	atomic_store(&rig.fates[DC1], MEMORY_OK);
	request->zone = xstrdup("way.example");
	assert_int_equal(ask_code(request), ERR_OK);
	await_clean("way.example");
	assert_false(held(DC1, "way.example.").exists);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_deleted_goes_and_what_is_theirs_stays, set_up_two, tear_down),
		cmocka_unit_test_setup_teardown(a_raised_delete_removes_nothing_of_theirs, set_up_two, tear_down),
		cmocka_unit_test_setup_teardown(an_asked_delete_removes_nothing_of_theirs, set_up_two, tear_down),
		cmocka_unit_test_setup_teardown(an_asked_delete_on_its_way_is_one, set_up_two, tear_down),
	};

	log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
