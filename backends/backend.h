/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The contract between the engine and a back end: whatever holds zones in one
 * data centre (architecture.md, decisions.md 1-4, 10; reliability.md 3.2-3.3).
 *
 * A back end classifies a failure; the engine decides what happens next. It
 * never sleeps, never retries beyond what a verdict says, never logs above
 * debug, and returns before its deadline. Every struct backend belongs to one
 * thread, except that backend_cancel may be called from any.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "zone/diff.h"
#include "zone/zone.h"

enum backend_verdict {
	BACKEND_OK,     /* this generation is committed there */
	BACKEND_RETRY,  /* this zone, later: deadlock, lock wait time-out */
	BACKEND_REJECT, /* this zone cannot be held there: record, column, width */
	BACKEND_STALE,  /* the target bears a newer stamp, or another store's: item.found */
	BACKEND_DOWN    /* the whole back end: refused, lost, read-only, bad login, wrong schema */
};

enum {
	BACKEND_STORE_ID_SIZE = 33, /* 32 lower-case hex digits */
	BACKEND_ITEMS_MAX = 1024,   /* of one transaction */
	BACKEND_LOOK_MOST = 800,    /* zones of one look */
	BACKEND_READ_MOST = 200,    /* zones whose rows are read at once */
	BACKEND_READ_BYTES = 4 << 20, /* about so much of them, unless one zone has more */
	BACKEND_READ_ZONE_BYTES = 64 << 20, /* and so much one zone may have */
	BACKEND_LIST_MOST = 1000    /* names of one page */
};

/* Who wrote a zone last, and which generation of it. store_id "": no stamp. */
struct backend_stamp {
	char store_id[BACKEND_STORE_ID_SIZE];
	uint64_t generation;
};

/* One zone to bring to the wanted state. */
struct backend_item {
	/* asked */
	const char *name;               /* canonical, final dot */
	struct zone *zone;              /* borrowed; NULL: the zone is to be gone */
	uint64_t generation;
	bool check;                     /* compare the rows as they are, whatever the stamp says. A delete: only the zone that
	                                   was deleted goes, not what somebody else made of that name: it bears our stamp, and if
	                                   that calls it deleted its rows are the last ones */
	struct zone_digest last;        /* of a delete that is checked: the rows that the zone had */
	struct backend_stamp supersede; /* a foreign stamp that may be overwritten (it was reported as STALE before) */
	/* answered */
	enum backend_verdict verdict;
	bool lost;                      /* with DOWN: the connection was lost (or an unknown code came) while this zone was
	                                   being written, so the zone itself may be the cause; the outcome is unknown */
	bool untried;                   /* with RETRY: never tried alone, for too many others of the call had to wait or too
	                                   long; never of all that failed */
	struct backend_stamp found;     /* with STALE */
	uint64_t rows_inserted;
	uint64_t rows_updated;
	uint64_t rows_deleted;
	struct err err;                 /* unless OK: what an operator is told; no secret, no SQL */
};

/* What a back end is told when it is made. All strings outlive it. */
struct backend_params {
	const char *name;               /* as in dns.backends.<name> */
	const char *store_id;           /* our store's, for stamps */
	const void *settings;           /* of the type, e.g. struct coredns_mysql_settings */
	/* Something an operator should know that is no failure (a schema step, a warning about one zone). Called from
	   the thread that runs the operation; zone may be NULL. */
	void (*notice)(void *ctx, const char *backend, const char *kind, const char *zone, const char *text);
	void *notice_ctx;
};

/* What a target holds of one zone that the caller knows of. */
struct backend_seen {
	const char *name;               /* asked: canonical */
	bool exists;                    /* there is a zone of exactly that name, whoever wrote it */
	struct backend_stamp stamp;     /* store_id "": none */
	bool deleted;                   /* what the stamp says, as is the next one */
	struct zone_digest stamped;
	struct zone_digest actual;      /* of the rows as they are, computed by the target; all zero: there are none */
};

/* A part of all names, looked at for the healing pass. */
struct backend_look {
	/* asked */
	const char *after;              /* from behind this name ("": from the first) ... */
	struct backend_seen *zones;     /* ... with these, sorted by name ... */
	size_t count;                   /* (at most BACKEND_LOOK_MOST) */
	bool to_end;                    /* ... to the end of all names; else to the last of these, and then there is one */
	/* answered */
	size_t done;                    /* so many of the zones, from the first: a back end may stop before the rest */
	char upto[ZONE_NAME_SIZE];      /* how far it looked (greater than after); "" with to_end: to the end */
	struct buf strays;              /* other names there that bear a stamp of our store and are not deleted, each with its
	                                   NUL; the caller's to free */
	size_t stray_count;
};

/* The rows of one zone as they really are. */
struct backend_rows {
	/* asked */
	const char *name;               /* canonical */
	/* answered */
	bool exists;                    /* there is a zone of exactly that name, whoever wrote it */
	struct backend_stamp stamp;     /* store_id "": none */
	bool deleted;                   /* what the stamp says */
	uint64_t count;                 /* of rows there */
	bool cut;                       /* they have more than BACKEND_READ_ZONE_BYTES: none is given */
	struct diff_row *rows;          /* count of them, in any order; each field may be NULL (a NULL byte in a text makes it so)
	                                   and hold any text */
	char *texts;                    /* where those live */
};

/* Some zones, row by row: what a person is told, or what is imported. */
struct backend_read {
	/* asked */
	struct backend_rows *zones;     /* distinct, sorted by name */
	size_t count;                   /* 1 to BACKEND_READ_MOST */
	/* answered */
	size_t done;                    /* so many of the zones, from the first and at least one: the others would take too much
	                                   memory */
};

/* Frees what was answered. */
void backend_read_free(struct backend_read *read);

/* A name that a target holds, whoever wrote it. */
struct backend_name {
	char *name;                     /* as it stands there: any text that is not empty */
	uint64_t rows;
	struct backend_stamp stamp;     /* store_id "": none */
	bool deleted;                   /* what the stamp says */
};

/* A page of all names that a target holds, in an order of its own. */
struct backend_list {
	/* asked */
	uint64_t after;                 /* 0: from the first; else next of the page before */
	size_t most;                    /* 1 to BACKEND_LIST_MOST */
	/* answered */
	struct backend_name *names;
	size_t count;
	uint64_t next;                  /* 0: there are no more; else the list goes on, though a page may be empty */
};

/* Frees what was answered. */
void backend_list_free(struct backend_list *list);

/* One thing of a target that was looked at, for an operator. The texts live during the call. */
enum backend_health {
	BACKEND_WELL,
	BACKEND_DOUBT, /* it works, and somebody should look at it */
	BACKEND_ILL    /* nothing, or not all, can be delivered there */
};

struct backend_finding {
	enum backend_health health;
	const char *about;              /* a word: reach, login, rights, database, tls, clock, schema, rows, ... */
	const char *text;               /* no secret */
	const char *remedy;             /* "": none is needed */
};

struct backend; /* each type embeds its own first member: const struct backend_ops *ops */

struct backend_ops {
	const char *type;               /* "coredns_mysql" */
	/* Does not connect. ERR_INVALID names the setting. */
	int (*create)(const struct backend_params *params, struct backend **out, struct err *err);
	void (*destroy)(struct backend *backend);
	/*
	 * Connects if need be and finds out whether a zone could be written now (rights, read-only, schema); creates or
	 * completes the schema if it is told to manage it. OK or DOWN.
	 */
	enum backend_verdict (*ping)(struct backend *backend, struct err *err);
	/*
	 * Brings each item to its state; fills every item's verdict. May use one transaction for up to BACKEND_ITEMS_MAX
	 * zones, but one zone's fault never fails another: after RETRY or REJECT the others are delivered in the same
	 * call, as far as time allows (untried). When the connection is lost all items without a verdict yet are DOWN,
	 * those whose transaction was open also lost. Idempotent; a zone's change is atomic; after any error no COMMIT is
	 * sent. Items are distinct zones.
	 */
	void (*apply)(struct backend *backend, struct backend_item *items, size_t count);
	/* Is there a zone of that name, whoever wrote it? Verdict OK or DOWN. */
	enum backend_verdict (*zone_exists)(struct backend *backend, const char *name, bool *exists, struct err *err);
	/*
	 * Finds out what the target really holds, in a bounded number of statements and one round trip; writes nothing. A
	 * zone that is written meanwhile may be seen half. Verdict OK or DOWN.
	 */
	enum backend_verdict (*look)(struct backend *backend, struct backend_look *look, struct err *err);
	/*
	 * The rows of some zones, each zone as it was at one instant, in a bounded number of statements and two round trips;
	 * and all names that are there, by pages. Both write nothing, wait for no lock and hold up no writer; they connect if
	 * need be, but make or complete no schema: where there are no tables yet there is no zone, and where there is none of
	 * stamps there is no stamp. Verdict OK or DOWN; with DOWN nothing is answered.
	 */
	enum backend_verdict (*read)(struct backend *backend, struct backend_read *read, struct err *err);
	enum backend_verdict (*list)(struct backend *backend, struct backend_list *list, struct err *err);
	/*
	 * Looks at all that deliveries and name servers need there, and tells at least one thing. Writes nothing and makes no
	 * schema, whatever it is told to manage. Ends early where nothing more can be seen.
	 */
	void (*examine)(struct backend *backend, void (*tell)(void *ctx, const struct backend_finding *finding), void *ctx);
	/* One line for people: type, host, database, server version. No secret. */
	void (*describe)(struct backend *backend, struct buf *out);
	/* Any thread: an operation under way ends soon with DOWN, and so does every later one. */
	void (*cancel)(struct backend *backend);
};

/* Every type embeds this as its first member. */
struct backend {
	const struct backend_ops *ops;
};

/* registry.c: NULL if there is no such type. */
const struct backend_ops *backend_find(const char *type);
const char *backend_verdict_name(enum backend_verdict verdict);
