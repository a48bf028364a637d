/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The healing pass: what it finds at a back end, what it does about it, and what it leaves alone. */
#include "test_engine_heal_util.h"

/* ---- what is found ---- */

static void nothing_differs(void **state)
{
	(void)state;
	push_many(MANY);
	delete_from("m00007.example", "da1.example");
	await_clean("m00007.example");
	uint64_t writes = writes_of(0, "m00001.example.");
	struct engine_heal heal = heal_all(0);
	assert_int_equal(heal.zones, MANY - 1);
	assert_int_equal(heal.compared, MANY - 1);
	assert_int_equal(differing(&heal) + heal.waiting + heal.repaired + heal.unrepaired, 0);
	assert_int_equal(writes_of(0, "m00001.example."), writes);
	assert_int_equal(events_about("heal_done", NULL), TARGETS);
	assert_int_equal(events_about("drift", NULL), 0);
}

static void an_empty_store_has_nothing_to_compare(void **state)
{
	(void)state;
	struct engine_heal heal = heal_all(2);
	assert_int_equal(heal.zones + heal.compared + differing(&heal), 0);
}

static void every_kind_of_drift(void **state)
{
	static const char *const names[] = { "missing", "changed", "lost", "added", "older", "stampless", "foreign",
		"buried", "digest", "fine" };
	struct memory_zone zone;
	char name[40];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(name, sizeof(name), "%s.example", names[i]);
		push(name, 1);
		push(name, 2);
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(name, sizeof(name), "%s.example", names[i]);
		await_clean(name);
	}
	zone = (struct memory_zone){ .name = "missing.example." };
	memory_target_put(rig.targets[0], &zone);
	zone = held(0, "changed.example.");
	zone.digest.low++;
	memory_target_put(rig.targets[0], &zone);
	zone = held(0, "lost.example.");
	zone.digest.count--;
	memory_target_put(rig.targets[0], &zone);
	zone = held(0, "added.example.");
	zone.digest.count++;
	memory_target_put(rig.targets[0], &zone);
	zone = held(0, "older.example."); /* a database put back to an older copy */
	zone.stamp.generation = 1;
	zone.digest.high ^= 1;
	zone.stamped = zone.digest;
	memory_target_put(rig.targets[0], &zone);
	zone = held(0, "stampless.example.");
	zone.stamp = (struct backend_stamp){ 0 };
	memory_target_put(rig.targets[0], &zone);
	memory_target_stamp(rig.targets[0], "foreign.example.",
		&(struct backend_stamp){ .store_id = "0123456789abcdef0123456789abcdef", .generation = 9 });
	zone = held(0, "buried.example.");
	zone.deleted = true;
	memory_target_put(rig.targets[0], &zone);
	zone = held(0, "digest.example.");
	zone.stamped.low ^= 1;
	memory_target_put(rig.targets[0], &zone);

	struct engine_heal heal = heal_all(0);
	assert_int_equal(heal.compared, ARRAY_SIZE(names));
	assert_int_equal(heal.missing, 1);
	assert_int_equal(heal.changed, 4);
	assert_int_equal(heal.stamp, 4);
	assert_int_equal(heal.undeleted + heal.stray, 0);
	assert_int_equal(heal.repaired, 9);
	assert_int_equal(heal.unrepaired, 0);
	assert_told("missing.example", "3 records wanted, the zone is not there (no stamp); delivered again");
	assert_told("changed.example", "3 records wanted and there, but not the same (the right stamp)");
	assert_told("lost.example", "3 records wanted, 2 there");
	assert_told("added.example", "3 records wanted, 4 there");
	assert_told("older.example", "(the stamp of generation 1 instead of 2)");
	assert_told("stampless.example", "its stamp is not (no stamp)");
	assert_told("foreign.example", "(the stamp of store 0123456789abcdef0123456789abcdef, generation 9)");
	assert_told("buried.example", "(a stamp that calls it deleted)");
	assert_told("digest.example", "(a stamp with another digest)");
	assert_int_equal(events_about("drift", NULL), 9);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(name, sizeof(name), "%s.example", names[i]);
		await_clean(name);
		snprintf(name, sizeof(name), "%s.example.", names[i]);
		assert_like_others(name);
	}
	heal = heal_all(0);
	assert_int_equal(differing(&heal), 0);
}

/* What a person needs: which records, and what was there. Of the first few zones of a page; the others in short. */
static void records_are_named(void **state)
{
	static const struct diff_row rows[] = { { "@", "SOA", "ns1.dns.example. host.dns.example. 1 2 3 4 5", "3600", "1" },
		{ "@", "NS", "ns1.dns.example.", "60", "1" }, { "www", "A", "203.0.113.66", "60", "1" },
		{ "evil", "TXT", "\"x\"", "60", "1" } };
	static const char told[] = "3 records wanted, 4 there (the right stamp): www A 192.0.2.3 -> 203.0.113.66; +evil TXT \"x\"; "
				   "delivered again";
	char name[32];
	size_t named = 0;

	(void)state;
	push_many(40);
	memory_target_edit(rig.targets[0], "m00003.example.", rows, 4);
	heal_all(0);
	assert_told("m00003.example", told);
	assert_like_others("m00003.example.");
	for (size_t i = 10; i < 40; i++) {
		snprintf(name, sizeof(name), "m%05zu.example.", i);
		memory_target_edit(rig.targets[0], name, rows, 3);
	}
	nap_ms(1100); /* while pushes come, and a second after, pages are small */
	struct engine_heal heal = heal_all(0);
	assert_int_equal(heal.repaired, 30);
	for (size_t i = 10; i < 40; i++) {
		snprintf(name, sizeof(name), "m%05zu.example", i);
		assert_int_equal(events_about("drift", name), 1);
		named += strstr(last_detail, "-> 203.0.113.66; delivered again") != NULL;
	}
	assert_int_equal(named, 16);
}

static void a_database_that_lost_everything(void **state)
{
	(void)state;
	push_many(MANY);
	memory_target_wipe(rig.targets[1]);
	struct engine_heal heal = heal_all(1);
	assert_int_equal(heal.missing, MANY);
	assert_int_equal(heal.repaired, MANY);
	heal = heal_all(1);
	assert_int_equal(differing(&heal), 0);
	assert_like_others("m00000.example.");
	assert_like_others("m01999.example.");
}

static void what_was_deleted_and_is_there_again(void **state)
{
	static const char *const names[] = { "back.example", "restored.example", "made.example", "unstamped.example",
		"stamp.example" };
	struct memory_zone alive[ARRAY_SIZE(names)];
	struct memory_zone zone;
	char name[40];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		push_clean(names[i], 1);
		snprintf(name, sizeof(name), "%s.", names[i]);
		alive[i] = held(0, name);
		delete_from(names[i], "da1.example");
		await_clean(names[i]);
	}
	/* An older copy of all three tables, of rows and records alone, and a zone that somebody made anew by hand. */
	alive[0].name = "back.example.";
	memory_target_put(rig.targets[0], &alive[0]);
	zone = held(0, "restored.example.");
	zone.exists = true;
	zone.digest = alive[1].digest;
	memory_target_put(rig.targets[0], &zone);
	zone = held(0, "made.example.");
	zone.exists = true;
	zone.digest.count = 1;
	memory_target_put(rig.targets[0], &zone);
	zone = held(0, "unstamped.example.");
	zone.exists = true;
	zone.stamp = (struct backend_stamp){ 0 };
	zone.digest = alive[3].digest;
	memory_target_put(rig.targets[0], &zone);
	zone = held(0, "stamp.example.");
	zone.deleted = false;
	memory_target_put(rig.targets[0], &zone);

	struct engine_heal heal = heal_all(0);
	assert_int_equal(heal.compared, 0); /* none is in service */
	assert_int_equal(heal.undeleted, 2);
	assert_int_equal(heal.stamp, 1);
	assert_int_equal(heal.repaired, 3);
	assert_told("back.example", "deleted, and there again with 3 records");
	assert_false(held(0, "back.example.").exists);
	assert_false(held(0, "restored.example.").exists);
	assert_true(held(0, "stamp.example.").deleted);
	/* Nobody's but theirs who made them. */
	assert_true(held(0, "made.example.").exists);
	assert_true(held(0, "unstamped.example.").exists);
	heal = heal_all(0);
	assert_int_equal(differing(&heal), 0);
}

static void a_stray_is_told_and_left_alone(void **state)
{
	struct memory_zone zone;

	(void)state;
	push_clean("known.example", 1);
	zone = held(0, "known.example.");
	zone.name = "stray.example.";
	memory_target_put(rig.targets[0], &zone);
	zone.name = "aaa.example.";
	memory_target_put(rig.targets[0], &zone);
	zone.name = "theirs.example.";
	memcpy(zone.stamp.store_id, "0123456789abcdef0123456789abcdef", sizeof(zone.stamp.store_id));
	memory_target_put(rig.targets[0], &zone);
	struct engine_heal heal = heal_all(0);
	assert_int_equal(heal.stray, 2);
	assert_int_equal(differing(&heal), 2);
	assert_int_equal(heal.repaired, 0);
	assert_int_equal(events_about("stray", "stray.example"), 1);
	assert_int_equal(events_about("stray", "aaa.example"), 1);
	assert_true(held(0, "stray.example.").exists);
	assert_int_equal(writes_of(0, "stray.example."), 0);
	assert_int_equal(writes_of(0, "theirs.example."), 0);
}

static void a_dry_run_changes_nothing(void **state)
{
	struct memory_zone zone;

	(void)state;
	push_clean("dry.example", 1);
	zone = held(0, "dry.example.");
	zone.digest.low++;
	memory_target_put(rig.targets[0], &zone);
	uint64_t writes = writes_of(0, "dry.example.");
	struct engine_heal heal = await_end(begin("dc1", true, 1), 0);
	assert_string_equal(heal.state, "done");
	assert_true(heal.dry_run);
	assert_int_equal(heal.changed, 1);
	assert_int_equal(heal.repaired, 0);
	assert_told("dry.example", "left as it is (dry run)");
	await_state("dry.example", 0, "clean");
	assert_int_equal(writes_of(0, "dry.example."), writes);
	heal = heal_all(0);
	assert_int_equal(heal.repaired, 1);
	assert_like_others("dry.example.");
}

/* ---- what comes meanwhile ---- */

static void take_half(size_t target)
{
	atomic_store(&rig.fates[target], MEMORY_RETRY);
}

/* A back end may answer a part of what it was asked. */
static void a_look_that_stops_half_way(void **state)
{
	struct memory_zone zone;

	(void)state;
	push_many(100);
	zone = held(0, "m00050.example.");
	zone.digest.low++;
	memory_target_put(rig.targets[0], &zone);
	zone.name = "m00050a.example.";
	memory_target_put(rig.targets[0], &zone);
	take_half(0);
	struct engine_heal heal = await_end(begin("dc1", true, 1), 0);
	assert_string_equal(heal.state, "done");
	assert_int_equal(heal.compared, 100);
	assert_int_equal(heal.changed, 1);
	assert_int_equal(heal.stray, 1);
}

static void what_is_on_its_way_is_not_reported(void **state)
{
	(void)state;
	push_clean("way.example", 1);
	stop();
	rig.patient = true; /* with the usual ones it is a dead letter in some milliseconds */
	start();
	atomic_store(&rig.fates[0], MEMORY_RETRY);
	push("way.example", 2);
	await_state("way.example", 0, "wait");
	struct engine_heal heal = await_end(begin("dc1", true, 1), 0);
	assert_int_equal(heal.waiting, 1);
	assert_int_equal(differing(&heal), 0);
	assert_int_equal(events_about("drift", NULL), 0);
	await_state("way.example", 0, "wait");
}

/* A zone that nothing brings there must not look well. */
static void what_is_not_on_its_way_is_reported(void **state)
{
	(void)state;
	push_clean("left.example", 1);
	atomic_store(&rig.fates[0], MEMORY_REJECT);
	push("left.example", 2);
	await_state("left.example", 0, "rejected");
	/* What was delivered last is there: it is only behind. */
	struct engine_heal heal = await_end(begin("dc1", false, 1), 0);
	assert_int_equal(heal.unrepaired, 1);
	assert_int_equal(differing(&heal), 0);
	struct memory_zone zone = held(0, "left.example.");
	zone.digest.low++;
	memory_target_put(rig.targets[0], &zone);
	heal = await_end(begin("dc1", false, 1), 0);
	assert_int_equal(heal.changed, 1);
	assert_int_equal(heal.unrepaired, 1);
	assert_int_equal(events_about("drift", "left.example"), 1);
	await_state("left.example", 0, "rejected");
}

static void pushes_during_a_pass_are_no_drift(void **state)
{
	char name[32];

	(void)state;
	push_many(600);
	for (unsigned round = 0; round < 5; round++) {
		int64_t pass = begin(NULL, false, TARGETS);

		for (unsigned i = 0; i < 200; i++) {
			snprintf(name, sizeof(name), "m%05u.example", (i * 37 + round) % 600);
			if (i % 20 == 19)
				delete_from(name, "da1.example");
			else
				push(name, i + round);
		}
		for (size_t i = 0; i < TARGETS; i++) {
			struct engine_heal heal = await_end(pass, i);

			assert_string_equal(heal.state, "done");
			assert_int_equal(differing(&heal), 0);
		}
	}
	assert_int_equal(events_about("drift", NULL), 0);
}

/* ---- what goes wrong meanwhile ---- */

static void a_back_end_that_is_away_fails_its_part_alone(void **state)
{
	(void)state;
	push_many(10);
	atomic_store(&rig.fates[1], MEMORY_DOWN);
	push("m00000.example", 77);
	await_lane(1, "down");
	int64_t pass = begin(NULL, false, TARGETS);
	struct engine_heal heal = await_end(pass, 1);
	assert_string_equal(heal.state, "failed");
	assert_non_null(strstr(heal.error, "dc2 is down: "));
	assert_string_equal(await_end(pass, 0).state, "done");
	assert_string_equal(await_end(pass, 2).state, "done");
	assert_int_equal(events_about("heal_failed", NULL), 1);
	assert_non_null(strstr(last_detail, "dc2 is down"));
}

static atomic_int looks_to_fail;
static atomic_int looks;
static atomic_size_t largest_look;

/* The ping is well, the look is not: fate_of cannot tell them apart, so the back end's own look is wrapped. */
static enum backend_verdict failing_look(struct backend *backend, struct backend_look *look, struct err *err)
{
	atomic_fetch_add(&looks, 1);
	if (look->count > atomic_load(&largest_look))
		atomic_store(&largest_look, look->count);
	if (atomic_fetch_sub(&looks_to_fail, 1) > 0)
		return (enum backend_verdict)(err_set(err, ERR_IO, "the connection was lost"), BACKEND_DOWN);
	return memory_ops.look(backend, look, err);
}

static struct backend_ops flawed_ops;

static int create_flawed(const struct backend_params *params, struct backend **out, struct err *err)
{
	int ret = memory_ops.create(params, out, err);

	if (ret == ERR_OK)
		(*out)->ops = &flawed_ops;
	return ret;
}

static void with_flawed_looks(int failures)
{
	flawed_ops = memory_ops;
	flawed_ops.look = failing_look;
	flawed_ops.create = create_flawed;
	stop();
	rig.ops = &flawed_ops;
	atomic_store(&looks_to_fail, failures);
	atomic_store(&looks, 0);
	atomic_store(&largest_look, 0);
	start();
	await_lane(0, "up");
}

static void a_look_that_fails_is_repeated(void **state)
{
	struct memory_zone zone;

	(void)state;
	push_clean("again.example", 1);
	zone = held(0, "again.example.");
	zone.digest.low++;
	memory_target_put(rig.targets[0], &zone);
	with_flawed_looks(2);
	struct engine_heal heal = await_end(begin("dc1", false, 1), 0);
	assert_string_equal(heal.state, "done");
	assert_int_equal(heal.repaired, 1);
	assert_int_equal(atomic_load(&looks), 3);
	assert_int_equal(events_about("lane_down", NULL), 0);
}

enum { CONTENTS = 250 };

/* One push after the other as long as the pass lasts; *gap_ms: the longest time without one. */
static struct engine_heal push_until_end(int64_t pass, unsigned *content, int64_t *gap_ms)
{
	struct engine_heal heal;
	int64_t last_ms = rig_mono_ms(NULL);

	*gap_ms = 0;
	do {
		*content = *content % CONTENTS + 1;
		push("m00000.example", *content);
		heal = view(0);
		int64_t now_ms = rig_mono_ms(NULL);
		*gap_ms = now_ms - last_ms > *gap_ms ? now_ms - last_ms : *gap_ms;
		last_ms = now_ms;
	} while (heal.pass != pass || heal.ended_at_us == 0);
	return heal;
}

/* No push waits long for a pass, and a pass without pushes is in no need to be polite. */
static void pages_are_small_while_pushes_come(void **state)
{
	(void)state;
	int64_t gap_ms;
	unsigned content = 1;
	int passes = 0;

	with_flawed_looks(0);
	push_many(900);
	do { /* the machine may be slow: after a second without pushes a page may be large */
		assert_true(++passes < 100);
		content = content % CONTENTS + 1;
		push_clean("m00000.example", content);
		atomic_store(&largest_look, 0);
		struct engine_heal heal = push_until_end(begin("dc1", false, 1), &content, &gap_ms);
		assert_string_equal(heal.state, "done");
		assert_int_equal(heal.compared, 900);
	} while (gap_ms >= 500);
	assert_in_range(atomic_load(&largest_look), 10, 100);
	for (int waited_ms = 0; atomic_load(&largest_look) < 800; waited_ms += 100) {
		assert_true(waited_ms < WAIT_MS);
		nap_ms(100);
		await_end(begin("dc1", false, 1), 0);
	}
}

static void a_look_that_always_fails_fails_the_pass(void **state)
{
	(void)state;
	push_clean("again.example", 1);
	with_flawed_looks(1000);
	struct engine_heal heal = await_end(begin("dc1", false, 1), 0);
	assert_string_equal(heal.state, "failed");
	assert_string_equal(heal.error, "the connection was lost");
	assert_int_equal(atomic_load(&looks), 3);
	/* The lane is good for deliveries all the same. */
	push_clean("again.example", 2);
	await_lane(0, "up");
}

static void order(enum engine_op op, const char *backend)
{
	struct engine_request *request = engine_request_create(op, ++rig.next_id);

	request->backend = xstrdup(backend);
	assert_int_equal(ask_code(request), ERR_OK);
}

static void a_pause_ends_the_pass(void **state)
{
	(void)state;
	push_many(10);
	order(ENGINE_PAUSE, "dc1");
	struct engine_heal heal = await_end(begin("dc1", false, 1), 0);
	assert_string_equal(heal.state, "failed");
	assert_string_equal(heal.error, "dc1 is paused");
	order(ENGINE_RESUME, "dc1");
	/* It is probed at this moment: that is waited for. */
	heal = await_end(begin("dc1", false, 1), 0);
	assert_string_equal(heal.state, "done");
	assert_int_equal(heal.compared, 10);
}

static void a_pause_in_the_middle(void **state)
{
	struct memory_zone zone;

	(void)state;
	push_many(9);
	zone = held(0, "m00003.example.");
	zone.digest.low++;
	memory_target_put(rig.targets[0], &zone);
	atomic_store(&rig.slow_ms, 10000);
	int64_t pass = begin("dc1", false, 1);
	await_repairing(pass, 0);
	order(ENGINE_PAUSE, "dc1");
	struct engine_heal heal = await_end(pass, 0);
	assert_string_equal(heal.state, "failed");
	assert_string_equal(heal.error, "dc1 is paused");
	assert_int_equal(heal.changed, 1);
	atomic_store(&rig.slow_ms, 0);
	order(ENGINE_RESUME, "dc1");
	await_state("m00003.example", 0, "clean");
	assert_like_others("m00003.example.");
}

static void the_back_end_goes_down_in_the_middle(void **state)
{
	struct memory_zone zone;

	(void)state;
	push_many(9);
	zone = held(0, "m00003.example.");
	zone.digest.low++;
	memory_target_put(rig.targets[0], &zone);
	zone = held(1, "m00003.example.");
	zone.digest.low++;
	memory_target_put(rig.targets[1], &zone);
	atomic_store(&rig.slow_ms, 10000);
	int64_t pass = begin(NULL, false, TARGETS);
	await_repairing(pass, 0);
	atomic_store(&rig.fates[0], MEMORY_DOWN);
	push("m00004.example", 99); /* if the repair went before, this one fails */
	atomic_store(&rig.slow_ms, 0);
	struct engine_heal heal = await_end(pass, 0);
	if (heal.repaired == 0) {
		assert_string_equal(heal.state, "failed");
		assert_non_null(strstr(heal.error, "dc1 is down: "));
	}
	/* The others' parts are done. */
	assert_string_equal(await_end(pass, 1).state, "done");
	assert_string_equal(await_end(pass, 2).state, "done");
	atomic_store(&rig.fates[0], MEMORY_OK);
	await_state("m00003.example", 0, "clean");
	await_state("m00004.example", 0, "clean");
	assert_like_others("m00003.example.");
}

static void what_can_not_be_repaired_is_counted(void **state)
{
	struct memory_zone zone;

	(void)state;
	push_clean("stiff.example", 1);
	zone = held(0, "stiff.example.");
	zone.digest.low++;
	memory_target_put(rig.targets[0], &zone);
	atomic_store(&rig.fates[0], MEMORY_REJECT);
	struct engine_heal heal = await_end(begin("dc1", false, 1), 0);
	assert_string_equal(heal.state, "done");
	assert_int_equal(heal.changed, 1);
	assert_int_equal(heal.unrepaired, 1);
	assert_int_equal(heal.repaired, 0);
	await_state("stiff.example", 0, "rejected");
}

static void one_pass_at_a_time(void **state)
{
	struct memory_zone zone;

	(void)state;
	push_many(10);
	zone = held(0, "m00003.example.");
	zone.digest.low++;
	memory_target_put(rig.targets[0], &zone);
	atomic_store(&rig.slow_ms, 10000);
	int64_t pass = begin("dc1", false, 1);
	struct engine_message *message = ask(heal_request(NULL, false));
	assert_int_equal(message->err.code, ERR_BUSY);
	assert_non_null(strstr(message->err.text, "a healing pass is under way at dc1: "));
	engine_message_destroy(message);
	assert_int_equal(ask_code(heal_request("dc1", true)), ERR_BUSY);
	int64_t other = begin("dc2", false, 1);
	assert_true(other > pass);
	assert_string_equal(await_end(other, 1).state, "done");
	atomic_store(&rig.slow_ms, 0);
	assert_string_equal(await_end(pass, 0).state, "done");
	assert_int_equal(ask_code(heal_request("dc9", false)), ERR_NOTFOUND);
}

static void a_stop_ends_it(void **state)
{
	struct memory_zone zone;

	(void)state;
	push_many(10);
	zone = held(0, "m00003.example.");
	zone.digest.low++;
	memory_target_put(rig.targets[0], &zone);
	atomic_store(&rig.slow_ms, 200);
	begin(NULL, false, TARGETS);
	stop();
	atomic_store(&rig.slow_ms, 0);
	start();
	assert_int_equal(view(0).pass, 0);
	struct engine_heal heal = heal_all(0);
	assert_int_equal(differing(&heal) + heal.waiting <= 1, 1);
	await_state("m00003.example", 0, "clean");
	assert_like_others("m00003.example.");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_differs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_empty_store_has_nothing_to_compare, set_up, tear_down),
		cmocka_unit_test_setup_teardown(every_kind_of_drift, set_up, tear_down),
		cmocka_unit_test_setup_teardown(records_are_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_database_that_lost_everything, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_was_deleted_and_is_there_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_stray_is_told_and_left_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_dry_run_changes_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_look_that_stops_half_way, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_on_its_way_is_not_reported, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_not_on_its_way_is_reported, set_up, tear_down),
		cmocka_unit_test_setup_teardown(pushes_during_a_pass_are_no_drift, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_back_end_that_is_away_fails_its_part_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_look_that_fails_is_repeated, set_up, tear_down),
		cmocka_unit_test_setup_teardown(pages_are_small_while_pushes_come, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_look_that_always_fails_fails_the_pass, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_pause_ends_the_pass, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_pause_in_the_middle, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_back_end_goes_down_in_the_middle, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_can_not_be_repaired_is_counted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_pass_at_a_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_stop_ends_it, set_up, tear_down),
	};

	log_setup((enum log_level)(LOG_LEVEL_ERROR), LOG_FORMAT_LOGFMT, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
