/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The engine: takes pushes, makes them durable, brings every back end to the
 * wanted state. What other rooms see of it is this header: they post requests
 * and take messages; neither store, nor sched, nor back ends show.
 *
 * Threads (lib/README.md): engine_submit and engine_take belong to one thread
 * (the loop) and never block; lib/sync's threads use the last section. Inside there are an intake thread (parses zone
 * text), the engine thread (owns the store), a reader thread (lists), and the
 * lanes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/doc.h"
#include "base/err.h"
#include "base/histogram.h"

struct backend_ops;

enum { ENGINE_BACKENDS_MAX = 64 };

/* What passes by themselves do about what differs; those that the operator asks for repair. */
enum engine_healing { ENGINE_HEALING_REPAIR, ENGINE_HEALING_REPORT, ENGINE_HEALING_OFF };

struct engine_backend {
	const char *name;
	const struct backend_ops *ops;
	const void *settings;          /* as backend.h says, of the type */
	unsigned connections;          /* lane threads */
	uint64_t version;              /* of the settings: with another number they are others, with the same one they are the same */
	enum engine_healing healing;
	bool verified;                 /* its name servers are asked: receipts are kept (lib/verify) */
	/* Told when lanes begin and when they cease to point to the settings, in the thread that starts, changes or stops the engine. NULL:
	   nobody wants to know, and the settings outlive the engine. */
	void (*use)(void *owner, bool begins);
	void *owner;
	void *handle;                  /* the engine's own */
};

/* What becomes of a text that looks like an accident (core_guard.c). */
enum engine_guard { ENGINE_GUARD_OFF, ENGINE_GUARD_WARN, ENGINE_GUARD_HOLD };

struct engine_params {
	const char *store_path;
	const struct engine_backend *backends;
	size_t backend_count;          /* at most ENGINE_BACKENDS_MAX */
	const int64_t *backoff_ms;
	unsigned backoff_count;
	unsigned max_attempts;
	int64_t probe_initial_ms;
	int64_t probe_max_ms;
	enum engine_guard guard_mode;
	unsigned history_versions;     /* texts of each zone that are kept, the present one included */
	unsigned guard_max_shrink_percent; /* of more than 20 records */
	size_t max_zone_records;       /* 0: no limit */
	size_t queue_capacity;         /* requests under way; beyond it engine_submit says ERR_BUSY */
	size_t queue_bytes;            /* zone text of requests under way; likewise (one request is always taken) */
	bool dry_run;                  /* every back end is paused, and stays so */
	bool peers;                    /* zones are exchanged with peers */
	const char *canary;            /* the zone that lib/verify changes itself, as configured; "" or NULL: none */
	bool healing_enabled;          /* passes begin by themselves: by the clock, and when a back end came up */
	int64_t healing_interval_ms;
	uint64_t seed;                 /* of jitter; 0: random */
	const struct clock *clock;     /* NULL: the system's */
};

struct engine;

/* For the event of a change of settings. NULL: not known, each. */
struct engine_change {
	const char *actor;
	const char *source;
	const char *detail;
};

/*
 * Opens the store and starts the threads. The names that are held follow as messages, a few at a time as they are taken;
 * requests are carried out meanwhile. All in params may go afterwards, but settings.
 */
MUST_CHECK int engine_start(const struct engine_params *params, struct engine **out, struct err *err);
/*
 * No further requests; those queued are carried out and answered, deliveries in flight get until deadline_ms, then are
 * cancelled. Blocks. Messages can still be taken until engine_destroy.
 */
void engine_stop(struct engine *engine, int64_t deadline_ms);
/*
 * From its return on all is as params say, but for the store's path, the seed, the clock and queue_capacity, which are as at the
 * start. A back end of another version drains (what is in flight there ends within some seconds, and is never lost) and goes on
 * with the new settings; one that is not named any more likewise ends, and its deliveries stay; a new one gets deliveries of
 * all zones. After an error nothing has changed. Blocks for a turn of the engine. One thread at a time, between engine_start and
 * engine_stop. ERR_INVALID names a setting; ERR_BUSY: see engine_is_settled, or core_reconfigure.
 */
MUST_CHECK int engine_reconfigure(struct engine *engine, const struct engine_params *params,
	const struct engine_change *change, struct err *err);
/*
 * Lets lanes that have drained go (engine_backend.use); returns whether none drains any more, so that a further change is taken.
 * Waits up to wait_ms for it. The thread of engine_reconfigure.
 */
bool engine_is_settled(struct engine *engine, int64_t wait_ms);
void engine_destroy(struct engine *engine);

/* A copy of a store that no engine has open, at file. ERR_BUSY: one has it; ERR_INVALID: file is there already. */
MUST_CHECK int engine_backup_closed(const char *store_path, const char *file, struct err *err);

/* ---- requests ---- */

enum engine_op {
	ENGINE_PUSH,     /* zone (a name as sent), hostname, username, text */
	ENGINE_DELETE,   /* names, hostname */
	ENGINE_RETRY,    /* zone, or NULL for all: every delivery that is not clean is tried now. All: answered when all are due;
	                    ERR_BUSY: that, or a replay of all, is under way */
	ENGINE_PAUSE,    /* backend: nothing new is sent there until it is resumed; pushes are taken. Survives a restart */
	ENGINE_RESUME,   /* backend */
	ENGINE_FREEZE,   /* zone: what is pushed is stored, and not delivered */
	ENGINE_THAW,     /* zone: the newest is delivered */
	ENGINE_ROLLBACK, /* zone, number: the content of that version again */
	ENGINE_UNDELETE, /* zone */
	ENGINE_DEAD_REPLAY, /* zone, backend; NULL for all: dead letters are tried now; all as RETRY */
	ENGINE_DEAD_DROP, /* zone; backend, or NULL for all: not tried any more until somebody asks */
	ENGINE_RETIRE,   /* backend: one that is not configured any more is forgotten, with its deliveries */
	ENGINE_BACKUP,   /* file: a copy of the store is made there, on a thread of its own; BACKUP_STATE tells when it is whole */
	ENGINE_APPROVE,  /* number: of something held; it is put in force */
	ENGINE_DISCARD,  /* number: it is dropped */
	ENGINE_IMPORT,   /* zone, hostname, username, at_us, text (none: the owner alone), dry_run: what stood elsewhere is taken
	                    where we hold nothing, or something older. doc: zone, result, reason (core_import.c) */
	ENGINE_PULL,     /* as PUSH, with a text fetched from the master hostname; seen (one): when that began. It is stored only if
	                    the zone is still so (decisions.md 20): else ERR_BUSY. ERR_DENIED: signed here, unsigned there */

	/* what lib/sync found out about the master hostname, a step at a time (lib/README.md, "A pass over the masters"): */
	ENGINE_MASTER_ASKED,   /* actor, dry_run: somebody wanted a pass over all masters */
	ENGINE_MASTER_LIST,    /* its list was complete: number zones, and limit names that are none; or text: why it was not */
	ENGINE_MASTER_CONTESTED, /* names, seen: zones that two masters list */
	ENGINE_MASTER_MISSING, /* names, seen: zones of it that its list lacks; dry_run */
	ENGINE_MASTER_OWN,     /* names, seen: zones that it alone lists become its own */
	ENGINE_MASTER_JUDGE,   /* orphans; number: zones of it that are held; dry_run. doc: what becomes of the missing ones */
	ENGINE_HEAL,     /* backend, or NULL for all; dry_run: a healing pass begins there. ERR_BUSY: one that was asked for is under way */
	ENGINE_HEAL_STOP, /* backend, or NULL for all: what is under way there ends */
	ENGINE_PLAN,     /* backend; zone, or a page of all behind after: what would be written there. Changes nothing. doc */

	ENGINE_MERGE,    /* peer, number (its pass), peer_zones: as far as they are newer, they become ours. text: of the only one. doc:
	                    merged, taken, waiting, capped */
	ENGINE_PEER_NOTE,/* peer, kind, text: something to remember of a peer, as an event */
	ENGINE_NOTE,     /* kind, text: something else to remember */

	ENGINE_ANSWERED, /* answers: what name servers said, as far as it is to be remembered */
	ENGINE_VERIFY_NOTE, /* kind, backend, zone, text: something to remember of a back end's name servers, as an event */

	/* from here on: questions, which change nothing; the reader answers them */
	ENGINE_STATUS,
	ENGINE_HEALS,    /* status with the lanes' names and heal alone: cheap, for waiting */
	ENGINE_ZONES,    /* after, limit */
	ENGINE_ZONE,     /* zone */
	ENGINE_REJECTED, /* after, limit; or zone for one with its text */
	ENGINE_EVENTS,   /* before or (the other way) number, limit, zone, kind */
	ENGINE_HISTORY,  /* zone, before (a version), limit */
	ENGINE_DIFF,     /* zone, number and other: versions, 0: the present one */
	ENGINE_DEAD,     /* backend or NULL, all, number (zone ids behind it), limit */
	ENGINE_DEAD_ZONE, /* zone, backend or NULL: with its text */
	ENGINE_BACKUP_STATE,
	ENGINE_STRANGER, /* backend: what the store knows of one, configured or not */
	ENGINE_HELD,     /* number (a list: those behind it), limit */
	ENGINE_HELD_ONE, /* number: with what it would change */
	ENGINE_PEER_ZONES, /* after, limit, or zone for one with its text; number 2: with tombstones, versions and texts of our own form */
	ENGINE_PEER_URLS,
	ENGINE_COMPARE,  /* peer_zones: doc "steps", for each 0: nothing, 1: merge it, 2: fetch its text and merge it, 3: that, and we do not hold it */
	ENGINE_HOLDINGS, /* after (number: a row), limit: every zone as the masters are compared with it, tombstones too */
	ENGINE_UNANSWERED, /* backend, number (of a writing), limit: what was written there behind it and is not answered. doc (reader_receipt.c) */
	ENGINE_SAMPLE,   /* backend, number (a row), limit: zones that are clean there. doc */
	ENGINE_ORPHANS,  /* after (number: a row), limit: zones that their masters do not list */

	/* from here on: orders to a room beside the engine, which answers them (engine_take_order) */
	ENGINE_SYNC_PEERS, /* a pass over all peers begins now */
	ENGINE_RECONCILE,  /* dry_run: a pass over all masters begins now, or after the one that is under way. doc: its number */
	ENGINE_RELOAD      /* the configuration is read again. doc: what of it is in force now, and what is not */
};

/* A zone as it was when somebody looked. Generation 0: it was not held. */
struct engine_seen {
	uint64_t generation;
	int64_t updated_at_us;
};

/* When a zone that its master does not list may be deleted (reliability.md 4.6). */
struct engine_orphan_policy {
	bool decide;                 /* false: this pass only counts */
	unsigned passes;             /* it must be missing in so many complete lists in a row */
	int64_t grace_us;            /* and for so long */
	unsigned min_delete_zones;   /* more than the larger of these two ... */
	unsigned max_delete_percent; /* ... of the master's zones, */
	unsigned max_delete_zones;   /* or more than this, or half of them: held until it is approved */
};

/* A zone as a peer offers it; each text malloc'ed. */
struct engine_peer_zone {
	char *name;            /* as sent */
	char *vector;          /* NULL: it has none, it comes from directdnsonly */
	char *origin;          /* the store that accepted it; NULL: the peer does not say */
	char *digest;          /* NULL: the peer does not say; then serial and records mean nothing */
	uint64_t records;
	uint32_t serial;
	bool deleted;
	int64_t accepted_us;   /* by our clock; 0: not known */
	char *hostname;
	char *username;
};

void engine_peer_zone_clear(struct engine_peer_zone *zone);

/* What a name server of a back end said of a zone there; texts malloc'ed. */
struct engine_answer {
	char *backend;
	char *server;          /* as configured */
	int64_t zone_id;
	char *zone;            /* its name, for the log; NULL where lost */
	uint64_t generation;   /* that it was asked for */
	bool lost;             /* it is to be asked for (again), everywhere; the rest means nothing */
	bool right;            /* it answers that */
	bool whole;            /* and so do all name servers of the back end */
	int64_t asked_at_us;   /* wall clock */
	bool has_serial;
	uint32_t serial;       /* that it told */
	bool authoritative;
	char *error;           /* NULL: none */
};

void engine_answer_clear(struct engine_answer *answer);

/* Made by engine_request_create, filled by the caller with malloc'ed strings; NULL where it does not apply. */
struct engine_request {
	enum engine_op op;
	uint64_t id;           /* the caller's ticket; 0: no reply is wanted */
	char *zone;            /* as sent: checked and normalised by the engine */
	char **names;          /* DELETE: as sent; MASTER_*: canonical */
	size_t name_count;
	struct engine_seen *seen; /* for each name; PULL: of the zone */
	struct engine_orphan_policy orphans;
	char *hostname;        /* NULL or "": not given */
	char *username;
	char *source;          /* the client's address, for events */
	char *actor;           /* who it is: the login's name, or "control socket" */
	char *identities;      /* PUSH, DELETE: the masters' host names that this login may act for, separated by commas; NULL: all */
	char *push_id;         /* set by engine_submit: one name for this request in all events and log lines */
	bool urgent;           /* PUSH: somebody waits for it (named_reload=yes): it goes before all others */
	char *backend;         /* PAUSE, RESUME, HEAL: as configured */
	bool dry_run;          /* HEAL, IMPORT, orders: say what differs, change nothing */
	char *text;            /* PUSH, PULL, IMPORT: zone text, any byte */
	char *file;            /* BACKUP: an absolute path that is free */
	bool all;              /* DEAD: dropped ones too */
	size_t text_size;
	char *after;           /* lists: a zone name */
	int64_t before;        /* EVENTS: an event id, 0: from the newest */
	int64_t other;         /* a second number */
	int64_t number;        /* of what is asked for, by op: an id, a version */
	int64_t at_us;         /* IMPORT: when it was accepted, wall clock; 0: nobody knows */
	size_t limit;
	char *peer;            /* the URL of the peer that it is about */
	bool learnt;           /* MERGE: that is not configured: its deletes are not taken */
	char *kind;            /* PEER_NOTE: of the event; EVENTS: of those asked for */
	struct engine_peer_zone *peer_zones;
	size_t peer_zone_count;
	struct engine_answer *answers;
	size_t answer_count;
	bool canary;           /* PUSH: of no interest to the audit */
	struct engine_mailbox *mailbox; /* engine_ask's own */
};

struct engine_request *engine_request_create(enum engine_op op, uint64_t id);
void engine_request_destroy(struct engine_request *request);

/* What a request may have to wait in. Where one of them is full the others may have room. */
enum engine_queue {
	ENGINE_QUEUE_CHANGES,
	ENGINE_QUEUE_QUESTIONS,
	ENGINE_QUEUE_PEERS,  /* from here on: orders, a queue for each operation */
	ENGINE_QUEUE_MASTERS,
	ENGINE_QUEUE_RELOAD,
	ENGINE_QUEUES
};

enum engine_queue engine_queue_of(enum engine_op op);

/* 0: the request is the engine's and a reply with its id will come. ERR_BUSY (engine_queue_of is full), ERR_CLOSED: it is still the caller's. */
MUST_CHECK int engine_submit(struct engine *engine, struct engine_request *request);

/* ---- messages ---- */

enum engine_message_kind {
	ENGINE_REPLY,        /* to request id */
	ENGINE_NAME_SET,     /* names: these zones are held, with these owners */
	ENGINE_NAME_GONE,    /* names: these are not any more */
	ENGINE_NAMES_LOADED, /* at start, after the NAME_SET messages for all that the store holds */
	ENGINE_STORE_STATE,  /* store_ok: can pushes be made durable? (readyz) */
	ENGINE_FATAL         /* the store is of no use any more: leave with err's text */
};

struct engine_name {
	const char *name;    /* canonical */
	const char *hostname; /* "" if unknown */
	const char *username;
};

/* What one name server said last of a zone. */
struct engine_said {
	char *server;
	uint64_t generation;   /* that it was asked for */
	int64_t asked_at_us;
	int64_t answered_at_us; /* it answers that; 0: it does not */
	bool has_serial;
	uint32_t serial;
	bool authoritative;
	char *error;           /* NULL: none */
};

/* What a back end's name servers answer of what was written there last. */
struct engine_receipt {
	const char *state;     /* "answered", "waiting" (still in time), "unanswered", "still_answers" (it is deleted); NULL: nobody
	                          asks, or did not yet */
	uint64_t generation;
	int64_t written_at_us;
	int64_t answered_at_us; /* by all of them; 0: not yet */
	int64_t unanswered_since_us; /* 0: it is answered */
	struct engine_said *said; /* by name of the server */
	size_t said_count;
};

struct engine_delivery {
	char *backend;
	uint64_t wanted;
	uint64_t applied;
	const char *state;   /* "clean", "due", "wait", "held" (not clean and the lane is not up), "rejected", "dead",
	                        "parked" (not tried until somebody asks) */
	bool suspect;
	bool contested;      /* somebody else keeps writing it there: repaired once an hour */
	uint32_t attempts;
	int64_t next_try_us; /* wall clock; 0: none */
	int64_t since_us;    /* 0 while clean */
	int64_t applied_at_us;
	char *last_error;    /* NULL: none */
	struct engine_receipt receipt;
};

struct engine_zone {
	char *name;          /* canonical */
	uint64_t generation;
	bool deleted;
	uint32_t serial;
	uint64_t records;
	char digest[33];
	char *hostname;
	char *username;
	int64_t updated_at_us;
	int64_t frozen_at_us;  /* 0: it is not */
	char *frozen_by;
	struct engine_delivery *deliveries; /* ENGINE_ZONE only */
	size_t delivery_count;
};

/* The newest healing pass at one back end; not over a restart. */
struct engine_heal {
	int64_t pass;          /* names it, grows; 0: there was none since start */
	const char *state;     /* "comparing", "repairing", "done", "failed", "stopped" */
	const char *trigger;   /* "operator", "schedule", "lane_up" */
	bool dry_run;
	int64_t started_at_us;
	int64_t ended_at_us;   /* 0: it is under way */
	int64_t took_us;       /* until it ended, or until now */
	uint64_t zones;        /* in service when it began */
	uint64_t compared;     /* of those */
	uint64_t missing;      /* wanted, and not there */
	uint64_t changed;      /* other records there */
	uint64_t stamp;        /* right records under a wrong stamp */
	uint64_t undeleted;    /* deleted, and there again */
	uint64_t stray;        /* bears our stamp, and the store does not know it: told, never touched */
	uint64_t waiting;      /* differed, but was on its way anyway */
	uint64_t repaired;
	uint64_t unrepaired;   /* the delivery failed, and will be tried again on its own clock; or nothing will bring it there:
	                          frozen, dropped, given up */
	uint64_t contested;    /* of those that differ: repaired too often lately, and now once an hour */
	char error[ERR_TEXT_SIZE]; /* "failed", "stopped": why */
};

/* What came of deliveries and healing passes at one back end, since start: it only grows. */
struct engine_tally {
	uint64_t ok;           /* answers to deliveries, by what they said (backend.h) */
	uint64_t retry;
	uint64_t reject;
	uint64_t stale;
	uint64_t down;
	uint64_t heals_done;   /* passes that ended, by how; what they found is in the rest, as in struct engine_heal */
	uint64_t heals_failed;
	uint64_t heals_stopped;
	uint64_t missing;
	uint64_t changed;
	uint64_t stamp;
	uint64_t undeleted;
	uint64_t stray;
	uint64_t repaired;
	uint64_t unrepaired;
	int64_t healed_at_us;  /* the end of the last one that got to its end, wall clock; 0: none did */
	struct histogram_copy answer; /* how long after it was accepted all name servers there answered it */
	struct histogram_copy commit; /* how long after it was wanted there newer content was committed there */
};

struct engine_lane {
	char *backend;
	char *type;
	const char *state;   /* "up", "down", "probing", "paused" */
	int64_t since_us;
	uint64_t pending;
	int64_t oldest_pending_us; /* age of the oldest, microseconds; 0: none */
	uint64_t inflight;
	uint64_t dead;
	uint64_t rejected;
	uint64_t suspect;
	uint64_t parked;
	int64_t next_probe_us;     /* wall clock; 0: not down */
	char *last_error;    /* of the lane; NULL: none */
	uint64_t contested;  /* zones that somebody else keeps writing there */
	int64_t next_heal_us; /* wall clock: the next healing pass by itself; 0: none is to come */
	struct engine_heal heal;
	struct engine_tally tally;
	bool verified;       /* its name servers are asked; else these are 0: */
	uint64_t waiting;    /* zones that are not answered, and not late: most are not asked for yet */
	uint64_t unanswered; /* zones that they do not all answer as written although it is time */
	int64_t oldest_unanswered_us; /* age of the oldest of those, microseconds; 0: none */
	uint64_t still_answers; /* deleted zones that they answer although it is time */
	bool canary;         /* there is one */
	int64_t canary_answered_at_us; /* when the canary was answered there last; wall clock, 0: not since start */
};

struct engine_refused {
	char *zone;
	int64_t at_us;
	char *source;
	char *hostname;
	char *username;
	char *error;
	char *text;          /* NULL in lists */
	size_t text_size;
};

struct engine_event {
	int64_t id;
	int64_t at_us;
	char *kind;
	char *zone;
	char *backend;
	char *source;
	char *detail;
	char *actor;
	char *push_id;
};

struct engine_status {
	uint64_t zones_total;
	uint64_t queue_size;    /* requests waiting for the engine */
	bool dry_run;
	bool store_ok;
	char *store_error;      /* NULL: none */
	uint64_t pushes;        /* since start, each */
	uint64_t deletes;
	uint64_t refused;
	uint64_t guarded;       /* pushes that the guard held */
	uint64_t superseded;
	uint64_t deliveries;
	uint64_t delivery_failures;
	int64_t started_at_us;
	uint64_t store_bytes;   /* of its file, and of what was written and is not yet in it */
	uint64_t store_log_bytes;
	uint64_t store_free_bytes; /* of the file system it is on, for us */
	uint64_t frozen;        /* zones */
	uint64_t held;          /* waiting for an operator's word */
	struct engine_lane *lanes;
	size_t lane_count;
	struct doc *shown;      /* an object: what other rooms published, each under its key */
};

struct engine_message {
	enum engine_message_kind kind;
	uint64_t id;              /* REPLY */
	enum engine_op op;        /* REPLY: of the request */
	struct err err;           /* REPLY: code 0 or why not; what to tell the client. FATAL, STORE_STATE: why */
	struct buf names;         /* see engine_message_next_name */
	size_t name_count;
	bool store_ok;
	/* REPLY to a query, by op: */
	struct engine_status *status;
	struct engine_zone *zones;      /* ZONES, ZONE (exactly one) */
	size_t zone_count;
	struct engine_refused *refused; /* REJECTED */
	size_t refused_count;
	struct engine_event *events;    /* EVENTS */
	size_t event_count;
	uint64_t affected;              /* RETRY: deliveries that are tried again; PAUSE, RESUME: 0 if it was so already;
	                                   HEAL: back ends at which the pass began; PULL: 0 if nothing was to be stored */
	int64_t pass;                   /* HEAL */
	bool more;                      /* the list goes on behind its last element */
	struct doc *doc;                /* REPLY: the whole answer, where it is none of those above */
	struct engine_mailbox *mailbox; /* REPLY to engine_ask */
};

/*
 * To be asked once a second by the loop: the name of a thread that has not turned for ten of such looks, or NULL. Pushes that need
 * it are not answered then.
 */
const char *engine_stalled(struct engine *engine);
/* Readable while messages wait: for the event loop. */
int engine_fd(const struct engine *engine);
/* The next messages, at most so many; how many. The caller frees each with engine_message_destroy. */
size_t engine_take(struct engine *engine, struct engine_message **out, size_t most);
void engine_message_destroy(struct engine_message *message);
/* Gives one name after the other, *at being 0 at first; they live as long as the message. False: there are no more. */
bool engine_message_next_name(const struct engine_message *message, size_t *at, struct engine_name *out);

/* ---- for threads beside the loop (lib/sync): any of them may call these ---- */

enum { ENGINE_ASKERS = 8 }; /* so many threads at most are in engine_ask at once */

/*
 * Submits the request, which is the engine's from here on, and waits for its reply, which is the caller's. Blocks, also
 * while the engine has no room for it: the loop's requests go first. ERR_CLOSED: the engine stops, there is no reply.
 */
MUST_CHECK int engine_ask(struct engine *engine, struct engine_request *request, struct engine_message **out);
/* From now on the status shows doc, which is the engine's from here on, under that key. */
void engine_publish(struct engine *engine, const char *key, struct doc *doc);

/* Who carries out orders: a thread of lib/sync each. */
enum engine_room { ENGINE_ROOM_PEERS, ENGINE_ROOM_MASTERS, ENGINE_ROOM_VERIFY, ENGINE_ROOM_RELOAD, ENGINE_ROOMS };

/* Orders to a room that nobody has opened, or that was closed, are refused. */
void engine_open_room(struct engine *engine, enum engine_room room);
/* When whoever took its orders has ended, and nobody takes his place. */
void engine_close_room(struct engine *engine, enum engine_room room);
/* The next order; waits for one up to wait_ms. NULL: there was none, or engine_wake_room was called. */
struct engine_request *engine_take_order(struct engine *engine, enum engine_room room, int64_t wait_ms);
void engine_wake_room(struct engine *engine, enum engine_room room);
/* The number of the newest writing that ENGINE_UNANSWERED knows; when it grows ENGINE_ROOM_VERIFY is woken. Any thread. */
int64_t engine_written(struct engine *engine);
/* Ends an order that was taken: doc (may be NULL) is its answer, or err says why not. Owns order and doc. */
void engine_answer_order(struct engine *engine, struct engine_request *order, struct doc *doc, const struct err *err);
