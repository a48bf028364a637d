/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Other settings while the core runs, turn by turn: back ends that change, go
 * and come, with deliveries of theirs under way.
 */
#include "test_engine_core.h"

static int second, third; /* handles of lanes; those of the first are NULL */
static void *opened[8], *drained[8];
static size_t opened_count, drained_count;

static void note_opened(void *ctx UNUSED, void *handle)
{
	opened[opened_count++] = handle;
}

static void note_drained(void *ctx UNUSED, void *handle)
{
	drained[drained_count++] = handle;
}

static int set_up(void **state)
{
	(void)state;
	make_folder();
	start(false);
	come_up();
	opened_count = drained_count = 0;
	rig.core->params.opened = note_opened;
	rig.core->params.drained = note_drained;
	return 0;
}

/* dc1 and dc2 with those versions; 0: it is not configured. */
static int reconfigure(uint64_t dc1, uint64_t dc2, bool dry_run, struct err *err)
{
	static const struct engine_change change = { .actor = "admin", .source = "192.0.2.9", .detail = "something: 1 -> 2" };
	const uint64_t versions[BACK_ENDS] = { dc1 - 1, dc2 - 1 };
	struct core_params params = rig_params(dry_run);
	struct engine_backend backends[BACK_ENDS];

	params.backends = backends;
	params.backend_count = 0;
	for (size_t i = 0; i < BACK_ENDS; i++) {
		if (versions[i] == UINT64_MAX)
			continue;
		backends[params.backend_count] = rig_backends[i];
		backends[params.backend_count].version = versions[i];
		backends[params.backend_count++].handle = i == 0 ? (versions[0] == 2 ? &third : &second) : NULL;
	}
	return core_reconfigure(rig.core, &params, &change, err);
}

static void change(uint64_t dc1, uint64_t dc2)
{
	struct err err;

	if (reconfigure(dc1, dc2, false, &err) != ERR_OK)
		fail_msg("%s", err.text);
}

static size_t jobs_of(const char *backend, enum core_job_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < rig.job_count; i++)
		count += rig.jobs[i]->kind == kind && strcmp(rig.jobs[i]->lane->name, backend) == 0;
	return count;
}

static void give_back(struct core_job *job, enum backend_verdict verdict)
{
	for (size_t i = 0; i < job->zone_count; i++)
		job->items[i].verdict = verdict;
	core_turn(rig.core, NULL, 0, &job, 1);
}

static void answer_probe(void)
{
	struct core_job *probe = take_job(CORE_JOB_PROBE);

	probe->verdict = BACKEND_OK;
	core_turn(rig.core, NULL, 0, &probe, 1);
}

/* The delivery of live1.example at that back end. */
static struct delivery delivery_at(int64_t backend_id)
{
	struct store_zone row = { 0 };
	struct delivery delivery = { 0 };
	struct err err;

	assert_int_equal(store_zone_find(rig.store, "live1.example.", &row, &err), ERR_OK);
	assert_int_equal(store_delivery_load(rig.store, row.id, backend_id, &delivery, &err), ERR_OK);
	store_zone_clear(&row);
	free(delivery.last_error);
	delivery.last_error = NULL;
	return delivery;
}

struct search {
	const char *kind;
	size_t count;
};

static bool count_event(void *ctx, const struct store_event *event)
{
	struct search *search = ctx;

	search->count += strcmp(event->kind, search->kind) == 0;
	return true;
}

static size_t events_of(const char *kind, const char *backend)
{
	struct search search = { .kind = kind };
	struct err err;

	assert_int_equal(store_event_list(rig.store, INT64_MAX, SIZE_MAX, NULL, backend, count_event, &search, &err), ERR_OK);
	return search.count;
}

static void what_is_out_comes_back_before_the_new_settings_are_used(void **state)
{
	(void)state;
	turn(push(1));
	struct core_job *job = take_job(CORE_JOB_APPLY);
	change(2, 1);
	assert_true(core_is_draining(rig.core));
	assert_int_equal(opened_count, 1);
	turn(push(2));
	turn(push(1));
	rig.mono_ms += 60000;
	turn(NULL);
	assert_int_equal(jobs_of("dc1", CORE_JOB_APPLY) + jobs_of("dc1", CORE_JOB_PROBE), 0);
	assert_int_equal(drained_count, 0);
	give_back(job, BACKEND_OK);
	assert_false(core_is_draining(rig.core));
	assert_int_equal(drained_count, 1);
	/* It was recorded; the equal push wants it looked at. */
	struct delivery delivery = delivery_at(rig.core->lanes[0]->backend_id);
	assert_int_equal(delivery.applied, 1);
	assert_int_equal(delivery.state, DELIVERY_DUE);
	assert_true(delivery.check);
	answer_probe();
	job = take_job(CORE_JOB_APPLY);
	assert_ptr_equal(job->handle, &second);
	give_back(job, BACKEND_OK);
	job = take_job(CORE_JOB_APPLY);
	give_back(job, BACKEND_OK);
	assert_int_equal(delivery_at(rig.core->lanes[0]->backend_id).state, DELIVERY_CLEAN);
	assert_int_equal(jobs_of("dc1", CORE_JOB_APPLY), 0);
}

static void what_is_cut_short_burns_no_attempt_and_is_repeated(void **state)
{
	(void)state;
	turn(push(1));
	struct core_job *job = take_job(CORE_JOB_APPLY);
	change(2, 1);
	for (size_t i = 0; i < job->zone_count; i++)
		job->items[i].lost = true;
	give_back(job, BACKEND_DOWN);
	struct delivery delivery = delivery_at(rig.core->lanes[0]->backend_id);
	assert_int_equal(delivery.attempts, 0);
	assert_false(delivery.suspect);
	assert_int_equal(delivery.state, DELIVERY_DUE);
	answer_probe();
	job = take_job(CORE_JOB_APPLY);
	assert_int_equal(job->zone_count, 1);
	assert_int_equal(job->items[0].generation, 1);
	give_back(job, BACKEND_OK);
}

static void nothing_out_means_nothing_to_wait_for(void **state)
{
	(void)state;
	change(2, 1);
	assert_false(core_is_draining(rig.core));
	assert_int_equal(drained_count, 1);
	assert_null(drained[0]);
	change(3, 1);
	assert_int_equal(drained_count, 2);
	assert_ptr_equal(drained[1], &second);
	assert_int_equal(opened_count, 2);
	assert_ptr_equal(opened[1], &third);
	assert_int_equal(events_of("reloaded", NULL), 2);
	/* The same once more is an event, and changes no lane. */
	change(3, 1);
	assert_int_equal(opened_count, 2);
	assert_int_equal(events_of("reloaded", NULL), 3);
}

static void one_change_waits_for_the_one_before(void **state)
{
	struct err err;

	(void)state;
	turn(push(1));
	struct core_job *job = take_job(CORE_JOB_APPLY);
	change(2, 1);
	assert_int_equal(reconfigure(3, 1, false, &err), ERR_BUSY);
	assert_int_equal(events_of("reloaded", NULL), 1);
	give_back(job, BACKEND_OK);
	change(3, 1);
}

static void one_that_is_gone_keeps_its_deliveries_and_may_come_back(void **state)
{
	(void)state;
	int64_t dc1 = rig.core->lanes[0]->backend_id;
	turn(push(1));
	struct core_job *job = take_job(CORE_JOB_APPLY);
	change(0, 1);
	assert_int_equal(rig.core->lane_count, 2);
	give_back(job, BACKEND_RETRY);
	assert_int_equal(rig.core->lane_count, 1);
	assert_string_equal(rig.core->lanes[0]->name, "dc2");
	assert_int_equal(delivery_at(dc1).state, DELIVERY_WAIT);
	assert_int_equal(delivery_at(dc1).attempts, 1);
	turn(push(2));
	assert_int_equal(jobs_of("dc1", CORE_JOB_APPLY), 0);
	change(2, 1);
	assert_int_equal(rig.core->lane_count, 2);
	assert_string_equal(rig.core->lanes[0]->name, "dc1");
	assert_int_equal(rig.core->lanes[0]->backend_id, dc1);
	turn(NULL);
	answer_probe();
	job = take_job(CORE_JOB_APPLY);
	assert_string_equal(job->zones[0].name, "live2.example.");
	give_back(job, BACKEND_OK);
	rig.mono_ms += 60000;
	turn(NULL);
	job = take_job(CORE_JOB_APPLY);
	assert_string_equal(job->zones[0].name, "live1.example.");
	give_back(job, BACKEND_OK);
}

/* Registered in steps, while pushes come in. */
static void a_new_one_is_brought_everything(void **state)
{
	enum { ZONES = 7 };
	uint64_t got = 0;

	(void)state;
	change(0, 1);
	for (unsigned i = 1; i <= ZONES; i++)
		turn(push(i));
	rig.core->params.fill_most = 2;
	change(2, 1);
	assert_true(rig.core->lanes[0]->fill_after != INT64_MAX);
	turn(push(ZONES + 1));
	answer_probe();
	while (got < ZONES + 1) {
		struct core_job *job = take_job(CORE_JOB_APPLY);

		got += job->zone_count;
		give_back(job, BACKEND_OK);
	}
	turn(NULL);
	assert_int_equal(rig.core->lanes[0]->fill_after, INT64_MAX);
	assert_int_equal(jobs_of("dc1", CORE_JOB_APPLY), 0);
	assert_int_equal(delivery_at(rig.core->lanes[0]->backend_id).state, DELIVERY_CLEAN);
}

static enum lane_state state_of(size_t lane)
{
	return rig.core->lanes[lane]->health.state;
}

static void a_pause_outlives_other_settings_and_a_dry_run(void **state)
{
	struct err err;

	(void)state;
	turn(order(ENGINE_PAUSE, "dc1"));
	change(2, 1);
	assert_int_equal(state_of(0), LANE_PAUSED);
	assert_int_equal(reconfigure(2, 1, true, &err), ERR_OK);
	assert_int_equal(state_of(0), LANE_PAUSED);
	assert_int_equal(state_of(1), LANE_PROBING); /* it waits for that */
	struct core_job *probe = rig.jobs[0];
	assert_int_equal(probe->kind, CORE_JOB_PROBE);
	rig.job_count = 0;
	core_turn(rig.core, NULL, 0, &probe, 1);
	assert_int_equal(state_of(1), LANE_PAUSED);
	assert_int_equal(reconfigure(2, 1, false, &err), ERR_OK);
	assert_int_equal(state_of(0), LANE_PAUSED);
	assert_int_equal(state_of(1), LANE_DOWN);
	engine_message_destroy(rig.answer);
	rig.answer = NULL;
}

/* All that is out comes back, so that nothing drains. */
static void turn_in_all(void)
{
	while (core_is_draining(rig.core)) {
		struct core_job *job = rig.jobs[--rig.job_count];

		job->verdict = BACKEND_OK;
		give_back(job, BACKEND_OK);
	}
}

static void a_new_one_is_sent_to_when_a_dry_run_ends_with_the_same_change(void **state)
{
	struct err err;

	(void)state;
	change(1, 0);
	turn_in_all();
	assert_int_equal(reconfigure(1, 0, true, &err), ERR_OK);
	turn_in_all();
	assert_int_equal(reconfigure(1, 1, false, &err), ERR_OK);
	assert_int_equal(state_of(1), LANE_DOWN); /* a probe is next */
	change(1, 0);
	turn_in_all();
	assert_int_equal(reconfigure(1, 1, true, &err), ERR_OK);
	assert_int_equal(state_of(1), LANE_PAUSED);
}

static void being_down_is_told_once(void **state)
{
	(void)state;
	change(2, 1);
	turn(NULL);
	for (uint64_t version = 3; version < 6; version++) {
		struct core_job *probe = take_job(CORE_JOB_PROBE);

		probe->verdict = BACKEND_DOWN;
		err_set(&probe->err, ERR_IO, "no route");
		core_turn(rig.core, NULL, 0, &probe, 1);
		assert_int_equal(events_of("lane_down", "dc1"), 1);
		change(version, 1);
		assert_string_equal(rig.core->lanes[0]->health.last_error, "no route");
		turn(NULL);
	}
	answer_probe();
	assert_int_equal(events_of("lane_up", "dc1"), 2);
}

static void what_waits_for_a_plan_is_sent_away(void **state)
{
	(void)state;
	turn(push(1));
	struct core_job *job = take_job(CORE_JOB_APPLY);
	turn(order(ENGINE_PLAN, "dc1"));
	change(2, 1);
	assert_null(rig.answer);
	give_back(job, BACKEND_OK);
	assert_non_null(rig.answer);
	assert_string_equal(doc_get(rig.answer->doc, "error")->value.text, "its settings have just changed: ask again");
}

static void a_healing_pass_ends(void **state)
{
	(void)state;
	turn(order(ENGINE_HEAL, "dc1"));
	int64_t pass = rig.answer->pass;
	struct core_job *job = take_job(CORE_JOB_COMPARE);
	change(2, 1);
	core_turn(rig.core, NULL, 0, &job, 1);
	assert_int_equal(rig.core->lanes[0]->healing.shown.pass, pass);
	assert_string_equal(rig.core->lanes[0]->healing.shown.state, "stopped");
}

static void settings_of_all_lanes_are_in_force_at_once(void **state)
{
	(void)state;
	rig.backoff_ms = 5000;
	change(1, 1);
	rig.backoff_ms = 1;
	turn(push(1));
	give_back(take_job(CORE_JOB_APPLY), BACKEND_RETRY);
	int64_t wait_us = delivery_at(rig.core->lanes[0]->backend_id).next_try_us - core_now_us(rig.core);
	assert_in_range(wait_us, 4000000, 6000000);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(what_is_out_comes_back_before_the_new_settings_are_used),
		CASE(what_is_cut_short_burns_no_attempt_and_is_repeated),
		CASE(nothing_out_means_nothing_to_wait_for),
		CASE(one_change_waits_for_the_one_before),
		CASE(one_that_is_gone_keeps_its_deliveries_and_may_come_back),
		CASE(a_new_one_is_brought_everything),
		CASE(a_pause_outlives_other_settings_and_a_dry_run),
		CASE(a_new_one_is_sent_to_when_a_dry_run_ends_with_the_same_change),
		CASE(being_down_is_told_once),
		CASE(what_waits_for_a_plan_is_sent_away),
		CASE(a_healing_pass_ends),
		CASE(settings_of_all_lanes_are_in_force_at_once),
	};

	log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
