/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The world of one simulated schedule: the real core on a real store, a fake clock, a disk in memory, targets in memory
 * whose faults follow the seed, masters, and a model of what was acknowledged. One thread; every choice comes from the
 * seed. README.md explains it; each section below is a file.
 */
#pragma once

#include "backends/memory/memory.h"
#include "base/rng.h"
#include "engine/core.h"
#include "sync/mirror.h"

enum { WORLD_TARGETS = 3, WORLD_ZONES = 12, WORLD_JOBS = 16, WORLD_VERSIONS = 4, WORLD_MASTERS = 2, WORLD_LATE = 8, WORLD_LANES = 3 * WORLD_TARGETS,
	WORLD_TOGETHER = 3 /* pushes of one turn */ };

/* How one target behaves at the moment. */
struct world_target {
	struct memory_target *target;
	struct memory_settings settings;
	struct world *world;
	bool configured;
	bool down;
	bool paused;            /* by the operator; remembered while it is not configured */
	size_t jobs_out;        /* with it after the last step, while it is paused */
	int64_t slow_until_ms;  /* nothing comes back before */
	unsigned trouble;       /* percent of zone writes that meet a random fault */
	int poison;             /* this zone always fails; -1: none */
	bool poison_is_down;    /* it is answered DOWN, instead of losing the connection */
	bool meddled[WORLD_ZONES]; /* it may hold something else than the store believes */
	int64_t last_pass;
	int64_t repaired_ms[WORLD_ZONES][3]; /* by passes by themselves since the last start, the newest first */
};

/* What the client side knows of one zone. */
struct world_zone {
	char name[ZONE_NAME_SIZE];
	bool known;             /* a push of it was acknowledged once */
	bool deleted;
	struct zone_digest digest;
	bool frozen;            /* by the operator */
	bool dropped;           /* dead letters of it were, so it may be parked */
	unsigned version;       /* how many texts it had */
	unsigned contents[WORLD_VERSIONS]; /* of version v at v % WORLD_VERSIONS */
	unsigned content;       /* of the newest acknowledged push */
	const char *owner;      /* one of world_masters */
};

/* What stands behind the lanes of one target with the same settings: the handle of their jobs. */
struct world_lane {
	unsigned target;
	struct backend *backend;   /* NULL: it is not in use */
	bool opened;               /* the core has taken it */
};

extern const char *const world_masters[WORLD_MASTERS];

/* A zone as a master hosts it, whatever it told. */
struct world_hosted {
	bool there;
	unsigned content;
};

/* A zone as a pass over the masters sees it. */
struct world_looked {
	struct engine_seen seen;
	bool live;
	int owner;              /* as mirror.h has it, as are the next two */
	int claimant;
	bool listed[WORLD_MASTERS];
	enum mirror_verdict verdict;
};

struct world_pass {
	int stage;              /* 0: none is under way */
	bool failed;
	bool known[WORLD_MASTERS];
	int owned[WORLD_MASTERS];
	struct world_looked zones[WORLD_ZONES];
};

/* A write that outlived the process that sent it. */
struct world_late {
	unsigned target;
	char name[ZONE_NAME_SIZE];
	struct zone *zone;      /* NULL: a delete */
	struct backend_item item;
};

struct world {
	struct rng rng;         /* of this step */
	uint64_t seed;
	int64_t mono_ms;
	int64_t skew_us;        /* of the wall clock; changes at restarts */
	struct clock clock;
	char path[128];
	struct store *store;
	struct core *core;
	struct engine_backend backends[WORLD_TARGETS];
	struct world_lane lanes[WORLD_LANES];
	struct world_target targets[WORLD_TARGETS];
	struct world_zone zones[WORLD_ZONES];
	struct core_job *jobs[WORLD_JOBS]; /* with the lanes */
	bool worked[WORLD_JOBS];           /* that one is done, and its answer on the way */
	size_t job_count;
	struct world_late late[WORLD_LATE];
	size_t late_count;
	struct world_hosted hosted[WORLD_MASTERS][WORLD_ZONES];
	struct world_pass over_masters;
	unsigned lists[WORLD_MASTERS];     /* complete ones since the start */
	unsigned missing[WORLD_ZONES];     /* in so many lists of its owner in a row, at least */
	uint64_t may_delete[WORLD_MASTERS]; /* zones of it, unasked, since it was judged last */
	bool judged;            /* something may be deleted */
	int64_t last_orphan;    /* the newest event by then */
	int64_t wait_ms;        /* as core_turn said */
	uint64_t next_id;
	struct world_reply {
		bool came;
		enum err_code code;
	} replies[8];           /* of the last ids */
	bool store_ok;          /* as the core says */
	bool fatal;             /* it wants to be started anew */
	bool disk_full;
	int64_t disk_trouble_ms; /* it failed last, or was full */
	uint64_t seen_writes;   /* of the disk, when the store was checked last */
	uint64_t seen_id;       /* and the last request by then */
	int64_t last_event;
	int64_t pass;           /* of the newest healing that was begun */
	bool healing;           /* passes begin by themselves */
	int64_t reloaded_us;    /* other settings were put in force last; engine time */
	bool calm;              /* no faults any more */
	struct world_tally {
		uint64_t steps;
		uint64_t faults;
		uint64_t restarts;
		uint64_t power_cuts;
		uint64_t disk_faults;
		uint64_t refused;   /* by a store that could not be written */
		uint64_t unsure;    /* nobody knows whether it was stored until the next start */
		uint64_t takeovers;
		uint64_t late;      /* writes of a process that was gone */
		uint64_t orphans;   /* deleted */
		uint64_t pulls;     /* texts that were fetched and stored */
		uint64_t drifts;    /* found by passes */
		uint64_t passes;    /* that began by themselves */
		uint64_t contests;
		uint64_t reloads;   /* changes of settings while it ran */
	} tally;
};

/* ---- world.c: life ---- */

void world_create(struct world *world, uint64_t seed, struct rng rng);
void world_destroy(struct world *world);
bool world_chance(struct world *world, unsigned percent);
int64_t world_pick(struct world *world, int64_t low, int64_t high);
size_t world_index_of(const struct world *world, const char *zone);
/* One random step: a push, a delete, an answer, time, a fault, a restart. */
void world_step(struct world *world, uint32_t number);
void world_pass_time(struct world *world, int64_t ms);

/* ---- process.c: the process that is simulated ---- */

enum world_answer {
	WORLD_YES,
	WORLD_NO,               /* not as things are */
	WORLD_REFUSED,          /* the store can't be written: nothing was changed */
	WORLD_UNSURE            /* the process ended and was started anew: it happened, or it did not */
};

/* For store_event_list: the id of the newest one. */
bool world_newest_event(void *newest, const struct store_event *event);
void world_start(struct world *world);
void world_stop(struct world *world);
/* One turn of the core. If the store broke under it, the process was started anew when it returns. */
void world_turn(struct world *world, struct core_command **commands, size_t command_count, struct core_job **jobs,
	size_t job_count);
void world_restart(struct world *world);
/* Puts in force what the world calls configured. */
int world_reconfigure(struct world *world, struct err *err);
/* The zone (NULL: none) and the master (NULL) of a command, which world_order or world_order_all takes. */
struct core_command *world_command(struct world *world, enum engine_op op, const char *zone, const char *master);
enum world_answer world_order(struct world *world, struct core_command *command);
/* All in one turn. */
void world_order_all(struct world *world, struct core_command **commands, size_t count, enum world_answer *answers);

/* ---- weather.c: what goes wrong ---- */

enum memory_fate world_fate(void *target, const char *zone);
/* Something goes wrong from now on; counted. */
void world_begin_fault(struct world *world);
/* Something is well again. */
void world_end_fault(struct world *world);
void world_end_all_faults(struct world *world);

/* ---- lanes.c: what lanes do ---- */

/* Which target it is for. */
unsigned world_target_of(const struct core_job *job);
void world_work(struct core_job *job);
/* One of the jobs that are out, if there is any that is not slow: works on it, or gives it back. False: there was none. */
bool world_finish_job(struct world *world);
/* What is not done yet may be done when the process is gone. */
void world_leave_late(struct world *world, const struct core_job *job);
void world_write_late(struct world *world);

/* ---- client.c: what masters do ---- */

void world_client(struct world *world);
void world_push(struct world *world, struct world_zone *zone, unsigned content, const char *master);
/* A master's text that was fetched; seen: the zone when the pass began. */
void world_pull(struct world *world, size_t zone, size_t master, const struct engine_seen *seen);
void world_add_version(struct world_zone *zone, unsigned content);

/* ---- masters.c: what masters host, and passes over them ---- */

void world_host(struct world *world, size_t master, size_t zone, unsigned content);
void world_masters_step(struct world *world);
/* Believes what a pass deleted, and checks that it may. */
void world_learn_orphans(struct world *world);

/* ---- operator.c ---- */

void world_operator(struct world *world);
void world_pause(struct world *world, size_t target, bool pause);
void world_freeze(struct world *world, struct world_zone *zone, bool freeze);
void world_dead_letters(struct world *world, struct world_zone *zone, bool drop);
/* False: no pass began. */
bool world_heal(struct world *world, const char *backend, bool dry_run);

/* ---- reload.c ---- */

/* NULL: it is not configured. */
struct core_lane *world_lane_of(const struct world *world, size_t target);
void world_reload(struct world *world);
/* What has drained for too long. */
void world_cut_short(struct world *world);
void world_configure_all(struct world *world);

/* ---- settle.c ---- */

/*
 * Ends all faults, lets time pass until nothing is left to do, and mends what is silently wrong: by a healing pass, or (in
 * schedules with an odd seed) by pushing everything once more.
 */
void world_settle(struct world *world);
/* By a pass. */
bool world_is_healed(const struct world *world);

/* ---- invariants.c, invariants_lanes.c: what must hold after every step, and after settling ---- */

void world_check(struct world *world);
void world_check_settled(struct world *world);
void world_check_lanes(struct world *world);
