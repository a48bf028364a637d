/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the names that are held are told at start: page by page as they are taken, with pushes and deletes in between. */
#include "test_engine_rig.h"

#include "base/hash.h"

#include "store/store.h"

/* More than wait at once, by far. */
enum { ZONES = 12000, PAGE_MOST = 1000, AHEAD_MOST = 8 };

static char hostname_of[ZONES][32]; /* "": not held; as the messages say */
static bool extra_held;

/* An engine on a store with zones z0.example to z11999.example, with all targets down, so that nothing else happens. */
static int set_up_full(void **state)
{
	static char hostname[] = "da1.example";
	static char username[] = "fred";
	struct store *store;
	struct err err;

	set_up(state);
	stop();
	for (size_t i = 0; i < TARGETS; i++)
		atomic_store(&rig.fates[i], MEMORY_DOWN);
	assert_int_equal(store_open(rig.path, &store, NULL, &err), 0);
	assert_int_equal(store_begin(store, &err), 0);
	for (int i = 0; i < ZONES; i++) {
		struct store_zone zone = { .generation = 1, .hostname = hostname, .username = username };

		snprintf(zone.name, sizeof(zone.name), "z%d.example.", i);
		assert_int_equal(store_zone_put(store, &zone, "", 0, &err), 0);
	}
	assert_int_equal(store_commit(store, &err), 0);
	store_close(store);
	memset(hostname_of, 0, sizeof(hostname_of));
	extra_held = false;
	start();
	return 0;
}

static void submit_push(const char *zone, const char *master)
{
	assert_int_equal(submit_patiently(push_request(zone, text_of(1), master)), ERR_OK);
}

static void submit_delete(const char *zone)
{
	struct engine_request *request = engine_request_create(ENGINE_DELETE, ++rig.next_id);

	request->names = xcalloc(1, sizeof(char *));
	request->names[0] = xstrdup(zone);
	request->name_count = 1;
	request->hostname = xstrdup("da1.example");
	assert_int_equal(submit_patiently(request), ERR_OK);
}

/* Waits until the store says so, without taking a message. */
static void await_stored(const char *zone, uint64_t generation)
{
	struct store *store;
	struct err err;
	bool seen = false;

	assert_int_equal(store_open_reader(rig.path, &store, &err), 0);
	for (int waited_ms = 0; waited_ms < WAIT_MS && !seen; waited_ms += 2) {
		struct store_zone row;

		if (store_zone_find(store, zone, &row, &err) == 0) {
			seen = row.generation == generation;
			store_zone_clear(&row);
		}
		nap();
	}
	store_close(store);
	assert_true(seen);
}

/* As the loop does with its index. */
static void apply(const struct engine_message *message)
{
	struct engine_name name;
	size_t at = 0;
	size_t count = 0;

	for (; engine_message_next_name(message, &at, &name); count++) {
		bool set = message->kind == ENGINE_NAME_SET;
		int i;

		if (strcmp(name.name, "extra.example.") == 0) {
			extra_held = set;
			continue;
		}
		assert_int_equal(sscanf(name.name, "z%d.example.", &i), 1);
		assert_string_equal(name.username, "fred");
		snprintf(hostname_of[i], sizeof(hostname_of[i]), "%s", set ? name.hostname : "");
	}
	assert_int_equal(count, message->name_count);
	assert_true(count <= PAGE_MOST);
}

/* Takes messages until all names are told and these many replies have come. */
static void take_all(int replies)
{
	bool loaded = false;

	for (int waited_ms = 0; waited_ms < WAIT_MS && (!loaded || replies > 0);) {
		struct engine_message *message;

		if (engine_take(rig.engine, &message, 1) == 0) {
			nap();
			waited_ms += 2;
			continue;
		}
		loaded = loaded || message->kind == ENGINE_NAMES_LOADED;
		replies -= message->kind == ENGINE_REPLY;
		assert_int_equal(message->err.code, ERR_OK);
		apply(message);
		engine_message_destroy(message);
	}
	assert_true(loaded);
	assert_int_equal(replies, 0);
}

static void changes_meanwhile_are_told_in_their_order(void **state)
{
	(void)state;
	/* Of those that are told by now, and of those that are not; nobody takes a message yet. */
	submit_delete("z1.example");
	submit_delete("z11990.example");
	submit_push("z2.example", "da2.example");
	submit_push("z11991.example", "da2.example");
	submit_delete("z3.example");
	submit_push("z3.example", "da3.example");
	submit_delete("z11992.example");
	submit_push("z11992.example", "da3.example");
	submit_push("extra.example", "da1.example");
	await_stored("extra.example.", 1);
	take_all(9);
	assert_true(extra_held);
	for (int i = 0; i < ZONES; i++) {
		const char *expected = i == 1 || i == 11990 ? "" :
			i == 2 || i == 11991                ? "da2.example" :
			i == 3 || i == 11992                ? "da3.example" :
							      "da1.example";

		assert_string_equal(hostname_of[i], expected);
	}
}

static void only_a_few_pages_wait(void **state)
{
	struct engine_message *message;
	size_t pages = 0;
	size_t names = 0;

	(void)state;
	submit_push("extra.example", "da1.example");
	await_stored("extra.example.", 1);
	engine_stop(rig.engine, 1000);
	while (engine_take(rig.engine, &message, 1) == 1) {
		assert_int_not_equal(message->kind, ENGINE_NAMES_LOADED);
		pages += message->kind == ENGINE_NAME_SET && message->name_count > 1;
		names += message->name_count;
		engine_message_destroy(message);
	}
	assert_in_range(pages, 1, AHEAD_MOST);
	assert_true(names < ZONES);
	engine_destroy(rig.engine);
	start(); /* for tear_down to stop */
}

/* Somebody else does it, for the store would not. */
static void rename_table(const char *from, const char *to)
{
	char *command = xasprintf("/usr/bin/python3 -c 'import sqlite3; sqlite3.connect(\"%s\", isolation_level=None)"
				  ".execute(\"ALTER TABLE %s RENAME TO %s\")'", rig.path, from, to);

	assert_int_equal(system(command), 0);
	free(command);
}

static void hash_store(uint8_t out[HASH_SIZE])
{
	FILE *file = fopen(rig.path, "re");
	struct buf bytes = { 0 };
	char piece[4096];
	size_t got;

	assert_non_null(file);
	while ((got = fread(piece, 1, sizeof(piece), file)) > 0)
		buf_append(&bytes, piece, got);
	fclose(file);
	hash_sha256(bytes.data, bytes.size, out);
	buf_free(&bytes);
}

/* The process is told to leave: "exists" must not be answered from half of the names. It leaves the store's file as it is. */
static void names_that_cannot_be_read_are_fatal(void **state)
{
	uint8_t before[HASH_SIZE], after[HASH_SIZE];
	bool fatal = false;

	(void)state;
	rename_table("zone", "gone");
	for (int waited_ms = 0; waited_ms < WAIT_MS && !fatal;) {
		struct engine_message *message;

		if (engine_take(rig.engine, &message, 1) == 0) {
			nap();
			waited_ms += 2;
			continue;
		}
		assert_int_not_equal(message->kind, ENGINE_NAMES_LOADED);
		fatal = message->kind == ENGINE_FATAL;
		engine_message_destroy(message);
	}
	assert_true(fatal);
	hash_store(before);
	stop();
	hash_store(after);
	assert_memory_equal(before, after, HASH_SIZE);
	rename_table("gone", "zone");
	start(); /* for tear_down to stop */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(changes_meanwhile_are_told_in_their_order, set_up_full, tear_down),
		cmocka_unit_test_setup_teardown(only_a_few_pages_wait, set_up_full, tear_down),
		cmocka_unit_test_setup_teardown(names_that_cannot_be_read_are_fatal, set_up_full, tear_down),
	};

	log_setup((enum log_level)(LOG_LEVEL_ERROR + 1), LOG_FORMAT_LOGFMT, false);
	return cmocka_run_group_tests_name("engine_names", tests, NULL, NULL);
}
