/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The engine's core alone, turn by turn, on a real store, with a clock that
 * stands still unless a test moves it and back ends that keep what they are
 * sent. For tests that are about turns, and must not depend on time.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "backends/memory/memory.h"
#include "base/log.h"
#include "engine/core_internal.h"

enum { BACK_ENDS = 2, JOBS_MOST = 8 };

struct rig {
	char folder[64];
	char path[96];
	int64_t mono_ms;
	int64_t look_ms;                 /* so much passes between two looks at the clock */
	int64_t backoff_ms;
	struct store *store;
	struct core *core;
	struct core_job *jobs[JOBS_MOST]; /* sent, and not given back */
	size_t job_count;
	uint64_t next_id;
	struct engine_message *answer;   /* to the operator */
	uint64_t answered;               /* the newest push that was */
	bool verified;                   /* name servers of dc1 are asked */
	void (*telling)(const struct engine_message *message); /* NULL: nobody else wants to see it */
};

static struct rig rig;

static int64_t fake_mono_ms(void *ctx)
{
	(void)ctx;
	return rig.mono_ms += rig.look_ms;
}

static int64_t fake_wall_us(void *ctx)
{
	(void)ctx;
	return INT64_C(1790000000000000) + rig.mono_ms * 1000;
}

static const struct clock fake_clock = { .mono_ms = fake_mono_ms, .wall_us = fake_wall_us };

static void core_sends(void *ctx, struct core_job *job)
{
	(void)ctx;
	assert_true(rig.job_count < JOBS_MOST);
	rig.jobs[rig.job_count++] = job;
}

static void core_tells(void *ctx, struct engine_message *message)
{
	(void)ctx;
	if (rig.telling != NULL)
		rig.telling(message);
	if (message->kind != ENGINE_REPLY) {
		engine_message_destroy(message);
	} else if (message->op == ENGINE_PUSH) {
		assert_int_equal(message->err.code, ERR_OK);
		rig.answered = message->id;
		engine_message_destroy(message);
	} else {
		assert_null(rig.answer);
		rig.answer = message;
	}
}

/* What the core is told of its back ends: dc1 and dc2. */
static struct engine_backend rig_backends[BACK_ENDS] = { { .name = "dc1", .ops = &memory_ops, .connections = 1 },
	{ .name = "dc2", .ops = &memory_ops, .connections = 1 } };

static struct core_params rig_params(bool dry_run)
{
	return (struct core_params){ .store = rig.store, .clock = &fake_clock, .backends = rig_backends,
		.backend_count = BACK_ENDS, .backoff_ms = &rig.backoff_ms, .backoff_count = 1, .max_attempts = 5,
		.history_versions = 5, .canary = "live9.example", .probe_initial_ms = 1000, .probe_max_ms = 30000, .dry_run = dry_run, .seed = 1,
		.send = core_sends, .tell = core_tells };
}

/* On the store at rig.path. */
static void start(bool dry_run)
{
	struct core_params params;
	struct err err;

	rig_backends[0].verified = rig.verified;
	if (store_open(rig.path, &rig.store, NULL, &err) != ERR_OK)
		fail_msg("%s", err.text);
	params = rig_params(dry_run);
	if (core_create(&params, &rig.core, &err) != ERR_OK)
		fail_msg("%s", err.text);
}

static void stop(void)
{
	for (size_t i = 0; i < rig.job_count; i++)
		core_land(rig.core, rig.jobs[i]);
	rig.job_count = 0;
	core_destroy(rig.core);
	store_close(rig.store);
}

/* A place for a store. */
static void make_folder(void)
{
	rig = (struct rig){ .mono_ms = 1000, .backoff_ms = 1000 };
	snprintf(rig.folder, sizeof(rig.folder), "/tmp/zonefan-core-XXXXXX");
	assert_non_null(mkdtemp(rig.folder));
	snprintf(rig.path, sizeof(rig.path), "%s/store.db", rig.folder);
}

static int tear_down(void **state)
{
	static const char *const tails[] = { "", "-wal", "-shm", ".lock", ".ballast" };
	char path[128];

	(void)state;
	stop();
	engine_message_destroy(rig.answer);
	for (size_t i = 0; i < ARRAY_SIZE(tails); i++) {
		snprintf(path, sizeof(path), "%s%s", rig.path, tails[i]);
		unlink(path);
	}
	return rmdir(rig.folder);
}

static struct core_command *order(enum engine_op op, const char *backend)
{
	struct core_command *command = xcalloc(1, sizeof(*command));

	command->request = engine_request_create(op, ++rig.next_id);
	command->request->backend = xstrdup(backend);
	command->request->actor = xstrdup("control socket");
	return command;
}

static struct core_command *push(unsigned number)
{
	struct core_command *command = order(ENGINE_PUSH, NULL);

	snprintf(command->name, sizeof(command->name), "live%u.example.", number);
	command->request->zone = xstrdup(command->name);
	command->request->text = xstrdup("@ 60 IN SOA ns1.example. host.example. ( 1 2 3 4 5 )\n@ 60 IN NS ns1.example.\n");
	command->request->text_size = strlen(command->request->text);
	assert_int_equal(zone_parse(command->name, command->request->text, command->request->text_size, 0, &command->zone,
		&command->err), ERR_OK);
	return command;
}

/* NULL: none. Returns how long the core would wait. */
static int64_t turn(struct core_command *command)
{
	return core_turn(rig.core, &command, command == NULL ? 0 : 1, NULL, 0);
}

/* The job of that kind that dc1 has, to be given back. */
static struct core_job *take_job(enum core_job_kind kind)
{
	for (size_t i = 0; i < rig.job_count; i++) {
		struct core_job *job = rig.jobs[i];

		if (job->kind != kind || strcmp(job->lane->name, "dc1") != 0)
			continue;
		rig.jobs[i] = rig.jobs[--rig.job_count];
		return job;
	}
	fail_msg("dc1 was not sent such a job");
	return NULL;
}

/* Says that the probe of dc1 was good. */
static int64_t come_up(void)
{
	turn(NULL);
	struct core_job *probe = take_job(CORE_JOB_PROBE);
	probe->verdict = BACKEND_OK;
	return core_turn(rig.core, NULL, 0, &probe, 1);
}
