/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of core.h, shared by core*.c only. */
#pragma once

#include "base/rng.h"
#include "engine/core.h"
#include "engine/idmap.h"
#include "engine/recent.h"
#include "zone/serial.h"

/* Beyond this a generation found at a target is nonsense that we don't rise above, but overwrite. Peers can count far more (sched/version.h). */
#define CORE_GENERATION_MAX (UINT64_C(1) << 61)

enum { URGENT_MOST = 64, CORE_PLANS_MOST = 8 };

/* Deliveries that are made due in one step, unless those of one zone are more (core_replay.c): some milliseconds. */
enum { CORE_REPLAY_MOST = 256 };

/* What a lane was given for one zone; lives from sending to landing. */
struct flight {
	uint64_t generation;
	bool again;                     /* a check was asked for meanwhile */
	int64_t newer_us;               /* when newer content came meanwhile, the first; 0: none did */
};

/* A zone under whose delivery the connection was lost, until a probe tells who is to blame. */
struct accused {
	int64_t zone_id;
	uint64_t generation;
	uint64_t successes;             /* of the lane, when it was accused */
	char name[ZONE_NAME_SIZE];
	char error[ERR_TEXT_SIZE];
};

/* How often another store's stamp was overwritten lately (decisions.md 3). */
struct repairs {
	int64_t window_us;              /* start of the hour that is counted */
	unsigned count;
};

/* Zones delivered since the lane was last idle, for the summary in the log. */
struct batch_stats {
	int64_t busy_since_us;          /* while a job is out */
	int64_t busy_us;                /* the times before, added up */
	int64_t last_us;                /* the last answer */
	int64_t told_us;                /* when the last summary was printed */
	uint64_t zones;
	uint64_t failures;
};

/* The healing pass at one lane (core_heal.c). */
struct healing {
	struct engine_heal shown;       /* what people see of it */
	bool running;
	bool automatic;                 /* nobody asked for it */
	int64_t auto_us;                /* the next one by itself; engine time, INT64_MAX: none is to come */
	int64_t auto_begun_us;          /* the last one; 0: none yet */
	bool came_up;                   /* the next one is because the lane came up */
	uint64_t news;                  /* events that it wrote */
	struct idmap told_before;       /* what the pass before found and left as it was: it is no news */
	struct idmap told_now;
	char *source;                   /* who asked */
	int64_t begun_ms;
	char after[ZONE_NAME_SIZE];     /* compared as far as this */
	bool compared;                  /* to the end */
	struct page *landed;            /* came back from the lane, not yet settled */
	struct details {                /* what it found, record by record */
		bool chosen;
		struct inspect *asking; /* to be sent */
		bool out;
		struct inspect *told;   /* came back */
	} details;
	unsigned failures;              /* of looks, in a row */
	int64_t live_us;                /* when something else than its repairs was delivered there last */
	int64_t sent_us;                /* the page that is out */
	int64_t next_us;                /* no page goes before */
	int64_t least_us;               /* the quickest page took so long; -1: none came back yet */
	struct idmap touched;           /* zones that were delivered there while the page was out */
	struct idmap repairs;           /* zones that the pass made due and that are not yet delivered */
	struct heal_order {             /* of this turn: the pass begins once it is committed */
		int64_t pass;           /* 0: none */
		const char *trigger;
		bool dry_run;
		bool stop;              /* what is under way ends */
		char *source;
	} order;
};

struct core_lane {
	char *name;
	const char *type;
	void *handle;                   /* of the jobs that it sends */
	int64_t backend_id;
	unsigned connections;
	uint64_t version;               /* engine_backend.version, as is the next one */
	enum engine_healing policy;
	bool verified;                  /* engine_backend.verified */
	bool leaving;                   /* nothing new is sent; once nothing is out, another takes its place: */
	struct core_lane *successor;    /* NULL: none */
	int64_t fill_after;             /* zones up to this id have a delivery there; INT64_MAX: all */
	bool paused;                    /* by the operator, whatever dry_run makes of it */
	struct lane health;
	enum { ORDER_NONE, ORDER_PAUSE, ORDER_RESUME } order; /* the operator's, of this turn: in force once committed */
	struct core_job **slots;        /* what each connection has; NULL: idle */
	size_t jobs_out;
	bool probe_out;
	int64_t revive_after;           /* came up: its DEAD deliveries of zones behind this id are still to be made due; INT64_MAX:
	                                   none are */
	bool alone_out;                 /* the job that is out must stay alone */
	size_t pages_out;               /* of jobs_out: a question (COMPARE, INSPECT), or none */
	struct healing healing;
	struct plan *plans[CORE_PLANS_MOST]; /* asked for, first come, first served (core_plan.c) */
	size_t plan_count;
	struct plan *plan_out;          /* its page is out; else NULL */
	struct idmap inflight;          /* zone id -> struct flight */
	struct idmap suspicion;         /* zone id -> struct accused: failed with the connection or the whole back end; a job
	                                   of its own from now on */
	size_t suspicion_at;            /* whose turn it is */
	unsigned streak;                /* jobs sent since one of those had a turn */
	uint64_t successes;             /* zones delivered since we started */
	struct idmap overrides;         /* zone id -> struct backend_stamp: foreign stamps that may be overwritten */
	struct idmap contested;         /* zone id -> struct repairs */
	struct idmap repaired;          /* zone id -> struct repaired: by passes by themselves, lately */
	struct contest {
		int64_t zone_id;
		int64_t at_us;          /* when it was last seen to be */
	} contests[CORE_CONTESTED_MOST];
	size_t contest_count;
	struct accused *accused;        /* of the doubt that is being cleared up */
	size_t accused_count;
	int64_t next_due_us;            /* nothing is due before; 0: look */
	struct batch size;              /* of jobs */
	int64_t urgent[URGENT_MOST];    /* zones that go before all others, in jobs of their own */
	size_t urgent_count;
	unsigned urgent_row;            /* jobs of urgent zones in a row */
	struct batch_stats batch;
	struct engine_tally tally;      /* without commit: that is this */
	struct histogram commit;
	struct histogram answer;
	int64_t canary_answered_us;     /* wall clock; 0: not since start */
	char trouble[ERR_TEXT_SIZE];    /* why something waits although the lane is up; "" once nothing does */
};

/* What one landed zone means for its row. Applied to the store in a second step, which may have to be repeated. */
struct outcome {
	struct core_lane *lane;
	int64_t zone_id;
	enum delivery_event event;
	uint64_t generation;            /* that the lane had */
	bool again;
	int64_t newer_us;               /* as of the flight */
	int64_t since_us;               /* OK of newer content, once written: since when it was wanted; else 0 */
	struct backend_stamp found;     /* STALE */
	char error[ERR_TEXT_SIZE];
};

/* Who caused it, from where, and in which request; any of them may be NULL. */
struct core_cause {
	const char *actor;
	const char *source;
	const char *push_id;
};

struct noted_event {
	char *kind;
	char *zone;
	char *backend;
	char *source;
	char *detail;
	char *actor;
	char *push_id;
};

/* A text that is to be a zone's content, whoever brings it. All is borrowed. */
struct core_content {
	const char *name;               /* canonical */
	struct zone *zone;              /* the text, parsed */
	const char *text;
	size_t text_size;
	const char *hostname;           /* the owning master; NULL or "": the owner stays */
	const char *username;
	const char *origin;             /* "push", "pull", "peer", "import", "rollback", "undelete" */
	struct core_cause cause;
	int64_t at_us;                  /* when it was accepted; 0: now */
	bool urgent;                    /* somebody waits for it */
	bool canary;                    /* it says nothing but that time goes by: no event */
	bool approved;                  /* an operator wants it as it is: the guard is not asked */
};

enum core_peer_change {
	CORE_PEER_CREATE,               /* of a zone that we did not hold */
	CORE_PEER_DELETE,               /* of one that we hold, and live */
	CORE_PEER_CHANGES
};

/* A peer, and what it may change in its pass (core_peer.c). */
struct core_peer {
	char *url;
	int64_t pass;
	uint64_t done[CORE_PEER_CHANGES];  /* in this pass */
	uint64_t most[CORE_PEER_CHANGES];
	bool held[CORE_PEER_CHANGES];      /* this pass brought more */
};

struct core {
	struct core_params params;
	struct store *store;
	struct rng rng;
	struct delivery_policy policy;
	struct lane_policy lane_policy;
	int64_t wall_start_us;
	int64_t mono_start_ms;
	struct core_lane **lanes;       /* in the order of the configuration */
	size_t lane_count;
	int64_t *backoff_ms;            /* of policy */
	struct recent recent;
	struct outcome *outcomes;       /* of this turn */
	size_t outcome_count;
	struct noted_event *events;     /* of this turn */
	size_t event_count;
	struct fresh {                  /* parsed zones of this turn: for the lanes, once they are committed */
		int64_t zone_id;
		uint64_t generation;
		struct zone *zone;      /* NULL: it is deleted */
		char *push_id;
	} *fresh;
	size_t fresh_count;
	struct engine_message **staged; /* told when the transaction is committed */
	size_t staged_count;
	bool store_ok;
	bool broken;
	bool quiesced;
	int store_failure;              /* ERR_* of the first failure, while the store is not good */
	char store_error[ERR_TEXT_SIZE];
	int64_t store_probe_us;         /* next try to write while the store is not good */
	int64_t prune_us;
	int64_t dispatch_us;            /* nothing is sent before: deliveries could not be recorded */
	int64_t last_pass;              /* of healing; wall clock, microseconds */
	struct core_counters counters;
	char canary[ZONE_NAME_SIZE];    /* canonical; "": none */
	int64_t receipts;               /* numbers that were given to receipts */
	int64_t written;                /* as far as that is committed */
	struct retirement {             /* of a back end, under way */
		int64_t id;             /* 0: none */
		char *name;
		struct engine_request *request; /* to be answered at its end */
		int64_t after;          /* zones done */
		uint64_t dropped;
		bool ordered;           /* the turn of the order is committed */
	} retire;
	struct replay {                 /* of all, under way */
		struct engine_request *request; /* to be answered at its end; NULL: none */
		int64_t backend_id;     /* 0: at all */
		int64_t after;          /* zones done */
		uint64_t count;         /* deliveries */
		bool ordered;           /* the turn of the order is committed */
	} replay;
	int64_t fill_us;                /* no deliveries at new back ends are made before */
	int64_t revive_us;              /* no lane's DEAD deliveries are made due before */
	struct idmap frozen;            /* zone ids; the values mean nothing */
	struct freeze_change {
		int64_t zone_id;
		bool freeze;
	} *freeze_changes;              /* of this turn: undone if it is rolled back */
	size_t freeze_change_count;
	int64_t names_after;            /* zones up to this id were told to the loop */
	struct core_peer *peers;
	size_t peer_count;
	int64_t condemned_us;           /* the next look for orphans that are to be deleted; INT64_MAX: there are none */
	struct orphan_events {          /* of this pass over a master: how many there would be */
		uint64_t missing;
		uint64_t back;
	} orphan_events;
};

/* Engine time: wall clock at start plus monotonic time since. */
int64_t core_now_us(const struct core *core);
int64_t core_wall_us(const struct core *core);

/* ---- core_gather.c: what a turn gathers until its commit ---- */

/* Notes an event for this turn's transaction, and logs it. zone, backend, source may be NULL. */
PRINTF_LIKE(6, 7)
void core_note(struct core *core, const char *kind, const char *zone, const char *backend, const char *source,
	const char *format, ...);
/* The same with all that is known of its cause. */
PRINTF_LIKE(6, 7)
void core_note_by(struct core *core, const char *kind, const char *zone, const char *backend,
	const struct core_cause *cause, const char *format, ...);
struct core_cause core_cause_of(const struct engine_request *request);
/* What the answer and the event of an order need, when they come with a later turn. */
struct engine_request *core_copy_order(const struct engine_request *request);
/* Says what is told once the transaction is committed. */
void core_stage(struct core *core, struct engine_message *message);
/* Keeps a parsed zone (NULL: deleted) for the lanes, and whose request it is, from the commit on. */
void core_keep(struct core *core, int64_t zone_id, uint64_t generation, struct zone *zone, const char *push_id);
/* The events noted so far go into the transaction; those from keep on are forgotten. */
MUST_CHECK int core_write_events(struct core *core, struct err *err);
void core_forget_events(struct core *core, size_t keep);
/* After the commit, or after a rollback. */
void core_tell_staged(struct core *core);
void core_drop_staged(struct core *core);

/* Nothing more can be done with this store: the process is to leave. */
void core_give_up(struct core *core, const struct err *err);
/* The store failed: no pushes until it works again; ERR_IO: never again. */
void core_store_failed(struct core *core, const struct err *err);
/* Tells the loop whether pushes can be made durable. */
void core_tell_store_state(struct core *core);
/* Moves the lane's health; notes what people are told of. */
void core_lane_move(struct core *core, struct core_lane *lane, enum lane_event event, const char *error);
/* A lane that has to prove itself by a delivery, and has none to make, need not. */
void core_lane_settle(struct core *core, struct core_lane *lane);
/* What the store's events know of the lane: "down since" and "paused" survive our own restart. A dry run is none of it: which one is in force is the caller's to say. */
MUST_CHECK int core_recall_lane(struct core *core, struct core_lane *lane, struct err *err);
/* What the lane knows of the one whose place it takes. */
void core_lane_inherit(struct core *core, struct core_lane *lane, const struct core_lane *before);
/* ---- core_change.c: how lanes come and go ---- */

/* Not yet registered, nor among core->lanes; what it is given is copied. */
struct core_lane *core_lane_create(const struct core *core, const struct engine_backend *backend);
/* In a dry run nothing is sent to it. Not the operator's pause: it is over with the setting, and no event tells of it. */
void core_lane_hold(const struct core *core, struct core_lane *lane);
/* From now on jobs of it may go out. */
void core_lane_open(const struct core *core, const struct core_lane *lane);
/* None of its jobs may be out. */
void core_lane_destroy(struct core *core, struct core_lane *lane);
/* Copies what of params may change. */
void core_take_settings(struct core *core, const struct core_params *params);
/* Who leaves and has nothing out gives its place up. After the turn's outcomes are written. */
void core_change_go_on(struct core *core);
/* Some deliveries at new back ends, in a transaction of its own. */
void core_fill_go_on(struct core *core);
/* When the next of those are; engine time, INT64_MAX: none are to come. */
int64_t core_fill_wake_us(const struct core *core);
/* It goes, and no other takes its place. */
static inline bool core_is_gone(const struct core_lane *lane)
{
	return lane->leaving && lane->successor == NULL;
}

/* By its configured name; NULL: there is none, or not any more. */
struct core_lane *core_find_lane(struct core *core, const char *name);
/* By its id in the store; NULL: it is not configured any more. */
struct core_lane *core_lane_of(const struct core *core, int64_t backend_id);
/* Returns ERR_NOTFOUND; err names it and those that there are. */
int core_no_such_lane(const struct core *core, const char *name, struct err *err);
/* Note and stage PAUSE or RESUME inside the transaction; core_obey brings the orders in force, or forgets them. */
void core_order(struct core *core, struct core_command *command);
void core_obey(struct core *core, bool committed);

/* ---- core_accept.c: what the store is to hold; inside the transaction ---- */

/*
 * The text becomes the zone's content: row, text, deliveries, events. Or the guard holds it back: then held->code is not
 * ERR_OK, held->text is what whoever brought it is told, and the old content stays. An error is the store's.
 */
MUST_CHECK int core_accept(struct core *core, const struct core_content *content, struct err *held, struct err *err);
/* The zone becomes a tombstone; its name goes into gone (ENGINE_NAME_GONE), which the caller stages. */
MUST_CHECK int core_bury(struct core *core, struct store_zone *row, const struct core_cause *cause,
	struct engine_message *gone, struct err *err);
/* The loop is to know the zone and its owner. */
void core_tell_name(struct core *core, const struct store_zone *row);
/* The loop is to know it and its owner from the commit on. */
void core_tell_name(struct core *core, const struct store_zone *row);
/* Host names of masters are compared as host names are: without case, without a final dot. */
bool core_same_host(const char *a, const char *b);

/* ---- core_merge.c, core_peer.c: peers ---- */

MUST_CHECK int core_merge(struct core *core, struct core_command *command, struct err *err);
MUST_CHECK int core_peer_note(struct core *core, struct core_command *command, struct err *err);
/* What comes next of that peer is of that pass. */
MUST_CHECK int core_peer_begin(struct core *core, const char *url, int64_t pass, struct err *err);
/* Whether the peer (cause->source) may make one more such change. The first that may not is held for an operator's word. */
MUST_CHECK int core_peer_may(struct core *core, const struct core_cause *cause, enum core_peer_change change, bool *may,
	struct err *err);
struct store_held;
/* For core_held.c: the peer's next pass may make as many changes of that kind as it likes. */
MUST_CHECK int core_peer_approve(struct core *core, const struct store_held *held, const struct core_cause *cause,
	struct doc *doc, struct err *refused, struct err *err);
void core_peers_free(struct core *core);

/* ---- core_count.c: changes of ours that the generation does not tell ---- */

/* A change that needs no new generation counts all the same, where there are peers; and a delete of what is deleted. */
MUST_CHECK int core_count_change(struct core *core, const struct store_zone *row, struct err *err);
MUST_CHECK int core_delete_again(struct core *core, struct store_zone *row, struct err *err);
/* A delete of what was never held here: a peer may hold it. */
MUST_CHECK int core_delete_unknown(struct core *core, const char *name, const char *hostname, struct err *err);
MUST_CHECK int core_put_tombstone(struct core *core, const char *name, const char *hostname, struct store_zone *out,
	struct err *err);
/* A tombstone of what was never held here: what bears its name at a back end is somebody else's. */
bool core_is_hearsay(const struct store_zone *row);
/* A new generation that is no change. */
MUST_CHECK int core_raise_uncounted(struct core *core, struct store_zone *row, uint64_t generation, struct err *err);

/* core_guard.c: holds back what looks like an accident; row is the zone as it is. See core_accept. */
MUST_CHECK int core_guard(struct core *core, const struct core_content *content, const struct store_zone *row,
	struct err *held, struct err *err);
struct store_held;
/* Lets a held push through, once, and drops it. Fills doc; or refused says why not. */
MUST_CHECK int core_guard_approve(struct core *core, const struct store_held *held, const struct core_cause *cause,
	struct doc *doc, struct err *refused, struct err *err);
/* core_history.c: ROLLBACK and UNDELETE. */
MUST_CHECK int core_history_order(struct core *core, struct core_command *command, struct err *err);
/* core_dead.c: DEAD_REPLAY and DEAD_DROP. */
MUST_CHECK int core_dead_order(struct core *core, struct core_command *command, struct err *err);
/* core_retire.c: RETIRE; answered when it is done. */
MUST_CHECK int core_retire_order(struct core *core, struct core_command *command, struct err *err);
/* The next step, in a transaction of its own. */
void core_retire_go_on(struct core *core);
void core_retire_settle(struct core *core, bool committed);
void core_retire_free(struct core *core);
/* core_replay.c: RETRY and DEAD_REPLAY of all (backend_id 0) or of all at one back end; answered when it is done. */
void core_replay_order(struct core *core, const struct engine_request *request, int64_t backend_id);
void core_replay_settle(struct core *core, bool committed);
/* The next step, in a transaction of its own. */
void core_replay_go_on(struct core *core);
void core_replay_free(struct core *core);
/* The next step for lanes that came up, likewise. */
void core_revive_go_on(struct core *core);
/* When the next step of either is; engine time, INT64_MAX: none is to come. */
int64_t core_replay_wake_us(const struct core *core);
/* core_freeze.c: FREEZE and THAW; what is frozen is parked wherever it would be sent. */
MUST_CHECK int core_freeze_order(struct core *core, struct core_command *command, struct err *err);
MUST_CHECK int core_freeze_load(struct core *core, struct err *err);
void core_freeze_settle(struct core *core, bool committed);
void core_freeze_free(struct core *core);
bool core_is_frozen(const struct core *core, int64_t zone_id);
/* Not tried there until somebody asks; nothing if it is clean or in flight. Inside the transaction. */
MUST_CHECK int core_park(struct core *core, struct core_lane *lane, int64_t zone_id, struct err *err);
/* The same for many, in a transaction of its own. */
MUST_CHECK int core_park_due(struct core *core, struct core_lane *lane, const int64_t *ids, size_t count,
	struct err *err);
/* core_command.c: the zone that a request names. row->id is 0 if there is none: then that is staged as the reply. */
MUST_CHECK int core_find_asked(struct core *core, struct core_command *command, struct store_zone *row,
	struct err *err);
/* core_held.c: APPROVE and DISCARD, by kind. */
MUST_CHECK int core_held_order(struct core *core, struct core_command *command, struct err *err);

/* ---- core_masters.c, core_orphans.c: what lib/sync found out about the masters ---- */

/* Of each kind, for a master and pass; one more tells how many more. A master that lost everything must not flood the log. */
enum { CORE_ORPHANS_TOLD = 100 };

struct store_master;
MUST_CHECK int core_master_asked(struct core *core, struct core_command *command, struct err *err);
MUST_CHECK int core_master_list(struct core *core, struct core_command *command, struct err *err);
MUST_CHECK int core_master_contested(struct core *core, struct core_command *command, struct err *err);
MUST_CHECK int core_master_missing(struct core *core, struct core_command *command, struct err *err);
MUST_CHECK int core_master_own(struct core *core, struct core_command *command, struct err *err);
MUST_CHECK int core_master_judge(struct core *core, struct core_command *command, struct err *err);
MUST_CHECK int core_pull(struct core *core, struct core_command *command, struct err *err);
/* What is held of the zone can't be read: false. */
MUST_CHECK int core_is_held_signed(struct core *core, const struct store_zone *row, bool *is_signed, struct err *err);
/* Known, or new; free it with store_master_clear. */
MUST_CHECK int core_master_find(struct core *core, const char *identity, struct store_master *out, struct err *err);
/* Condemns a held set of orphans, as far as it is still true, and drops it. Fills doc. */
MUST_CHECK int core_orphans_approve(struct core *core, const struct store_held *held, const struct core_cause *cause,
	struct doc *doc, struct err *refused, struct err *err);
/*
 * At start, inside its transaction: what was condemned before counts on, but is not deleted until a list since then condemns
 * it anew (decisions.md 20): nobody knows how long we were away.
 */
MUST_CHECK int core_orphans_reprieve(struct core *core, struct err *err);
/* Between the turns' own writes: deletes a few that are condemned, in a transaction of its own. */
void core_orphans_go_on(struct core *core);

/* core_import.c */
MUST_CHECK int core_import(struct core *core, struct core_command *command, struct err *err);

/* core_ask.c: moves one delivery row by an event that ends no flight (PUSHED, RAISED, CHECK, REPLAY). was: the generation before. */
MUST_CHECK int core_move_asked(struct core *core, struct core_lane *lane, int64_t zone_id, uint64_t was,
	enum delivery_event event, uint64_t generation, struct err *err);
/* The same at all back ends; was 0: the zone is new. */
MUST_CHECK int core_ask_all(struct core *core, int64_t zone_id, uint64_t was, enum delivery_event event,
	uint64_t generation, struct err *err);
/* What is parked of it at back ends that are away is woken when they come back (store_backends_unpark). */
MUST_CHECK int core_unpark_away(struct core *core, int64_t zone_id, struct err *err);
/* The operator asks for one zone, at all back ends. */
MUST_CHECK int core_retry_zone(struct core *core, const struct store_zone *row, struct err *err);

/* ---- core_heal_order.c: the operator's orders ---- */

/* HEAL, HEAL_STOP: as core_order, inside the transaction. */
void core_heal_order(struct core *core, struct core_command *command);
void core_heal_stop_order(struct core *core, struct core_command *command);
void core_heal_obey(struct core *core, struct core_lane *lane, bool committed);
/* Grows. */
int64_t core_heal_next_pass(struct core *core);

/* ---- core_heal_auto.c: passes by themselves ---- */

void core_heal_auto_init(struct core *core, struct core_lane *lane);
/* The lane came up: what it holds may be another database. */
void core_heal_came_up(const struct core *core, struct core_lane *lane);
/* A pass has begun, whoever asked: the clock begins anew. */
void core_heal_auto_restart(const struct core *core, struct core_lane *lane);
/* Begins one if it is time. */
void core_heal_auto(struct core *core, struct core_lane *lane);
/* When that is; engine time. */
int64_t core_heal_auto_wake_us(const struct core *core, const struct core_lane *lane);
/*
 * A pass by itself leaves the same things as they are each time: is it news what it says of this one? key: the zone's id, or
 * 0: text alone.
 */
bool core_heal_is_news(struct core_lane *lane, int64_t key, const char *text);
/* At the end of a pass; whole: it got to the end. */
void core_heal_keep_told(struct core_lane *lane, bool whole);
void core_heal_auto_free(struct core_lane *lane);

/* ---- core_contest.c: what somebody else keeps writing (decisions.md 3) ---- */

/* It is seen to be contested: people are shown so for two hours. */
void core_contest_show(const struct core *core, struct core_lane *lane, int64_t zone_id);
bool core_is_contested(const struct core *core, const struct core_lane *lane, int64_t zone_id);
/*
 * A pass by itself is about to repair the zone. False: that was done too often lately, and *until_us is when it may be next;
 * *news if that is the first time.
 */
bool core_contest_may_repair(const struct core *core, struct core_lane *lane, int64_t zone_id, int64_t *until_us,
	bool *news);
/* It was delivered. */
void core_contest_delivered(const struct core *core, struct core_lane *lane, int64_t zone_id);
/* Forgets what is long ago. */
void core_contest_prune(const struct core *core, struct core_lane *lane);
void core_contest_copy(const struct core *core, const struct core_lane *lane, struct core_board_lane *out);
void core_contest_free(struct core_lane *lane);

/* ---- core_heal.c: the healing pass ---- */

/* Begins what lane->healing.order asks for, in the place of what is under way. */
void core_heal_begin(struct core *core, struct core_lane *lane);
/* Ends what is under way; why is shown, the event is the caller's. */
void core_heal_stop(struct core *core, struct core_lane *lane, const char *why);
/* A page came back. Takes it. */
void core_heal_land(struct core *core, struct core_lane *lane, struct page *page);
/* A flight ended: what is out as a page was compared before or after it, and may be what the pass asked for. */
void core_heal_delivered(const struct core *core, struct core_lane *lane, int64_t zone_id, enum delivery_event event);
/* What came back is written, in a transaction of its own: it must not fail anybody's push. */
void core_heal_settle(struct core *core, struct core_lane *lane);
/* After what is due went out: the next page, if there is room; or the end of the pass. */
void core_heal_go_on(struct core *core, struct core_lane *lane);
/* When it must go on although nothing comes in; engine time, INT64_MAX: never. */
int64_t core_heal_wake_us(const struct core *core, const struct core_lane *lane);
void core_heal_show(const struct core *core, const struct core_lane *lane, struct engine_heal *out);
void core_heal_free(struct core_lane *lane);

/* A question may go to the lane: it is up, has an idle connection, and nothing is due. */
bool core_may_ask(const struct core *core, const struct core_lane *lane);

/* ---- core_plan.c: what would be written ---- */

/* Takes the plans out of the commands; how many others are left. They are answered when they are answered. */
size_t core_plan_take(struct core *core, struct core_command **commands, size_t count);
/* After what is due went out: the next page, if there is room. */
void core_plan_go_on(struct core *core, struct core_lane *lane);
/* Takes the answer. */
void core_plan_land(struct core *core, struct core_lane *lane, struct inspect *inspect);
int64_t core_plan_wake_us(const struct core_lane *lane);
/* None that waits is answered any more. */
void core_plan_close(struct core *core);
/* All that wait there are told that they must be asked again. */
void core_plan_send_away(struct core *core, struct core_lane *lane);
void core_plan_free(struct core_lane *lane);

/* ---- core_detail.c: what the landed page found, record by record ---- */

/* Chooses what is worth a question, once. */
void core_detail_choose(struct core *core, struct core_lane *lane);
/* Is it known, as far as it will be? Else an answer is waited for, or room to ask. */
bool core_detail_is_known(const struct core_lane *lane);
void core_detail_send(struct core *core, struct core_lane *lane);
/* Takes the answer. */
void core_detail_land(struct core *core, struct core_lane *lane, struct inspect *inspect);
void core_detail_clear(struct core_lane *lane);

/* core_finding.c: writes what a page found, inside a transaction, and counts it in *shown. */
MUST_CHECK int core_record_page(struct core *core, struct core_lane *lane, const struct page *page,
	struct engine_heal *shown, struct err *err);

/* core_identity.c: false: the login may not speak for that master; it was told so. */
bool core_may_act(struct core *core, struct core_command *command);
/* core_command.c: carries one command out inside the transaction. An error is the store's; what is wrong with the
   command itself is in the reply that is staged. */
MUST_CHECK int core_carry_out(struct core *core, struct core_command *command, struct err *err);

/* core_result.c */
/* Takes a job back: slots, lane health, suspicion; what it means for rows goes to core->outcomes. Owns the job then. */
void core_land(struct core *core, struct core_job *job);
/* Writes count of core->outcomes, from first on, inside the transaction. May be repeated after a rollback. */
MUST_CHECK int core_write_outcomes(struct core *core, size_t first, size_t count, struct err *err);

/* ---- core_receipt.c: what name servers are to answer, and what they said ---- */

/* Numbers go on where they ended. */
MUST_CHECK int core_receipts_begin(struct core *core, struct err *err);
/* Inside the transaction: what the outcome brought there is to be answered from now on. */
MUST_CHECK int core_receipt_write(struct core *core, const struct outcome *outcome, struct err *err);
MUST_CHECK int core_answered(struct core *core, struct core_command *command, struct err *err);
MUST_CHECK int core_verify_note(struct core *core, struct core_command *command, struct err *err);

/* ---- core_tally.c: what is counted for those who watch ---- */

void core_tally_verdict(struct core_lane *lane, enum backend_verdict verdict);
/* The pass that it shows has ended. */
void core_tally_heal(struct core_lane *lane);
/* count of core->outcomes, from first on, are committed. */
void core_tally_commits(struct core *core, size_t first, size_t count);
void core_tally_show(const struct core_lane *lane, struct engine_tally *out);

/* core_choose.c */
/* The zone was just made due at all back ends and somebody waits for it. A hint: beyond URGENT_MOST it is forgotten. */
void core_hurry(struct core *core, int64_t zone_id);

/* core_dispatch.c */
/* The text that the zone's generation has, or had just now; one reference, the caller's. */
MUST_CHECK int core_source(struct core *core, const struct store_zone *row, struct source **out, struct err *err);
/* Hands the job to an idle connection of the lane; there must be one. */
void core_send(struct core *core, struct core_lane *lane, struct core_job *job);
bool core_has_idle_slot(const struct core_lane *lane);
/* It asks what there is, and delivers nothing. */
static inline bool core_is_question(const struct core_job *job)
{
	return job->kind == CORE_JOB_COMPARE || job->kind == CORE_JOB_INSPECT;
}
void core_dispatch(struct core *core, struct core_lane *lane);
/* When the lane wants attention next; engine time, INT64_MAX: never. */
int64_t core_lane_wake_us(const struct core *core, const struct core_lane *lane);
/* Logs the summary of a finished batch if it is time, or now. */
void core_batch_tell(struct core *core, struct core_lane *lane, bool now);
