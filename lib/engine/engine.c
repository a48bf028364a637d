/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "engine/engine.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/thread.h"
#include "engine/engine_internal.h"
#include "engine/message.h"

enum {
	TURN_COMMANDS = 256,
	TURN_JOBS = 64,
	QUERIES_MOST = 256,
	NOTICES_MOST = 1024,
	MESSAGES_SPARE = 65536,
	LANES_MOST = 2 * CORE_BACKENDS_MAX * 64, /* while all back ends change, each with 64 connections */
	LONE_TEXT = 65536, /* bytes: about a millisecond of parsing */
	MESSAGES_AHEAD = 8 /* while names are told: so many wait at most before the next page */
};

/* ---- the engine thread ---- */

void engine_show_board(struct engine *engine)
{
	CHECK(pthread_mutex_lock(&engine->board.lock) == 0);
	core_show(engine->core, &engine->board.content);
	pthread_mutex_unlock(&engine->board.lock);
}

void engine_tell(struct engine *engine, struct engine_message *message)
{
	if (message->mailbox != NULL) {
		ask_deliver(message);
		return;
	}
	/* What is under way is bounded, so is what is told: this queue can't be full. */
	CHECK(queue_push(engine->messages, message) == ERR_OK);
}

static void core_tells(void *ctx, struct engine_message *message)
{
	engine_tell(ctx, message);
}

static void core_sends(void *ctx UNUSED, struct core_job *job)
{
	struct engine_group *group = job->handle;

	CHECK(job->slot < group->count && queue_push(group->lanes[job->slot].jobs, job) == ERR_OK);
}

static void cancel_lanes(struct engine *engine)
{
	struct engine_group *group;

	if (engine->cancelled)
		return;
	engine->cancelled = true;
	log_warn("deliveries in flight are cut short; they are repeated at the next start",
		LOG_UINT("jobs", core_jobs_out(engine->core)));
	LIST_FOREACH(group, &engine->groups, link)
		lanes_cancel(group);
}

/* One turn; returns how long to wait for the next. */
static int64_t turn(struct engine *engine, int64_t wait_ms, bool *idle)
{
	void *commands[TURN_COMMANDS];
	void *jobs[TURN_JOBS];
	void *notice;
	size_t bytes = 0;
	pulse_beat(&engine->engine_pulse);
	atomic_store(&engine->idle, true);
	size_t command_count =
		queue_take(engine->commands, commands, TURN_COMMANDS, wait_ms < PULSE_MS ? wait_ms : PULSE_MS);
	atomic_store(&engine->idle, false);
	pulse_beat(&engine->engine_pulse); /* the wait may have been long, and the turn may be */
	size_t job_count = queue_take(engine->done, jobs, TURN_JOBS, 0);

	for (size_t i = 0; i < command_count; i++) {
		struct core_command *command = commands[i];

		bytes += command->request->text_size;
		if (command->unread)
			intake_read(engine, command);
	}
	while (queue_take(engine->notices, &notice, 1, 0) == 1)
		core_notify(engine->core, notice);
	wait_ms = core_turn(engine->core, (struct core_command **)commands, command_count, (struct core_job **)jobs,
		job_count);
	if (atomic_exchange(&engine->written, core_written(engine->core)) != core_written(engine->core))
		engine_wake_room(engine, ENGINE_ROOM_VERIFY);
	atomic_fetch_sub(&engine->under_way, command_count);
	atomic_fetch_sub(&engine->bytes_under_way, bytes);
	engine_show_board(engine);
	if (atomic_load(&engine->in_intake) == 0 && queue_size(engine->commands) == 0 && !core_rest(engine->core))
		wait_ms = 0;
	*idle = command_count == 0 && job_count == 0;
	/* There may be more than one turn takes; nobody wakes us for those again. */
	return job_count == TURN_JOBS ? 0 : wait_ms;
}

/*
 * At start: a page of names after each turn, as fast as the loop takes them, which wakes us. Returns how long to wait for
 * the next turn.
 */
static int64_t tell_names(struct engine *engine, int64_t wait_ms)
{
	if (!atomic_load(&engine->telling_names) || queue_size(engine->messages) >= MESSAGES_AHEAD)
		return wait_ms;
	atomic_store(&engine->telling_names, core_tell_names(engine->core));
	return 0;
}

static void *engine_run(void *arg)
{
	struct engine *engine = arg;
	int64_t wait_ms = 0;
	bool idle = false;

	for (;;) {
		bool stopping = atomic_load(&engine->stopping);

		if (stopping) {
			int64_t left_ms = engine->stop_deadline_ms - clock_mono_ms(engine->params.clock);

			core_quiesce(engine->core);
			if (idle && core_jobs_out(engine->core) == 0 && atomic_load(&engine->under_way) == 0)
				break;
			if (left_ms <= 0)
				cancel_lanes(engine);
			wait_ms = left_ms > 100 || left_ms <= 0 ? 100 : left_ms;
		}
		wait_ms = change_go_on(engine, wait_ms);
		wait_ms = turn(engine, wait_ms, &idle);
		if (!stopping)
			wait_ms = tell_names(engine, wait_ms);
	}
	change_close(engine);
	core_destroy(engine->core);
	return NULL;
}

/* ---- start and stop ---- */

static void copy_params(struct engine *engine, const struct engine_params *params)
{
	engine->params = *params;
	engine->params.store_path = xstrdup(params->store_path);
	engine->params.backends = NULL;
	engine->params.backend_count = 0;
	engine->params.backoff_ms = NULL;
	engine->params.canary = NULL;
	if (engine->params.clock == NULL)
		engine->params.clock = clock_system();
	atomic_store(&engine->max_zone_records, params->max_zone_records);
	atomic_store(&engine->queue_bytes, params->queue_bytes);
}

static void make_queues(struct engine *engine)
{
	size_t most = engine->params.queue_capacity;

	/* Threads that ask look at the count and add to it in two steps: each can be one too many. */
	engine->requests = queue_create(most + ENGINE_ASKERS, false);
	engine->commands = queue_create(most + ENGINE_ASKERS, false);
	engine->done = queue_create(LANES_MOST, false);
	engine->queries = queue_create(QUERIES_MOST, false);
	engine->notices = queue_create(NOTICES_MOST, false);
	engine->messages = queue_create(4 * most + QUERIES_MOST + MESSAGES_SPARE, true);
	CHECK(pthread_mutex_init(&engine->board.lock, NULL) == 0);
	CHECK(pthread_mutex_init(&engine->backup.lock, NULL) == 0);
	change_init(engine);
	ask_make_rooms(engine);
}

struct core_params change_core_params(struct engine *engine, const struct engine_params *params)
{
	return (struct core_params){
		.store = engine->store,
		.clock = engine->params.clock,
		.backends = params->backends,
		.backend_count = params->backend_count,
		.backoff_ms = params->backoff_ms,
		.backoff_count = params->backoff_count,
		.max_attempts = params->max_attempts,
		.probe_initial_ms = params->probe_initial_ms,
		.probe_max_ms = params->probe_max_ms,
		.dry_run = params->dry_run,
		.peers = params->peers,
		.canary = params->canary,
		.healing_enabled = params->healing_enabled,
		.healing_interval_ms = params->healing_interval_ms,
		.guard_mode = params->guard_mode,
		.guard_max_shrink_percent = params->guard_max_shrink_percent,
		.history_versions = params->history_versions,
		.seed = params->seed,
		.send = core_sends,
		.tell = core_tells,
		.opened = change_opened,
		.drained = change_drained,
		.ctx = engine,
	};
}

/* The core takes all the lanes that were made, and they start. */
static int make_core(struct engine *engine, const struct engine_params *params, struct err *err)
{
	struct engine_params own = *params;
	struct engine_backend *backends;
	int ret = change_make(engine, params, &backends, &engine->groups, err);

	own.backends = backends;
	if (ret == ERR_OK) {
		struct core_params core_params = change_core_params(engine, &own);

		ret = core_create(&core_params, &engine->core, err);
	}
	if (ret == ERR_OK)
		engine_show_board(engine);
	free(backends);
	if (ret == ERR_OK)
		atomic_store(&engine->written, core_written(engine->core));
	return ret;
}

static void start_threads(struct engine *engine)
{
	engine->reader_thread = thread_start("reader", reader_run, engine);
	if (engine->checker != NULL)
		engine->checker_thread = thread_start("check", reader_check, engine);
	engine->engine_thread = thread_start("engine", engine_run, engine);
	engine->intake_thread = thread_start("intake", intake_run, engine);
}

/* The reader first: only the last handle to close takes the WAL into the file. */
static void close_store(struct engine *engine)
{
	store_close(engine->checker);
	store_close(engine->reader);
	store_close(engine->store);
	engine->checker = NULL;
	engine->reader = NULL;
	engine->store = NULL;
}

static void undo_start(struct engine *engine)
{
	core_destroy(engine->core);
	close_store(engine);
	engine_destroy(engine);
}

/*
 * Opens both handles. Where the configuration names the predecessor's own database, as its default does, that file is
 * left alone and ours is made beside it.
 */
static int open_store(struct engine *engine, struct err *err)
{
	const char *path = engine->params.store_path;
	bool missing = access(path, F_OK) != 0;
	int ret = store_open(path, &engine->store, &engine->unclean, err);

	if (ret == ERR_OK && missing)
		log_warn("a new store was made: it holds no zone until one is pushed", LOG_STR("store", path));
	if (ret == ERR_FOREIGN) {
		char *beside = engine_store_beside(path);

		log_warn("the configured store is left alone, ours is beside it", LOG_ERR(err), LOG_STR("store", beside));
		free((void *)(uintptr_t)path);
		engine->params.store_path = beside;
		ret = store_open(beside, &engine->store, &engine->unclean, err);
	}
	if (ret == ERR_OK)
		ret = store_open_reader(engine->params.store_path, &engine->reader, err);
	if (ret == ERR_OK && engine->unclean)
		ret = store_open_reader(engine->params.store_path, &engine->checker, err);
	return ret;
}

int engine_start(const struct engine_params *params, struct engine **out, struct err *err)
{
	struct engine *engine = xcalloc(1, sizeof(*engine));

	copy_params(engine, params);
	hash_random(&engine->boot, sizeof(engine->boot));
	make_queues(engine);
	int ret = open_store(engine, err);
	if (ret == ERR_OK) {
		memcpy(engine->store_id, store_id(engine->store), sizeof(engine->store_id));
		ret = make_core(engine, params, err);
	}
	if (ret != ERR_OK) {
		undo_start(engine);
		return ret;
	}
	atomic_store(&engine->telling_names, true);
	start_threads(engine);
	*out = engine;
	return ERR_OK;
}

void engine_stop(struct engine *engine, int64_t deadline_ms)
{
	engine->stop_deadline_ms = clock_mono_ms(engine->params.clock) + deadline_ms;
	queue_close(engine->requests);
	thread_join(engine->intake_thread);
	atomic_store(&engine->stopping, true);
	queue_wake(engine->commands);
	thread_join(engine->engine_thread);
	change_end_lanes(engine);
	queue_close(engine->queries);
	thread_join(engine->reader_thread);
	backup_stop(engine);
	if (engine->checker != NULL) {
		store_interrupt(engine->checker);
		thread_join(engine->checker_thread);
	}
	close_store(engine);
}

void engine_destroy(struct engine *engine)
{
	struct engine_message *message;

	while (engine_take(engine, &message, 1) == 1)
		engine_message_destroy(message);
	change_free(engine);
	void *notice;
	while (queue_take(engine->notices, &notice, 1, 0) == 1)
		core_notice_destroy(notice);
	queue_destroy(engine->notices);
	queue_destroy(engine->requests);
	queue_destroy(engine->commands);
	queue_destroy(engine->done);
	queue_destroy(engine->queries);
	queue_destroy(engine->messages);
	ask_destroy_rooms(engine);
	pthread_mutex_destroy(&engine->board.lock);
	pthread_mutex_destroy(&engine->backup.lock);
	doc_destroy(engine->board.shown);
	free((void *)(uintptr_t)engine->params.store_path);
	free(engine);
}

/* ---- what the loop calls ---- */

/*
 * To the intake; or, if there is nothing else to do for the engine thread, straight to that. Only the loop goes straight,
 * so what of it the intake has passed on stands before this one.
 */
static int pass_command(struct engine *engine, struct engine_request *request, bool direct)
{
	struct core_command *command = xcalloc(1, sizeof(*command));

	direct = direct && request->text_size <= LONE_TEXT && atomic_load(&engine->in_intake) == 0 &&
		atomic_exchange(&engine->idle, false);
	command->request = request;
	command->unread = true;
	atomic_fetch_add(&engine->in_intake, direct ? 0 : 1);
	int ret = queue_push(direct ? engine->commands : engine->requests, command);
	if (ret != ERR_OK) {
		atomic_fetch_sub(&engine->in_intake, direct ? 0 : 1);
		free(command);
	}
	return ret;
}

int engine_pass_on(struct engine *engine, struct engine_request *request, bool direct)
{
	size_t bytes = request->text_size;

	if (request->push_id == NULL)
		request->push_id = xasprintf("%08x-%llu", engine->boot,
			(unsigned long long)atomic_fetch_add(&engine->submitted, 1) + 1);
	log_debug("received", LOG_STR("zone", request->zone), LOG_STR("actor", request->actor),
		LOG_STR("source", request->source), LOG_STR("push", request->push_id));
	size_t waiting = atomic_load(&engine->bytes_under_way);
	if (waiting > 0 && waiting + bytes > atomic_load(&engine->queue_bytes))
		return ERR_BUSY;
	if (atomic_load(&engine->under_way) >= engine->params.queue_capacity)
		return ERR_BUSY;
	atomic_fetch_add(&engine->under_way, 1);
	atomic_fetch_add(&engine->bytes_under_way, bytes);
	int ret = pass_command(engine, request, direct);
	if (ret != ERR_OK) {
		atomic_fetch_sub(&engine->under_way, 1);
		atomic_fetch_sub(&engine->bytes_under_way, bytes);
	}
	return ret;
}

int engine_submit(struct engine *engine, struct engine_request *request)
{
	if (request->op == ENGINE_BACKUP)
		return backup_begin(engine, request);
	if (ask_is_order(request->op))
		return ask_pass_order(engine, request);
	if (ask_is_query(request->op))
		return queue_push(engine->queries, request);
	return engine_pass_on(engine, request, true);
}

int engine_fd(const struct engine *engine)
{
	return queue_fd(engine->messages);
}

size_t engine_take(struct engine *engine, struct engine_message **out, size_t most)
{
	size_t count = queue_take(engine->messages, (void **)out, most, 0);

	if (count > 0 && atomic_load(&engine->telling_names))
		queue_wake(engine->commands);
	return count;
}

const char *engine_stalled(struct engine *engine)
{
	bool turns = pulse_look(&engine->engine_pulse);
	bool reads = pulse_look(&engine->intake_pulse);

	return !turns ? "engine" : !reads ? "intake" : NULL;
}
