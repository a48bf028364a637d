/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Receipts: a delivery makes one where name servers are asked, and what these
 * said counts only for what was written last. The engine's core alone.
 */
#include "test_engine_core.h"

#include "store/receipt.h"

static int set_up(void **state)
{
	(void)state;
	make_folder();
	rig.verified = true;
	start(false);
	come_up();
	return 0;
}

/* Zone number is pushed, under that serial, and dc1 has it. */
static void deliver(unsigned number, unsigned serial)
{
	struct core_command *command = push(number);
	struct core_job *job;

	free(command->request->text);
	command->request->text =
		xasprintf("@ 60 IN SOA ns1.example. host.example. ( %u 2 3 4 5 )\n@ 60 IN NS ns1.example.\n", serial);
	command->request->text_size = strlen(command->request->text);
	zone_unref(command->zone);
	assert_int_equal(zone_parse(command->name, command->request->text, command->request->text_size, 0, &command->zone,
		&command->err), ERR_OK);
	turn(command);
	job = take_job(CORE_JOB_APPLY);
	for (size_t i = 0; i < job->zone_count; i++)
		job->items[i].verdict = BACKEND_OK;
	core_turn(rig.core, NULL, 0, &job, 1);
}

static const struct engine_answer right = { .right = true, .whole = true, .has_serial = true, .serial = 1, .authoritative = true };

static void say(const struct engine_answer *answer, const char *backend, uint64_t generation)
{
	struct core_command *command = order(ENGINE_ANSWERED, NULL);

	command->request->answer_count = 1;
	command->request->answers = xcalloc(1, sizeof(struct engine_answer));
	command->request->answers[0] = *answer;
	command->request->answers[0].backend = xstrdup(backend);
	command->request->answers[0].server = xstrdup("192.0.2.1:53");
	command->request->answers[0].error = xstrdup(answer->right ? NULL : "answers serial 7");
	command->request->answers[0].zone_id = 1;
	command->request->answers[0].generation = generation;
	command->request->answers[0].asked_at_us = fake_wall_us(NULL);
	turn(command);
	assert_non_null(rig.answer);
	assert_int_equal(rig.answer->err.code, ERR_OK);
	engine_message_destroy(rig.answer);
	rig.answer = NULL;
}

static struct store_receipt receipt(int expected)
{
	struct store_receipt found = { 0 };
	struct err err;

	assert_int_equal(store_receipt_load(rig.store, 1, rig.core->lanes[0]->backend_id, &found, &err), expected);
	return found;
}

static struct core_board_lane lane(void)
{
	static struct core_board board;

	core_show(rig.core, &board);
	return board.lanes[0];
}

static void a_delivery_waits_for_its_answer(void **state)
{
	(void)state;
	deliver(1, 1);
	struct store_receipt written = receipt(ERR_OK);
	assert_int_equal(written.generation, 1);
	assert_int_equal(written.serial, 1);
	assert_int_equal(written.answered_at_us, 0);
	assert_int_equal(core_written(rig.core), written.number);
	rig.mono_ms += 1500;
	say(&right, "dc1", 1);
	assert_int_equal(receipt(ERR_OK).answered_at_us, fake_wall_us(NULL));
	/* From the push to the answer. */
	struct histogram_copy took = lane().tally.answer;
	assert_int_equal(took.count, 1);
	assert_int_equal(took.sum_us, 1500000);
	/* What is said again changes nothing. */
	rig.mono_ms += 1000;
	say(&right, "dc1", 1);
	assert_int_equal(lane().tally.answer.count, 1);
	assert_int_equal(lane().canary_answered_us, 0);
}

static void an_answer_of_before_is_void(void **state)
{
	static const struct engine_answer wrong = { .has_serial = true, .serial = 7 };

	(void)state;
	deliver(1, 1);
	deliver(1, 2);
	say(&right, "dc1", 1);
	assert_int_equal(receipt(ERR_OK).answered_at_us, 0);
	say(&right, "dc7", 2);
	assert_int_equal(receipt(ERR_OK).answered_at_us, 0);
	assert_false(receipt(ERR_OK).late);
	say(&wrong, "dc1", 2);
	assert_int_equal(receipt(ERR_OK).answered_at_us, 0);
	assert_true(receipt(ERR_OK).late);
	say(&right, "dc1", 2);
	assert_int_not_equal(receipt(ERR_OK).answered_at_us, 0);
	assert_false(receipt(ERR_OK).late);
}

static void what_is_lost_is_asked_for_again(void **state)
{
	static const struct engine_answer lost = { .lost = true };

	(void)state;
	deliver(1, 1);
	struct store_receipt before = receipt(ERR_OK);
	/* It is being asked for anyway. */
	say(&lost, "dc1", 1);
	assert_int_equal(receipt(ERR_OK).number, before.number);
	say(&right, "dc1", 1);
	rig.mono_ms += 5000;
	say(&lost, "dc1", 1);
	struct store_receipt again = receipt(ERR_OK);
	assert_true(again.number > before.number);
	assert_int_equal(again.answered_at_us, 0);
	assert_int_equal(again.since_us, fake_wall_us(NULL));
	assert_int_equal(core_written(rig.core), again.number);
	/* It was answered once: that is no time from a push to its answer. */
	say(&right, "dc1", 1);
	assert_int_equal(lane().tally.answer.count, 1);
}

/* Numbers go on after a restart, and what was written before name servers were asked is taken in when it is said to be lost. */
static void zones_of_before_are_taken_in(void **state)
{
	static const struct engine_answer lost = { .lost = true };

	(void)state;
	stop();
	rig.verified = false;
	start(false);
	come_up();
	deliver(1, 1);
	receipt(ERR_NOTFOUND);
	stop();
	rig.verified = true;
	start(false);
	come_up();
	say(&lost, "dc1", 9);
	receipt(ERR_NOTFOUND);
	say(&lost, "dc1", 1);
	struct store_receipt taken = receipt(ERR_OK);
	assert_int_equal(taken.generation, 1);
	assert_int_equal(taken.pushed_at_us, 0);
	stop();
	start(false);
	assert_int_equal(core_written(rig.core), taken.number);
}

/* What was written while nobody asked is not measured by what was written before. */
static void nobody_asks_for_a_while(void **state)
{
	static const struct engine_answer lost = { .lost = true };

	(void)state;
	deliver(1, 1);
	receipt(ERR_OK);
	stop();
	rig.verified = false;
	start(false);
	come_up();
	deliver(1, 2);
	stop();
	rig.verified = true;
	start(false);
	come_up();
	receipt(ERR_NOTFOUND);
	say(&lost, "dc1", 2);
	assert_int_equal(receipt(ERR_OK).serial, 2);
	/* Nothing was written meanwhile: it waits as before. */
	stop();
	rig.verified = false;
	start(false);
	stop();
	rig.verified = true;
	start(false);
	assert_int_equal(receipt(ERR_OK).generation, 2);
}

static void the_canary_is_seen(void **state)
{
	(void)state;
	deliver(9, 1);
	assert_true(lane().canary);
	assert_int_equal(lane().canary_answered_us, 0);
	say(&right, "dc1", 1);
	assert_int_equal(lane().canary_answered_us, fake_wall_us(NULL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_delivery_waits_for_its_answer),
		TEST(an_answer_of_before_is_void),
		TEST(what_is_lost_is_asked_for_again),
		TEST(zones_of_before_are_taken_in),
		TEST(nobody_asks_for_a_while),
		TEST(the_canary_is_seen),
	};

	log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
