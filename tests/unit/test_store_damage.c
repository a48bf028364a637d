/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Flipped bytes and cut files: a zone is given as it was written, or not at
 * all (reliability.md S07). A name may be missing from a damaged index, but
 * then store_quick_check says so.
 */
#include "test_store_help.h"

#include <fcntl.h>

#include "base/rng.h"
#include "store/db.h"

enum { ZONES = 60, FLIPS = 200, CUTS = 40 };

struct image {
	char *bytes;
	size_t size;
};

static struct image image_read(const char *path)
{
	struct image image = { 0 };
	struct stat st;
	int fd = open(path, O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	image.size = (size_t)st.st_size;
	image.bytes = xmalloc(image.size);
	assert_int_equal(read(fd, image.bytes, image.size), st.st_size);
	close(fd);
	return image;
}

static void image_write(const struct image *image, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, image->bytes, image->size), (ssize_t)image->size);
	close(fd);
}

static void image_expect(const struct image *image, const char *path)
{
	struct image now = image_read(path);

	assert_int_equal(now.size, image->size);
	assert_memory_equal(now.bytes, image->bytes, now.size);
	free(now.bytes);
}

/* A closed store with some zones, as bytes. */
static struct image make_store(struct fixture *fixture)
{
	int64_t id;

	OK(store_open(fixture->path, &fixture->store, NULL, err));
	OK(store_begin(fixture->store, err));
	for (int i = 0; i < ZONES; i++)
		put_sample(fixture->store, i, 1, 0);
	OK(store_backend_register(fixture->store, "dc1", 1, &id, err));
	OK(store_commit(fixture->store, err));
	store_close(fixture->store);
	fixture->store = NULL;
	return image_read(fixture->path);
}

static void remove_beside(const char *path)
{
	static const char *const suffixes[] = { "-wal", "-shm" };

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		char *name = xasprintf("%s%s", path, suffixes[i]);
		unlink(name);
		free(name);
	}
}

static int number_of(const char *name)
{
	int number = -1;
	char tail[16] = "";

	assert_int_equal(sscanf(name, "z%6d%15s", &number, tail), 2);
	assert_string_equal(tail, ".test.");
	return number;
}

static bool expect_listed(UNUSED void *ctx, const struct store_zone *zone)
{
	struct store_zone expected = sample_zone(number_of(zone->name), 1);

	assert_string_equal(zone->name, expected.name);
	assert_int_equal(zone->generation, 1);
	assert_false(zone->deleted);
	assert_true(zone_digest_equal(&zone->digest, &expected.digest));
	assert_int_equal(zone->serial, expected.serial);
	assert_string_equal(zone->hostname, expected.hostname);
	return true;
}

static void expect_walked(void *ctx, const struct store_zone *zone, const struct err *damage)
{
	int *damaged = ctx;

	if (damage == NULL) {
		expect_listed(NULL, zone);
		return;
	}
	assert_int_equal(damage->code, ERR_CORRUPT);
	(*damaged)++;
}

/* Page by page to an end, whatever is damaged; the number of damaged rows met, or an error. */
static int walk(struct store *store, size_t page, int *damaged)
{
	int64_t after = 0;
	struct err why = { 0 };
	int rc = 0;

	*damaged = 0;
	for (int pages = 0; rc == 0 && after != INT64_MAX; pages++) {
		assert_true(pages <= ZONES);
		rc = store_zone_walk(store, &after, page, expect_walked, damaged, &why);
	}
	return rc;
}

struct tally {
	int refused;
	int damaged;
	int missing;
	int good;
};

/* One zone: right, or an error. */
static void look_at(struct store *store, int i, struct tally *tally)
{
	struct store_zone expected = sample_zone(i, 1);
	struct store_zone zone;
	struct err why = { 0 };
	int64_t id;
	char *text;
	size_t size;
	size_t expected_size;
	int rc = store_zone_find(store, expected.name, &zone, &why);

	if (rc == ERR_NOTFOUND) {
		tally->missing++;
		return;
	}
	if (rc < 0) {
		assert_int_equal(rc, ERR_CORRUPT);
		tally->damaged++;
		return;
	}
	expect_listed(NULL, &zone);
	id = zone.id;
	store_zone_clear(&zone);
	rc = store_zone_text(store, id, &text, &size, &why);
	if (rc < 0) {
		assert_true(rc == ERR_CORRUPT || rc == ERR_NOTFOUND);
		tally->damaged++;
		return;
	}
	char *expected_text = sample_text(i, 1, &expected_size);
	assert_int_equal(size, expected_size);
	assert_memory_equal(text, expected_text, size);
	free(expected_text);
	free(text);
	tally->good++;
}

/* Opens what is at path; nothing that it gives is wrong. */
static void look(const char *path, const struct image *image, struct tally *tally)
{
	struct tally here = { 0 };
	struct err why = { 0 };
	struct store *store;
	int damaged;
	int rc;

	rc = store_open(path, &store, NULL, &why);
	if (rc < 0) {
		if (rc != ERR_CORRUPT && rc != ERR_VERSION)
			fail_msg("%d: %s", rc, why.text);
		image_expect(image, path);
		tally->refused++;
		return;
	}
	for (int i = 0; i < ZONES; i++)
		look_at(store, i, &here);
	rc = store_zone_list(store, "", ZONES * 2, true, expect_listed, NULL, &why);
	assert_true(rc == 0 || rc == ERR_CORRUPT);
	rc = walk(store, 7, &damaged);
	assert_true(rc == 0 || rc == ERR_CORRUPT);
	if (here.missing > 0)
		FAILS(ERR_CORRUPT, store_quick_check(store, err));
	store_close(store);
	tally->damaged += here.damaged;
	tally->missing += here.missing;
	tally->good += here.good;
}

/* count times: width bytes in a row, somewhere. */
static void damage(void **state, int count, size_t width, uint64_t seed)
{
	struct fixture *fixture = *state;
	struct image image = make_store(fixture);
	struct rng rng = { .state = seed };
	struct tally tally = { 0 };
	char was[64];

	assert_true(width <= sizeof(was));
	for (int i = 0; i < count; i++) {
		char *at = image.bytes + rng_between(&rng, 0, (int64_t)(image.size - width));
		memcpy(was, at, width);
		for (size_t k = 0; k < width; k++)
			at[k] = (char)(at[k] ^ (char)rng_between(&rng, 1, 255));
		remove_beside(fixture->path);
		image_write(&image, fixture->path);
		look(fixture->path, &image, &tally);
		memcpy(at, was, width);
	}
	print_message("%d times %zu of %zu bytes: %d refusals; zones: %d damaged, %d missing, %d good\n", count, width,
		image.size, tally.refused, tally.damaged, tally.missing, tally.good);
	assert_true(tally.damaged > 0);
	assert_true(tally.good > 0);
	free(image.bytes);
}

static void test_random_flips(void **state)
{
	damage(state, FLIPS, 1, 20261120);
}

static void test_random_holes(void **state)
{
	damage(state, FLIPS, 64, 20261121);
}

/* Every byte of the header of the file. */
static void test_header_flips(void **state)
{
	struct fixture *fixture = *state;
	struct image image = make_store(fixture);
	struct tally tally = { 0 };

	for (size_t at = 0; at < 100; at++) {
		image.bytes[at] = (char)~image.bytes[at];
		remove_beside(fixture->path);
		image_write(&image, fixture->path);
		look(fixture->path, &image, &tally);
		image.bytes[at] = (char)~image.bytes[at];
	}
	assert_true(tally.refused >= 16);
	free(image.bytes);
}

/* The name alone, in the row and in the index, one after the other. */
static void test_name_flips(void **state)
{
	struct fixture *fixture = *state;
	struct image image = make_store(fixture);
	struct tally tally = { 0 };
	char *end = image.bytes + image.size;
	char *found = memmem(image.bytes, image.size, "z000017.test.", 13);

	for (; found != NULL; found = memmem(found + 1, (size_t)(end - found - 1), "z000017.test.", 13)) {
		found[6] ^= 1;
		remove_beside(fixture->path);
		image_write(&image, fixture->path);
		look(fixture->path, &image, &tally);
		found[6] ^= 1;
	}
	assert_true(tally.damaged > 0);
	assert_true(tally.missing > 0);
	free(image.bytes);
}

/* Finds the bytes and flips one bit behind them. */
static void flip_at(struct image *image, const char *needle, size_t offset)
{
	char *found = memmem(image->bytes, image->size, needle, strlen(needle));
	int hits = 0;

	for (; found != NULL; hits++) {
		found[offset] ^= 1;
		size_t left = image->size - (size_t)(found - image->bytes) - 1;
		found = memmem(found + 1, left, needle, strlen(needle));
	}
	assert_true(hits > 0);
}

static void test_text_flip(void **state)
{
	struct fixture *fixture = *state;
	struct image image = make_store(fixture);
	struct err why = { 0 };
	char *text;
	size_t size;

	flip_at(&image, "SOA ns1.z17.test.", 5);
	image_write(&image, fixture->path);
	OK(store_open(fixture->path, &fixture->store, NULL, err));
	assert_int_equal(store_zone_text(fixture->store, 18, &text, &size, &why), ERR_CORRUPT);
	assert_non_null(strstr(why.text, "z000017.test."));
	/* That row only. */
	expect_sample(fixture->store, 16, 1);
	expect_sample(fixture->store, 18, 1);
	/* SQLite itself sees nothing. */
	OK(store_quick_check(fixture->store, err));
	free(image.bytes);
}

static bool count_listed(void *ctx, const struct store_zone *zone)
{
	(*(int *)ctx)++;
	return expect_listed(NULL, zone);
}

static void test_row_flip(void **state)
{
	struct fixture *fixture = *state;
	struct image image = make_store(fixture);
	struct store_zone zone;
	struct delivery delivery;
	struct err why = { 0 };
	int listed = 0;

	OK(store_open(fixture->path, &fixture->store, NULL, err));
	OK(db_exec(fixture->store, "UPDATE zone SET hostname = 'other' WHERE name = 'z000017.test.'", err));
	assert_int_equal(store_zone_find(fixture->store, "z000017.test.", &zone, &why), ERR_CORRUPT);
	assert_non_null(strstr(why.text, "z000017.test."));
	/* Its delivery can be set aside all the same. */
	OK(store_delivery_load(fixture->store, 18, 1, &delivery, err));
	delivery.state = DELIVERY_REJECTED;
	OK(store_delivery_save(fixture->store, 18, 1, &delivery, err));
	delivery_clear(&delivery);
	/* A list gives all the others, and says it at its end. */
	FAILS(ERR_CORRUPT, store_zone_list(fixture->store, "", 1000, true, count_listed, &listed, err));
	assert_int_equal(listed, ZONES - 1);
	/* The damaged one takes no place in a page. */
	listed = 0;
	FAILS(ERR_CORRUPT, store_zone_list(fixture->store, "z000016.test.", 3, true, count_listed, &listed, err));
	assert_int_equal(listed, 3);
	/* Walking gives it as damaged, once unless the page ends with it. */
	assert_int_equal(walk(fixture->store, 1000, &listed), 0);
	assert_int_equal(listed, 1);
	assert_int_equal(walk(fixture->store, 18, &listed), 0);
	assert_int_equal(listed, 2);
	assert_int_equal(walk(fixture->store, 1, &listed), 0);
	assert_int_equal(listed, 1);
	/* A push makes it right, in a generation above what was applied. */
	delivery = (struct delivery){ .applied = 41, .state = DELIVERY_DUE };
	OK(store_delivery_save(fixture->store, 18, 1, &delivery, err));
	OK(store_zone_salvage(fixture->store, "z000017.test.", &zone, err));
	assert_int_equal(zone.id, 18);
	assert_string_equal(zone.name, "z000017.test.");
	assert_string_equal(zone.hostname, "");
	assert_int_equal(zone.generation, 41);
	store_zone_clear(&zone);
	OK(db_exec(fixture->store, "UPDATE zone SET generation = 1 << 60 WHERE id = 18", err));
	OK(store_zone_salvage(fixture->store, "z000017.test.", &zone, err));
	assert_int_equal(zone.generation, 41);
	store_zone_clear(&zone);
	put_sample(fixture->store, 17, 42, 18);
	expect_sample(fixture->store, 17, 42);
	FAILS(ERR_NOTFOUND, store_zone_salvage(fixture->store, "never.test.", &zone, err));
	free(image.bytes);
}

static void test_swapped_texts(void **state)
{
	struct fixture *fixture = *state;
	struct image image = make_store(fixture);
	char *text;
	size_t size;

	OK(store_open(fixture->path, &fixture->store, NULL, err));
	OK(db_exec(fixture->store,
		"UPDATE zone_text SET (checksum, text) = (SELECT checksum, text FROM zone_text WHERE zone_id = 12)"
		" WHERE zone_id = 13", err));
	FAILS(ERR_CORRUPT, store_zone_text(fixture->store, 13, &text, &size, err));
	expect_sample(fixture->store, 11, 1);
	free(image.bytes);
}

static void test_id_flip(void **state)
{
	struct fixture *fixture = *state;
	struct image image = make_store(fixture);
	struct store *store;
	struct err why = { 0 };

	OK(store_open(fixture->path, &fixture->store, NULL, err));
	OK(db_exec(fixture->store,
		"UPDATE meta SET value = iif(value LIKE 'f%', 'e', 'f') || substr(value, 2) WHERE key = 'store_id'", err));
	store_close(fixture->store);
	fixture->store = NULL;
	assert_int_equal(store_open(fixture->path, &store, NULL, &why), ERR_CORRUPT);
	assert_non_null(strstr(why.text, "its id is damaged"));
	free(image.bytes);
}

static void test_cut_file(void **state)
{
	struct fixture *fixture = *state;
	struct image image = make_store(fixture);
	struct rng rng = { .state = 7 };
	struct tally tally = { 0 };
	size_t whole = image.size;

	for (int i = 0; i < CUTS; i++) {
		image.size = (size_t)rng_between(&rng, 1, (int64_t)whole - 1);
		remove_beside(fixture->path);
		image_write(&image, fixture->path);
		look(fixture->path, &image, &tally);
	}
	assert_true(tally.refused + tally.damaged > 0);
	free(image.bytes);
}

/* The log of a store that was killed: what is behind the damage is lost, what is before it is whole. */
static void test_wal_flips(void **state)
{
	struct fixture *fixture = *state;
	struct rng rng = { .state = 99 };
	struct tally tally = { 0 };
	char *wal_path = xasprintf("%s-wal", fixture->path);
	int done[2];
	char byte;

	assert_int_equal(pipe(done), 0);
	pid_t child = start_child();
	if (child == 0) {
		struct store *store;
		OK(store_open(fixture->path, &store, NULL, err));
		for (int i = 0; i < ZONES; i++)
			put_sample(store, i, 1, 0);
		if (write(done[1], "x", 1) != 1)
			_exit(1);
		pause();
	}
	close(done[1]);
	assert_int_equal(read(done[0], &byte, 1), 1);
	kill_child(child);
	close(done[0]);
	struct image image = image_read(fixture->path);
	struct image wal = image_read(wal_path);
	for (int i = 0; i < FLIPS / 4; i++) {
		/* Behind the frames that made the tables. */
		size_t at = (size_t)rng_between(&rng, (int64_t)wal.size / 2, (int64_t)wal.size - 1);
		char was = wal.bytes[at];
		wal.bytes[at] = (char)(was ^ (char)rng_between(&rng, 1, 255));
		remove_beside(fixture->path);
		image_write(&image, fixture->path);
		image_write(&wal, wal_path);
		wal.bytes[at] = was;
		OK(store_open(fixture->path, &fixture->store, NULL, err));
		for (int zone = 0; zone < ZONES; zone++)
			look_at(fixture->store, zone, &tally);
		OK(store_quick_check(fixture->store, err));
		store_close(fixture->store);
		fixture->store = NULL;
	}
	assert_int_equal(tally.damaged, 0);
	assert_true(tally.missing > 0);
	free(wal_path);
	free(wal.bytes);
	free(image.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_random_flips, fixture_make, fixture_remove),
		cmocka_unit_test_setup_teardown(test_random_holes, fixture_make, fixture_remove),
		cmocka_unit_test_setup_teardown(test_header_flips, fixture_make, fixture_remove),
		cmocka_unit_test_setup_teardown(test_name_flips, fixture_make, fixture_remove),
		cmocka_unit_test_setup_teardown(test_text_flip, fixture_make, fixture_remove),
		cmocka_unit_test_setup_teardown(test_row_flip, fixture_make, fixture_remove),
		cmocka_unit_test_setup_teardown(test_swapped_texts, fixture_make, fixture_remove),
		cmocka_unit_test_setup_teardown(test_id_flip, fixture_make, fixture_remove),
		cmocka_unit_test_setup_teardown(test_cut_file, fixture_make, fixture_remove),
		cmocka_unit_test_setup_teardown(test_wal_flips, fixture_make, fixture_remove),
	};

	return cmocka_run_group_tests_name("store damage", tests, NULL, NULL);
}
