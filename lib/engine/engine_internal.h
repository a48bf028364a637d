/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside the engine: its threads and the queues between them.
 *
 *	loop --engine_submit--> intake --commands--> engine thread --jobs--> lanes
 *	  ^                                             |    ^                 |
 *	  +---------------- messages -------------------+    +------ done -----+
 *	loop --engine_submit--> reader (lists) --messages--> loop
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include "base/queue.h"
#include "engine/core.h"
#include "engine/engine.h"
#include "engine/pulse.h"

/* One connection of one back end; its thread owns the struct backend. */
struct engine_lane_thread {
	struct engine *engine;
	struct engine_group *group;
	struct backend *backend;    /* its thread destroys it, at its end */
	struct queue *jobs;         /* at most one at a time */
	pthread_t thread;
	struct rng rng;
};

/* The connections of one back end with the same settings. */
struct engine_group {
	LIST_ENTRY(engine_group) link; /* of engine.groups, or of engine.drained */
	char *name;
	const struct backend_ops *ops;
	atomic_bool cancelled;      /* its lanes give up what they wait for */
	void (*use)(void *owner, bool begins);
	void *owner;
	bool started;
	size_t count;
	struct engine_lane_thread lanes[];
};

LIST_HEAD(engine_groups, engine_group);

/* Settings on their way to the engine thread, and groups on their way back from it. */
struct engine_settings {
	pthread_mutex_t lock;
	pthread_cond_t done;         /* waits on CLOCK_MONOTONIC */
	const struct engine_params *params; /* wanted; NULL: nothing is */
	const struct engine_change *change;
	struct err err;              /* what came of it */
	struct engine_groups drained; /* their threads are to be joined */
	bool draining;               /* there are more to come */
	bool closed;
};

/* The notice board: the engine thread's picture of the lanes, copied under its lock for the reader. */
struct engine_board {
	pthread_mutex_t lock;
	struct core_board content;
	struct doc *shown;           /* what other rooms published, each under its key */
};

/* Where a thread in engine_ask waits for its reply. */
struct engine_mailbox {
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct engine_message *message;
};

/* A room beside the engine that carries out orders. */
struct engine_room_door {
	struct queue *orders;
	atomic_bool open;
};

/* The newest backup since start (backup.c). Its thread, and whoever shows it, look under the lock. */
struct engine_backup {
	pthread_mutex_t lock;
	pthread_t thread;
	const char *state;           /* "running", "done", "failed"; NULL: there was none */
	struct store *reader;        /* while it may be interrupted */
	char *file;
	char *actor;
	int64_t started_us;
	int64_t ended_us;            /* 0: it is under way */
	uint64_t size;
	struct err err;
};

struct engine {
	struct engine_params params; /* as at the start; without back ends and back-off, which the core has */
	struct store *store;         /* the writer: engine thread only, while it runs */
	struct store *reader;        /* reader thread only */
	struct store *checker;       /* after an unclean end: of a thread that looks the store through, slowly */
	struct core *core;           /* engine thread only, once it runs */
	struct queue *requests;      /* to the intake */
	struct queue *commands;      /* intake -> engine thread */
	struct queue *done;          /* lanes -> engine thread */
	struct queue *notices;       /* back ends -> engine thread: what becomes an event */
	struct queue *queries;       /* to the reader */
	struct queue *messages;      /* to the loop */
	struct engine_room_door rooms[ENGINE_ROOMS];
	struct engine_groups groups; /* engine thread only, once it runs */
	struct engine_settings settings;
	int64_t drain_deadline_ms;   /* engine thread: then what still drains is cancelled; 0: nothing drains */
	atomic_size_t max_zone_records;
	atomic_size_t queue_bytes;
	struct pulse engine_pulse;
	struct pulse intake_pulse;
	pthread_t intake_thread;
	pthread_t engine_thread;
	pthread_t reader_thread;
	pthread_t checker_thread;
	struct engine_board board;
	atomic_size_t in_intake;     /* requests that the intake has not passed on yet */
	atomic_bool idle;            /* the engine thread waits for something to do */
	atomic_size_t under_way;     /* commands between engine_submit and their reply */
	atomic_size_t bytes_under_way;
	atomic_llong written;        /* the newest receipt */
	atomic_bool telling_names;   /* not all that were held at start are told yet */
	atomic_bool stopping;
	int64_t stop_deadline_ms;    /* monotonic; set before stopping */
	bool cancelled;              /* engine thread: all lanes give up what they wait for */
	bool unclean;
	struct engine_backup backup;
	char store_id[STORE_ID_SIZE];
	unsigned boot;               /* with submitted: names a request in events and log lines */
	atomic_ullong submitted;
};

/* What the intake does with a command: checks the name, parses the text. Any thread. */
void intake_read(const struct engine *engine, struct core_command *command);

/* lanes.c */
MUST_CHECK int lanes_create(struct engine *engine, const struct engine_backend *backend, struct engine_group **out,
	struct err *err);
void lanes_start(struct engine_group *group);
/* The engine thread: what they are at ends soon. */
void lanes_cancel(struct engine_group *group);
/* None of their jobs is out. They end. */
void lanes_close(struct engine_group *group);
/* Waits until they have, if they were started. */
void lanes_destroy(struct engine_group *group);

/* change.c */
/* The part of params that is the core's. */
struct core_params change_core_params(struct engine *engine, const struct engine_params *params);
void change_init(struct engine *engine);
/* After the engine thread: all lanes end. Blocks. */
void change_end_lanes(struct engine *engine);
void change_free(struct engine *engine);
/* The engine thread, between two turns: puts in force what is wanted, cuts short what drains for too long. Returns how long to
   wait for the next. */
int64_t change_go_on(struct engine *engine, int64_t wait_ms);
/* As of core_params. */
void change_opened(void *engine, void *group);
void change_drained(void *engine, void *group);
/* A copy of the back ends, each with lanes as its handle; also after an error it is to be freed, and the list has what was made. */
MUST_CHECK int change_make(struct engine *engine, const struct engine_params *params, struct engine_backend **out,
	struct engine_groups *made, struct err *err);
/* Nobody's settings are put in force any more. */
void change_close(struct engine *engine);

/* intake.c, reader.c: what their threads run; the argument is as named. */
void *intake_run(void *engine);
void *reader_run(void *engine);
void *reader_check(void *engine);

/* Shows the reader and the loop what the core is like now; the engine thread. */
void engine_show_board(struct engine *engine);
/* Hands a message to the loop, or to the thread that waits for it. */
void engine_tell(struct engine *engine, struct engine_message *message);
/* Counts the command in and passes it on, if there is room; any thread. direct: it may skip the intake (the loop only). */
MUST_CHECK int engine_pass_on(struct engine *engine, struct engine_request *request, bool direct);

/* backup.c */
char *engine_store_beside(const char *path);
MUST_CHECK int backup_begin(struct engine *engine, struct engine_request *request);
void backup_stop(struct engine *engine);

/* ask.c */
bool ask_is_query(enum engine_op op);
bool ask_is_order(enum engine_op op);
/* Hands the order to its room, or answers that nobody is there. Errors as of engine_submit. */
MUST_CHECK int ask_pass_order(struct engine *engine, struct engine_request *order);
void ask_deliver(struct engine_message *message);
void ask_make_rooms(struct engine *engine);
void ask_destroy_rooms(struct engine *engine);
