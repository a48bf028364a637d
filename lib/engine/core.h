/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The engine's judgement, without its threads: what a push, a delete or a
 * lane's answer does to the store, and what is sent to which lane next. The
 * engine thread drives it (engine.c); the simulation drives it with a fake
 * clock and scripted lanes.
 *
 * One owner (the thread that owns the store handle). Blocks on the store only.
 * Rules: architecture.md "The idea in six lines", decisions.md 1-6, 11, 13.
 *
 * What it remembers outside the store is only what may be forgotten: what is
 * in flight, who is under suspicion, lane states. A restart finds the rest.
 */
#pragma once

#include "backends/backend.h"
#include "base/clock.h"
#include "engine/engine.h"
#include "engine/inspect.h"
#include "engine/page.h"
#include "engine/source.h"
#include "sched/batch.h"
#include "sched/delivery.h"
#include "sched/lane.h"
#include "store/store.h"
#include "zone/zone.h"

enum {
	CORE_BATCH_ZONES = BATCH_MOST,   /* most zones of one job (sched/batch.h says how many at a time) */
	CORE_BATCH_BYTES = 1024 * 1024,  /* most zone text of one job, unless one zone has more */
	CORE_BACKENDS_MAX = ENGINE_BACKENDS_MAX,
	CORE_NAME_SIZE = 65,             /* of a back end */
	CORE_CONTESTED_MOST = 64         /* zones that are known as contested at one back end; of more the oldest are forgotten */
};

/* A push or delete on its way in; made by the intake. */
struct core_command {
	struct engine_request *request; /* owned */
	char name[ZONE_NAME_SIZE];      /* PUSH, RETRY: canonical; "" if the name was no name */
	struct zone *zone;              /* PUSH: parsed, one reference; NULL if refused */
	struct err err;                 /* PUSH: why it is refused */
	bool unread;                    /* the intake has not seen it */
};

void core_command_destroy(struct core_command *command);

/* One zone of a job, on its way to a lane and back. */
struct core_job_zone {
	int64_t zone_id;
	char name[ZONE_NAME_SIZE];
	struct source *source;          /* one reference; of a deleted zone it says only whose request that was, or is NULL */
	bool deleted;
	bool suspect;
	struct backend_item *item;      /* of core_job.items; name and zone are set by the lane */
};

enum core_job_kind { CORE_JOB_PROBE, CORE_JOB_APPLY, CORE_JOB_COMPARE, CORE_JOB_INSPECT };

struct core_lane;

struct core_job {
	enum core_job_kind kind;
	struct core_lane *lane;         /* whose it is; the core's */
	void *handle;                   /* engine_backend.handle of its back end */
	unsigned slot;                  /* which of its connections */
	int64_t sent_us;                /* engine time */
	enum backend_verdict verdict;   /* PROBE: the answer */
	struct err err;                 /* PROBE: unless OK */
	struct core_job_zone *zones;
	struct backend_item *items;     /* one for each; the lane may change the order of both */
	size_t zone_count;
	uint64_t bytes;                 /* of zone text */
	struct page *page;              /* COMPARE: for page_look */
	struct inspect *inspect;        /* INSPECT: for inspect_run */
};

void core_job_destroy(struct core_job *job);

/* Something a back end said that is to become an event. */
struct core_notice {
	char *backend;
	char *kind;
	char *zone;                     /* canonical; NULL: none */
	char *text;
};

struct core_notice *core_notice_create(const char *backend, const char *kind, const char *zone, const char *text);
void core_notice_destroy(struct core_notice *notice);

struct core_params {
	struct store *store;
	const struct clock *clock;
	const struct engine_backend *backends;
	size_t backend_count;
	const int64_t *backoff_ms;
	unsigned backoff_count;
	unsigned max_attempts;
	int64_t probe_initial_ms;
	int64_t probe_max_ms;
	bool dry_run;
	bool peers;
	const char *canary;             /* as configured; "" or NULL: none */
	bool healing_enabled;
	int64_t healing_interval_ms;
	enum engine_guard guard_mode;
	unsigned guard_max_shrink_percent;
	unsigned history_versions;
	uint64_t seed;
	unsigned fill_most;             /* zones that get their delivery at a new back end in one step; 0: the usual */
	/* Hands a job to a lane that is idle: never refused, never blocks. The lane gives it back by core_turn. */
	void (*send)(void *ctx, struct core_job *job);
	/* Hands a message to the loop; the receiver owns it. */
	void (*tell)(void *ctx, struct engine_message *message);
	/* Of a back end's handle; NULL: nobody wants to know. Jobs with it may follow: */
	void (*opened)(void *ctx, void *handle);
	/* ... all of them have come back, and there will be none any more. */
	void (*drained)(void *ctx, void *handle);
	void *ctx;
};

struct core;

/* Registers the back ends in the store. Nothing is sent before the first core_turn. Of params nothing is kept but store, clock and ctx. */
MUST_CHECK int core_create(const struct core_params *params, struct core **out, struct err *err);
/*
 * Between turns: from now on all is as params say, but for store, clock, seed and the callbacks. In one transaction with the
 * event "reloaded"; after an error nothing has changed. How back ends come and go is told in core_change.c. ERR_BUSY: what
 * was changed before still drains, or a back end of such a name is being retired.
 */
MUST_CHECK int core_reconfigure(struct core *core, const struct core_params *params, const struct engine_change *change,
	struct err *err);
/* A lane with settings of before has jobs out. */
bool core_is_draining(const struct core *core);
/* Calls each with the handle of such lanes. */
void core_each_draining(const struct core *core, void (*each)(void *ctx, void *handle), void *ctx);
/* All jobs must have come back. */
void core_destroy(struct core *core);

/*
 * Tells the loop a page of the names that are held, and after the last one that these were all; returns whether there are
 * more. Turns may come in between: what is told is as it is then, so that the order of messages is that of changes.
 */
bool core_tell_names(struct core *core);

/*
 * One turn: takes what came in (and owns it then), writes it in one transaction, answers, and sends out what is due.
 * Returns how long there is nothing to do unless something comes in, in milliseconds.
 */
int64_t core_turn(struct core *core, struct core_command **commands, size_t command_count, struct core_job **jobs,
	size_t job_count);
/*
 * For quiet moments, when nobody waits: housekeeping that would hold up pushes. Blocks on the disk. False: it failed, and
 * the next turn must not wait.
 */
bool core_rest(struct core *core);
/* Takes the notice (and owns it); it is written with the next turn. */
void core_notify(struct core *core, struct core_notice *notice);
/* No new jobs from now on. */
void core_quiesce(struct core *core);
/* The number of the newest receipt that is committed. */
int64_t core_written(const struct core *core);
size_t core_jobs_out(const struct core *core);
/* The disk is not to be trusted (ERR_IO): nothing is acknowledged any more. */
bool core_is_broken(const struct core *core);

/* What people see of the lanes and counters, copied. */
struct core_board_lane {
	char name[CORE_NAME_SIZE];
	const char *type;
	const char *state;
	int64_t since_us;
	int64_t next_probe_us;          /* wall clock; 0: none */
	int64_t backend_id;
	size_t inflight_count;
	char last_error[ERR_TEXT_SIZE]; /* of the lane as a whole, "" while it is well */
	char trouble[ERR_TEXT_SIZE];    /* why something waits although the lane is up; may be stale once nothing does */
	struct engine_heal heal;
	int64_t next_heal_us;           /* wall clock; 0: none */
	int64_t contested[CORE_CONTESTED_MOST]; /* zone ids */
	size_t contested_count;
	struct engine_tally tally;
	bool verified;
	bool canary;                    /* it is looked for there */
	int64_t canary_answered_us;     /* wall clock; 0: not yet */
};

struct core_counters {
	uint64_t pushes;
	uint64_t deletes;
	uint64_t refused;
	uint64_t guarded;
	uint64_t superseded;
	uint64_t deliveries;
	uint64_t delivery_failures;
	int64_t started_at_us;
};

struct core_board {
	int64_t engine_offset_us;       /* engine time less monotonic time */
	bool dry_run;
	bool store_ok;
	char store_error[ERR_TEXT_SIZE];
	struct core_counters counters;
	size_t lane_count;
	struct core_board_lane lanes[CORE_BACKENDS_MAX];
};

void core_show(const struct core *core, struct core_board *out);
