/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engine when things go wrong in ways of their own: each of these once held up or lost something. */
#include "test_engine_rig.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/* The disk under the store, as this program makes it: SQLite's calls come by here. */
static atomic_long read_fails_at; /* reads at this offset and behind it fail with EIO; 0: none */
static atomic_bool disk_is_full;

ssize_t pread64(int fd, void *data, size_t size, off_t at);
ssize_t pwrite64(int fd, const void *data, size_t size, off_t at);

ssize_t pread64(int fd, void *data, size_t size, off_t at)
{
	long from = atomic_load(&read_fails_at);

	if (from > 0 && size >= 512 && at >= from) {
		errno = EIO;
		return -1;
	}
	return syscall(SYS_pread64, fd, data, size, at);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off_t at)
{
	if (atomic_load(&disk_is_full)) {
		errno = ENOSPC;
		return -1;
	}
	return syscall(SYS_pwrite64, fd, data, size, at);
}

static double processor_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		(double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void all_fates(enum memory_fate fate)
{
	for (size_t i = 0; i < TARGETS; i++)
		atomic_store(&rig.fates[i], fate);
}

/* ---- stamps beyond all sense ---- */

static void overwrite_stamp(uint64_t generation, bool ours)
{
	struct backend_stamp stamp = { .store_id = "0123456789abcdef0123456789abcdef", .generation = generation };
	struct memory_zone held;

	push("good.example", 1);
	push("bad.example", 1);
	await_clean("good.example");
	await_clean("bad.example");
	assert_true(memory_target_get(rig.targets[0], "bad.example.", &held));
	if (ours)
		memcpy(stamp.store_id, held.stamp.store_id, sizeof(stamp.store_id));
	memory_target_stamp(rig.targets[0], "bad.example.", &stamp);
	push("bad.example", 2);
	push("good.example", 2);
	await_clean("good.example");
	await_clean("bad.example");
	assert_true(memory_target_get(rig.targets[0], "bad.example.", &held));
	assert_true(held.stamp.generation < 100);
}

static void the_greatest_foreign_stamp_is_overwritten(void **state)
{
	(void)state;
	overwrite_stamp(UINT64_MAX, false);
}

static void the_greatest_stamp_of_our_own_is_overwritten(void **state)
{
	(void)state;
	overwrite_stamp(UINT64_MAX, true);
}

static void a_stamp_that_the_store_cannot_hold_is_overwritten(void **state)
{
	(void)state;
	overwrite_stamp(INT64_MAX, true);
}

/* ---- zones that fail in their own way ---- */

static void a_zone_that_is_always_answered_down_holds_up_nobody(void **state)
{
	char name[32];

	(void)state;
	push("first.example", 1);
	await_clean("first.example");
	atomic_store(&rig.fates[0], MEMORY_DOWN);
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "z%d.example", i);
		push(name, 1);
	}
	rig.down_zone = "zz.example.";
	push("zz.example", 1); /* the newest: it would go first */
	atomic_store(&rig.fates[0], MEMORY_OK);
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "z%d.example", i);
		await_clean(name);
	}
	await_lane(0, "up");
	rig.down_zone = NULL;
	await_clean("zz.example");
}

/* As a full disk does: every probe is answered well, and no write is. */
static void an_outage_that_only_writes_see_is_told_once(void **state)
{
	int tries;

	(void)state;
	push("first.example", 1);
	await_clean("first.example");
	size_t ups = count_events("lane_up"), downs = count_events("lane_down");
	rig.down_zone = "full.example.";
	tries = atomic_load(&rig.asked);
	push("full.example", 1);
	for (int waited_ms = 0; atomic_load(&rig.asked) < tries + 6 && waited_ms < WAIT_MS; waited_ms += 2)
		nap();
	assert_true(atomic_load(&rig.asked) >= tries + 6);
	/* The others may be behind. */
	for (int waited_ms = 0; count_events("lane_down") < downs + TARGETS && waited_ms < WAIT_MS; waited_ms += 2)
		nap();
	assert_int_equal(count_events("lane_down"), downs + TARGETS);
	assert_int_equal(count_events("lane_up"), ups);
	rig.down_zone = NULL;
	await_clean("full.example");
	for (size_t i = 0; i < TARGETS; i++)
		await_lane(i, "up");
	assert_int_equal(count_events("lane_up"), ups + TARGETS);
	assert_int_equal(count_events("lane_down"), downs + TARGETS);
}

/* What brought it down is frozen: nothing is left that could prove the lane up, and it need not be proved. */
static void a_lane_with_nothing_left_to_deliver_is_up(void **state)
{
	struct engine_request *freeze;

	(void)state;
	rig.down_zone = "full.example.";
	push("full.example", 1);
	await_lane(0, "down");
	freeze = engine_request_create(ENGINE_FREEZE, ++rig.next_id);
	freeze->zone = xstrdup("full.example");
	assert_int_equal(ask_code(freeze), ERR_OK);
	await_lane(0, "up");
	rig.down_zone = NULL;
}

static void a_zone_that_was_lost_once_gets_its_turn_among_others(void **state)
{
	bool clean = false;
	char name[32];

	(void)state;
	push("first.example", 1);
	await_clean("first.example");
	rig.unlucky = "unlucky.example.";
	atomic_store(&rig.slow_ms, 20);
	push("unlucky.example", 1);
	/* The others never end: there is always one due that is newer. */
	for (int i = 0; i < 2000 && !clean; i++) {
		snprintf(name, sizeof(name), "busy%d.example", i % 200);
		push(name, (unsigned)(i % 250));
		struct engine_message *message = zone_view("unlucky.example");
		clean = strcmp(message->zones[0].deliveries[0].state, "clean") == 0;
		engine_message_destroy(message);
		nap_ms(10);
	}
	assert_true(clean);
	assert_int_equal(atomic_load(&rig.losses), 2);
	atomic_store(&rig.slow_ms, 0);
}

/* ---- clock, number of lanes ---- */

static void a_wall_clock_that_went_back_holds_up_nothing(void **state)
{
	(void)state;
	stop();
	atomic_store(&rig.skew_us, INT64_C(3600000000));
	atomic_store(&rig.fates[0], MEMORY_DOWN);
	start();
	push("late.example", 1);
	await_state("late.example", 1, "clean");
	stop();
	atomic_store(&rig.skew_us, 0);
	atomic_store(&rig.fates[0], MEMORY_OK);
	start();
	await_clean("late.example");
}

static void more_lanes_than_one_turn_takes(void **state)
{
	char name[32];

	(void)state;
	stop();
	rig.connections = 40;
	start();
	push("warm.example", 1);
	await_clean("warm.example");
	for (int i = 0; i < 600; i++) {
		struct engine_request *request;

		snprintf(name, sizeof(name), "n%d.example", i);
		request = push_request(name, text_of(1), "da1.example");
		request->id = 0;
		assert_int_equal(submit_patiently(request), ERR_OK);
	}
	for (int i = 0; i < 600; i += 7) {
		snprintf(name, sizeof(name), "n%d.example", i);
		for (int waited_ms = 0; waited_ms < WAIT_MS; waited_ms += 2) {
			struct engine_request *request = engine_request_create(ENGINE_ZONE, ++rig.next_id);
			request->zone = xstrdup(name);
			struct engine_message *message = ask(request);
			bool there = message->err.code == ERR_OK;

			engine_message_destroy(message);
			if (there)
				break;
			nap();
		}
		await_clean(name);
	}
}

/* ---- the disk under the store ---- */

static void a_damaged_zone_on_a_full_disk_is_no_endless_loop(void **state)
{
	(void)state;
	stop();
	all_fates(MEMORY_DOWN);
	start();
	push("other.example", 1);
	push("damaged.example", 1);
	stop();
	char *command = xasprintf("/usr/bin/python3 -c 'import sqlite3; db = sqlite3.connect(\"%s\", isolation_level=None);"
				  " db.execute(\"UPDATE zone_text SET checksum = zeroblob(32) WHERE zone_id = 2\")'",
		rig.path);
	assert_int_equal(system(command), 0);
	free(command);
	start();
	atomic_store(&disk_is_full, true);
	all_fates(MEMORY_OK);
	await_lane(0, "up");
	double before = processor_seconds();
	nap_ms(1000);
	assert_true(processor_seconds() - before < 0.7);
	/* It answers, with an error, and goes on when there is room. */
	assert_int_not_equal(ask_code(push_request("new.example", text_of(3), "da1.example")), ERR_OK);
	atomic_store(&disk_is_full, false);
	for (int waited_ms = 0; waited_ms < WAIT_MS; waited_ms += 50) {
		if (ask_code(push_request("damaged.example", text_of(3), "da1.example")) == ERR_OK)
			break;
		nap_ms(50);
	}
	await_clean("damaged.example");
	await_clean("other.example");
}

/* The store is tried again once a second after it failed. */
static void retry_patiently(const char *zone)
{
	int code = ERR_NOSPACE;

	for (int waited_ms = 0; waited_ms < WAIT_MS && code != ERR_OK; waited_ms += 50) {
		struct engine_request *retry = engine_request_create(ENGINE_RETRY, ++rig.next_id);

		retry->zone = xstrdup(zone);
		code = ask_code(retry);
		if (code != ERR_OK)
			nap_ms(50);
	}
	assert_int_equal(code, ERR_OK);
}

static void what_was_refused_is_never_delivered(void **state)
{
	struct backend_stamp stamp = { .store_id = "0123456789abcdef0123456789abcdef", .generation = 1 };
	struct memory_zone before;
	struct memory_zone after;

	(void)state;
	push("shop.example", 1);
	await_clean("shop.example");
	assert_true(memory_target_get(rig.targets[0], "shop.example.", &before));
	atomic_store(&disk_is_full, true);
	assert_int_not_equal(ask_code(push_request("shop.example", text_of(99), "da1.example")), ERR_OK);
	atomic_store(&disk_is_full, false);
	/* This raises the zone to the generation that the refused push would have had. */
	memory_target_stamp(rig.targets[0], "shop.example.", &stamp);
	retry_patiently("shop.example");
	for (int waited_ms = 0; waited_ms < WAIT_MS && count_events("stamp_taken_over") == 0; waited_ms += 2)
		nap();
	await_clean("shop.example");
	for (size_t i = 0; i < TARGETS; i++) {
		assert_true(memory_target_get(rig.targets[i], "shop.example.", &after));
		assert_true(after.stamp.generation > before.stamp.generation);
		assert_true(zone_digest_equal(&before.digest, &after.digest));
	}
}

static void a_delete_of_many_names_is_told_at_once(void **state)
{
	struct engine_request *request = engine_request_create(ENGINE_DELETE, ++rig.next_id);
	uint64_t id = request->id;
	size_t messages = 0;
	size_t names = 0;
	char name[32];
	bool replied = false;

	(void)state;
	request->names = xcalloc(20, sizeof(char *));
	request->name_count = 20;
	request->hostname = xstrdup("da1.example");
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "z%d.example", i);
		push(name, 1);
		request->names[i] = xstrdup(name);
	}
	assert_int_equal(submit_patiently(request), ERR_OK);
	for (int waited_ms = 0; waited_ms < WAIT_MS && !replied; waited_ms += 2) {
		struct engine_message *message;

		while (engine_take(rig.engine, &message, 1) == 1) {
			replied = replied || (message->kind == ENGINE_REPLY && message->id == id);
			messages += message->kind == ENGINE_NAME_GONE;
			names += message->kind == ENGINE_NAME_GONE ? message->name_count : 0;
			engine_message_destroy(message);
		}
		nap();
	}
	assert_true(replied);
	assert_int_equal(messages, 1);
	assert_int_equal(names, 20);
}

static void a_store_that_is_taken_away_refuses_pushes(void **state)
{
	struct memory_zone held;

	(void)state;
	atomic_store(&rig.fates[0], MEMORY_DOWN);
	push("shop.example", 1);
	char *aside = xasprintf("%s.aside", rig.path);
	assert_int_equal(rename(rig.path, aside), 0);
	assert_int_not_equal(ask_code(push_request("lost.example", text_of(1), "da1.example")), ERR_OK);
	/* What was acknowledged goes on being delivered from the file that is still open. */
	atomic_store(&rig.fates[0], MEMORY_OK);
	for (int waited_ms = 0; waited_ms < WAIT_MS && writes_of(0, "shop.example.") == 0; waited_ms += 2)
		nap();
	assert_true(memory_target_get(rig.targets[0], "shop.example.", &held));
	assert_int_equal(rename(aside, rig.path), 0);
	free(aside);
	retry_patiently("shop.example");
	push("lost.example", 1);
	await_clean("lost.example");
}

static void what_waits_at_a_lane_that_is_up_says_why(void **state)
{
	const char *why = NULL;

	(void)state;
	push("first.example", 1);
	await_clean("first.example");
	atomic_store(&rig.fates[0], MEMORY_RETRY);
	push("shop.example", 1);
	for (int waited_ms = 0; waited_ms < WAIT_MS && why == NULL; waited_ms += 2) {
		struct engine_message *message = ask(engine_request_create(ENGINE_STATUS, ++rig.next_id));
		const struct engine_lane *lane = &message->status->lanes[0];

		if (lane->last_error != NULL)
			why = strstr(lane->last_error, "shop.example") != NULL ? "named" : "not named";
		engine_message_destroy(message);
		nap();
	}
	assert_non_null(why);
	assert_string_equal(why, "named");
	atomic_store(&rig.fates[0], MEMORY_OK);
	await_clean("shop.example");
	/* The board follows the store at the end of the turn. */
	for (int waited_ms = 0; waited_ms < WAIT_MS && why != NULL; waited_ms += 2) {
		struct engine_message *message = ask(engine_request_create(ENGINE_STATUS, ++rig.next_id));

		if (message->status->lanes[0].last_error == NULL)
			why = NULL;
		engine_message_destroy(message);
		nap();
	}
	assert_null(why);
}

/* What a back end had no time for is due as before: nothing is charged to it, and it is delivered. */
static void what_was_not_tried_is_not_charged(void **state)
{
	(void)state;
	atomic_store(&rig.untried, "shop.example.");
	atomic_store(&rig.fates[0], MEMORY_RETRY);
	push("shop.example", 1);
	push("other.example", 1);
	await_state("other.example", 0, "dead");
	struct engine_message *message = zone_view("shop.example");
	assert_string_equal(message->zones[0].deliveries[0].state, "due");
	assert_int_equal(message->zones[0].deliveries[0].attempts, 0);
	engine_message_destroy(message);
	atomic_store(&rig.untried, NULL);
	atomic_store(&rig.fates[0], MEMORY_OK);
	await_clean("shop.example");
}

/* What had to wait, for a lock perhaps, is not repeated at once: a connection would be held up for others. */
static void what_fails_late_is_not_repeated_at_once(void **state)
{
	(void)state;
	stop();
	rig.patient = true; /* the next try does not begin while the first one is looked at */
	start();
	atomic_store(&rig.slow_ms, 1100);
	atomic_store(&rig.fates[0], MEMORY_RETRY);
	push("shop.example", 1);
	for (int waited_ms = 0; waited_ms < WAIT_MS; waited_ms += 2) {
		struct engine_message *message = zone_view("shop.example");
		uint32_t attempts = message->zones[0].deliveries[0].attempts;

		engine_message_destroy(message);
		if (attempts == 1)
			break;
		nap();
	}
	assert_int_equal(atomic_load(&rig.asked), 1);
	atomic_store(&rig.slow_ms, 0);
	atomic_store(&rig.fates[0], MEMORY_OK);
	assert_int_equal(ask_code(engine_request_create(ENGINE_RETRY, ++rig.next_id)), ERR_OK);
	await_clean("shop.example");
}

/* Delivered or given up, at every target. */
static void await_verdict(const char *zone)
{
	bool over = false;

	for (int waited_ms = 0; !over; waited_ms += 2) {
		assert_true(waited_ms < WAIT_MS);
		struct engine_message *message = zone_view(zone);
		over = true;
		for (size_t i = 0; i < TARGETS; i++) {
			const char *state = message->zones[0].deliveries[i].state;

			over = over && (strcmp(state, "clean") == 0 || strcmp(state, "rejected") == 0);
		}
		engine_message_destroy(message);
		nap();
	}
}

/* SQLite reports EIO on a read as damage (SQLITE_IOERR_CORRUPTFS): the zones behind it are set aside, visibly. */
static void zones_on_a_bad_part_of_the_disk_are_set_aside(void **state)
{
	char name[32];

	(void)state;
	stop();
	all_fates(MEMORY_DOWN);
	start();
	for (int i = 0; i < 8; i++) {
		struct buf text = { 0 };
		char *small = text_of(1);

		buf_puts(&text, small);
		free(small);
		for (int k = 0; k < 10000; k++)
			buf_printf(&text, "host%d 60 IN TXT \"a text that fills the page, number %d\"\n", k, k);
		snprintf(name, sizeof(name), "big%d.example", i);
		assert_int_equal(ask_code(push_request(name, buf_take(&text), "da1.example")), ERR_OK);
	}
	stop(); /* so that nothing is in memory */
	start();
	atomic_store(&read_fails_at, 1024 * 1024);
	all_fates(MEMORY_OK);
	await_state("big7.example", 0, "rejected");
	/* The others' turn may come later. */
	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "big%d.example", i);
		await_verdict(name);
	}
	double before = processor_seconds();
	nap_ms(1000);
	assert_true(processor_seconds() - before < 0.7);
	struct engine_message *message = zone_view("big7.example");
	assert_non_null(strstr(message->zones[0].deliveries[0].last_error, "damaged"));
	engine_message_destroy(message);
	atomic_store(&read_fails_at, 0);
	assert_int_equal(ask_code(engine_request_create(ENGINE_RETRY, ++rig.next_id)), ERR_OK);
	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "big%d.example", i);
		await_clean(name);
	}
}

int main(void)
{
#define RIGGED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		RIGGED(the_greatest_foreign_stamp_is_overwritten),
		RIGGED(the_greatest_stamp_of_our_own_is_overwritten),
		RIGGED(a_stamp_that_the_store_cannot_hold_is_overwritten),
		RIGGED(a_zone_that_is_always_answered_down_holds_up_nobody),
		RIGGED(an_outage_that_only_writes_see_is_told_once),
		RIGGED(a_lane_with_nothing_left_to_deliver_is_up),
		RIGGED(a_zone_that_was_lost_once_gets_its_turn_among_others),
		RIGGED(a_wall_clock_that_went_back_holds_up_nothing),
		RIGGED(more_lanes_than_one_turn_takes),
		RIGGED(a_damaged_zone_on_a_full_disk_is_no_endless_loop),
		RIGGED(what_was_refused_is_never_delivered),
		RIGGED(a_delete_of_many_names_is_told_at_once),
		RIGGED(a_store_that_is_taken_away_refuses_pushes),
		RIGGED(what_waits_at_a_lane_that_is_up_says_why),
		RIGGED(what_was_not_tried_is_not_charged),
		RIGGED(what_fails_late_is_not_repeated_at_once),
		RIGGED(zones_on_a_bad_part_of_the_disk_are_set_aside),
	};

	log_setup((enum log_level)(LOG_LEVEL_ERROR + 1), LOG_FORMAT_LOGFMT, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
