/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A store's file that was changed behind our back: it is refused, or every row that it still gives is as it was written.
 * A push over whatever values are there is durable and right, when the file is opened again. Over broken pages, too, it is
 * never another text; that it is lost there, and found to be lost, no transaction can rule out.
 *
 * SQLite works on the disk of the simulation, which is memory (tests/sim/vfs.h); the lock alone is a real file.
 *
 * The input: a byte that chooses who reads or the file (254, 255: of an older release), then changes: 0: bytes at an
 * offset; 1: the file ends at an offset; 2: all values of a column become another.
 */
#include "fuzz.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "disk.h"
#include "sqlite_memory.h"
#include "store/migrate.h"
#include "store/open.h"
#include "store/store.h"
#include "vfs.h"

enum { ZONES = 2, TOMBSTONE = 1, IMAGES = 3, COLUMNS_MOST = 256, CHANGES_MOST = 8, DUE_MOST = 16,
	NEWEST = 254 /* above: an older release's file */ };

/* Of a number from 0 to 7; the others read nothing but what a start and a push do. */
enum { READ_DELIVERIES = 4, READ_LISTS, READ_BESIDE, READ_ALL };

static char folder[64], path[96];
static struct buf images[IMAGES];
static struct { char *table, *column; } columns[COLUMNS_MOST];
static size_t column_count;

/* ---- what is written ---- */

/* Zone number i as it is put; its hostname and username are static. */
static struct store_zone sample(int i, uint64_t generation)
{
	static char hostname[] = "da1.example.net", username[] = "alice";
	struct store_zone zone = { .generation = generation, .deleted = i == TOMBSTONE, .serial = 7, .hostname = hostname,
		.username = username, .updated_at_us = 1000000 + i, .digest = { 3, UINT64_MAX, generation } };

	snprintf(zone.name, sizeof(zone.name), "z%d.test.", i);
	return zone;
}

static char *sample_text(int i, uint64_t generation)
{
	return xasprintf("@ IN SOA ns.z%d.test. root.z%d.test. ( %d 1 2 3 4 )\nwww IN A 192.0.2.%d\n", i, i, (int)generation, i);
}

static void put(struct store *store, int i, int64_t id, uint64_t generation)
{
	struct store_zone zone = sample(i, generation);
	char *text = sample_text(i, generation);
	struct err err;

	zone.id = id;
	FUZZ_REQUIRE(store_zone_put(store, &zone, text, strlen(text), &err) == 0, "%s", err.text);
	free(text);
}

static void fill(struct store *store)
{
	struct store_rejected rejected = { .name = "bad.test.", .at_us = 5, .source = "192.0.2.1", .hostname = "h", .username = "u",
		.error = "line 1: no", .text = "no", .text_size = 2 };
	struct store_event event = { .at_us = 5, .kind = "takeover", .zone = "z0.test.", .detail = "was h" };
	struct delivery delivery = { .wanted = 1, .state = DELIVERY_WAIT, .next_try_us = 9, .since_us = 3 };
	struct err err;
	int64_t backend;

	CHECK(store_begin(store, &err) == 0);
	for (int i = 0; i < ZONES; i++)
		put(store, i, 0, 1);
	CHECK(store_backend_register(store, "dc1", 1, &backend, &err) == 0);
	CHECK(store_delivery_save(store, 1, backend, &delivery, &err) == 0);
	CHECK(store_rejected_add(store, &rejected, &err) == 0 && store_event_add(store, &event, &err) == 0);
	CHECK(store_commit(store, &err) == 0);
}

/* ---- files ---- */

static void remove_beside(void)
{
	static const char *const suffixes[] = { "-wal", "-journal", ".v1.bak.tmp", ".v5.bak.tmp" };
	char name[sizeof(path) + 16];

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
		CHECK(disk_delete(name, true) == DISK_OK);
	}
}

/* Files are not made anew for each input: their memory would be cold. */
static void write_image(const char *bytes, size_t size)
{
	struct disk_file *file = disk_open(path);

	remove_beside();
	CHECK(disk_truncate(file, 0) == DISK_OK);
	if (size > 0)
		CHECK(disk_write(file, bytes, size, 0) == DISK_OK && disk_sync(file) == DISK_OK);
	disk_close(file);
}

static void read_image(struct buf *out)
{
	struct disk_file *file = disk_open(path);
	size_t size = disk_size(file);

	buf_reserve(out, size);
	CHECK(disk_read(file, out->data, size, 0) == size);
	out->size = size;
	disk_close(file);
}

static int take_column(void *ctx UNUSED, int count UNUSED, char **values, char **names UNUSED)
{
	CHECK(column_count < COLUMNS_MOST);
	columns[column_count].table = xstrdup(values[0]);
	columns[column_count++].column = xstrdup(values[1]);
	return 0;
}

static void clean_up(void)
{
	char *command = xasprintf("rm -rf '%s'", folder);

	if (system(command) != 0)
		perror(command);
	free(command);
}

/* This release's file with zones, and those of two older releases without. */
static void make_images(void)
{
	static const int versions[IMAGES] = { 0, 1, 5 };
	struct store *store;
	struct err err;
	sqlite3 *db;

	sqlite_memory_use();
	CHECK(sqlite3_config(SQLITE_CONFIG_SINGLETHREAD) == SQLITE_OK);
	vfs_register();
	snprintf(folder, sizeof(folder), "%s/zonefan-fuzz-store-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	CHECK(mkdtemp(folder) != NULL);
	atexit(clean_up);
	snprintf(path, sizeof(path), "%s/store.db", folder);
	for (int i = 0; i < IMAGES; i++) {
		int count = versions[i] == 0 ? migrate_step_count : versions[i];

		write_image("", 0);
		FUZZ_REQUIRE(store_open_steps(path, migrate_steps, count, &store, NULL, &err) == 0, "%s", err.text);
		if (i == 0)
			fill(store);
		store_close(store);
		read_image(&images[i]);
	}
	write_image(images[0].data, images[0].size);
	CHECK(sqlite3_open(path, &db) == SQLITE_OK);
	CHECK(sqlite3_exec(db, "SELECT m.name, c.name FROM sqlite_schema AS m, pragma_table_info(m.name) AS c"
		" WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'", take_column, NULL, NULL) == SQLITE_OK);
	sqlite3_close(db);
}

/* ---- changes ---- */

static void change_bytes(struct fuzz_input *input, struct buf *image)
{
	size_t at = (size_t)fuzz_u16(input) << 4 | (fuzz_byte(input) & 15);
	size_t got;
	const uint8_t *bytes = fuzz_bytes(input, fuzz_byte(input) % 32u + 1, &got);

	if (image->size > 0 && at % image->size + got <= image->size)
		memcpy(image->data + at % image->size, bytes, got);
}

/* By SQLite, with all checks off: a value where rows are read, not a broken page. */
static void change_column(struct fuzz_input *input)
{
	size_t which = fuzz_byte(input) % column_count;
	bool is_text = (fuzz_byte(input) & 1) != 0;
	char *text = fuzz_text(input, '\0');
	char *sql = sqlite3_mprintf(is_text ? "UPDATE %s SET %s = %Q" : "UPDATE %s SET %s = CAST(%Q AS INTEGER)",
		columns[which].table, columns[which].column, text);
	sqlite3 *db;

	if (sqlite3_open(path, &db) == SQLITE_OK) {
		sqlite3_exec(db, "PRAGMA ignore_check_constraints = ON; PRAGMA synchronous = OFF", NULL, NULL, NULL);
		sqlite3_exec(db, sql, NULL, NULL, NULL);
	}
	sqlite3_close(db);
	sqlite3_free(sql);
	free(text);
}

/* True: pages may be broken. */
static bool change(const struct buf *original, struct fuzz_input *input)
{
	bool broken = false;
	static struct buf image; /* warm, too */

	buf_clear(&image);
	buf_append(&image, original->data, original->size);
	for (int i = 0; i < CHANGES_MOST && input->left > 0; i++) {
		int kind = fuzz_byte(input) % 3;

		broken |= kind != 2;
		switch (kind) {
		case 0:
			change_bytes(input, &image);
			break;
		case 1:
			image.size = image.size == 0 ? 0 : ((size_t)fuzz_u16(input) << 4) % image.size;
			break;
		default:
			write_image(image.data, image.size);
			change_column(input);
			image.size = 0;
			read_image(&image);
			break;
		}
	}
	write_image(image.data, image.size);
	return broken;
}

/* ---- what is read ---- */

static void require_zone(const struct store_zone *zone, uint64_t generation)
{
	int i = zone->name[1] - '0';
	struct store_zone expected;

	FUZZ_REQUIRE(i >= 0 && i < ZONES, "a zone that nobody wrote: %s", zone->name);
	expected = sample(i, generation);
	FUZZ_REQUIRE(strcmp(zone->name, expected.name) == 0 && zone->generation == generation &&
		zone->deleted == expected.deleted && zone_digest_equal(&zone->digest, &expected.digest) &&
		zone->serial == expected.serial && strcmp(zone->hostname, expected.hostname) == 0 &&
		strcmp(zone->username, expected.username) == 0 && zone->updated_at_us == expected.updated_at_us,
		"zone %s is not as it was written", zone->name);
}

static bool each_zone(void *ctx UNUSED, const struct store_zone *zone)
{
	require_zone(zone, 1);
	return true;
}

static void each_walked(void *ctx UNUSED, const struct store_zone *zone, const struct err *damage)
{
	if (damage == NULL)
		require_zone(zone, 1);
}

static bool each_pending(void *ctx UNUSED, int64_t zone_id UNUSED, int64_t backend_id UNUSED, const struct delivery *delivery)
{
	FUZZ_REQUIRE(delivery->state != DELIVERY_CLEAN, "a clean delivery is pending");
	return true;
}

static bool each_rejected(void *ctx UNUSED, const struct store_rejected *rejected)
{
	FUZZ_REQUIRE(rejected->text == NULL || (rejected->text_size == 2 && memcmp(rejected->text, "no", 2) == 0),
		"a refused text is not as it was written");
	return true;
}

static bool each_event(void *ctx, const struct store_event *event)
{
	*(size_t *)ctx += strlen(event->kind);
	return true;
}

static void require_text(struct store *store, int64_t id, int i, uint64_t generation)
{
	char *expected = sample_text(i, generation), *text;
	struct err err;
	size_t size;

	if (store_zone_text(store, id, &text, &size, &err) == 0) {
		FUZZ_REQUIRE(size == strlen(expected) && memcmp(text, expected, size) == 0, "the text of zone %d is another", i);
		free(text);
	}
	free(expected);
}

/* As the engine does at a start. */
static void walk(struct store *store)
{
	int64_t after = 0;
	struct err err;

	for (int pages = 0; after != INT64_MAX && store_zone_walk(store, &after, 2, each_walked, NULL, &err) == 0; pages++)
		FUZZ_REQUIRE(pages < 1000, "the walk does not end");
}

/* ... and then, for what is to be delivered. */
static void read_deliveries(struct store *store)
{
	int64_t after = 0, backend, next;
	struct store_counts counts;
	struct store_due due[DUE_MOST];
	size_t count;
	struct err err;

	if (store_backend_register(store, "dc1", 2, &backend, &err) != 0)
		return;
	(void)!store_due_clamp(store, 10, 10, 10, &err);
	(void)!store_due_list(store, backend, false, 100, INT64_MAX, INT64_MAX, DUE_MOST, due, &count, &err);
	(void)!store_due_next(store, backend, 10, &next, &err);
	(void)!store_backend_counts(store, backend, &counts, &err);
	(void)!store_pending_step(store, &after, each_pending, NULL, &err);
}

/* As operators do. */
static void read_lists(struct store *store)
{
	size_t length = 0;
	struct err err;

	(void)!store_zone_list(store, "", 10, true, each_zone, NULL, &err);
	(void)!store_rejected_list(store, "", 10, each_rejected, NULL, &err);
	(void)!store_rejected_get(store, "bad.test.", each_rejected, NULL, &err);
	(void)!store_event_list(store, INT64_MAX, 10, NULL, NULL, each_event, &length, &err);
}

static void require_delivery(struct store *store, int64_t zone_id)
{
	struct delivery delivery;
	struct store_zone zone;
	struct err err;

	if (store_delivery_load(store, zone_id, 1, &delivery, &err) == 0) {
		FUZZ_REQUIRE(delivery.state <= DELIVERY_PARKED && delivery.state != DELIVERY_INFLIGHT, "state %d", (int)delivery.state);
		delivery_clear(&delivery);
	}
	if (store_delivery_open(store, zone_id, 1, &zone, &delivery, &err) == 0) {
		require_zone(&zone, 1);
		store_zone_clear(&zone);
		delivery_clear(&delivery);
	}
}

/* As the thread does that looks a store through after an unclean end. */
static void read_beside(void)
{
	struct store *reader;
	struct err err;

	if (store_open_reader(path, &reader, &err) != 0)
		return;
	(void)!store_quick_check(reader, &err);
	(void)!store_zone_list(reader, "", 10, true, each_zone, NULL, &err);
	store_close(reader);
}

/* A push over what is there, as the engine makes it. The generation that stands there now; 0: it was not taken. */
static uint64_t push_over(struct store *store, int i)
{
	struct store_zone zone, wanted = sample(i, 0);
	struct err err;
	int ret = store_zone_find(store, wanted.name, &zone, &err);

	if (ret == 0) {
		require_zone(&zone, 1);
		require_text(store, zone.id, i, 1);
		require_delivery(store, zone.id);
	} else if (ret == ERR_CORRUPT) {
		ret = store_zone_salvage(store, wanted.name, &zone, &err);
	}
	if (ret == 0) {
		wanted = sample(i, zone.generation + 1);
		wanted.id = zone.id;
		char *text = sample_text(i, wanted.generation);
		ret = store_zone_put(store, &wanted, text, strlen(text), &err);
		free(text);
		store_zone_clear(&zone);
	}
	return ret == 0 ? wanted.generation : 0;
}

static void require_pushed(struct store *reader, int i, uint64_t generation, bool broken)
{
	char *expected = sample_text(i, generation), *text;
	struct store_zone zone;
	struct err err;
	size_t size;

	int ret = store_zone_find(reader, sample(i, 0).name, &zone, &err);
	if (ret == 0) {
		require_zone(&zone, generation);
		ret = store_zone_text(reader, zone.id, &text, &size, &err);
		store_zone_clear(&zone);
	}
	FUZZ_REQUIRE(ret == 0 || broken, "zone %d is lost: %s", i, err.text);
	if (ret == 0) {
		FUZZ_REQUIRE(size == strlen(expected) && memcmp(text, expected, size) == 0, "the text of zone %d is another", i);
		free(text);
	}
	free(expected);
}

/* What was committed is there, and as it was pushed, for whoever opens the file next. */
static void require_durable(const uint64_t generations[ZONES], bool broken)
{
	struct store *reader;
	struct err err;

	int ret = store_open_reader(path, &reader, &err);
	FUZZ_REQUIRE(ret == 0 || broken, "a store that was committed to does not open: %s", err.text);
	for (int i = 0; ret == 0 && i < ZONES; i++) {
		if (generations[i] != 0)
			require_pushed(reader, i, generations[i], broken);
	}
	if (ret == 0)
		store_close(reader);
}

static bool push_all(struct store *store, uint64_t generations[ZONES])
{
	struct err err;

	for (int i = 0; i < ZONES; i++)
		generations[i] = push_over(store, i);
	return store_commit(store, &err) == 0;
}

void fuzz_one(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	uint64_t generations[ZONES];
	bool committed = false;
	struct store *store;
	struct err err;

	if (folder[0] == '\0')
		make_images();
	uint8_t how = fuzz_byte(&input);
	bool broken = change(&images[how < NEWEST ? 0 : how - NEWEST + 1], &input);
	int ret = store_open(path, &store, NULL, &err);
	if (ret < 0) {
		FUZZ_REQUIRE(err.text[0] != '\0', "an error without a text");
		return;
	}
	if (how % 8 == READ_LISTS || how % 8 == READ_ALL)
		read_lists(store);
	if (how % 8 == READ_BESIDE || how % 8 == READ_ALL)
		read_beside();
	if (store_begin(store, &err) == 0) {
		walk(store);
		if (how % 8 == READ_DELIVERIES || how % 8 == READ_ALL)
			read_deliveries(store);
		committed = push_all(store, generations);
	}
	store_close(store);
	if (committed)
		require_durable(generations, broken);
}
