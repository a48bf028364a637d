/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What must never be: an answer before the commit, an old text after a newer one, an attempt charged for a back end that
 * is down, a delete that nobody remembers. Each is planted by ZONEFAN_PLANTED, and then found here.
 */
#include "test_engine_core.h"

static struct store *beside; /* another handle: it sees what is committed */
static bool seen_beside;     /* when the push was answered */

static void look_beside(const struct engine_message *message)
{
	struct store_zone row = { 0 };
	struct err err;

	if (message->kind != ENGINE_REPLY || message->op != ENGINE_PUSH)
		return;
	seen_beside = store_zone_find(beside, "live1.example.", &row, &err) == ERR_OK;
	store_zone_clear(&row);
}

static int set_up(void **state)
{
	struct err err;

	(void)state;
	make_folder();
	start(false);
	come_up();
	assert_int_equal(store_open_reader(rig.path, &beside, &err), ERR_OK);
	rig.telling = look_beside;
	return 0;
}

static int end(void **state)
{
	store_close(beside);
	return tear_down(state);
}

static int64_t give_back(enum backend_verdict verdict)
{
	struct core_job *job = take_job(CORE_JOB_APPLY);

	assert_int_equal(job->zone_count, 1);
	job->zones[0].item->verdict = verdict;
	snprintf(job->zones[0].item->err.text, sizeof(job->zones[0].item->err.text), "as the test wants it");
	return core_turn(rig.core, NULL, 0, &job, 1);
}

static struct core_command *push_serial(unsigned serial)
{
	struct core_command *command = push(1);

	zone_unref(command->zone);
	free(command->request->text);
	command->request->text = xasprintf("@ 60 IN SOA ns1.example. host.example. ( %u 2 3 4 5 )\n@ 60 IN NS ns1.example.\n",
		serial);
	command->request->text_size = strlen(command->request->text);
	assert_int_equal(zone_parse(command->name, command->request->text, command->request->text_size, 0, &command->zone,
		&command->err), ERR_OK);
	return command;
}

static void an_answer_comes_after_the_commit(void **state)
{
	(void)state;
	turn(push(1));
	assert_int_equal(rig.answered, rig.next_id);
	assert_true(seen_beside);
}

static void a_retry_delivers_the_newest_text(void **state)
{
	struct core_job_zone *zone;
	struct core_job *job;
	struct err err;
	uint32_t serial;

	(void)state;
	turn(push_serial(1));
	turn(push_serial(2)); /* while dc1 has the first */
	give_back(BACKEND_RETRY);
	rig.mono_ms += 2 * rig.backoff_ms;
	turn(NULL);
	job = take_job(CORE_JOB_APPLY);
	zone = &job->zones[0];
	source_prepare(zone->source, zone->name, 0);
	serial = zone_serial(source_zone(zone->source, zone->name, 0, &err));
	zone->item->verdict = BACKEND_OK;
	core_turn(rig.core, NULL, 0, &job, 1);
	assert_int_equal(serial, 2);
}

static void a_back_end_that_is_down_charges_no_attempt(void **state)
{
	struct delivery delivery = { 0 };
	struct store_zone row = { 0 };
	struct err err;

	(void)state;
	turn(push(1));
	give_back(BACKEND_DOWN);
	assert_int_equal(store_zone_find(rig.store, "live1.example.", &row, &err), ERR_OK);
	assert_int_equal(store_delivery_load(rig.store, row.id, rig.core->lanes[0]->backend_id, &delivery, &err), ERR_OK);
	assert_int_equal(delivery.state, DELIVERY_DUE);
	assert_int_equal(delivery.attempts, 0);
	delivery_clear(&delivery);
	store_zone_clear(&row);
}

static struct core_command *delete_it(void)
{
	struct core_command *command = order(ENGINE_DELETE, NULL);

	command->request->names = xcalloc(1, sizeof(*command->request->names));
	command->request->names[command->request->name_count++] = xstrdup("live1.example");
	return command;
}

static void a_delete_is_remembered_over_a_restart(void **state)
{
	bool deleted;

	(void)state;
	turn(push(1));
	give_back(BACKEND_OK);
	stop();
	start(false);
	turn(delete_it());
	stop();
	start(false);
	come_up();
	struct core_job *job = take_job(CORE_JOB_APPLY);
	deleted = job->zones[0].deleted;
	job->zones[0].item->verdict = BACKEND_OK;
	core_turn(rig.core, NULL, 0, &job, 1);
	assert_true(deleted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_answer_comes_after_the_commit, set_up, end),
		cmocka_unit_test_setup_teardown(a_retry_delivers_the_newest_text, set_up, end),
		cmocka_unit_test_setup_teardown(a_back_end_that_is_down_charges_no_attempt, set_up, end),
		cmocka_unit_test_setup_teardown(a_delete_is_remembered_over_a_restart, set_up, end),
	};

	log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
