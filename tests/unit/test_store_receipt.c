/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Receipts: written with deliveries, answered, reopened, counted, and gone with their back end. */
#include "test_store_help.h"

#include "store/receipt.h"
#include "store/retire.h"

enum { ZONES = 4 };

struct world {
	struct store *store;
	int64_t dc1, dc2;
	int64_t zones[ZONES];
};

static struct world make_world(void **state)
{
	struct world world = { .store = ((struct fixture *)*state)->store };

	OK(store_backend_register(world.store, "dc1", 1, &world.dc1, err));
	OK(store_backend_register(world.store, "dc2", 1, &world.dc2, err));
	for (int i = 0; i < ZONES; i++) {
		struct store_zone zone = sample_zone(i, 5);

		zone.id = 0;
		OK(store_zone_put(world.store, &zone, "text", 4, err));
		world.zones[i] = zone.id;
	}
	return world;
}

static bool write_receipt(const struct world *world, unsigned zone, int64_t backend, int64_t number, uint64_t generation,
	bool deleted)
{
	struct store_receipt receipt = { .zone_id = world->zones[zone], .backend_id = backend, .number = number,
		.generation = generation, .deleted = deleted, .serial = (uint32_t)generation * 10,
		.pushed_at_us = number * 100, .written_at_us = number * 100 + 1 };
	bool fresh;

	OK(store_receipt_write(world->store, &receipt, &fresh, err));
	return fresh;
}

static struct store_receipt load(const struct world *world, unsigned zone, int64_t backend)
{
	struct store_receipt receipt;

	OK(store_receipt_load(world->store, world->zones[zone], backend, &receipt, err));
	return receipt;
}

struct seen {
	int64_t numbers[8];
	bool late[8];
	size_t count;
};

static bool see(void *ctx, const struct store_receipt *receipt)
{
	struct seen *seen = ctx;

	seen->late[seen->count] = receipt->late;
	seen->numbers[seen->count++] = receipt->number;
	return true;
}

static struct seen open_ones(const struct world *world, int64_t backend, int64_t after, size_t limit)
{
	struct seen seen = { .count = 0 };

	OK(store_receipt_list(world->store, backend, after, limit, see, &seen, err));
	return seen;
}

static void a_receipt_is_written_once_a_generation(void **state)
{
	struct world world = make_world(state);
	struct store_receipt receipt;

	FAILS(ERR_NOTFOUND, store_receipt_load(world.store, world.zones[0], world.dc1, &receipt, err));
	assert_true(write_receipt(&world, 0, world.dc1, 1, 5, false));
	assert_false(write_receipt(&world, 0, world.dc1, 2, 5, false));
	receipt = load(&world, 0, world.dc1);
	assert_int_equal(receipt.number, 1);
	assert_int_equal(receipt.serial, 50);
	assert_int_equal(receipt.written_at_us, 101);
	assert_int_equal(receipt.since_us, 101);
	assert_int_equal(receipt.answered_at_us, 0);
	/* The next one, too early: unanswered since the first. */
	assert_true(write_receipt(&world, 0, world.dc1, 3, 6, false));
	assert_int_equal(load(&world, 0, world.dc1).since_us, 101);
	OK(store_receipt_close(world.store, world.zones[0], world.dc1, 999, err));
	assert_int_equal(load(&world, 0, world.dc1).answered_at_us, 999);
	assert_true(write_receipt(&world, 0, world.dc1, 4, 7, false));
	receipt = load(&world, 0, world.dc1);
	assert_int_equal(receipt.since_us, 401);
	assert_int_equal(receipt.answered_at_us, 0);
	/* What was to be answered is gone now: another matter. */
	assert_true(write_receipt(&world, 0, world.dc1, 5, 8, true));
	assert_int_equal(load(&world, 0, world.dc1).since_us, 501);
	OK(store_receipt_last(world.store, &receipt.number, err));
	assert_int_equal(receipt.number, 5);
}

static void open_ones_are_listed_and_counted(void **state)
{
	struct world world = make_world(state);
	struct store_answer said = { .zone_id = world.zones[2], .backend_id = world.dc1, .server = "192.0.2.1:53", .generation = 5,
		.asked_at_us = 10, .error = "does not answer" };
	struct store_receipt_counts counts;
	struct seen seen;

	write_receipt(&world, 0, world.dc1, 1, 5, false);
	write_receipt(&world, 1, world.dc1, 2, 5, false);
	write_receipt(&world, 0, world.dc2, 3, 5, false);
	write_receipt(&world, 2, world.dc1, 4, 5, true);
	seen = open_ones(&world, world.dc1, 0, 100);
	assert_int_equal(seen.count, 3);
	assert_int_equal(seen.numbers[2], 4);
	seen = open_ones(&world, world.dc2, 0, 100);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.numbers[0], 3);
	assert_int_equal(open_ones(&world, world.dc1, 1, 2).count, 2);
	assert_int_equal(open_ones(&world, world.dc1, 1, 2).numbers[0], 2);
	/* None of them is late yet. */
	OK(store_receipt_counts(world.store, world.dc1, &counts, err));
	assert_int_equal(counts.waiting, 3);
	assert_int_equal(counts.unanswered + counts.still, 0);
	assert_int_equal(counts.oldest_since_us, 0);
	for (unsigned i = 0; i < 3; i++)
		OK(store_receipt_late(world.store, world.zones[i], world.dc1, err));
	assert_true(open_ones(&world, world.dc1, 0, 1).late[0]);
	OK(store_receipt_counts(world.store, world.dc1, &counts, err));
	assert_int_equal(counts.waiting, 0);
	assert_int_equal(counts.unanswered, 3);
	assert_int_equal(counts.oldest_since_us, 101);
	assert_int_equal(counts.still, 0);
	/* Of the one that is deleted nothing was heard, or only what it was before. */
	OK(store_answer_put(world.store, &said, err));
	said.generation = 4;
	said.has_serial = true;
	OK(store_answer_put(world.store, &said, err));
	OK(store_receipt_counts(world.store, world.dc1, &counts, err));
	assert_int_equal(counts.still, 0);
	assert_false(load(&world, 2, world.dc1).still);
	said.generation = 5;
	OK(store_answer_put(world.store, &said, err));
	assert_true(load(&world, 2, world.dc1).still);
	OK(store_receipt_counts(world.store, world.dc1, &counts, err));
	assert_int_equal(counts.unanswered, 2);
	assert_int_equal(counts.still, 1);
	/* It is late with what is written meanwhile, too. */
	write_receipt(&world, 1, world.dc1, 5, 6, false);
	assert_true(load(&world, 1, world.dc1).late);
	assert_int_equal(load(&world, 1, world.dc1).since_us, 201);
	OK(store_receipt_close(world.store, world.zones[0], world.dc1, 999, err));
	OK(store_receipt_counts(world.store, world.dc1, &counts, err));
	assert_int_equal(counts.unanswered, 1);
	assert_int_equal(counts.oldest_since_us, 201);
	OK(store_receipt_reopen(world.store, world.zones[0], world.dc1, 7, 1234, err));
	seen = open_ones(&world, world.dc1, 5, 100);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.numbers[0], 7);
	assert_false(seen.late[0]);
	/* What is answered is not late. */
	OK(store_receipt_close(world.store, world.zones[2], world.dc1, 999, err));
	OK(store_receipt_late(world.store, world.zones[2], world.dc1, err));
	assert_false(load(&world, 2, world.dc1).late);
	assert_int_equal(load(&world, 0, world.dc1).since_us, 1234);
}

struct answers {
	struct store_answer last;
	char server[32];
	char error[32];
	size_t count;
};

static void see_answer(void *ctx, const struct store_answer *answer)
{
	struct answers *answers = ctx;

	answers->last = *answer;
	snprintf(answers->server, sizeof(answers->server), "%s", answer->server);
	snprintf(answers->error, sizeof(answers->error), "%s", answer->error == NULL ? "" : answer->error);
	answers->count++;
}

static void answers_of_each_server_are_kept(void **state)
{
	struct world world = make_world(state);
	struct store_answer late = { .zone_id = world.zones[0], .backend_id = world.dc1, .server = "192.0.2.2:53",
		.generation = 5, .asked_at_us = 10, .error = "answers serial 49" };
	struct store_answer good = { .zone_id = world.zones[0], .backend_id = world.dc1, .server = "192.0.2.1:53",
		.generation = 5, .asked_at_us = 9, .answered_at_us = 9, .has_serial = true, .serial = 50, .authoritative = true };
	struct answers answers = { .count = 0 };

	write_receipt(&world, 0, world.dc1, 1, 5, false);
	OK(store_answer_put(world.store, &good, err));
	OK(store_answer_put(world.store, &late, err));
	OK(store_answer_list(world.store, world.zones[0], world.dc1, see_answer, &answers, err));
	assert_int_equal(answers.count, 2);
	assert_string_equal(answers.server, "192.0.2.2:53");
	assert_string_equal(answers.error, "answers serial 49");
	assert_false(answers.last.has_serial);
	assert_int_equal(answers.last.answered_at_us, 0);
	late.error = NULL;
	late.answered_at_us = 77;
	OK(store_answer_put(world.store, &late, err));
	answers.count = 0;
	OK(store_answer_list(world.store, world.zones[0], world.dc1, see_answer, &answers, err));
	assert_int_equal(answers.count, 2);
	assert_int_equal(answers.last.answered_at_us, 77);
	assert_string_equal(answers.error, "");
}

struct samples {
	struct store_sample all[ZONES];
	size_t count;
};

static void see_sample(void *ctx, const struct store_sample *sample)
{
	struct samples *samples = ctx;

	samples->all[samples->count++] = *sample;
}

static void settle(const struct world *world, unsigned zone, int64_t backend)
{
	struct delivery delivery = { .state = DELIVERY_CLEAN, .wanted = 5, .applied = 5, .applied_at_us = 1 };

	OK(store_delivery_save(world->store, world->zones[zone], backend, &delivery, err));
}

static void clean_zones_are_sampled(void **state)
{
	struct world world = make_world(state);
	struct samples samples = { .count = 0 };
	struct store_zone gone;

	for (unsigned i = 0; i < ZONES; i++)
		settle(&world, i, world.dc1);
	settle(&world, 0, world.dc2);
	write_receipt(&world, 0, world.dc1, 1, 5, false);
	write_receipt(&world, 1, world.dc1, 2, 5, false);
	OK(store_receipt_close(world.store, world.zones[1], world.dc1, 9, err));
	OK(store_zone_get(world.store, world.zones[3], &gone, err));
	gone.deleted = true;
	OK(store_zone_put(world.store, &gone, NULL, 0, err));
	store_zone_clear(&gone);
	OK(store_receipt_sample(world.store, world.dc1, 0, 10, see_sample, &samples, err));
	assert_int_equal(samples.count, 3);
	assert_true(samples.all[0].open && !samples.all[0].answered);
	assert_true(!samples.all[1].open && samples.all[1].answered);
	assert_true(!samples.all[2].open && !samples.all[2].answered);
	samples.count = 0;
	OK(store_receipt_sample(world.store, world.dc1, world.zones[0], 1, see_sample, &samples, err));
	assert_int_equal(samples.count, 1);
	assert_int_equal(samples.all[0].zone_id, world.zones[1]);
}

static void they_go_with_their_back_end(void **state)
{
	struct world world = make_world(state);
	struct store_answer answer = { .zone_id = world.zones[0], .backend_id = world.dc1, .server = "a:53", .generation = 5 };
	struct answers answers = { .count = 0 };
	int64_t after = 0;
	uint64_t count;

	write_receipt(&world, 0, world.dc1, 1, 5, false);
	write_receipt(&world, 0, world.dc2, 2, 5, false);
	OK(store_answer_put(world.store, &answer, err));
	while (after != INT64_MAX)
		OK(store_retire_step(world.store, world.dc1, &after, &count, err));
	assert_int_equal(open_ones(&world, world.dc1, 0, 9).count, 0);
	assert_int_equal(open_ones(&world, world.dc2, 0, 9).count, 1);
	OK(store_answer_list(world.store, world.zones[0], world.dc1, see_answer, &answers, err));
	assert_int_equal(answers.count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_receipt_is_written_once_a_generation),
		TEST(open_ones_are_listed_and_counted),
		TEST(answers_of_each_server_are_kept),
		TEST(clean_zones_are_sampled),
		TEST(they_go_with_their_back_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
